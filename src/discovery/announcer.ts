/**
 * Keeps a broker, and Home Assistant behind it, in step with the state. One runs per connection: it publishes
 * everything, then what changes. The order is what Home Assistant needs to stay quiet and right: states before
 * `online`, a state before the discovery message that reads it, and the state once more behind that message.
 */
import { monotonicMs, nextTurn, sleep } from "../lib/clock.ts";
import type { Entry } from "../model/device.ts";
import type { Cursor, Feed, PublisherTools } from "../publishers/publisher.ts";
import type { DiscoveryContext, DiscoveryMode } from "./config.ts";
import { APART_MS, APPLY_MS, Describer } from "./describer.ts";
import type { Link, QuickLink, Received } from "./link.ts";
import { type DiscoveryMemory, readSeen, readTold } from "./memory.ts";
import { bridgeInfo, deviceKey, type Message, stateMessages } from "./messages.ts";
import { answer, obey } from "./orders.ts";
import { Positions } from "./positions.ts";
import { allConfirmed, childrenOf, noneToldOf, placeOf, withChildren } from "./relations.ts";
import { settle } from "./settle.ts";
import { ABSENCE_MS, createTeller, LONGEST_ABSENCE_MS, type Teller } from "./teller.ts";
import type { Topics } from "./topics.ts";

export interface AnnouncerOptions extends PublisherTools {
  readonly feed: Feed;
  readonly link: Link | QuickLink;
  readonly memory: DiscoveryMemory;
  readonly topics: Topics;
  /** Of states and positions. */
  readonly qos: 0 | 1 | 2;
  /** How devices are announced, if at all. */
  readonly mode: DiscoveryMode;
  /** Whose bridge it is, and by which way it comes: its serial number. */
  readonly instance: string;
  /** Up to where what happened has been told. */
  readonly cursor: Cursor;
  /** What is different on the way through Home Assistant. */
  readonly through?: ThroughHomeAssistant;
}

/** Through Home Assistant there is no will, no way for bytes, and each message is kept in its database. */
interface ThroughHomeAssistant {
  /** How often the bridge says that it is there, ms. */
  readonly heartBeatMs: number;
  /** The largest picture that can go. */
  readonly largestPhotoBytes: number;
}

