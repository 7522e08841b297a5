/**
 * Keeps a broker, and Home Assistant behind it, in step with the state. One runs per connection: it publishes
 * everything, then what changes. The order is what Home Assistant needs to stay quiet and right: states before
 * `online`, a state before the discovery message that reads it, and the state once more behind that message.
 */
import type { View } from "../entities/entity.ts";
import { monotonicMs, sleep } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { Account, State } from "../model/device.ts";
import type { Feed } from "../publishers/publisher.ts";
import { type DiscoveryContext, describeDiscovery } from "./config.ts";
import type { Link, Received } from "./link.ts";
import { type DiscoveryMemory, ownComponents, seenAt } from "./memory.ts";
import { bridgeInfo, deviceMessages, type Message } from "./messages.ts";
import type { Topics } from "./topics.ts";

export interface AnnouncerOptions {
  readonly feed: Feed;
  readonly link: Link;
  readonly memory: DiscoveryMemory;
  readonly log: Logger;
  readonly topics: Topics;
  /** Of states and positions. */
  readonly qos: 0 | 1 | 2;
  /** Whether devices are announced at all. */
  readonly mode: "device" | "off";
  readonly version: string;
  readonly exclude: readonly string[];
  readonly preferredPosition: View["preferredPosition"];
}

/** A device's accounts are waited for so long at a start before the bridge says that it is there. */
const SETTLE_MS = 10_000;
/** Home Assistant has applied a discovery message by then; a state that came earlier may have met the old template. */
const APPLY_MS = 1_500;
/** Two different discovery messages for one device must be further apart than 2 s. */
const APART_MS = 2_500;
/** After Home Assistant's birth many programs publish at once: a random wait from 1 to 5 s spreads them. */
const BIRTH_MS = { shortest: 1_000, spread: 4_000 };

/** Publishes until the signal is aborted; throws when the link fails. */
export function announce(options: AnnouncerOptions, signal: AbortSignal): Promise<void> {
  return new Announcer(options, signal).run();
}

