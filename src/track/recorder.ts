/**
 * Writes down the fixes that the daemon hears of, a second's worth at a time, and with them up to when that is all
 * there is: never is a span said to be whole before its fixes are written. What cannot be written is not held in
 * memory: from then on the span counts as missed, and is fetched when it can be written again.
 */
import { nextTurn } from "../lib/clock.ts";
import type { Fix } from "../model/device.ts";
import type { StoreEvent } from "../model/event.ts";
import type { TrackFile } from "./file.ts";
import { keptFix, type OwnedFix } from "./fix.ts";
import type { Liveness } from "./liveness.ts";

export interface Recorder {
  note(event: StoreEvent): void;
  /** Writes what is not written yet. */
  flush(at: number): void;
}

interface Context {
  readonly file: TrackFile;
  readonly liveness: Liveness;
  /** How long fixes are kept, ms; 0 keeps none. */
  readonly retentionMs: () => number;
  readonly inTruth: (at: number) => number;
}

/** So many are written at once, a few milliseconds' worth; then whatever has arrived meanwhile has its turn. */
const MOST_AT_ONCE = 500;
/** So many may wait for the second to end; one of them takes about 200 bytes. */
const MOST_WAITING = 50_000;
/** So many spans are written with them, the others with the next ones. */
const MOST_SPANS_AT_ONCE = 500;
/** Up to when all is known is written this often, ms. */
const CONFIRMED_EVERY_MS = 30_000;
const FORGOTTEN_EVERY_MS = 3_600_000;
/** The clock on the wall was set when it goes so much faster or slower than time, ms. */
const CLOCK_SET_MS = 5_000;

export function createRecorder({ file, liveness, retentionMs, inTruth }: Context): Recorder {
  let waiting: OwnedFix[] = [];
  let isWriting = false;
  /** The last place of those that come without a time, which would come as news with each snapshot. */
  const timeless = new Map<string, string>();
  let passedAt: number | undefined;
  let [sinceConfirmedMs, sinceForgottenMs] = [0, FORGOTTEN_EVERY_MS];

  function keep(device: string, fix: Fix | undefined, at: number): void {
    if (fix === undefined || retentionMs() === 0 || !liveness.isListed(device) || isTold(device, fix)) return;
    const now = inTruth(at);
    const kept = keptFix(fix, now, now - retentionMs());
    if (kept === undefined) return;
    waiting.push({ device, fix: kept });
    if (waiting.length >= MOST_WAITING) write(at, 0);
  }

  function isTold(device: string, { measuredAt, latitude, longitude }: Fix): boolean {
    if (measuredAt !== undefined) return false;
    const place = `${latitude} ${longitude}`;
    if (timeless.get(device) === place) return true;
    timeless.set(device, place);
    return false;
  }

  function flush(at: number): void {
    write(at, Number.POSITIVE_INFINITY);
  }

  /**
   * Writes what waits in parts, device by device: those of one stand together in the file, and the fewer of its pages a
   * part touches, the less there is to write. What comes meanwhile belongs to the next second.
   */
  async function writeInParts(at: number): Promise<void> {
    isWriting = true;
    waiting = [...Map.groupBy(waiting, ({ device }) => device).values()].flat();
    for (let left = waiting.length; left > 0 && waiting.length > 0; left -= MOST_AT_ONCE) {
      const isLast = left <= MOST_AT_ONCE;
      const part = waiting.splice(0, Math.min(left, MOST_AT_ONCE));
      save(part, isLast ? MOST_SPANS_AT_ONCE : 0, at);
      if (!isLast) await nextTurn();
    }
    isWriting = false;
  }

  /** Writes all fixes that wait and, behind them, so many spans. */
  function write(at: number, mostSpans: number): void {
    const fixes = waiting;
    waiting = [];
    save(fixes, mostSpans, at);
  }

  function save(fixes: readonly OwnedFix[], mostSpans: number, at: number): void {
    // What is not kept would pile up.
    if (retentionMs() === 0 || !isSaved(fixes, mostSpans, at)) liveness.restart(at);
  }

  function isSaved(fixes: readonly OwnedFix[], mostSpans: number, at: number): boolean {
    const isWritten = file.use((database) => {
      // Taken here: if the file turned out to be another one, there are none of before.
      database.save(fixes, mostSpans > 0 ? liveness.takeSpans(at, mostSpans) : []);
      return true;
    });
    return isWritten === true;
  }

  function pass(at: number, elapsedMs: number): void {
    if (passedAt !== undefined && Math.abs(at - passedAt - elapsedMs) > CLOCK_SET_MS) {
      flush(passedAt);
      liveness.restart(at);
    }
    passedAt = at;
    sinceConfirmedMs += elapsedMs;
    sinceForgottenMs += elapsedMs;
    const isDue = liveness.hasEnded || liveness.isBehind || sinceConfirmedMs >= CONFIRMED_EVERY_MS;
    if (!isWriting && (waiting.length > 0 || isDue)) {
      sinceConfirmedMs = 0;
      if (waiting.length > MOST_AT_ONCE) void writeInParts(at);
      else write(at, MOST_SPANS_AT_ONCE);
    }
    if (sinceForgottenMs >= FORGOTTEN_EVERY_MS) forget(at - retentionMs());
  }

  /** As long as there is more to forget, it goes on with the next second. */
  function forget(oldestAt: number): void {
    if (retentionMs() === 0) return;
    const isMore = file.use((database) => database.forget(oldestAt));
    file.forget(oldestAt);
    if (isMore !== true) sinceForgottenMs = 0;
  }

  return {
    flush,
    note(event) {
      liveness.note(event);
      if (event.type === "devicesListed") {
        for (const { key, report } of event.collars) keep(key, report.fix, event.at);
      } else if (event.type === "collarReported") keep(event.key, event.report.fix, event.at);
      else if (event.type === "timePassed") pass(event.at, event.elapsedMs);
    },
  };
}
