/**
 * Keeps the discovery messages of all devices right: sends what is new of them, far enough apart; takes away what
 * stands there in another mode's way; and hears what the user deletes in Home Assistant.
 */
import { hash } from "node:crypto";
import { monotonicMs } from "../lib/clock.ts";
import type { Logger } from "../lib/log.ts";
import type { Entry } from "../model/device.ts";
import {
  type Components,
  type DiscoveryContext,
  describeDiscovery,
  isSameShape,
  type Shape,
  shapeOf,
} from "./config.ts";
import type { Link, Received } from "./link.ts";
import { type DiscoveryMemory, forgetDeleted, modeOf, outdatedTopics, recall, standingOn } from "./memory.ts";
import { deviceKey, type Message } from "./messages.ts";
import { createRounds, MOVING, ROUND_MS } from "./migration.ts";
import { childrenOf, keyOf } from "./relations.ts";
import type { Discovered } from "./topics.ts";

export interface DescriberContext extends DiscoveryContext {
  readonly memory: DiscoveryMemory;
  readonly link: Link;
  readonly log: Logger;
  /** Sends it, unless it was the last word on its topic. */
  readonly send: (message: Message) => Promise<void>;
  /** What was said on the topic is to be said again. */
  readonly unsay: (topic: string) => void;
  readonly clear: (topic: string) => Promise<void>;
  /** Does something after `ms`, when all that was begun before is done. */
  readonly later: (ms: number, action: () => Promise<void>) => void;
  readonly sendState: (key: string) => Promise<void>;
  readonly repeatState: (key: string) => Promise<void>;
  /** Looks after devices that stand at the broker and are not in the state. */
  readonly sendAbsent: () => Promise<void>;
  /** For so long, ms, Home Assistant has no entities that could hear what happened. */
  readonly wait: (ms: number) => void;
}

/** Home Assistant has applied a discovery message by then; a state that came earlier may have met the old template. */
export const APPLY_MS = 1_500;
/** Two different discovery messages for one device must be further apart than 2 s. */
export const APART_MS = 2_500;
/** Home Assistant deletes the entities of a device one by one: said in one line. */
const TOGETHER_MS = 100;

function digest(text: string | Uint8Array): string {
  return hash("sha1", text, "base64");
}

export class Describer {
  readonly #context: DescriberContext;
  /** What each device's last discovery message was made from, and how the device looked when that was last compared. */
  readonly #shapes = new Map<string, Shape>();
  readonly #described = new Map<string, string>();
  readonly #held = new Set<string>();
  /** Discovery topics that we cleared ourselves and whose echo is to come. */
  readonly #clearing = new Set<string>();
  /** The sets of components that there are: most devices have the same ones. */
  readonly #sets = new Map<string, Components>();
  /** Devices that move here from another mode's topics, and those that have left them. */
  readonly #rounds = createRounds();
  readonly #left = new Set<string>();
  /** What the user has just deleted in Home Assistant, and the log has not told yet. */
  readonly #deleted = new Set<string>();

  constructor(context: DescriberContext) {
    this.#context = context;
  }

  isDescribed(key: string): boolean {
    return this.#described.has(key);
  }

  /** Whether its description waits for its time; the state has to wait with it. */
  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  get isMoving(): boolean {
    return this.#rounds.areUnderWay;
  }

  /** Home Assistant has started in the middle of a move. */
  moveAnew(): void {
    this.#rounds.restart();
  }

  /** Everything is to be said again. */
  forget(): void {
    this.#described.clear();
  }

  /** Whether there is certainly nothing to do for it: so it is with nearly all news of a collar. */
  isUpToDate(key: string): boolean {
    const { view, memory } = this.#context;
    const entry = view.state.get(key);
    if (entry?.kind !== "collar" || memory.outdated.has(key) || memory.halfMoved.has(key)) return false;
    return this.#described.has(key) && isSameShape(this.#shapes.get(key), shapeOf(entry, this.#context));
  }

