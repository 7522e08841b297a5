/** What is known of a device, as the live API says it: in the words of the MQTT topics, made by the same code. */
import { colorOf, deviceKey, firmwareOf, isAvailable, stateOf } from "../../../discovery/messages.ts";
import { timestamp, type View } from "../../../entities/entity.ts";
import { accountName, deviceName } from "../../../entities/name.ts";
import { positionOf } from "../../../entities/position.ts";
import type { Pending } from "../../../model/command.ts";
import type { Account, Collar, Entry, HomeStation } from "../../../model/device.ts";
import { modeName } from "../../../model/mode.ts";
import { commandsOf } from "./command.ts";
import type { ApiDevice, ApiPosition } from "./schema.ts";

/** Undefined for Pawline itself, and for an account that has not told its number yet. */
export function deviceOf(entry: Entry, view: View): ApiDevice | undefined {
  const id = deviceKey(entry);
  if (id === undefined || entry.kind === "bridge") return undefined;
  const shown = { state: stateOf(entry, view), position: positionOfEntry(entry, view) ?? null };
  switch (entry.kind) {
    case "collar":
      return { id, ...collarOf(entry, view), ...shown };
    case "homeStation":
      return { id, kind: "home_station", ...listedOf(entry), ...NO_COLLAR, ...shown };
    case "account":
      return { id, ...accountOf(entry), ...NO_COLLAR, ...shown };
  }
}

/** Null where it is not known; undefined for what has no place. */
export function positionOfEntry(entry: Entry, view: View): ApiPosition | null | undefined {
  if (entry.kind === "collar") return positionOf(entry, view) ?? null;
  return entry.kind === "homeStation" ? placeOf(entry) : undefined;
}

/** The accounts that a device belongs to: their names in the configuration, and their own ids. */
export function accountsOf(entry: Entry, { state }: View): { readonly sources: string[]; readonly ids: string[] } {
  if (entry.kind === "bridge") return { sources: [], ids: [] };
  const sources = entry.kind === "account" ? [entry.source] : Object.keys(entry.accounts);
  const accounts = [...state.values()].filter((one) => one.kind === "account" && sources.includes(one.source));
  return { sources, ids: accounts.flatMap((account) => deviceKey(account) ?? []) };
}

const NO_COLLAR = { color: null, photo: null, home_station: null, pending: [], commands: [] };

type Listed = Pick<ApiDevice, "name" | "accounts" | "available" | "firmware">;

function listedOf(entry: Collar | HomeStation): Listed {
  return {
    name: deviceName(entry),
    accounts: Object.keys(entry.accounts),
    available: isAvailable(entry),
    firmware: firmwareOf(entry) ?? null,
  };
}

function collarOf(collar: Collar, view: View): Omit<ApiDevice, "id" | "state" | "position"> {
  return {
    kind: "collar",
    ...listedOf(collar),
    color: colorOf(collar),
    photo: collar.photo ? `devices/${collar.key}/photo?v=${encodeURIComponent(collar.photo.image)}` : null,
    home_station: collar.station?.key ?? null,
    pending: (collar.pending ?? []).map(pendingOf),
    commands: commandsOf(collar, view),
  };
}

function accountOf(account: Account): Listed & Pick<ApiDevice, "kind"> {
  const { source, reachable } = account;
  return { kind: "account", name: accountName(account), accounts: [source], available: reachable, firmware: null };
}

function pendingOf({ command, sinceAt, untilAt, isAccepted }: Pending): ApiDevice["pending"][number] {
  return {
    command: command.kind,
    value: command.kind === "mode" ? modeName(command.value) : command.value,
    since: timestamp(sinceAt) ?? "",
    until: timestamp(untilAt) ?? "",
    accepted: isAccepted,
  };
}

/** Where its owner has put it on the portal's map. */
function placeOf({ latitude, longitude }: HomeStation): ApiPosition | null {
  if (latitude === undefined || longitude === undefined) return null;
  return { latitude, longitude, gps_accuracy: null, measured_at: null, source: "station" };
}
