/** A subscriber at a broker, as Home Assistant is one: keeps every message, and waits for one. */
import { connectAsync } from "mqtt";
import { createWatch } from "../support/cli.ts";
import type { AtEnd } from "../support/temp.ts";

interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

export interface Subscriber {
  /** In the order in which they came. */
  readonly messages: readonly Message[];
  /** The payloads on this topic, oldest first. */
  payloads(topic: string): string[];
  /** The first message, from now or earlier, that `isIt` accepts. */
  message(isIt: (message: Message) => boolean, ms: number, what?: string): Promise<Message>;
  publish(topic: string, payload: string): Promise<void>;
}

/** Subscribes to everything. */
export async function subscribe(url: string, atEnd: AtEnd, options: object = {}): Promise<Subscriber> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
  atEnd(() => client.endAsync(true));
  client.on("error", () => {});
  const messages: Message[] = [];
  const watch = createWatch();
  client.on("message", (topic, payload, { retain }) => {
    messages.push({ topic, payload: payload.toString("utf8"), retained: retain });
    watch.changed();
  });
  await client.subscribeAsync("#", { qos: 1 });
  const told = (): string => messages.map(({ topic, payload }) => `${topic} ${payload.slice(0, 300)}`).join("\n");
  return {
    messages,
    payloads: (wanted) => messages.filter(({ topic }) => topic === wanted).map(({ payload }) => payload),
    message: (isIt, ms, what = isIt.toString()) =>
      watch.until(
        ms,
        () => messages.find(isIt),
        () => `no message ${what} among\n${told()}`,
      ),
    publish: async (topic, payload) => {
      await client.publishAsync(topic, payload, { retain: true, qos: 1 });
    },
  };
}

/** Resolves when this payload has come on this topic. */
export async function said(
  subscriber: Subscriber,
  topic: string,
  payload: string | RegExp,
  ms = 15_000,
): Promise<void> {
  const isIt = (text: string): boolean => (typeof payload === "string" ? text === payload : payload.test(text));
  await subscriber.message((one) => one.topic === topic && isIt(one.payload), ms, `${topic} ${payload}`);
}
