/** What the state as a whole tells: who belongs to whom, and whether what is missing from it is gone. */
import type { Account, Entry, State } from "../model/device.ts";
import { deviceKey } from "./messages.ts";

function everyAccount(state: State, holds: (account: Account) => boolean): boolean {
  const accounts = [...state.values()].filter((entry) => entry.kind === "account");
  return accounts.length > 0 && accounts.every(holds);
}

/** Every account has listed its devices since the start. */
export function allListed(state: State): boolean {
  return everyAccount(state, ({ listed }) => listed);
}

/** Every account's listing has proved true: now a device that is missing is gone. */
export function allConfirmed(state: State): boolean {
  return everyAccount(state, ({ confirmed }) => confirmed);
}

/** What no account has listed yet may belong to any that has not: nobody knows how it is while those are silent. */
export function noneToldOf(state: State): boolean {
  return everyAccount(state, ({ listed, reachable }) => listed || !reachable);
}

/**
 * The keys, parents before their children; a station that came, moved or went takes its collars along.
 * @param hasMoved whether what a parent's children show of it has changed
 */
export function withChildren(
  keys: ReadonlySet<string>,
  state: State,
  hasMoved: (key: string) => boolean = () => true,
): string[] {
  const isCollar = (key: string): boolean => state.get(key)?.kind === "collar";
  const others = [...keys].filter((key) => !isCollar(key));
  if (others.length === 0) return [...keys];
  const moved = new Set(others.filter(hasMoved));
  const children = moved.size === 0 ? [] : childrenOf(moved, state);
  return [...others, ...new Set([...[...keys].filter(isCollar), ...children])];
}

/** What the collars of a home station show of it; undefined for what is none. */
export function placeOf(entry: Entry | undefined): string | undefined {
  if (entry?.kind !== "homeStation") return undefined;
  return JSON.stringify([entry.name, entry.latitude, entry.longitude]);
}

/** The collars that belong to one of these home stations. */
export function childrenOf(stations: ReadonlySet<string>, state: State): string[] {
  return [...state.values()].flatMap((entry) => {
    return entry.kind === "collar" && entry.station && stations.has(entry.station.key) ? [entry.key] : [];
  });
}

/** Where the state keeps the device that has this name in topics; undefined for one that it does not know. */
export function keyOf(device: string, state: State): string | undefined {
  if (state.has(device)) return device;
  return [...state].find(([, entry]) => deviceKey(entry) === device)?.[0];
}
