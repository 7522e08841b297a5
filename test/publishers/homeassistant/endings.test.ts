/** The publisher is to end whenever it is told to, whatever it is in the middle of, and whatever Home Assistant does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Feed, RELOAD } from "../../../src/publishers/publisher.ts";
import type { Store } from "../../../src/store/store.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";
import { publisherTo, storeOfOreo } from "../../support/home-assistant-publisher.ts";
import { until } from "../../support/until.ts";

/** What the whole program has for its end. */
const END_MS = 5_000;

let fake: FakeHomeAssistant;
let store: Store;
let feed: Feed;
let stop: AbortController;

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
  stop = new AbortController();
  ({ store, feed } = storeOfOreo());
});

afterEach(async () => {
  stop.abort();
  await fake.close();
});

/** An account without pets: there is nothing to do, and so nothing that could fail. */
function listNone(): void {
  store.dispatch({
    type: "devicesListed",
    account: "pettracer",
    at: Date.now(),
    isConfirmed: true,
    collars: [],
    stations: [],
  });
}

function inTime(running: Promise<string>): Promise<string> {
  return Promise.race([running, pause(END_MS, "still running")]);
}

async function started(more: object = {}): Promise<{ readonly running: Promise<string> }> {
  const { publisher } = await publisherTo(fake, more);
  const running = publisher
    .run(feed, stop.signal, () => {})
    .then(
      () => "ended",
      () => "ended",
    );
  return { running };
}

test("it ends when it is told to while it looks for what another route has left", async () => {
  listNone();
  const { running } = await started({ route: "mobile_app" });
  await until(() => fake.commands.some(({ type }) => type === "mqtt/subscribe"), "the look at the broker");
  stop.abort();
  expect(await inTime(running)).toBe("ended");
});

test("it ends on a reload while it looks for what another route has left", async () => {
  listNone();
  const { running } = await started({ route: "mobile_app" });
  await until(() => fake.commands.some(({ type }) => type === "mqtt/subscribe"), "the look at the broker");
  stop.abort(RELOAD);
  expect(await inTime(running)).toBe("ended");
});

test("it ends when it is told to while it reads the certificate authority", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawline-ca-"));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, "");
  const { running } = await started({ ca });
  stop.abort();
  expect(await inTime(running)).toBe("ended");
  rmSync(folder, { recursive: true });
});

test("it ends when it is told to while messages are under way to one that hangs", async () => {
  const { running } = await started();
  await until(() => fake.published().some(({ payload }) => payload === "online"), "online");
  fake.moods.answer = () => new Promise(() => {});
  for (const batteryMv of [3_900, 3_800, 3_700]) {
    store.dispatch({ type: "collarReported", key: "pettracer_1", at: Date.now(), report: { batteryMv } });
    await until(() => fake.published().length > 0, "a message");
    await pause(20);
  }
  stop.abort();
  expect(await inTime(running)).toBe("ended");
});

test("it ends when it is told to while one that hangs has not said yet what it is", async () => {
  fake.moods.afterLogin = "freeze";
  const { running } = await started();
  await until(() => fake.connectedAt.length > 0, "a connection");
  await pause(200);
  stop.abort();
  expect(await inTime(running)).toBe("ended");
});
