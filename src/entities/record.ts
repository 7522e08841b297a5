/** A device as data for other programs: documented, so that keys may be added but not changed. */
import type { Entry } from "../model/device.ts";
import { timestamp, type View } from "./entity.ts";
import { deviceName } from "./name.ts";
import { distanceFromHome, positionOf } from "./position.ts";

/** Undefined for what is no device. Times are ISO 8601, distances metres, the battery is in percent. */
export function deviceRecord(entry: Entry, view: View): Record<string, unknown> | undefined {
  if (entry.kind !== "collar" && entry.kind !== "homeStation") return undefined;
  const common = {
    key: entry.key,
    id: entry.id,
    kind: entry.kind === "collar" ? "collar" : "home_station",
    name: deviceName(entry),
    last_contact: timestamp(entry.lastContactAt),
  };
  if (entry.kind === "homeStation") return { ...common, online: entry.online ?? null };
  return {
    ...common,
    battery: entry.batteryPercent ?? null,
    charging: entry.charging ?? null,
    home: entry.atHome ?? null,
    distance: distanceFromHome(entry, view),
    position: positionOf(entry, view) ?? null,
  };
}
