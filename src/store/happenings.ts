/** What happened between two states of a collar. What was not known before has not happened. */
import type { Happening } from "../model/activity.ts";
import type { Collar } from "../model/device.ts";
import { LIVE_MODE, modeName } from "../model/mode.ts";

/** @param at when the later state came to be, epoch ms; where the cloud knows better, its time is told */
export function happenings(before: Collar, after: Collar, at: number): Happening[] {
  if (before === after) return [];
  return [
    ...presence(before, after, at),
    ...battery(before, after, at),
    ...charging(before, after, at),
    ...modes(before, after, at),
    ...contact(before, after, at),
  ];
}

function presence(before: Collar, after: Collar, at: number): Happening[] {
  if (before.atHome === undefined || before.atHome === after.atHome) return [];
  if (after.atHome === true) return [{ type: "came_home", at: Math.min(at, after.homeSinceAt ?? at) }];
  return [{ type: "left_home", at }];
}

function battery(before: Collar, after: Collar, at: number): Happening[] {
  if (before.batteryLow !== false || after.batteryLow !== true) return [];
  return [{ type: "battery_low", at, details: { ...charge(after), voltage: (after.batteryMv ?? 0) / 1_000 } }];
}

/** One that is full already when it comes onto the charger begins and ends in the same moment. */
function charging(before: Collar, after: Collar, at: number): Happening[] {
  const isStarted = before.charging === false && after.charging === true;
  const isFilled = after.isFull === true && before.isFull !== true && before.charging !== undefined;
  const isCutShort = before.charging === true && before.isFull !== true && after.charging === false;
  const finished = { ...charge(after), full: isFilled };
  return [
    ...(isStarted ? [{ type: "charging_started", at, details: charge(after) } as const] : []),
    ...(isFilled || isCutShort ? [{ type: "charging_finished", at, details: finished } as const] : []),
  ];
}

function charge({ batteryPercent }: Collar): { battery: number | null } {
  return { battery: batteryPercent ?? null };
}

function modes(before: Collar, after: Collar, at: number): Happening[] {
  const changed: Happening[] = [];
  if (before.modeSet !== undefined && after.modeSet !== undefined && before.modeSet !== after.modeSet) {
    const details = { mode: modeName(after.modeSet), previous: modeName(before.modeSet) };
    changed.push({ type: "mode_changed", at, details });
  }
  if (before.mode !== undefined && after.mode !== undefined && before.mode !== after.mode) {
    if (after.mode === LIVE_MODE) changed.push({ type: "live_started", at });
    if (before.mode === LIVE_MODE) changed.push({ type: "live_ended", at });
  }
  return changed;
}

function contact(before: Collar, after: Collar, at: number): Happening[] {
  if (before.contactLost === undefined || before.contactLost === after.contactLost) return [];
  const last = after.contactLost === true ? after.lastContactAt : before.lastContactAt;
  const details = { last_contact: last === undefined ? null : new Date(last).toISOString().replace("Z", "+00:00") };
  return [{ type: after.contactLost === true ? "contact_lost" : "contact_restored", at, details }];
}