  /** Sends what is new in the device's description, as soon as it may be sent. */
  async describe(key: string): Promise<void> {
    const { view, memory } = this.#context;
    const entry = view.state.get(key);
    const device = entry && deviceKey(entry);
    if (entry === undefined || device === undefined || memory.deleted.has(device)) return;
    if (await this.#isMovingHere(key, entry, device)) return;
    // What can be told of a collar is compared with each of its news; the others have none to speak of.
    const shape = entry.kind === "collar" ? shapeOf(entry, this.#context) : undefined;
    if (shape !== undefined && this.#described.has(key) && isSameShape(this.#shapes.get(key), shape)) return;
    if (await this.#say(key, entry, device)) this.#shapes.delete(key);
    else if (shape !== undefined && !this.#held.has(key)) this.#shapes.set(key, shape);
  }

  /** Whether there was something to say; it may also have to wait. */
  async #say(key: string, entry: Entry, device: string): Promise<boolean> {
    const { topics, memory, mode, later } = this.#context;
    const published = this.#published(device);
    const { signature, components, dropped, messages } = describeDiscovery(entry, device, published, this.#context);
    if (this.#described.get(key) === signature) return false;
    const last = memory.sent.get(device);
    const waitMs = last === undefined || last.signature === signature ? 0 : last.at + APART_MS - monotonicMs();
    if (waitMs > 0) {
      this.#hold(key, waitMs);
      return false;
    }
    this.#described.set(key, signature);
    memory.components.set(device, this.#shared(components));
    if (mode === "off") return true;
    for (const message of messages()) await this.#announce(message);
    // What counts is when the last of them went.
    memory.sent.set(device, { signature, at: monotonicMs() });
    later(APPLY_MS, () => this.#context.repeatState(key));
    // A picture that is gone would still stand at the broker.
    if (published.has("photo") && !components.has("photo"))
      later(APPLY_MS, () => this.#context.clear(topics.photo(device)));
    // What was dropped from the published components is named once more in this message, and gone from the next.
    if (dropped.size > 0) this.#hold(key, APART_MS);
    return true;
  }

  #shared(components: Components): Components {
    const key = [...components].join();
    const known = this.#sets.get(key) ?? components;
    this.#sets.set(key, known);
    return known;
  }

  #published(device: string): Components {
    return this.#context.memory.components.get(device) ?? new Map<string, string>();
  }

  #hold(key: string, ms: number): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    this.#context.later(ms, async () => {
      this.#held.delete(key);
      await this.describe(key);
      await this.#context.sendState(key);
    });
  }

  /** An empty message takes its topic away. */
  async #announce(message: Message): Promise<void> {
    if (message.payload === "") await this.#withdraw([message.topic]);
    // Of a thousand devices their descriptions would be 16 MB, kept only to be compared.
    else await this.#context.send({ ...message, version: digest(message.payload) });
  }

  /** Takes discovery topics away. Their echoes are no deletions by the user. */
  async #withdraw(topics: Iterable<string>): Promise<void> {
    for (const topic of topics) {
      this.#clearing.add(topic);
      await this.#context.clear(topic);
    }
  }

  /** Takes away all that describes a device. */
  async remove(device: string): Promise<void> {
    const { memory } = this.#context;
    const standing = standingOn(device, this.#context);
    memory.components.delete(device);
    memory.outdated.delete(device);
    memory.sent.delete(device);
    this.#rounds.forget(device);
    this.#described.delete(device);
    await this.#withdraw(standing);
  }

  /** Whether the device is still leaving the topics of another mode, and has to wait with those of this one. */
  async #isMovingHere(key: string, entry: Entry, device: string): Promise<boolean> {
    const { link, mode, wait } = this.#context;
    const outdated = outdatedTopics(device, this.#context);
    if (outdated.size === 0) return false;
    if (this.#held.has(key)) return true;
    if (mode !== "off" && (await this.#dropThere(key, entry, device, outdated))) return true;
    if (mode === "off" || !this.#rounds.next(device)) {
      await this.#leave(device, outdated);
      return false;
    }
    for (const topic of outdated) await link.publish({ topic, payload: MOVING, retain: true, qos: 1 });
    wait(ROUND_MS);
    this.#hold(key, ROUND_MS);
    return true;
  }

  /** Takes what is not wanted any more away in the old place: Home Assistant would keep what has left it for ever. */
  async #dropThere(key: string, entry: Entry, device: string, outdated: ReadonlySet<string>): Promise<boolean> {
    const { memory, mode } = this.#context;
    const there = { ...this.#context, mode: mode === "device" ? ("component" as const) : ("device" as const) };
    const { components, dropped, messages } = describeDiscovery(entry, device, this.#published(device), there);
    if (dropped.size === 0) return false;
    const news = messages().filter(({ payload }) => mode === "component" || payload === "");
    for (const message of news) await this.#announce(message);
    const emptied = new Set(news.flatMap(({ topic, payload }) => (payload === "" ? [topic] : [])));
    memory.outdated.set(device, new Set([...outdated].filter((topic) => !emptied.has(topic))));
    memory.components.set(device, components);
    this.#hold(key, APART_MS);
    return true;
  }

  async #leave(device: string, outdated: ReadonlySet<string> | undefined): Promise<void> {
    if (outdated === undefined) return;
    if (!this.#left.has(device)) this.#context.log.info(`${device} leaves the messages of another mqtt.discovery.mode`);
    this.#left.add(device);
    this.#context.memory.outdated.delete(device);
    await this.#withdraw(outdated);
  }

  /** A message on a discovery topic. */
  hear({ topic, payload, retained }: Received, about: Discovered): void {
    if (payload === "") this.#hearDeletion(topic, about);
    else if (retained) this.#hearStanding(topic, payload, about);
  }

  #hearStanding(topic: string, payload: string, about: Discovered): void {
    const { view, memory, mode } = this.#context;
    const key = keyOf(about.device, view.state);
    const isDescribed = key !== undefined && this.#described.has(key);
    // What stands there in this mode's way is our own, once the device is described.
    if ((isDescribed && modeOf(about) === mode) || !recall(topic, about, payload, this.#context)) return;
    this.#context.later(0, async () => {
      if (mode === "off") await this.#leave(about.device, memory.outdated.get(about.device));
      else if (isDescribed) await this.#describeAnew(key, about.device);
      await this.#context.sendAbsent();
    });
  }

  /** Messages of another mode came to light late: Home Assistant has refused ours beside them. */
  async #describeAnew(key: string, device: string): Promise<void> {
    this.#described.delete(key);
    for (const topic of standingOn(device, this.#context)) this.#context.unsay(topic);
    await this.describe(key);
  }

  #hearDeletion(topic: string, about: Discovered): void {
    const { view, memory, mode, later } = this.#context;
    const key = keyOf(about.device, view.state);
    if (this.#clearing.delete(topic) || key === undefined || modeOf(about) !== mode) return;
    const deleted = forgetDeleted(about, memory);
    if (deleted === undefined) return;
    this.#noteDeleted(deleted);
    if (deleted !== about.device) return;
    later(0, async () => {
      for (const child of childrenOf(new Set([key]), view.state)) await this.describe(child);
    });
  }

  #noteDeleted(name: string): void {
    this.#deleted.add(name);
    if (this.#deleted.size > 1) return;
    this.#context.later(TOGETHER_MS, async () => {
      const isWhole = (one: string): boolean => !this.#deleted.has(one.slice(0, one.indexOf("/")));
      const names = [...this.#deleted].filter(isWhole).join(", ");
      this.#deleted.clear();
      this.#context.log.info(`${names} was deleted in Home Assistant: it stays away until the next start`);
    });
  }
}