class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #context: DiscoveryContext;
  readonly #stop = new AbortController();
  readonly #ended: AbortSignal;
  /** The last payload on each topic, so that nothing is said twice. */
  readonly #sent = new Map<string, string>();
  /** What each device's last discovery message was made from. */
  readonly #described = new Map<string, string>();
  /** The end of the work that is under way: one task after the other, or an older state could be the last word. */
  #work = Promise.resolve();
  /** Discovery topics that we cleared ourselves and whose echo is to come. */
  readonly #clearing = new Set<string>();
  readonly #held = new Set<string>();
  /** Whether all has been published once, and `online` has been said. */
  #isOnline = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: AnnouncerOptions, signal: AbortSignal) {
    this.#options = options;
    const view = { state: options.feed.state, preferredPosition: options.preferredPosition };
    this.#context = { ...options, view, deleted: options.memory.deleted };
    this.#ended = AbortSignal.any([signal, this.#stop.signal]);
  }

  async run(): Promise<void> {
    const { feed, link, topics } = this.#options;
    const filters = [topics.homeAssistantStatus, topics.bridgeInfo, topics.everyDiscovery];
    await link.subscribe(filters, (message) => this.#receive(message));
    await this.#settle();
    for await (const { changed } of feed.changes(this.#ended)) {
      await this.#alone(() => this.#update(changed));
      if (!this.#isOnline) await this.#alone(() => this.#goOnline());
    }
    if (this.#failure) throw this.#failure.error;
  }

  /** Waits until every account has listed its devices, at a start; a reconnect has nothing to wait for. */
  async #settle(): Promise<void> {
    const { feed, memory } = this.#options;
    if (memory.settled) return;
    const enough = AbortSignal.any([this.#ended, AbortSignal.timeout(SETTLE_MS)]);
    for await (const { state } of feed.changes(enough)) if (allListed(state)) break;
    memory.settled = true;
  }

  async #goOnline(): Promise<void> {
    const { link, topics } = this.#options;
    await link.flush();
    await this.#send({ topic: topics.bridgeState, payload: "online", retain: true, qos: 1 });
    this.#isOnline = true;
  }

  async #update(changed: ReadonlySet<string>): Promise<void> {
    const keys = withChildren(changed, this.#options.feed.state);
    for (const key of keys) await this.#sendState(key);
    // A message of quality 2 is passed on a round trip later than one of quality 1 behind it.
    if (this.#options.qos === 2 && !this.#isOnline) await this.#options.link.flush();
    for (const key of keys) await this.#sendConfig(key);
    if ([...changed].some((key) => !this.#isDevice(key))) await this.#sendAbsent();
  }

  #isDevice(key: string): boolean {
    const kind = this.#options.feed.state.get(key)?.kind;
    return kind === "collar" || kind === "homeStation";
  }

  async #send(message: Message): Promise<void> {
    if (this.#ended.aborted || this.#sent.get(message.topic) === message.payload) return;
    this.#sent.set(message.topic, message.payload);
    await this.#options.link.publish(message);
  }

  async #sendState(key: string): Promise<void> {
    for (const message of this.#messages(key)) await this.#send(message);
  }

  /** The same once more, for a Home Assistant that may have read the first one too early. */
  async #repeatState(key: string): Promise<void> {
    for (const { topic } of this.#messages(key)) this.#sent.delete(topic);
    await this.#sendState(key);
  }

  #messages(key: string): Message[] {
    const { feed, topics, memory, qos } = this.#options;
    const entry = feed.state.get(key);
    switch (entry?.kind) {
      case "collar":
      case "homeStation":
        return deviceMessages(entry, this.#context.view, topics, qos);
      case "bridge":
        return [bridgeInfo(entry, memory.homeAssistant, topics)];
      case "account":
      case undefined:
        return [];
    }
  }

  async #sendConfig(key: string): Promise<void> {
    const { feed, topics, memory, mode } = this.#options;
    const entry = feed.state.get(key);
    if (entry === undefined || entry.kind === "account" || memory.deleted.has(key)) return;
    const published = memory.components.get(key) ?? new Map<string, string>();
    const { signature, components, payload } = describeDiscovery(entry, published, this.#context);
    if (this.#described.get(key) === signature) return;
    const message = { topic: topics.discovery(key), payload: payload(), retain: true, qos: 1 } as const;
    const last = memory.sent.get(key);
    const waitMs = last === undefined || last.payload === message.payload ? 0 : last.at + APART_MS - monotonicMs();
    if (waitMs > 0) return this.#holdConfig(key, waitMs);
    this.#described.set(key, signature);
    memory.components.set(key, components);
    if (mode === "off") return;
    memory.sent.set(key, { payload: message.payload, at: monotonicMs() });
    await this.#send(message);
    this.#later(APPLY_MS, () => this.#repeatState(key));
    // What was dropped from the published components is named once more in this message, and gone from the next.
    if ([...published.keys()].some((component) => !components.has(component))) this.#holdConfig(key, APART_MS);
  }

  #holdConfig(key: string, ms: number): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    this.#later(ms, () => {
      this.#held.delete(key);
      return this.#sendConfig(key);
    });
  }

  /** Devices that stand at the broker but not in the state: gone from the account, or not heard of yet. */
  async #sendAbsent(): Promise<void> {
    const { feed, topics, memory } = this.#options;
    const absent = [...memory.components.keys()].filter((key) => !feed.state.has(key));
    const offline = { payload: "offline", retain: true, qos: 1 } as const;
    for (const key of absent) {
      if (allConfirmed(feed.state)) await this.#retire(key);
      else if (noneToldOf(feed.state)) await this.#send({ topic: topics.availability(key), ...offline });
    }
  }

  /** Removes a device; but first its children's messages, in which it is no parent any more, have to be sent. */
  async #retire(key: string): Promise<void> {
    const children = childrenOf(new Set([key]), this.#options.feed.state);
    if (!children.some((child) => this.#held.has(child))) await this.#remove(key);
    else this.#later(APART_MS, () => this.#sendAbsent());
  }

  /** Takes a device off the broker: the discovery message first, or Home Assistant would complain about the rest. */
  async #remove(key: string): Promise<void> {
    const { link, topics, memory, log, feed, mode } = this.#options;
    log.info(`${key} is in no account any more: removed`);
    memory.components.delete(key);
    memory.sent.delete(key);
    this.#described.delete(key);
    if (mode !== "off") {
      this.#clearing.add(key);
      await this.#clear(topics.discovery(key));
      await link.flush();
    }
    this.#later(APPLY_MS, async () => {
      if (feed.state.has(key)) return;
      for (const topic of topics.retained(key)) await this.#clear(topic);
    });
  }

  async #clear(topic: string): Promise<void> {
    this.#sent.delete(topic);
    await this.#options.link.publish({ topic, payload: "", retain: true, qos: 1 });
  }

  #receive({ topic, payload, retained }: Received): void {
    const { topics, memory } = this.#options;
    const device = topics.discoveredDevice(topic);
    if (topic === topics.homeAssistantStatus) this.#hearHomeAssistant(payload, retained);
    else if (device !== undefined) this.#hearDiscovery(device, payload, retained);
    else if (topic === topics.bridgeInfo && retained) {
      memory.homeAssistant = { ...memory.homeAssistant, seenAt: memory.homeAssistant.seenAt ?? seenAt(payload) };
    }
  }

  #hearHomeAssistant(payload: string, retained: boolean): void {
    const { memory, log } = this.#options;
    if (payload !== "online" && payload !== "offline") return;
    memory.homeAssistant = { status: payload, seenAt: Date.now() };
    log.debug(`Home Assistant says ${payload}`);
    this.#later(0, () => this.#sendState("bridge"));
    // Before we are online everything is yet to be published; and a retained birth is an old one.
    if (payload === "offline" || retained || !this.#isOnline) return;
    this.#later(BIRTH_MS.shortest + Math.random() * BIRTH_MS.spread, () => this.#sendEverything());
  }

  /** Home Assistant has started: it gets the descriptions, then the states. */
  async #sendEverything(): Promise<void> {
    this.#sent.clear();
    this.#described.clear();
    const keys = withChildren(new Set(this.#options.feed.state.keys()), this.#options.feed.state);
    for (const key of keys) await this.#sendConfig(key);
    for (const key of keys) await this.#sendState(key);
    await this.#goOnline();
  }

  #hearDiscovery(key: string, payload: string, retained: boolean): void {
    const { memory, topics, log, feed } = this.#options;
    if (payload === "") {
      if (this.#clearing.delete(key) || !memory.components.has(key) || !feed.state.has(key)) return;
      log.info(`${key} was deleted in Home Assistant: it stays away until the next start`);
      memory.deleted.add(key);
      memory.components.delete(key);
      this.#sent.delete(topics.discovery(key));
      this.#later(0, async () => {
        for (const child of childrenOf(new Set([key]), feed.state)) await this.#sendConfig(child);
      });
      return;
    }
    const components = retained ? ownComponents(payload, topics) : undefined;
    if (components === undefined || this.#described.has(key)) return;
    memory.components.set(key, new Map([...(memory.components.get(key) ?? []), ...components]));
    this.#later(0, () => this.#sendAbsent());
  }

  /** Does something after `ms`; its failure ends the announcer. */
  #later(ms: number, action: () => Promise<void>): void {
    void sleep(ms, this.#ended)
      .then(() => (this.#ended.aborted ? undefined : this.#alone(action)))
      .catch((error: unknown) => {
        this.#failure = { error };
        this.#stop.abort();
      });
  }

  /** Runs the action when all that was begun before is done. */
  #alone(action: () => Promise<void>): Promise<void> {
    const work = this.#work.then(action);
    this.#work = work.catch(() => {});
    return work;
  }
}

