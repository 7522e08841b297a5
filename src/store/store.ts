import { nextTurn } from "../lib/clock.ts";
import type { Activity, Happening } from "../model/activity.ts";
import type { Account, Bridge, Collar, Component, Device, Entry, HomeStation, Photo, State } from "../model/device.ts";
import type { ComponentDropped, DevicesListed, StoreEvent } from "../model/event.ts";
import { commandValue } from "../model/mode.ts";
import { type Changes, createFeed } from "./feed.ts";
import { happenings } from "./happenings.ts";
import { createJournal, type Journal } from "./journal.ts";
import { merge } from "./merge.ts";
import {
  acceptCommand,
  ageAccount,
  ageCollar,
  askCollar,
  dropCommand,
  listedBy,
  type Rules,
  reduceAccount,
  reduceCollar,
  reduceFetched,
  reduceStation,
} from "./reduce.ts";
import { createTrueClock } from "./true-clock.ts";

/** Holds what is known, folds events into it, and tells readers which entries changed. */
export interface Store {
  readonly state: State;
  readonly dispatch: (event: StoreEvent) => void;
  /**
   * First everything, then again and again the keys touched since. A slow reader sees fewer states, never older
   * ones, and nothing queues up. Ends when the signal is aborted.
   */
  changes(signal: AbortSignal): AsyncIterable<Changes>;
  /** Calls the listener with a key in the moment in which its entry changes, before anything else is done about it. */
  onTouch(listener: (key: string) => void, signal: AbortSignal): void;
  /** What happened after this sequence number, oldest first; of very many only the latest. */
  activities(after: number): readonly Activity[];
  /** Devices that an earlier run knew and that no account has listed yet. */
  awaited(): readonly Device[];
  /** In truth, as far as the cloud has told, when this computer's clock shows `at`, epoch ms. */
  inTruth(at: number): number;
  /** The user's rules changed; they hold for the reports that come from now on. */
  setRules(rules: Rules): void;
}

/** What an earlier run knew. */
export interface Remembered {
  /** Devices by their key; they come back when an account lists them, and what has changed meanwhile happens then. */
  readonly devices: ReadonlyMap<string, Device>;
  readonly activities: readonly Activity[];
}

const NOTHING: Remembered = { devices: new Map(), activities: [] };

/** The key of an account in the state; `name` is its name in the configuration. */
function accountKey(name: string): string {
  return `account:${name}`;
}

type About = Pick<Bridge, "version" | "startedAt" | "logLevel">;

/** @param keep called when something has happened that must not be told again after a restart */
export function createStore(
  about: About,
  rules: Rules,
  remembered: Remembered = NOTHING,
  keep: (store: Store) => void = () => {},
): Store {
  return new LiveStore(about, rules, remembered, keep);
}

/** An account that was silent has told all that it missed by then. */
const STEADY_MS = 120_000;

class LiveStore implements Store {
  readonly state: ReadonlyMap<string, Entry>;
  readonly #entries = new Map<string, Entry>();
  readonly #feed = createFeed(this.#entries);
  readonly #journal: Journal;
  readonly #remembered: Map<string, Device>;
  readonly #keep: (store: Store) => void;
  /** Whether all that has happened is kept. */
  #isKept = true;
  /** For how long each account has been reachable without a break. */
  readonly #steadyMs = new Map<string, number>();
  readonly #clock = createTrueClock();
  #rules: Rules;

  constructor(about: About, rules: Rules, remembered: Remembered, keep: (store: Store) => void) {
    this.#keep = keep;
    this.state = this.#entries;
    this.#rules = rules;
    this.#remembered = new Map(remembered.devices);
    this.#journal = createJournal(remembered.activities);
    this.#put("bridge", { kind: "bridge", key: "bridge", ...about, components: [] });
  }

  changes(signal: AbortSignal): AsyncIterable<Changes> {
    return this.#feed.changes(signal);
  }

  onTouch(listener: (key: string) => void, signal: AbortSignal): void {
    this.#feed.onTouch(listener, signal);
  }

  activities(after: number): readonly Activity[] {
    this.#keepNow();
    return this.#journal.after(after);
  }

