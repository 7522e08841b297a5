import type { Account, Bridge, Collar, Component, Device, Entry, HomeStation, State } from "../model/device.ts";
import type { ComponentDropped, DevicesListed, StoreEvent } from "../model/event.ts";
import { type Changes, createFeed } from "./feed.ts";
import { ageAccount, listedBy, type Rules, reduceAccount, reduceCollar, reduceStation } from "./reduce.ts";

/** Holds what is known, folds events into it, and tells readers which entries changed. */
export interface Store {
  readonly state: State;
  readonly dispatch: (event: StoreEvent) => void;
  /**
   * First everything, then again and again the keys touched since. A slow reader sees fewer states, never older
   * ones, and nothing queues up. Ends when the signal is aborted.
   */
  changes(signal: AbortSignal): AsyncIterable<Changes>;
  /** The user's rules changed; they hold for the reports that come from now on. */
  setRules(rules: Rules): void;
}

/** The key of an account in the state; `name` is its name in the configuration. */
function accountKey(name: string): string {
  return `account:${name}`;
}

export function createStore(about: Pick<Bridge, "version" | "startedAt">, initialRules: Rules): Store {
  const entries = new Map<string, Entry>();
  const feed = createFeed(entries);
  let rules = initialRules;

  /** Puts the entry in its place; undefined takes it away. The same object is no change. */
  function put(key: string, entry: Entry | undefined): void {
    if (entries.get(key) === entry) return;
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
    feed.touch(key);
  }

  function bridge(): Bridge {
    const entry = entries.get("bridge");
    return entry?.kind === "bridge" ? entry : { kind: "bridge", key: "bridge", ...about, components: [] };
  }

  function account(name: string): Account {
    const key = accountKey(name);
    const entry = entries.get(key);
    return entry?.kind === "account"
      ? entry
      : { kind: "account", key, silentMs: 0, reachable: true, listed: false, confirmed: false };
  }

  function collar(key: string): Collar | undefined {
    const entry = entries.get(key);
    return entry?.kind === "collar" ? entry : undefined;
  }

  function station(key: string): HomeStation | undefined {
    const entry = entries.get(key);
    return entry?.kind === "homeStation" ? entry : undefined;
  }

  function list(event: DevicesListed): void {
    for (const { key, id, product, report } of event.stations) {
      const known = station(key) ?? { kind: "homeStation", key, id, product, accounts: {} };
      put(key, reduceStation(listedBy(known, event.account, true), report, event.at, true));
    }
    for (const { key, id, product, report } of event.collars) {
      const known = collar(key) ?? { kind: "collar", key, id, product, accounts: {} };
      put(key, reduceCollar(listedBy(known, event.account, true), report, event.at, rules));
    }
    const listed = new Set([...event.stations, ...event.collars].map(({ key }) => key));
    unlist(event.account, (device) => !listed.has(device.key));
    const heard = { listed: true, confirmed: event.isConfirmed, silentMs: 0, reachable: true };
    put(accountKey(event.account), { ...account(event.account), ...heard });
  }

  /** Takes the account from the devices that it does not list any more; one that no account lists is gone. */
  function unlist(name: string, isGone: (device: Device) => boolean): void {
    for (const device of devicesOf(entries)) {
      if (!(name in device.accounts) || !isGone(device)) continue;
      const rest = listedBy(device, name, undefined);
      put(device.key, Object.keys(rest.accounts).length === 0 ? undefined : rest);
    }
  }

  function putAccount(name: string, next: Account): void {
    const before = account(name);
    put(accountKey(name), next);
    if (before.reachable === next.reachable) return;
    for (const device of devicesOf(entries)) {
      if (name in device.accounts) put(device.key, listedBy(device, name, next.reachable));
    }
  }

  function age(elapsedMs: number): void {
    for (const entry of entries.values()) {
      if (entry.kind === "account") putAccount(entry.key.slice(accountKey("").length), ageAccount(entry, elapsedMs));
    }
  }

  function putComponent(component: Component): void {
    const others = without(bridge().components, component);
    put("bridge", { ...bridge(), components: [...others, component] });
  }

  function dispatch(event: StoreEvent): void {
    switch (event.type) {
      case "devicesListed":
        list(event);
        break;
      case "collarReported": {
        const known = collar(event.key);
        if (known) put(event.key, reduceCollar(known, event.report, event.at, rules));
        break;
      }
      case "stationReported": {
        const known = station(event.key);
        if (known) put(event.key, reduceStation(known, event.report, event.at, false));
        break;
      }
      case "accountReported":
        putAccount(event.account, reduceAccount(account(event.account), event));
        break;
      case "accountConfigured":
        put(accountKey(event.account), { ...account(event.account), listed: false, confirmed: false });
        break;
      case "accountDropped":
        unlist(event.account, () => true);
        put(accountKey(event.account), undefined);
        break;
      case "componentChanged":
        putComponent(event.component);
        break;
      case "componentDropped":
        put("bridge", { ...bridge(), components: without(bridge().components, event) });
        break;
      case "timePassed":
        age(event.elapsedMs);
        break;
    }
  }

  put("bridge", bridge());
  return {
    state: entries,
    dispatch,
    changes: (signal) => feed.changes(signal),
    setRules: (next) => {
      rules = next;
    },
  };
}

function devicesOf(entries: State): Device[] {
  return [...entries.values()].filter((entry) => entry.kind === "collar" || entry.kind === "homeStation");
}

function without(components: readonly Component[], gone: Pick<ComponentDropped, "role" | "name">): Component[] {
  return components.filter(({ role, name }) => role !== gone.role || name !== gone.name);
}
