/** The kept track as another process reads it, also while the daemon writes: nothing is created or changed. */
import { existsSync } from "node:fs";
import { describeError, RecoverableError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { DatedFix } from "../model/device.ts";
import type { Span } from "../model/span.ts";
import type { TrackSlice } from "../sources/source.ts";
import { loadSqlite, readTrackDatabase, type TrackDatabase } from "./database.ts";
import { trackFileIn } from "./file.ts";
import { difference, within } from "./spans.ts";

/** What stands in the file. All of it throws a RecoverableError where that cannot be read. */
export interface TrackView {
  /** The parts of the span in which not every fix is known. */
  gaps(device: string, span: Span): Span[];
  /** The parts of the span in which every fix is known. */
  covered(device: string, span: Span): Span[];
  /** The fixes of the span, the oldest first, a thousand at a time. */
  fixes(device: string, span: Span): Generator<DatedFix[]>;
}

export interface TrackReader extends TrackView {
  close(): void;
}

const PAGE = 1_000;
/** While a stream is open, it is written so often up to when all is known that this much may be missing, ms. */
const UNCONFIRMED_MS = 90_000;

/** @returns undefined where no track is kept, or where it cannot be read */
export async function openTrackReader(folder: string, log: Logger): Promise<TrackReader | undefined> {
  const file = trackFileIn(folder);
  if (!existsSync(file)) return undefined;
  try {
    const database = readTrackDatabase(await loadSqlite(), file);
    return { ...viewTrack((read) => reading(() => read(database), file)), close: () => database.close() };
  } catch (error) {
    log.warn(`the track in ${file} cannot be read (${describeError(error)}); PetTracer is asked instead`);
    return undefined;
  }
}

/** @param use hands the file over for a moment */
export function viewTrack(use: <T>(read: (database: TrackDatabase) => T) => T): TrackView {
  const known = (device: string): Span[] => use((database) => database.covered(device)).map(upToNow);
  return {
    gaps: (device, span) => difference(span, known(device)),
    covered: (device, span) => within(span, known(device)),
    *fixes(device, { fromAt, toAt }) {
      for (let at = fromAt; at <= toAt; ) {
        const page = use((database) => database.fixes(device, { fromAt: at, toAt }, PAGE));
        if (page.length > 0) yield page;
        at = page.length < PAGE ? Number.POSITIVE_INFINITY : (page.at(-1)?.measuredAt ?? toAt) + 1;
      }
    },
  };
}

/** What was confirmed a moment ago goes on: a stream that is open now. */
function upToNow({ fromAt, toAt }: Span): Span {
  return { fromAt, toAt: toAt >= Date.now() - UNCONFIRMED_MS ? Number.POSITIVE_INFINITY : toAt };
}

function reading<T>(read: () => T, file: string): T {
  try {
    return read();
  } catch (cause) {
    throw new RecoverableError(`the track in ${file} cannot be read; move it away to have PetTracer asked instead`, {
      cause,
    });
  }
}

/**
 * The whole span, the oldest fix first: what is kept, and the gaps as the cloud tells them.
 * @param fetch a gap's slices; what is kept of a gap and the cloud has no more comes with them
 */
export async function* joinedTrack(
  reader: TrackReader,
  device: string,
  span: Span,
  fetch: (gap: Span) => AsyncIterable<TrackSlice>,
): AsyncGenerator<TrackSlice> {
  let { fromAt } = span;
  for (const gap of reader.gaps(device, span)) {
    yield* keptSlices(reader, device, { fromAt, toAt: gap.fromAt - 1 });
    fromAt = gap.fromAt;
    for await (const { fixes, untilAt } of fetch(gap)) {
      yield { untilAt, fixes: merged(fixes, [...reader.fixes(device, { fromAt, toAt: untilAt })].flat()) };
      fromAt = untilAt + 1;
    }
    fromAt = gap.toAt + 1;
  }
  yield* keptSlices(reader, device, { fromAt, toAt: span.toAt });
}

function* keptSlices(reader: TrackReader, device: string, span: Span): Generator<TrackSlice> {
  for (const fixes of reader.fixes(device, span)) yield { untilAt: fixes.at(-1)?.measuredAt ?? span.fromAt, fixes };
}

/** What the cloud tells, and what of another time is kept. */
function merged(told: readonly DatedFix[], kept: readonly DatedFix[]): DatedFix[] {
  const times = new Set(told.map(({ measuredAt }) => measuredAt));
  const more = kept.filter(({ measuredAt }) => !times.has(measuredAt));
  return more.length === 0 ? [...told] : [...told, ...more].toSorted((a, b) => a.measuredAt - b.measuredAt);
}
