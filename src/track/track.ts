/** The way that each cat has gone, kept in `data_dir`: what comes by itself, and what was missed. */
import { RecoverableError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { FixesFetched, StoreEvent } from "../model/event.ts";
import type { Source } from "../sources/source.ts";
import { createCatchUp } from "./catch-up.ts";
import { createTrackFile } from "./file.ts";
import { createLiveness } from "./liveness.ts";
import { type TrackView, viewTrack } from "./reader.ts";
import { createRecorder } from "./recorder.ts";

export interface Track {
  /** Hears all that the store hears, before or after it. */
  note(event: StoreEvent): void;
  /** Fetches what was missed, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** How long positions are kept, ms; 0 keeps none, and deletes what was kept. */
  setRetention(ms: number): void;
  /** What is kept, up to this moment; undefined where nothing is. */
  read(): TrackView | undefined;
  /** Writes what is not written yet. */
  close(): void;
}

interface Context {
  readonly folder: string;
  readonly retentionMs: number;
  readonly log: Logger;
  /** The running source of this name. */
  readonly source: (name: string) => Source | undefined;
  /** Called with a sentence for the user when no track can be kept. */
  readonly onTrouble: (sentence: string) => void;
  /** Hears what was fetched for each collar: the newest of it may be news. */
  readonly tell: (event: FixesFetched) => void;
  /** What time it is, epoch ms, when our clock shows `at`: it may be wrong, and the cloud's fixes are not for that. */
  readonly inTruth: (at: number) => number;
}

export async function createTrack({ folder, retentionMs, onTrouble, ...tools }: Context): Promise<Track> {
  const { log } = tools;
  let keptMs = retentionMs;
  const liveness = createLiveness();
  const onLost = (): void => liveness.restart(Date.now());
  const file = await createTrackFile({ folder, log, onTrouble, onLost });
  const context = { ...tools, file, liveness, retentionMs: () => keptMs };
  const recorder = createRecorder(context);
  const catchUp = createCatchUp(context);

  function setRetention(ms: number): void {
    // What came while nothing was kept was missed.
    if (keptMs === 0) liveness.restart(Date.now());
    keptMs = ms;
    if (ms === 0) file.remove();
  }

  const view = viewTrack((read) => {
    // In a box, since what is read may be undefined.
    const box = file.use((database) => ({ value: read(database) }));
    if (box === undefined) throw new RecoverableError("the track cannot be read at the moment");
    return box.value;
  });

  setRetention(retentionMs);
  return {
    setRetention,
    read() {
      if (keptMs === 0) return undefined;
      recorder.flush(Date.now());
      return view;
    },
    note(event) {
      recorder.note(event);
      catchUp.note(event);
    },
    run: (signal) => catchUp.run(signal),
    close() {
      recorder.flush(Date.now());
      file.close();
    },
  };
}
