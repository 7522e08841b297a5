/** Which fixes are kept, and as what: whatever comes in, and whatever stands in the file, is checked by the same rules. */
import { LATEST_TIME } from "../lib/time.ts";
import type { DatedFix, Fix } from "../model/device.ts";

/** A fix of a device, by the device's key. */
export interface OwnedFix {
  readonly device: string;
  readonly fix: DatedFix;
}

/** The clock of a collar or a cloud may be ahead of ours by this much, ms. */
const AHEAD_MS = 600_000;

/**
 * The fix as it is kept; undefined where it has no place, or a time before `oldestAt` or in the future: one of a broken
 * clock would stay for ever.
 * @param at when it arrived, epoch ms; it stands in for a missing time of measurement
 */
export function keptFix(fix: Fix, at: number, oldestAt: number): DatedFix | undefined {
  const checked = checkedFix(fix.measuredAt === undefined ? { ...fix, measuredAt: at } : fix);
  return checked !== undefined && checked.measuredAt >= oldestAt && checked.measuredAt <= at + AHEAD_MS
    ? checked
    : undefined;
}

/** The fix with nothing in it but what may stand there; undefined where place or time are none. */
export function checkedFix(fix: { readonly [Name in keyof DatedFix]?: unknown }): DatedFix | undefined {
  const { latitude, longitude, measuredAt, accuracyM, satellites } = fix;
  if (!isUpTo(latitude, 90) || !isUpTo(longitude, 180) || !isUpTo(measuredAt, LATEST_TIME)) return undefined;
  const checked: { -readonly [Name in keyof DatedFix]: DatedFix[Name] } = {
    latitude,
    longitude,
    measuredAt: Math.floor(measuredAt),
  };
  if (isUpTo(accuracyM, Number.MAX_VALUE) && accuracyM >= 0) checked.accuracyM = accuracyM;
  if (isUpTo(satellites, Number.MAX_SAFE_INTEGER) && satellites >= 0) checked.satellites = Math.floor(satellites);
  return checked;
}

function isUpTo(value: unknown, most: number): value is number {
  return typeof value === "number" && Math.abs(value) <= most;
}
