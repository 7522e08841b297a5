/**
 * A way to the broker through Home Assistant's MQTT integration. Each message is an action there, and stored with its
 * payload in its database: so what the broker retains already is not sent again, and nothing is sent that is too large.
 */
import type { Link, Received } from "../../../discovery/link.ts";
import type { Message } from "../../../discovery/messages.ts";
import type { Topics } from "../../../discovery/topics.ts";
import { createBell } from "../../../lib/bell.ts";
import { aborted, sleep } from "../../../lib/clock.ts";
import { RecoverableError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Cell } from "../../../lib/metrics.ts";
import { z } from "../../../lib/schema.ts";
import { CallRefused, type HomeAssistant } from "../connection.ts";

interface LinkContext {
  readonly ha: HomeAssistant;
  readonly topics: Topics;
  readonly log: Logger;
  /** The end of all waiting. */
  readonly signal: AbortSignal;
  /** How many messages were published. */
  readonly published?: Cell;
}

const mqttMessage = z.looseObject({ topic: z.string(), payload: z.string(), retain: z.boolean() });

/** How Home Assistant calls what it could not do by itself. */
const BROKER_TROUBLE = "home_assistant_error";
/** The user is no administrator any more. */
const NO_RIGHT = "Unauthorized";
/** So many messages may be under way: with one, Home Assistant takes 1,500 in a second, with eight 2,400. */
const WINDOW = 8;
/** Home Assistant stores 32 KiB of an action; around the payload stands its topic. */
const LARGEST_BYTES = 32_500;
/** Home Assistant subscribes at the broker half a second late; what that retains follows, and then a pause. */
const RETAINED = { firstMs: 700, pauseMs: 300, longestMs: 5_000 } as const;
/**
 * While its broker is away, Home Assistant tries to find it every ten seconds, and says so when it has. Each message
 * that it cannot publish is an error in its log, so that nothing is tried meanwhile but one message after these times.
 */
const AWAY_MS = [15_000, 30_000, 60_000];