function everyAccount(state: State, holds: (account: Account) => boolean): boolean {
  const accounts = [...state.values()].filter((entry) => entry.kind === "account");
  return accounts.length > 0 && accounts.every(holds);
}

/** Every account has listed its devices since the start. */
function allListed(state: State): boolean {
  return everyAccount(state, ({ listed }) => listed);
}

/** Every account's listing has proved true: now a device that is missing is gone. */
function allConfirmed(state: State): boolean {
  return everyAccount(state, ({ confirmed }) => confirmed);
}

/** What no account has listed yet may belong to any that has not: nobody knows how it is while those are silent. */
function noneToldOf(state: State): boolean {
  return everyAccount(state, ({ listed, reachable }) => listed || !reachable);
}

/** The keys, parents before their children; a station that came, moved or went takes its collars along. */
function withChildren(keys: ReadonlySet<string>, state: State): string[] {
  const isCollar = (key: string): boolean => state.get(key)?.kind === "collar";
  const others = [...keys].filter((key) => !isCollar(key) && !key.startsWith("account:"));
  if (others.length === 0) return [...keys];
  return [...others, ...new Set([...[...keys].filter(isCollar), ...childrenOf(new Set(others), state)])];
}

/** The collars that belong to one of these home stations. */
function childrenOf(stations: ReadonlySet<string>, state: State): string[] {
  return [...state.values()].flatMap((entry) => {
    return entry.kind === "collar" && entry.station && stations.has(entry.station.key) ? [entry.key] : [];
  });
}
