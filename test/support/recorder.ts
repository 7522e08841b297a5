/** An MQTT client that keeps every message of a broker, in the order in which the broker passed them on. */
import { connectAsync, type IClientOptions } from "mqtt";
import { PATIENCE_MS } from "./until.ts";

export interface Message {
  readonly index: number;
  readonly topic: string;
  readonly payload: string;
  /** True for one that came from the broker's store, when the recorder subscribed. */
  readonly retain: boolean;
  readonly qos: number;
  /** Milliseconds, monotonic. */
  readonly at: number;
}

export type Json = Readonly<Record<string, unknown>>;

export function json(text: string): Json {
  return JSON.parse(text) as Json;
}

interface Wait {
  /** Only messages from this index on count; default: all. */
  readonly from?: number;
  readonly ms?: number;
}

export interface Recorder {
  readonly messages: readonly Message[];
  /** Where the next message will stand. */
  readonly mark: number;
  of(topic: string, from?: number): readonly Message[];
  /** The last payload on the topic; undefined where there was none, or an empty one. */
  latest(topic: string): string | undefined;
  /** The first message on the topic that is accepted. */
  waitFor(topic: string, accept?: (payload: string) => boolean, wait?: Wait): Promise<Message>;
  /** The first JSON message on the topic that has all of these fields. */
  waitForJson(topic: string, fields: Json, wait?: Wait): Promise<Json>;
  /** The same of any look at the messages; it looks again after each one. */
  waitUntil(look: () => boolean, what: string, ms?: number): Promise<void>;
  /** Resolves when the broker has passed it on, to the recorder too. */
  publish(topic: string, payload: string, retain?: boolean): Promise<void>;
  /** What the broker retains now, by topic. */
  retained(): Promise<Map<string, string>>;
  readonly connected: boolean;
  end(): Promise<void>;
}

const SENTINEL = "recorder/sentinel";

/** @param qos of the subscription: with 0 the order is the broker's own, with 2 each message keeps its quality of service */
export async function startRecorder(url: string, options: IClientOptions = {}, qos: 0 | 2 = 0): Promise<Recorder> {
  const messages: Message[] = [];
  const listeners = new Set<() => void>();
  const client = await connectAsync(url, { reconnectPeriod: 20, ...options }, false);
  client.on("error", () => {});
  const sentinels = new Map<string, () => void>();
  client.on("message", (topic, payload, packet) => {
    if (topic.startsWith(SENTINEL)) return sentinels.get(topic)?.();
    const { retain, qos: granted } = packet;
    messages.push({
      index: messages.length,
      topic,
      payload: payload.toString("utf8"),
      retain,
      qos: granted,
      at: performance.now(),
    });
    for (const look of listeners) look();
  });
  await client.subscribeAsync("#", { qos });

  const waitUntil: Recorder["waitUntil"] = (look, what, ms = PATIENCE_MS) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lookAgain = (): void => {
      if (look()) resolve();
    };
    const timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms; last: ${tail(messages)}`)), ms);
    listeners.add(lookAgain);
    lookAgain();
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(lookAgain);
    });
  };

  const of: Recorder["of"] = (topic, from = 0) => messages.slice(from).filter((message) => message.topic === topic);

  const waitFor: Recorder["waitFor"] = async (topic, accept = () => true, { from = 0, ms } = {}) => {
    let found: Message | undefined;
    const look = (): boolean => {
      found = messages.find(({ index, topic: on, payload }) => index >= from && on === topic && accept(payload));
      return found !== undefined;
    };
    await waitUntil(look, `a message on ${topic} like ${accept.toString()}`, ms);
    if (found === undefined) throw new Error("found and lost");
    return found;
  };

  return {
    messages,
    get mark() {
      return messages.length;
    },
    of,
    latest: (topic) => of(topic).at(-1)?.payload || undefined,
    waitFor,
    async waitForJson(topic, fields, wait) {
      const has = (payload: string): boolean => payload !== "" && holds(json(payload), fields);
      try {
        return json((await waitFor(topic, has, wait)).payload);
      } catch (cause) {
        const last = of(topic).at(-1)?.payload;
        throw new Error(`no message on ${topic} with ${JSON.stringify(fields)}; the last was ${last}`, { cause });
      }
    },
    waitUntil,
    async publish(topic, payload, retain = false) {
      const from = messages.length;
      await client.publishAsync(topic, payload, { retain, qos: 1 });
      await waitFor(topic, (text) => text === payload, { from });
    },
    async retained() {
      const sentinel = `${SENTINEL}/${sentinels.size}`;
      const stored = new Promise<void>((resolve) => sentinels.set(sentinel, resolve));
      await client.publishAsync(sentinel, "here", { retain: true, qos: 2 });
      await stored;
      const found = await readRetained(url, options, sentinel);
      await client.publishAsync(sentinel, "", { retain: true, qos: 1 });
      return found;
    },
    get connected() {
      return client.connected;
    },
    async end() {
      await client.endAsync(true);
    },
  };
}

function holds(value: Json, fields: Json): boolean {
  return Object.entries(fields).every(([key, wanted]) => JSON.stringify(value[key]) === JSON.stringify(wanted));
}

function tail(messages: readonly Message[]): string {
  return messages
    .slice(-5)
    .map(({ topic, payload }) => `${topic} ${payload.slice(0, 120)}`)
    .join(" | ");
}

/**
 * The embedded broker tells retained messages in the order in which their topics came to be stored: a new one is the
 * last. It has quality of service 2, or it would overtake those that need the longer handshake.
 */
async function readRetained(url: string, options: IClientOptions, last: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  const reader = await connectAsync(url, { ...options, reconnectPeriod: 0 });
  reader.on("message", (topic, payload, { retain }) => {
    if (topic === last) resolve();
    else if (retain) found.set(topic, payload.toString("utf8"));
  });
  await reader.subscribeAsync("#");
  await complete;
  await reader.endAsync(true);
  return found;
}
