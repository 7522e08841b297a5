/** The last contact, and which of them to show. */
import type { ShownContact } from "../model/device.ts";

const TOLERANCE_MS = 600_000;
/** A shown contact is renewed at most so often: each renewal is a row in the user's database. */
const EVERY_MS = 5 * 60_000;
/** A contact after such a silence is shown at once. */
const SILENCE_MS = 15 * 60_000;

/** The later contact; one from the future (a broken clock) gives way to any other. */
export function laterContact(
  current: number | undefined,
  incoming: number | undefined,
  now: number,
): number | undefined {
  if (incoming === undefined) return current;
  if (current === undefined || current > now + TOLERANCE_MS) return incoming;
  return Math.max(current, incoming);
}

/** What to show when `contactAt` is the last contact known at `now`, both epoch ms. */
export function shownContact(
  shown: ShownContact | undefined,
  contactAt: number | undefined,
  now: number,
): ShownContact | undefined {
  if (contactAt === undefined || contactAt === shown?.contactAt) return shown;
  const due =
    shown === undefined || contactAt - shown.contactAt >= SILENCE_MS || Math.abs(now - shown.shownAt) >= EVERY_MS;
  return due ? { contactAt, shownAt: now } : shown;
}
