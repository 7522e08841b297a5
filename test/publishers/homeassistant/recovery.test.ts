/** What has to be right again at once, when Home Assistant or its broker was away. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { supervise } from "../../../src/lib/supervise.ts";
import type { Feed } from "../../../src/publishers/publisher.ts";
import type { Store } from "../../../src/store/store.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";
import { publisherTo, storeOfOreo } from "../../support/home-assistant-publisher.ts";
import { until } from "../../support/until.ts";

/** Home Assistant itself needs about as long. */
const SOON_MS = 5_000;
const BRIDGE = "pawline/bridge/state";
const STATE = "pawline/pettracer_1/state";

let fake: FakeHomeAssistant;
let store: Store;
let feed: Feed;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
  stop = new AbortController();
  ({ store, feed } = storeOfOreo());
});

afterEach(async () => {
  stop.abort();
  await running;
  await fake.close();
});

async function start(): Promise<void> {
  const { publisher, log } = await publisherTo(fake);
  running = supervise((signal, ready) => publisher.run(feed, signal, ready), {
    name: "homeassistant",
    log,
    signal: stop.signal,
  });
}

function report(batteryMv: number): void {
  store.dispatch({ type: "collarReported", key: "pettracer_1", at: Date.now(), report: { batteryMv } });
}

function firstAfter(topic: string, from: number): Promise<unknown> {
  return until(
    () =>
      fake
        .published()
        .slice(from)
        .some((one) => one.topic === topic),
    topic,
    SOON_MS,
  );
}

test("a bridge whose online stands at the broker from before says at once that it is there", async () => {
  fake.moods.retained.set(BRIDGE, "online");
  await start();
  await firstAfter(STATE, 0);
  await firstAfter(BRIDGE, 0);
});

test("when Home Assistant has found back to its broker, it is told at once what it has missed", async () => {
  await start();
  await firstAfter(BRIDGE, 0);
  fake.moods.answer = () => Promise.resolve("The client is not currently connected.");
  const from = fake.published().length;
  report(3_700);
  await firstAfter(STATE, from);
  fake.moods.answer = () => Promise.resolve(undefined);
  const back = fake.published().length;
  fake.publish("homeassistant/status", "online", false);
  await firstAfter(STATE, back);
  expect(fake.published()[back]?.payload).not.toBe("");
});
