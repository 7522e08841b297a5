/**
 * What is said again and again is told once, and then counted: the first time at once, later at growing distances, with
 * how often it came meanwhile. A log then stays short through a day of the same fault, and a new fault still shows.
 */
import { monotonicMs } from "./clock.ts";
import { spanOf } from "./span.ts";

export interface Repeats {
  /**
   * Tells the text by `tell` now, or counts it. What was counted is told later by the latest `tell`.
   * @param free so many of the same are told before it is counted
   * @returns false where it was only counted
   */
  say(text: string, free: number, tell: (suffix: string) => void): boolean;
}

const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];
/** Between two times that the same is told, ms; the last one for ever. */
const DISTANCES_MS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS];
/** What was not said for so long is new again, ms. */
const FORGET_MS = HOUR_MS;
/**
 * So many texts are told apart; those beyond count as one: texts that are never the same would fill disk and memory. But
 * they are different texts, and another fault may be among them: of those, one is told at this distance, ms.
 */
const MOST_TEXTS = 200;
const ONE_OF_MANY_MS = 10 * MINUTE_MS;
const ONE_TOO_MANY = "";

interface Entry {
  readonly isOfMany: boolean;
  toldAt: number;
  saidAt: number;
  step: number;
  freeLeft: number;
  count: number;
  tell: (suffix: string) => void;
  timer?: NodeJS.Timeout;
}

export function createRepeats(): Repeats {
  const entries = new Map<string, Entry>();

  function entryOf(text: string): Entry | undefined {
    const now = monotonicMs();
    const entry = entries.get(text);
    if (entry === undefined || now - entry.saidAt < FORGET_MS) return entry;
    if (entry.count > 0) tellCount(entry);
    entries.delete(text);
    return undefined;
  }

  function keyOf(text: string): string {
    if (entries.has(text) || entries.size < MOST_TEXTS) return text;
    for (const known of entries.keys()) entryOf(known);
    return entries.size < MOST_TEXTS ? text : ONE_TOO_MANY;
  }

  return {
    say(text, free, tell) {
      const key = keyOf(normal(text));
      const now = monotonicMs();
      const entry = entryOf(key);
      if (entry === undefined) {
        const isOfMany = key === ONE_TOO_MANY;
        entries.set(key, { isOfMany, toldAt: now, saidAt: now, step: 0, freeLeft: free - 1, count: 0, tell });
        tell("");
        return true;
      }
      Object.assign(entry, { saidAt: now, tell });
      if (now - entry.toldAt >= distanceMs(entry)) {
        entry.count += 1;
        tellCount(entry);
        entry.freeLeft = free - 1;
        return true;
      }
      if (entry.freeLeft > 0) {
        entry.freeLeft -= 1;
        tell("");
        return true;
      }
      entry.count += 1;
      entry.timer ??= setTimeout(() => tellCount(entry), entry.toldAt + distanceMs(entry) - now).unref();
      return false;
    },
  };
}

function distanceMs({ step, isOfMany }: Entry): number {
  if (isOfMany) return ONE_OF_MANY_MS;
  return DISTANCES_MS[Math.min(step, DISTANCES_MS.length - 1)] ?? HOUR_MS;
}

function tellCount(entry: Entry): void {
  const now = monotonicMs();
  const suffix = suffixOf(entry, now);
  clearTimeout(entry.timer);
  delete entry.timer;
  Object.assign(entry, { toldAt: now, step: entry.step + 1, count: 0 });
  entry.tell(suffix);
}

/** What came since it was told, the text that is told now among it. */
function suffixOf({ toldAt, saidAt, count, isOfMany }: Entry, now: number): string {
  const span = spanOf(now - toldAt);
  if (isOfMany) return count < 2 ? "" : ` (and ${count - 1} other complaints in the last ${span})`;
  const times = count === 1 ? "once more" : `${count} more times`;
  const last = now - saidAt < 2 * MINUTE_MS ? "" : `, the last one ${spanOf(now - saidAt)} ago`;
  return ` (${times} in the last ${span}${last})`;
}

/** Texts that differ in how long something takes, and in when it will be, say the same. */
function normal(text: string): string {
  return text.replaceAll(/\d+(?:\.\d+)? (?=(?:ms|s|min|h|days)\b)/g, "").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "");
}
