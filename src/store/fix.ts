/** Which of two fixes is the newer one: an older fix never wins, whichever way and order they come in. */
import type { DatedFix, Fix } from "../model/device.ts";

/** Clocks of collars and clouds may be off by this much before a time counts as "in the future". */
const TOLERANCE_MS = 600_000;

/**
 * The fix to keep: `incoming` if it is newer than `current` and good enough to move a cat that has a position.
 * @param at when `incoming` arrived, epoch ms; it stands in for a missing time of measurement
 * @param maxAccuracyM fixes worse than this do not move a cat
 */
export function newerFix(
  current: DatedFix | undefined,
  incoming: Fix,
  at: number,
  maxAccuracyM: number,
): DatedFix | undefined {
  if (current === undefined) return dated(incoming, at);
  if ((incoming.accuracyM ?? 0) > maxAccuracyM) return current;
  if (incoming.measuredAt === undefined && samePlace(current, incoming)) return current;
  const fix = dated(incoming, at);
  return isNotOlder(fix.measuredAt, current.measuredAt, at) ? fix : current;
}

function dated(fix: Fix, at: number): DatedFix {
  return isDated(fix) ? fix : { ...fix, measuredAt: at };
}

function isDated(fix: Fix): fix is DatedFix {
  return fix.measuredAt !== undefined;
}

/** The same coordinates once more, without a time, are no news. */
function samePlace(a: Fix, b: Fix): boolean {
  return a.latitude === b.latitude && a.longitude === b.longitude;
}

/**
 * A time that lies in the future is a broken clock: it must not hold the cat in place until that day comes.
 * Where both lie there, the clock that is wrong is our own, and their order still counts.
 */
function isNotOlder(time: number, than: number, now: number): boolean {
  const [timeOdd, thanOdd] = [time > now + TOLERANCE_MS, than > now + TOLERANCE_MS];
  // Of two with the same time the later arrival may be the corrected one.
  return timeOdd === thanOdd ? time >= than : thanOdd;
}
