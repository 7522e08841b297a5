/**
 * What follows from a collar's reports and from time alone: whether it counts as home, as low, as full, as lost, how
 * long it was out. Pure; an unchanged collar comes back as the same object.
 */
import type { Collar, Outside } from "../model/device.ts";
import { OFF_MODE, pollMs } from "../model/mode.ts";
import type { Draft } from "./merge.ts";

/** A battery that was low is not low any more when it has risen by this, mV: less is the noise of its voltage. */
const RECOVERY_MV = 50;
/** The charger's work is done above this voltage, when the collar says so; the portal's own rule. */
const FULL_MV = 4_100;
const FULL_FLAGS = 0b110;
/** A collar counts as lost after so many of its polls were missed, and not before an hour. */
const MISSED_POLLS = 3;
const LOST_AFTER_MS = 3_600_000;

/**
 * Lays over the draft what follows from it at `at`, epoch ms.
 * @param flapMs a `home` that changes back within this counts once
 */
export function settle(draft: Draft<Collar>, at: number, flapMs: number): Draft<Collar> {
  const collar = draft.value;
  // Nobody sees another one's change: all look first.
  const patches = [
    outside(collar, at),
    atHome(collar, at, flapMs),
    batteryLow(collar),
    full(collar),
    modeAsked(collar, at),
    echoed(collar),
    found(collar, at),
  ];
  for (const patch of patches) if (patch !== NOTHING) draft.lay(patch);
  return draft;
}

/** No change: most have nothing to say, again and again. */
const NOTHING: Partial<Collar> = {};

/** A collar that nobody has heard for much longer than its mode explains. Only time that goes by can tell. */
export function contactLoss({ lastContactAt, mode }: Collar, at: number): Partial<Collar> {
  if (lastContactAt === undefined || mode === OFF_MODE) return NOTHING;
  const patienceMs = Math.max(LOST_AFTER_MS, MISSED_POLLS * pollMs(mode));
  return at - lastContactAt > patienceMs ? { contactLost: true } : NOTHING;
}

function found(collar: Collar, at: number): Partial<Collar> {
  if (collar.lastContactAt === undefined) return NOTHING;
  const isRecent = at - collar.lastContactAt <= LOST_AFTER_MS;
  return isRecent ? { contactLost: false } : NOTHING;
}

/** A change after a calm is shown at once; one that comes shortly after another waits until it has lasted. */
function atHome(collar: Collar, at: number, flapMs: number): Partial<Collar> {
  const { home, atHome: shown, homeChangedAt = at, homeChangedBeforeAt = Number.NEGATIVE_INFINITY } = collar;
  if (home === undefined || home === shown) return NOTHING;
  const wasCalm = shown === undefined || homeChangedAt - homeChangedBeforeAt >= flapMs;
  return wasCalm || Math.abs(at - homeChangedAt) >= flapMs ? { atHome: home } : NOTHING;
}

/** When the station's word on a collar changes. */
export function homeChange(before: Collar, home: boolean | undefined, at: number): Partial<Collar> {
  if (home === undefined || before.home === undefined || home === before.home) return NOTHING;
  return {
    homeChangedAt: at,
    ...(before.homeChangedAt !== undefined && { homeChangedBeforeAt: before.homeChangedAt }),
  };
}

function batteryLow({ batteryMv, batteryWarningMv, batteryLow: before, charging }: Collar): Partial<Collar> {
  if (batteryMv === undefined || batteryWarningMv === undefined) return NOTHING;
  if (batteryMv < batteryWarningMv) return { batteryLow: true };
  const isOver = charging === true || batteryMv >= batteryWarningMv + RECOVERY_MV;
  return { batteryLow: before === true && !isOver };
}

function full({ charging, batteryMv = 0, flags = 0, isFull }: Collar): Partial<Collar> {
  if (charging === undefined) return NOTHING;
  return { isFull: charging && (isFull === true || (batteryMv > FULL_MV && (flags & FULL_FLAGS) !== 0)) };
}

function modeAsked({ mode, modeSet, modeAskedAt }: Collar, at: number): Partial<Collar> {
  if (mode === undefined || modeSet === undefined) return NOTHING;
  return { modeAskedAt: mode === modeSet ? null : (modeAskedAt ?? at) };
}

/** Takes away the commands that the cloud accepted and whose echo has come. */
function echoed(collar: Collar): Partial<Collar> {
  if (!collar.pending?.length) return NOTHING;
  const shown = { mode: collar.modeSet, light: collar.light, buzzer: collar.buzzer };
  return {
    pending: collar.pending.filter(({ command, isAccepted }) => !isAccepted || shown[command.kind] !== command.value),
  };
}

/** Counts while it is out; a count that does not fill another minute waits. */
function outside(collar: Collar, at: number): Partial<Collar> {
  if (collar.home === undefined) return NOTHING;
  const before: Outside = collar.outside ?? { day: dayOf(at), ms: 0, countedAt: at };
  const isNewDay = before.day !== dayOf(at);
  const from = isNewDay ? Math.max(before.countedAt, midnight(at)) : before.countedAt;
  // What it came home at is known better than when we heard of it.
  const until = collar.home === true && collar.homeSinceAt ? Math.min(at, Math.max(from, collar.homeSinceAt)) : at;
  const ms = (isNewDay ? 0 : before.ms) + (collar.atHome === false ? Math.max(0, until - from) : 0);
  const isChange =
    isNewDay || collar.outside === undefined || collar.atHome !== collar.home || minutes(ms) !== minutes(before.ms);
  if (isChange) return { outside: { day: dayOf(at), ms, countedAt: at } };
  // At home nothing is counted, but the count must begin with the moment of leaving.
  return NOTHING;
}

function minutes(ms: number): number {
  return Math.floor(ms / 60_000);
}

/** Midnight is at a quarter of an hour of UTC in all zones. */
const QUARTER_MS = 900_000;
let latestDay = { quarter: Number.NaN, day: "" };

/** The day by the clock on the wall. It is asked for with each report and each second of each collar. */
export function dayOf(at: number): string {
  const quarter = Math.floor(at / QUARTER_MS);
  if (latestDay.quarter !== quarter) latestDay = { quarter, day: dateOf(new Date(at)) };
  return latestDay.day;
}

function dateOf(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
