/** How far apart the messages of one device are, by the sender's own clock: Home Assistant needs its time for each. */
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announce } from "../../src/discovery/announcer.ts";
import type { DiscoveryMode } from "../../src/discovery/config.ts";
import { createMemory } from "../../src/discovery/memory.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import type { CollarReport } from "../../src/model/device.ts";
import { createStore } from "../../src/store/store.ts";
import { collarReport, NOON, PRODUCT } from "../support/arbitraries.ts";
import { idleBridge } from "../support/idle-bridge.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: NOON }));
afterEach(() => vi.useRealTimers());

const KEY = "pettracer_7";
const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });
/** Home Assistant loses what comes sooner behind another description of the same device, ms. */
const APART_MS = 2_000;

interface Said {
  readonly topic: string;
  readonly payload: string;
  readonly at: number;
}

/** A bridge between a store and a broker that notes when it was sent what. */
function openBridge(mode: DiscoveryMode) {
  const store = createStore({ version: "1", startedAt: 0, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 0 });
  const said: Said[] = [];
  const stop = new AbortController();
  const options = {
    feed: {
      state: store.state,
      changes: (ended: AbortSignal) => store.changes(ended),
      activities: (after: number) => store.activities(after),
      ...idleBridge,
    },
    link: {
      publish: async ({ topic, payload }: { topic: string; payload: string | Uint8Array }) => {
        said.push({ topic, payload: String(payload), at: performance.now() });
        await Promise.resolve();
      },
      flush: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
    },
    memory: { ...createMemory(), settled: true },
    log: pino({ level: "silent" }),
    cursor: { read: () => 0, write() {} },
    topics,
    qos: 1,
    mode,
    version: "1",
    instance: "pawline-test",
    exclude: [],
    preferredPosition: "station",
  } as const;
  const ended = announce(options, stop.signal);
  return {
    said,
    list(report: CollarReport) {
      const collars = [{ key: KEY, id: 7, product: PRODUCT, report }];
      store.dispatch({ type: "accountConfigured", account: "one" });
      store.dispatch({ type: "devicesListed", account: "one", at: NOON, isConfirmed: true, collars, stations: [] });
    },
    report: (report: CollarReport) => {
      store.dispatch({ type: "collarReported", key: KEY, at: Date.now(), report });
    },
    async close() {
      stop.abort();
      await ended;
    },
  };
}

/** The moments at which a description of the collar began to be sent: what belongs together goes at once. */
function descriptions(said: readonly Said[]): number[] {
  const own = said.filter(({ topic }) => topics.discovered(topic)?.device === KEY);
  return [...new Set(own.map(({ at }) => at))];
}

test.each<[DiscoveryMode]>([["device"], ["component"]])(
  "different descriptions of a collar are two seconds apart, whatever comes when (%s)",
  async (mode) => {
    const steps = fc.array(fc.tuple(collarReport, fc.constantFrom(0, 10, 700, 1_900, 4_000)), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(collarReport, steps, async (first, others) => {
        const bridge = openBridge(mode);
        bridge.list(first);
        for (const [report, ms] of others) {
          await vi.advanceTimersByTimeAsync(ms);
          bridge.report(report);
        }
        await vi.advanceTimersByTimeAsync(10_000);
        await bridge.close();
        const moments = descriptions(bridge.said);
        expect(moments.length).toBeGreaterThan(0);
        for (const [index, at] of moments.slice(1).entries()) {
          expect(at - (moments[index] ?? 0)).toBeGreaterThanOrEqual(APART_MS);
        }
      }),
      { numRuns: 60 },
    );
  },
);
