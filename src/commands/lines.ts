/** Devices as lines for people. */

import type { View } from "../entities/entity.ts";
import { deviceName } from "../entities/name.ts";
import { distanceFromHome, positionOf } from "../entities/position.ts";
import type { Collar, Device, HomeStation, State } from "../model/device.ts";

export function devicesOf(state: State): Device[] {
  return [...state.values()].filter((entry) => entry.kind === "collar" || entry.kind === "homeStation");
}

/** What the device is doing, in one readable line. */
export function deviceLine(device: Device, view: View): string {
  return device.kind === "collar" ? collarLine(device, view) : stationLine(device);
}

function collarLine(collar: Collar, view: View): string {
  const position = positionOf(collar, view);
  const distanceM = distanceFromHome(collar, view);
  const parts = [
    position &&
      `${position.latitude.toFixed(5)}, ${position.longitude.toFixed(5)} ±${Math.round(position.gps_accuracy)} m`,
    collar.atHome === true ? "at home" : distanceM === null ? undefined : `${distanceM} m from home`,
    collar.batteryPercent === undefined ? undefined : `battery ${collar.batteryPercent} %`,
    collar.charging === true ? "charging" : undefined,
    collar.signalDbm === undefined ? undefined : `signal ${Math.round(collar.signalDbm)} dBm`,
  ];
  return `${deviceName(collar)}: ${parts.filter((part) => part !== undefined).join(", ") || "nothing known yet"}`;
}

function stationLine(station: HomeStation): string {
  const online = station.online === undefined ? "nothing known yet" : station.online ? "online" : "offline";
  return `${deviceName(station)} (home station): ${online}`;
}

/** Rows with their columns one under the other, two blanks between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