  awaited(): readonly Device[] {
    return [...this.#remembered.values()];
  }

  inTruth(at: number): number {
    return this.#clock.at(at);
  }

  setRules(rules: Rules): void {
    this.#rules = rules;
  }

  readonly dispatch = (told: StoreEvent): void => {
    if (told.type === "devicesListed" && told.aheadMs !== undefined) this.#clock.measured(told.aheadMs, told.at);
    if (told.type === "timePassed") this.#clock.passed(told);
    const event = this.#timedInTruth(told);
    switch (event.type) {
      case "devicesListed":
        this.#list(event);
        break;
      case "collarReported":
        this.#putCollar(event.key, event.at, (collar) => reduceCollar(collar, event.report, event.at, this.#rules));
        break;
      case "fixesFetched":
        this.#putCollar(event.key, event.at, (collar) => reduceFetched(collar, event.fixes, event.at, this.#rules));
        break;
      case "stationReported":
        this.#putStation(event.key, (station) => reduceStation(station, event.report, event.at, false));
        break;
      case "accountReported":
        this.#putAccount(reduceAccount(this.#account(event.account), event));
        break;
      case "accountConfigured":
        this.#putAccount({ ...this.#account(event.account), listed: false, confirmed: false });
        break;
      case "accountDropped":
        this.#unlist(event.account, () => true);
        this.#put(accountKey(event.account), undefined);
        break;
      case "componentChanged":
        this.#putComponent(event.component);
        break;
      case "componentDropped":
        this.#putBridge({ components: without(this.#bridge().components, event) });
        break;
      case "firmwareListed":
        this.#putFirmware(event.collar, event.homeStation);
        break;
      case "photoReceived":
        this.#putCollar(event.key, 0, (collar) => withPhoto(collar, event.photo));
        break;
      case "commandAsked":
        this.#putCollar(event.key, event.at, (collar) => askCollar(collar, event.command, event.at));
        break;
      case "commandAccepted":
        this.#putCollar(event.key, event.at, (collar) => acceptCommand(collar, event.command, event.at, this.#rules));
        break;
      case "commandFailed":
        this.#failCommand(event);
        break;
      case "logLevelSet":
        this.#putBridge({ logLevel: event.level });
        break;
      case "troubleNoticed":
        this.#putBridge({ lastError: event.sentence });
        break;
      case "timePassed":
        this.#age(event.at, event.elapsedMs);
        break;
    }
  };

  #timedInTruth(event: StoreEvent): StoreEvent {
    if (!("at" in event)) return event;
    const at = this.inTruth(event.at);
    return at === event.at ? event : { ...event, at };
  }

  /** Puts the entry in its place; undefined takes it away. The same object is no change. */
  #put(key: string, entry: Entry | undefined): void {
    if (this.#entries.get(key) === entry) return;
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    this.#feed.touch(key);
  }

  #putCollar(key: string, at: number, change: (collar: Collar) => Collar): void {
    const before = this.#entries.get(key);
    if (before?.kind !== "collar") return;
    const after = change(before);
    this.#put(key, after);
    this.#note(key, happenings(before, after, at));
    // Its home station shows who is at home.
    const isNews = before.atHome !== after.atHome || before.name !== after.name;
    if (isNews && after.station && this.#entries.has(after.station.key)) this.#feed.touch(after.station.key);
  }

