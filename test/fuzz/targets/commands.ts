/**
 * What a broker may tell us: topics and payloads, of commands, requests, births and of whatever it retains. The input is
 * a topic, a line break and a payload; a message that is retained has a `!` before its topic.
 */
import { announce } from "../../../src/discovery/announcer.ts";
import type { Received } from "../../../src/discovery/link.ts";
import { createMemory } from "../../../src/discovery/memory.ts";
import type { Message } from "../../../src/discovery/messages.ts";
import { createCat } from "../../support/cat.ts";
import { idleBridge } from "../../support/idle-bridge.ts";
import type { Target, Trial } from "../target.ts";
import { watchedLog } from "../watched-log.ts";
import { TOPICS } from "./message.ts";
import { checkPublished } from "./published.ts";

const CAT = "pettracer_14758";

export const commands: Target = {
  name: "commands",
  dictionary: [
    "!",
    "pawline/",
    "pawline/bridge/request/",
    "homeassistant/",
    "homeassistant/status",
    "/config",
    "/set",
    CAT,
    "devices",
    "health",
    "log_level",
    "restart",
    "ON",
    "PRESS",
    "online",
    "offline",
    '{"transaction":',
    '"level":',
    '"components":{',
    '"pawline/bridge/state"',
    '"platform":"',
    '{"migrate_discovery": true}',
    "+",
    "#",
    "$SYS/",
  ],
  runs: 400,
  open,
};

async function open(): Promise<Trial> {
  const { log, look } = await watchedLog("pretty");
  const { store } = createCat({ name: "Oreo", mode: 1, modeSet: 1, home: true });
  const stop = new AbortController();
  const sent: Message[] = [];
  let receive: (message: Received) => void = () => {};
  const { promise: subscribed, resolve } = Promise.withResolvers<void>();
  const link = {
    publish: (message: Message) => {
      sent.push(message);
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
    subscribe: (_: readonly string[], to: typeof receive) => {
      receive = to;
      resolve();
      return Promise.resolve();
    },
  };
  const feed = {
    state: store.state,
    changes: (signal: AbortSignal) => store.changes(signal),
    activities: () => [],
    ...idleBridge,
  };
  const options = { feed, link, memory: createMemory(), log, topics: TOPICS, qos: 1 as const, mode: "device" as const };
  const about = { version: "1", instance: "x", exclude: [], preferredPosition: "station" as const };
  const announcing = announce({ ...options, ...about, cursor: { read: () => 0, write: () => {} } }, stop.signal);
  announcing.catch(() => {});
  await subscribed;

  async function tell(text: string): Promise<void> {
    const [first = "", ...rest] = text.split("\n");
    receive({ topic: first.replace(/^!/, ""), payload: rest.join("\n"), retained: first.startsWith("!") });
    await new Promise((done) => setImmediate(done));
    checkPublished(sent);
    look();
  }

  return {
    async try(input) {
      sent.length = 0;
      await tell(input.toString("utf8"));
    },
    async close() {
      sent.length = 0;
      await tell('pawline/bridge/request/health\n{"transaction":7}');
      while (!sent.some(({ topic }) => topic === "pawline/bridge/response/health")) {
        await Promise.race([announcing, new Promise((done) => setImmediate(done))]);
      }
      stop.abort();
      await announcing;
    },
  };
}
