/** How everything is, as data: what the status page shows, and what `api/status` answers. Times are ISO 8601. */
import { timestamp } from "../../entities/entity.ts";
import { accountName, deviceName } from "../../entities/name.ts";
import type { Account, Bridge, Collar, Component, HomeStation, State } from "../../model/device.ts";

export interface PartStatus {
  readonly name: string;
  readonly state: Component["state"];
  readonly since: string | null;
  /** Why it does not run, in a sentence. */
  readonly error: string | null;
  /** What it has to say of itself. */
  readonly details: Readonly<Record<string, string>>;
}

export interface AccountStatus extends PartStatus {
  readonly listed: boolean;
  /** Whether it was heard of lately. */
  readonly reachable: boolean;
  readonly subscription_ends: string | null;
  readonly subscription_over: boolean;
}

export interface PetStatus {
  readonly key: string;
  readonly name: string;
  /** Whether what is shown is likely to be true: one of its accounts can be reached. */
  readonly available: boolean;
  /** Percent. */
  readonly battery: number | null;
  readonly battery_low: boolean;
  readonly charging: boolean;
  readonly last_contact: string | null;
  /** When its last position was measured; null while none is known. */
  readonly last_fix: string | null;
  readonly at_home: boolean | null;
}

export interface StationStatus {
  readonly key: string;
  readonly name: string;
  readonly available: boolean;
  readonly online: boolean | null;
  readonly last_contact: string | null;
}

export interface Status {
  readonly version: string;
  readonly started: string | null;
  readonly accounts: readonly AccountStatus[];
  readonly pets: readonly PetStatus[];
  readonly home_stations: readonly StationStatus[];
  readonly publishers: readonly PartStatus[];
  /** The last thing that went wrong since the start, and whether it still does. */
  readonly last_error: { readonly sentence: string; readonly state: Component["state"] | null } | null;
}

export function statusOf(state: State): Status {
  const bridge = state.get("bridge");
  if (bridge?.kind !== "bridge") throw new TypeError("the bridge is always there");
  const entries = [...state.values()];
  return {
    version: bridge.version,
    started: timestamp(bridge.startedAt),
    accounts: entries.filter((entry) => entry.kind === "account").map((account) => accountStatus(account, bridge)),
    pets: entries.filter((entry) => entry.kind === "collar").map(petStatus),
    home_stations: entries.filter((entry) => entry.kind === "homeStation").map(stationStatus),
    publishers: publishersOf(bridge).map(partStatus),
    last_error: lastError(bridge),
  };
}

/** In an order that does not change with their states; the page itself, which works where it is seen, comes last. */
function publishersOf({ components }: Bridge): Component[] {
  const rank = ({ name }: Component): string => (name === "live" ? "2" : `1${name}`);
  return components.filter(({ role }) => role === "publisher").toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function partStatus({ name, state, sinceAt, error, details = {} }: Component): PartStatus {
  return { name, state, since: timestamp(sinceAt), error: error ?? null, details };
}

function accountStatus(account: Account, { components }: Bridge): AccountStatus {
  const source = components.find(({ role, name }) => role === "source" && name === account.source);
  const fresh: Component = { role: "source", name: account.source, state: "starting", sinceAt: Number.NaN };
  return {
    ...partStatus(source ?? fresh),
    // Before the first login nobody knows whose it is.
    name: account.id === undefined ? account.source : accountName(account),
    listed: account.listed,
    reachable: account.reachable,
    subscription_ends: timestamp(account.subscriptionEndsAt),
    subscription_over: account.isSubscriptionOver === true,
  };
}

function isAvailable({ accounts }: Collar | HomeStation): boolean {
  return Object.values(accounts).includes(true);
}

function petStatus(collar: Collar): PetStatus {
  return {
    key: collar.key,
    name: deviceName(collar),
    available: isAvailable(collar),
    battery: collar.batteryPercent ?? null,
    battery_low: collar.batteryLow === true,
    charging: collar.charging === true,
    last_contact: timestamp(collar.lastContactAt),
    last_fix: timestamp(collar.fix?.measuredAt),
    at_home: collar.atHome ?? null,
  };
}

function stationStatus(station: HomeStation): StationStatus {
  return {
    key: station.key,
    name: deviceName(station),
    available: isAvailable(station),
    online: station.online ?? null,
    last_contact: timestamp(station.lastContactAt),
  };
}

function lastError({ lastError: sentence, components }: Bridge): Status["last_error"] {
  if (sentence === undefined) return null;
  return { sentence, state: components.find(({ error }) => error === sentence)?.state ?? null };
}
