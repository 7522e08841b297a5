/** Finds a device by what a person calls it. */
import { deviceName } from "../entities/name.ts";
import { UsageError } from "../lib/errors.ts";
import type { Collar, State } from "../model/device.ts";

/** The collar with this number, key or name. @throws UsageError that lists what there is */
export function findCollar(state: State, called: string): Collar {
  const collars = collarsIn(state);
  const found = collarsCalled(state, called);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const names = collars.map((collar) => `${collar.id} (${deviceName(collar)})`).join(", ");
  const problem =
    found.length > 1 ? `there are ${found.length} collars called ${called}` : `there is no collar ${called}`;
  throw new UsageError(`${problem}; the account has ${names || "none"}`);
}

/** The collars with this number, key or name. */
export function collarsCalled(state: State, called: string): Collar[] {
  const wanted = called.trim().toLowerCase();
  return collarsIn(state).filter((collar) => {
    return [collar.key, String(collar.id), deviceName(collar).toLowerCase()].includes(wanted);
  });
}

function collarsIn(state: State): Collar[] {
  return [...state.values()].filter((entry) => entry.kind === "collar");
}
