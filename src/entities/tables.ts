/** Which table belongs to which kind of entry. */
import type { Entry } from "../model/device.ts";
import { ACCOUNT_ENTITIES } from "./account.ts";
import { BRIDGE_ENTITIES } from "./bridge.ts";
import { COLLAR_ENTITIES } from "./collar.ts";
import type { Entity } from "./entity.ts";
import { STATION_ENTITIES } from "./station.ts";

/** Hands the entry over together with its own table: what it does with a row fits the entry, whichever kind it is. */
export function withTable<Result>(
  entry: Entry,
  use: <Of extends Entry>(table: readonly Entity<Of>[], of: Of) => Result,
): Result {
  switch (entry.kind) {
    case "collar":
      return use(COLLAR_ENTITIES, entry);
    case "homeStation":
      return use(STATION_ENTITIES, entry);
    case "account":
      return use(ACCOUNT_ENTITIES, entry);
    case "bridge":
      return use(BRIDGE_ENTITIES, entry);
  }
}