/** Home Assistant has set up what it was told of by then: now it hears what happened. */
const LISTEN_MS = 2_000;
/** A timer that rings a little early must find the time over. */
const MOMENT_MS = 100;
/** So many heart-beats may be missing before Home Assistant takes the bridge for dead. */
const HEART_BEATS = 2.5;
/** So many devices are told of before whatever has arrived meanwhile has its turn. */
const PORTION = 5;
/** More changes at a time than a household has are much work. */
const HOUSEHOLD = 20;
/** Behind it there is a rest of so many times as long, and of a second at most. */
const [RESTS, LONGEST_REST_MS] = [3, 1_000];
/** So many answers may wait for a broker that is slow; what is asked beyond that has none. */
const MOST_ANSWERS = 100;
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
  /** What the collars of each home station show of it. */
  readonly #stations = new Map<string, string | undefined>();
  /** The end of the work that is under way: one task after the other, or an older state could be the last word. */
  #work = Promise.resolve();
  /** Pictures that were said to be too large. */
  readonly #largePhotos = new Set<string>();
  /** What is to be done, and need not be done twice. */
  readonly #due = new Set<string>();
  /** How many answers wait for the broker. */
  #answers = 0;
  readonly #teller: Teller;
  readonly #describer: Describer;
  readonly #positions: Positions;
  /** Whether all has been published once, and `online` has been said. */
  #isOnline = false;
  /** Whether Home Assistant has started since we are connected. */
  #wasBorn = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: AnnouncerOptions, signal: AbortSignal) {
    this.#options = options;
    const view = { state: options.feed.state, preferredPosition: options.preferredPosition };
    this.#context = {
      ...options,
      view,
      deleted: options.memory.deleted,
      ...(options.through && {
        expiresAfterMs: HEART_BEATS * options.through.heartBeatMs,
        largestPhotoBytes: options.through.largestPhotoBytes,
      }),
    };
    this.#teller = createTeller({ ...options, sendNote: () => this.#sendInfo() });
    this.#describer = new Describer({
      ...options,
      ...this.#context,
      send: (message) => this.#send(message),
      unsay: (topic) => this.#sent.delete(topic),
      clear: (topic) => this.#clear(topic),
      later: (ms, action) => this.#later(ms, action),
      sendState: (key) => this.#sendState(key),
      repeatState: (key) => this.#repeatState(key),
      sendAbsent: () => this.#sendAbsent(),
      wait: (ms) => this.#wait(ms + LISTEN_MS),
    });
    this.#positions = new Positions({
      ...options,
      view,
      sent: this.#sent,
      isReady: (key) => this.#isOnline && this.#describer.isDescribed(key),
      fail: (error) => this.#fail(error),
    });
    this.#ended = AbortSignal.any([signal, this.#stop.signal]);
  }

  async run(): Promise<void> {
    const { feed, link, topics, memory } = this.#options;
    const republish = (): void => {
      memory.deleted.clear();
      this.#once("republish", 0, () => this.#sendEverything());
    };
    feed.onRepublish(republish, this.#ended);
    feed.onTouch?.((key) => this.#positions.hurry(key), this.#ended);
    const { homeAssistantStatus, bridgeInfo: info, everyDiscovery, everyCommand, everyRequest } = topics;
    const filters = [homeAssistantStatus, info, ...everyDiscovery, everyCommand, everyRequest];
    await link.subscribe(filters, (message) => this.#receive(message));
    await this.#settle();
    for await (const { changed } of feed.changes(this.#ended)) {
      const startedAt = monotonicMs();
      await this.#alone(() => this.#update(changed));
      if (!this.#isOnline) await this.#alone(() => this.#start());
      await this.#teller.tell();
      if (changed.size > HOUSEHOLD) await this.#rest(monotonicMs() - startedAt);
    }
    if (this.#failure) throw this.#failure.error;
  }

  /**
   * After much work, what comes next gathers for a while: of a collar that reports all the time only the latest state is
   * told, and what is saved goes into its positions, which wait for nothing.
   */
  async #rest(workedMs: number): Promise<void> {
    await sleep(Math.min(RESTS * workedMs, LONGEST_REST_MS), this.#ended);
  }

  /** Waits until every account has listed its devices, at a start; a reconnect has nothing to wait for. */
  async #settle(): Promise<void> {
    const { feed, memory } = this.#options;
    if (memory.settled) return;
    await settle(feed, this.#ended);
    memory.settled = true;
  }

  async #start(): Promise<void> {
    const { memory } = this.#options;
    await this.#goOnline();
    if (memory.wasConnected) this.#later(ABSENCE_MS + MOMENT_MS, () => this.#teller.tell());
    memory.wasConnected = true;
    if (this.#wasBorn) this.#listenSoon();
  }

  #listenSoon(): void {
    const wasMoving = this.#describer.isMoving;
    this.#later(LISTEN_MS, async () => {
      // Its entities are on the way to other topics, or have just come there.
      if (wasMoving || this.#describer.isMoving) return this.#listenSoon();
      this.#teller.listening();
      await this.#teller.tell();
    });
  }

  /** Home Assistant does not listen; if nobody says otherwise, it is told after `ms` all the same. */
  #wait(ms: number): void {
    this.#teller.deaf(ms);
    this.#later(ms + MOMENT_MS, () => this.#teller.tell());
  }

  async #goOnline(): Promise<void> {
    const { link, topics } = this.#options;
    await link.flush();
    await this.#send({ topic: topics.bridgeState, payload: "online", retain: true, qos: 1 });
    if (!this.#isOnline) this.#beat();
    this.#isOnline = true;
  }

  /** Where there is no will, a bridge that says nothing any more is a dead one. */
  #beat(): void {
    const { link, topics, through } = this.#options;
    if (through === undefined) return;
    this.#later(through.heartBeatMs, async () => {
      await link.publish({ topic: topics.bridgeState, payload: "online", retain: false, qos: 1 });
      this.#beat();
    });
  }

  /**
   * The position first, since that is what people wait for. A device that Home Assistant does not know yet gets its
   * states before its description, which reads them; one that it knows the other way round, since the description may
   * allow what the state says. Through Home Assistant, where each message is kept, the description always comes first:
   * what it reads is said once.
   */
  async #update(changed: ReadonlySet<string>): Promise<void> {
    const { feed, link, qos, through } = this.#options;
    if (this.#isOnline) await nextTurn();
    const keys = withChildren(changed, feed.state, (key) => this.#hasMoved(key));
    const isDescribedFirst = through !== undefined;
    for (const key of keys) if (!isDescribedFirst || this.#describer.isDescribed(key)) await this.#positions.send(key);
    for (const key of keys) if (!isDescribedFirst && !this.#describer.isDescribed(key)) await this.#sendState(key);
    // A message of quality 2 is passed on a round trip later than one of quality 1 behind it.
    if (qos === 2 && !this.#isOnline) await link.flush();
    for (const [index, key] of keys.entries()) {
      // Whatever has arrived meanwhile has its turn: its positions go first.
      if (this.#isOnline && index % PORTION === PORTION - 1) await nextTurn();
      if (!this.#describer.isUpToDate(key)) await this.#describer.describe(key);
      if (isDescribedFirst) await this.#positions.send(key);
      await this.#sendState(key);
    }
    if ([...changed].some((key) => !this.#isDevice(key))) await this.#sendAbsent();
  }

  /** Whether the collars of this home station have to show something else. */
  #hasMoved(key: string): boolean {
    const place = placeOf(this.#options.feed.state.get(key));
    if (this.#stations.has(key) && this.#stations.get(key) === place) return false;
    this.#stations.set(key, place);
    for (const child of childrenOf(new Set([key]), this.#options.feed.state)) this.#positions.forget(child);
    return true;
  }

  #isDevice(key: string): boolean {
    const kind = this.#options.feed.state.get(key)?.kind;
    return kind === "collar" || kind === "homeStation";
  }

  async #send(message: Message): Promise<void> {
    const version = message.version ?? String(message.payload);
    if (this.#ended.aborted || this.#sent.get(message.topic) === version) return;
    this.#sent.set(message.topic, version);
    await this.#options.link.publish(message);
  }

  /** While a description waits, the state waits with it: it may say what the last one does not allow. */
  async #sendState(key: string): Promise<void> {
    if (this.#describer.isHeld(key)) return;
    for (const message of this.#messages(key)) await this.#send(message);
  }

  async #sendInfo(): Promise<void> {
    for (const message of this.#messages("bridge")) await this.#send(message);
  }

  /** The same once more, for a Home Assistant that may have read the first one too early. */
  async #repeatState(key: string): Promise<void> {
    for (const { topic } of this.#messages(key)) this.#sent.delete(topic);
    await this.#sendState(key);
  }

  #messages(key: string): Message[] {
    const { feed, topics, memory, qos, through } = this.#options;
    const entry = feed.state.get(key);
    if (entry === undefined) return [];
    if (entry.kind === "bridge") return [bridgeInfo(entry, memory.homeAssistant, topics, this.#teller.note)];
    this.#mentionLargePhoto(entry);
    return stateMessages(entry, this.#context.view, topics, qos, through?.largestPhotoBytes);
  }

  /** Once for each picture. */
  #mentionLargePhoto(entry: Entry): void {
    const { log, through } = this.#options;
    const photo = entry.kind === "collar" ? entry.photo : undefined;
    if (!photo || photo.bytes.byteLength <= (through?.largestPhotoBytes ?? Number.POSITIVE_INFINITY)) return;
    if (this.#largePhotos.has(photo.image)) return;
    this.#largePhotos.add(photo.image);
    const size = Math.ceil(photo.bytes.byteLength / 1000);
    log.info(`${entry.key}: its photo (${size} kB) is too large for Home Assistant's WebSocket API and is left out`);
  }

  /** Devices that stand at the broker but not in the state: gone from the account, or not heard of yet. */
  async #sendAbsent(): Promise<void> {
    const { feed, topics, memory } = this.#options;
    const present = new Set([...feed.state.values()].map(deviceKey));
    const absent = [...memory.components.keys()].filter((key) => !present.has(key));
    const offline = { payload: "offline", retain: true, qos: 1 } as const;
    for (const key of absent) {
      if (allConfirmed(feed.state)) await this.#retire(key);
      else if (noneToldOf(feed.state)) await this.#send({ topic: topics.availability(key), ...offline });
    }
  }

  /** Removes a device; but first its children's messages, in which it is no parent any more, have to be sent. */
  async #retire(key: string): Promise<void> {
    const children = childrenOf(new Set([key]), this.#options.feed.state);
    if (!children.some((child) => this.#describer.isHeld(child))) await this.#remove(key);
    else this.#later(APART_MS, () => this.#sendAbsent());
  }

  /** Takes a device off the broker: the discovery message first, or Home Assistant would complain about the rest. */
  async #remove(key: string): Promise<void> {
    const { link, topics, log, feed } = this.#options;
    log.info(`${key} is in no account any more: removed`);
    await this.#describer.remove(key);
    await link.flush();
    this.#later(APPLY_MS, async () => {
      if (feed.state.has(key)) return;
      for (const topic of topics.retained(key)) await this.#clear(topic);
    });
  }

  async #clear(topic: string): Promise<void> {
    this.#sent.delete(topic);
    if (!this.#ended.aborted) await this.#options.link.publish({ topic, payload: "", retain: true, qos: 1 });
  }

  get #orders(): Parameters<typeof obey>[3] {
    return { ...this.#options, view: this.#context.view, publish: (message) => this.#say(message) };
  }

  #receive({ topic, payload, retained }: Received): void {
    const { topics } = this.#options;
    const about = topics.discovered(topic);
    const command = topics.commanded(topic);
    const request = topics.requested(topic);
    if (topic === topics.homeAssistantStatus) this.#hearHomeAssistant(payload, retained);
    else if (about !== undefined) this.#describer.hear({ topic, payload, retained }, about);
    else if (topic === topics.bridgeInfo) this.#hearOwnInfo(payload, retained);
    // A retained command would come back at every connection.
    else if (retained) return;
    else if (request !== undefined) answer(request, payload, this.#orders);
    else if (command !== undefined) obey(command.device, command.control, payload, this.#orders);
  }

  /** What an earlier run knew of Home Assistant. */
  #hearOwnInfo(payload: string, retained: boolean): void {
    const { memory } = this.#options;
    const note = retained ? readTold(payload) : undefined;
    if (note) this.#teller.recall(note);
    if (!retained || memory.homeAssistant.seenAt !== null) return;
    const { status, seenAt } = readSeen(payload);
    memory.homeAssistant = { ...memory.homeAssistant, seenAt };
    if (status === "offline") this.#wait(LONGEST_ABSENCE_MS);
  }

  #hearHomeAssistant(payload: string, retained: boolean): void {
    const { memory, log } = this.#options;
    if (payload !== "online" && payload !== "offline") return;
    memory.homeAssistant = { status: payload, seenAt: Date.now() };
    log.debug(`Home Assistant says ${payload}`);
    this.#once("bridge", 0, () => this.#sendState("bridge"));
    // Before we are online everything is yet to be published; and a retained birth is an old one.
    if (payload === "offline" || retained) return;
    this.#wasBorn = true;
    this.#describer.moveAnew();
    if (!this.#isOnline || this.#due.has("birth")) return;
    // It hears nothing of what happened before it has set up its entities.
    this.#wait(LONGEST_ABSENCE_MS);
    this.#once("birth", BIRTH_MS.shortest + Math.random() * BIRTH_MS.spread, () => this.#sendEverything());
  }

  /** Home Assistant has started: it gets the descriptions, then the states. */
  async #sendEverything(): Promise<void> {
    this.#sent.clear();
    this.#positions.forgetAll();
    this.#describer.forget();
    const keys = withChildren(new Set(this.#options.feed.state.keys()), this.#options.feed.state);
    for (const key of keys) await this.#describer.describe(key);
    for (const key of keys) {
      await this.#positions.send(key);
      await this.#sendState(key);
    }
    await this.#goOnline();
    this.#listenSoon();
  }

  /** Does something after `ms`; its failure ends the announcer. */
  #later(ms: number, action: () => Promise<void>): void {
    void sleep(ms, this.#ended)
      .then(() => (this.#ended.aborted ? undefined : this.#alone(action)))
      .catch((error: unknown) => this.#fail(error));
  }

  /** The same, unless it is to be done already: whoever asks a thousand times gets one answer. */
  #once(name: string, ms: number, action: () => Promise<void>): void {
    if (this.#due.has(name)) return;
    this.#due.add(name);
    this.#later(ms, () => {
      this.#due.delete(name);
      return action();
    });
  }

  /** Resolves when the broker has the message, or the announcer has ended. */
  async #say(message: Message): Promise<void> {
    const { link, log } = this.#options;
    if (this.#answers >= MOST_ANSWERS) return log.debug(`too much is asked at once: ${message.topic} is left out`);
    this.#answers += 1;
    await this.#alone(async () => {
      await link.publish(message);
      await link.flush();
    }).catch((error: unknown) => this.#fail(error));
    this.#answers -= 1;
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#stop.abort();
  }

  /** Runs the action when all that was begun before is done. */
  #alone(action: () => Promise<void>): Promise<void> {
    const work = this.#work.then(action);
    this.#work = work.catch(() => {});
    return work;
  }
}
