/** A device as a bug report may show it: what is known and how old it is, but not whose and where. */
import type { Account, Collar, Entry, HomeStation } from "../model/device.ts";

export interface FactsView {
  /** A name that says nothing, the same each time. */
  readonly alias: (key: string) => string;
  /** Epoch ms. */
  readonly now: number;
}

type Facts = Readonly<Record<string, unknown>>;

/** Undefined for what is no device and no account. */
export function factsOf(entry: Entry, view: FactsView): Facts | undefined {
  switch (entry.kind) {
    case "collar":
      return { ...commonFacts(entry, view), ...collarFacts(entry, view), fields: typesIn(entry) };
    case "homeStation":
      return { ...commonFacts(entry, view), ...stationFacts(entry, view), fields: typesIn(entry) };
    case "account":
      return { ...commonFacts(entry, view), ...accountFacts(entry), fields: typesIn(entry) };
    case "bridge":
      return undefined;
  }
}

function commonFacts({ kind, key }: Entry, { alias }: FactsView): Facts {
  return { kind, key: alias(key) };
}

function collarFacts(collar: Collar, { alias, now }: FactsView): Facts {
  return {
    home_station: collar.station ? alias(collar.station.key) : null,
    last_contact_minutes: minutesSince(collar.lastContactAt, now),
    last_fix_minutes: minutesSince(collar.fix?.measuredAt, now),
    battery_percent: collar.batteryPercent ?? null,
    charging: collar.charging ?? null,
    home: collar.home ?? null,
    mode: collar.mode ?? null,
    mode_set: collar.modeSet ?? null,
    status: collar.status ?? null,
    flags: collar.flags ?? null,
    firmware: collar.firmware ?? null,
    hardware: collar.hardware ?? null,
  };
}

function stationFacts(station: HomeStation, { now }: FactsView): Facts {
  return {
    last_contact_minutes: minutesSince(station.lastContactAt, now),
    online: station.online ?? null,
    status: station.status ?? null,
    flags: station.flags ?? null,
    firmware: station.firmware ?? null,
    hardware: station.hardware ?? null,
  };
}

function accountFacts(account: Account): Facts {
  return { listed: account.listed, subscription_over: account.isSubscriptionOver ?? null };
}

/** Negative for a time that is yet to come: somebody's clock is wrong. */
function minutesSince(at: number | undefined, now: number): number | null {
  return at === undefined ? null : Math.round((now - at) / 60_000);
}

/** What is known, and of which type: never the value. */
function typesIn(fields: object): Facts {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeOf(value)]));
}

function typeOf(value: unknown): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? [] : [typeOf(value[0])];
  if (ArrayBuffer.isView(value)) return "bytes";
  return typeof value === "object" ? typesIn(value) : typeof value;
}