export function createLink({ ha, topics, log, signal, published }: LinkContext): Link {
  /** What the broker is known to retain; null where something has to be said again, whatever stands there. */
  const retained = new Map<string, string | null>();
  /** What stands on all other topics. */
  let elsewhere: "" | null = "";
  /** The messages under way, by topic: a second one on a topic waits for the first, or it might overtake it. */
  const underWay = new Map<string, Promise<void>>();
  const returned = createBell();
  let isBrokerThere = false;
  let failure: { readonly reason: unknown } | undefined;
  let heardAt = 0;

  function hear({ topic, payload, retain }: z.output<typeof mqttMessage>): Received {
    heardAt = performance.now();
    if (topic === topics.homeAssistantStatus && payload === "online" && !retain) forget();
    else if (payload === "") retained.delete(topic);
    else if (retain) retained.set(topic, payload);
    return { topic, payload, retained: retain };
  }

  /** Home Assistant has found back to its broker, which may have lost everything. */
  function forget(): void {
    retained.clear();
    elsewhere = null;
    returned.ring();
  }

  /** Resolves when the broker has the message, however long that is away; what is wrong otherwise ends the session. */
  async function call(topic: string, payload: string, { retain, qos }: Message): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await ha.callService("mqtt", "publish", { topic, payload, qos, retain });
        isBrokerThere = true;
        if (published) published.value += 1;
        return;
      } catch (cause) {
        if (!(cause instanceof CallRefused)) throw cause;
        if (cause.code !== BROKER_TROUBLE || cause.message === NO_RIGHT)
          throw new RecoverableError("Home Assistant refused a message", { cause });
        await brokerReturns(attempt, cause);
      }
    }
  }

  /** @throws RecoverableError when the session ends before */
  async function brokerReturns(attempt: number, { message }: CallRefused): Promise<void> {
    if (attempt === 0)
      log.warn(`Home Assistant's MQTT integration does not reach its broker (${message}): waiting for it`);
    isBrokerThere = false;
    const waited = AbortSignal.any([signal, AbortSignal.timeout(AWAY_MS[Math.min(attempt, AWAY_MS.length - 1)] ?? 0)]);
    const rung = new Promise<void>((resolve) => returned.onRing(resolve, waited));
    await Promise.race([rung, aborted(waited), ha.lost]);
    if (signal.aborted) throw new RecoverableError("stopped while the broker was away");
  }

  function start(topic: string, payload: string, message: Message): void {
    const sent = call(topic, payload, message)
      .catch((reason: unknown) => {
        failure ??= { reason };
      })
      .finally(() => underWay.delete(topic));
    underWay.set(topic, sent);
  }

  async function flush(): Promise<void> {
    while (underWay.size > 0) await Promise.race(underWay.values());
    if (failure) throw failure.reason;
  }

  async function publish(message: Message): Promise<void> {
    const { topic, retain } = message;
    const payload = textOf(message.payload);
    const isKnown = retain && (retained.has(topic) ? retained.get(topic) : elsewhere) === payload;
    // What stands there is still a sign of life, for which Home Assistant waits.
    if (isKnown && topic === topics.bridgeState && payload === "online")
      return await publish({ ...message, retain: false });
    if (isKnown) return;
    if (sizeOf(topic, payload) > LARGEST_BYTES) {
      log.warn(`${topic}: left out, since it is larger than Home Assistant stores (32 kB)`);
      return;
    }
    const isBarrier = topics.discovered(topic) !== undefined || topic === topics.bridgeState;
    if (isBarrier) await flush();
    // Until one has gone through, nobody knows whether the broker is there.
    else
      while (underWay.has(topic) || underWay.size >= (isBrokerThere ? WINDOW : 1))
        await Promise.race(underWay.values());
    if (failure) throw failure.reason;
    if (retain) remember(topic, payload);
    start(topic, payload, message);
    if (isBarrier) await flush();
  }

  /** Where another description stood, the states behind it have to be said again: Home Assistant read them by the old one. */
  function remember(topic: string, payload: string): void {
    const about = topics.discovered(topic);
    if (about && retained.has(topic)) for (const state of topics.retained(about.device)) retained.set(state, null);
    retained.set(topic, payload);
  }

  async function whenTold(): Promise<void> {
    heardAt = performance.now() + RETAINED.firstMs;
    const latest = performance.now() + RETAINED.longestMs;
    while (performance.now() < Math.min(heardAt + RETAINED.pauseMs, latest)) await sleep(RETAINED.pauseMs / 4);
  }

  return {
    publish,
    flush,
    async subscribe(filters, receive) {
      const own = topics.retained("+");
      const wide = [...new Set([...own, ...filters].map(unlike))];
      const listen = (topic: string, index: number): Promise<void> =>
        ha.subscribe({ type: "mqtt/subscribe", topic, qos: 1 }, mqttMessage, (message) => {
          // Where two of them fit, the message comes by each.
          if (wide.slice(0, index).some((earlier) => fits(earlier, message.topic))) return;
          const received = hear(message);
          if (filters.some((filter) => fits(filter, message.topic))) receive(received);
        });
      await Promise.all(wide.map(listen));
      await Promise.race([whenTold(), ha.lost]);
    },
  };
}

/**
 * A wider filter that Home Assistant itself does not use: where two of its subscriptions have the same filter, all get
 * a message in the form in which one of them asked for it, and ours asks for bytes, which its entities cannot read.
 */
function unlike(filter: string): string {
  if (filter.endsWith("/#")) return `${filter.slice(0, -1)}+/#`;
  return filter.endsWith("+") ? filter : filter.replace(/[^/]+$/, "+");
}

/** Whether a topic is one that the filter means. https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html#_Toc398718106 */
function fits(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const wanted = filter.split("/");
  const isDeep = wanted.at(-1) === "#";
  if (isDeep ? levels.length < wanted.length - 1 : levels.length !== wanted.length) return false;
  return wanted.every((level, index) => level === "#" || level === "+" || level === levels[index]);
}

/** Bytes cannot go as text. */
function textOf(payload: Message["payload"]): string {
  return typeof payload === "string" ? payload : Buffer.from(payload).toString("base64");
}

function sizeOf(topic: string, payload: string): number {
  return Buffer.byteLength(JSON.stringify({ topic, payload }));
}
