/** The announcer by itself, on a link that can be stopped at any message, as a slow broker stops it. */
import { announce } from "../../src/discovery/announcer.ts";
import type { Received } from "../../src/discovery/link.ts";
import { createMemory } from "../../src/discovery/memory.ts";
import type { Message } from "../../src/discovery/messages.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { CollarReport } from "../../src/model/device.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import { createStore } from "../../src/store/store.ts";
import { idleBridge } from "./idle-bridge.ts";
import { memoryStream } from "./stream.ts";
import { until } from "./until.ts";

export const KEY = "pettracer_14758";
export const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });
const product = { manufacturer: "PetTracer", model: "GPS collar", website: "https://example.test" };
const FIRST: CollarReport = {
  name: "Oreo",
  batteryMv: 4_000,
  fix: { latitude: 51, longitude: -1, accuracyM: 5, measuredAt: Date.UTC(2026, 5, 1) },
};

/** A link that passes messages on in the order in which they were given to it, and waits while it is stopped. */
function createLink() {
  const sent: Message[] = [];
  let waiting: (() => void)[] = [];
  let stopAt: string | undefined;
  let isStopped = false;
  let receive: (message: Received) => void = () => {};
  async function resumed(): Promise<void> {
    if (isStopped) await new Promise<void>((resolve) => waiting.push(resolve));
  }
  return {
    sent,
    get isStopped() {
      return isStopped;
    },
    /** Stops before the next message on this topic, and with it everything behind. */
    stopBefore(topic: string) {
      stopAt = topic;
    },
    resume() {
      [isStopped, stopAt] = [false, undefined];
      for (const go of waiting) go();
      waiting = [];
    },
    hear: (topic: string, payload: string, retained = false) => receive({ topic, payload, retained }),
    tryPublish(message: Message): boolean {
      if (isStopped || message.topic === stopAt) return false;
      sent.push(message);
      return true;
    },
    async publish(message: Message) {
      if (message.topic === stopAt) isStopped = true;
      await resumed();
      sent.push(message);
    },
    async publishLatest(make: () => Message | undefined) {
      await resumed();
      const message = make();
      if (message) sent.push(message);
    },
    flush: () => Promise.resolve(),
    subscribe: (_: readonly string[], listener: (message: Received) => void) => {
      receive = listener;
      return Promise.resolve();
    },
  };
}

/** @param others that so many collars report besides the one that is looked at */
export async function startAnnouncer(end: (stop: () => Promise<void>) => void, others = 0) {
  const store = createStore({ version: "0", startedAt: 0, logLevel: "debug" }, { maxAccuracyM: 200, flapMs: 60_000 });
  const tell = (report: CollarReport, key = KEY): void =>
    store.dispatch({ type: "collarReported", key, at: Date.now(), report });
  store.dispatch({ type: "accountConfigured", account: "a" });
  const ids = Array.from({ length: 1 + others }, (_, index) => 14758 + index);
  const collars = ids.map((id) => ({ key: `pettracer_${id}`, id, product, report: FIRST }));
  store.dispatch({ type: "devicesListed", account: "a", at: Date.now(), isConfirmed: true, collars, stations: [] });
  const link = createLink();
  const stop = new AbortController();
  const log = await createLog({ level: "debug", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const feed: Feed = {
    state: store.state,
    changes: (ended) => store.changes(ended),
    onTouch: (listener, ended) => store.onTouch(listener, ended),
    activities: (after) => store.activities(after),
    ...idleBridge,
  };
  const cursor = { read: () => 0, write: () => {} };
  const given = {
    feed,
    link,
    memory: createMemory(),
    log,
    topics,
    version: "0",
    instance: "pawline-test",
    exclude: [],
    cursor,
  };
  const running = announce({ ...given, qos: 1, mode: "device", preferredPosition: "station" }, stop.signal);
  end(async () => {
    stop.abort();
    link.resume();
    await running;
  });
  const of = (topic: string): string[] =>
    link.sent.filter((one) => one.topic === topic).map(({ payload }) => String(payload));
  await until(() => of(topics.bridgeState).includes("online"), "online");
  /** The account was not heard of for longer than what it said can be trusted. */
  const fallSilent = (): void => store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 301_000 });
  return { link, tell, fallSilent, of, keys: collars.map(({ key }) => key) };
}