  #putStation(key: string, change: (station: HomeStation) => HomeStation): void {
    const before = this.#entries.get(key);
    if (before?.kind === "homeStation") this.#put(key, change(before));
  }

  /**
   * A device's readers are woken for what happened, too. It is kept before anybody reads it, or a restart would tell it
   * again; and soon, together with whatever else happens now: with very many devices that is much to write.
   */
  #note(device: string, happened: readonly Happening[]): void {
    if (happened.length === 0) return;
    for (const happening of happened) this.#journal.add(device, happening);
    if (this.#isKept) void nextTurn().then(() => this.#keepNow());
    this.#isKept = false;
    this.#feed.touch(device);
  }

  #keepNow(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    this.#keep(this);
  }

  #bridge(): Bridge {
    const entry = this.#entries.get("bridge");
    if (entry?.kind !== "bridge") throw new TypeError("the bridge is always there");
    return entry;
  }

  #putBridge(change: Partial<Bridge>): void {
    this.#put("bridge", { ...this.#bridge(), ...change });
  }

  #putComponent(component: Component): void {
    const components = [...without(this.#bridge().components, component), component];
    this.#putBridge({ components, ...(component.error !== undefined && { lastError: component.error }) });
    // Its account shows what its source has to say.
    const key = accountKey(component.name);
    if (component.role === "source" && this.#entries.has(key)) this.#feed.touch(key);
  }

  #account(source: string): Account {
    const key = accountKey(source);
    const entry = this.#entries.get(key);
    if (entry?.kind === "account") return entry;
    return { kind: "account", key, source, silentMs: 0, reachable: true, listed: false, confirmed: false };
  }

  #putAccount(next: Account): void {
    const before = this.#account(next.source);
    // For how long it was silent nobody but the store wants to know: it changes all the time.
    if (this.#entries.has(next.key) && isSameButForSilence(before, next)) this.#entries.set(next.key, next);
    else this.#put(next.key, next);
    if (before.reachable === next.reachable) return;
    for (const device of this.#devices()) {
      if (next.source in device.accounts) this.#put(device.key, listedBy(device, next.source, next.reachable));
    }
  }

  #list(event: DevicesListed): void {
    const { account, at } = event;
    for (const { key, id, product, report } of event.stations) {
      this.#introduce({ kind: "homeStation", key, id, product, accounts: {} }, account);
      this.#putStation(key, (station) => reduceStation(station, report, at, true));
    }
    for (const { key, id, product, report } of event.collars) {
      this.#introduce({ kind: "collar", key, id, product, accounts: {} }, account);
      this.#putCollar(key, at, (collar) => reduceCollar(collar, report, at, this.#rules));
    }
    const listed = new Set([...event.stations, ...event.collars].map(({ key }) => key));
    this.#unlist(account, (device) => !listed.has(device.key));
    const heard = { listed: true, confirmed: event.isConfirmed, silentMs: 0, reachable: true };
    this.#putAccount({ ...this.#account(account), ...heard });
    // What no account has after that is gone.
    const accounts = [...this.#entries.values()].filter((entry) => entry.kind === "account");
    if (accounts.every(({ confirmed }) => confirmed)) this.#remembered.clear();
  }

  /** A device that is new to the state begins with what an earlier run knew of it. */
  #introduce(fresh: Device, account: string): void {
    const present = this.#entries.get(fresh.key);
    const known = present?.kind === fresh.kind ? present : (this.#recall(fresh) ?? fresh);
    this.#put(fresh.key, listedBy(known, account, true));
  }

  #recall(fresh: Device): Device | undefined {
    const known = this.#remembered.get(fresh.key);
    this.#remembered.delete(fresh.key);
    return known?.kind === fresh.kind ? { ...known, product: fresh.product, accounts: {} } : undefined;
  }

  /** Takes the account from the devices that it does not list any more; one that no account lists is gone. */
  #unlist(account: string, isGone: (device: Device) => boolean): void {
    for (const device of this.#devices()) {
      if (!(account in device.accounts) || !isGone(device)) continue;
      const rest = listedBy(device, account, undefined);
      this.#put(device.key, Object.keys(rest.accounts).length === 0 ? undefined : rest);
    }
  }

  #putFirmware(collar: Collar["latestFirmware"], station: HomeStation["latestFirmware"]): void {
    for (const device of this.#devices()) {
      const latestFirmware = device.kind === "collar" ? collar : station;
      if (latestFirmware && device.latestFirmware?.version !== latestFirmware.version) {
        this.#put(device.key, { ...device, latestFirmware });
      }
    }
  }

  #failCommand({ key, command, at, reason }: Extract<StoreEvent, { type: "commandFailed" }>): void {
    const before = this.#entries.get(key);
    if (before?.kind !== "collar") return;
    const details = { command: command.kind, value: commandValue(command), reason };
    this.#put(key, dropCommand(before, command));
    this.#note(key, [{ type: "command_failed", at, details }]);
  }

  #age(at: number, elapsedMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.kind === "account") this.#ageAccount(entry, at, elapsedMs);
    }
    for (const entry of this.#entries.values()) {
      if (entry.kind !== "collar") continue;
      const isHeardOf = Object.keys(entry.accounts).some((source) => (this.#steadyMs.get(source) ?? 0) >= STEADY_MS);
      this.#putCollar(entry.key, at, (collar) => ageCollar(collar, at, this.#rules, isHeardOf));
    }
  }

  #ageAccount(account: Account, at: number, elapsedMs: number): void {
    const aged = ageAccount(account, elapsedMs, at);
    this.#steadyMs.set(account.source, aged.reachable ? (this.#steadyMs.get(account.source) ?? 0) + elapsedMs : 0);
    this.#putAccount(aged);
  }

  #devices(): Device[] {
    return [...this.#entries.values()].filter((entry) => entry.kind === "collar" || entry.kind === "homeStation");
  }
}

function isSameButForSilence(before: Account, after: Account): boolean {
  return merge(before, { ...after, silentMs: before.silentMs }) === before;
}

function withPhoto(collar: Collar, photo: Photo | null): Collar {
  return { ...collar, photo, ...(photo && { photoType: photo.contentType }) };
}

function without(components: readonly Component[], gone: Pick<ComponentDropped, "role" | "name">): Component[] {
  return components.filter(({ role, name }) => role !== gone.role || name !== gone.name);
}
