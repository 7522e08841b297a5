/** What others send without end must not pile up here, however slow the broker is. */
import { expect, test } from "vitest";
import type { DatedFix } from "../../src/model/device.ts";
import { createLiveness } from "../../src/track/liveness.ts";
import { createRecorder } from "../../src/track/recorder.ts";
import { KEY, startAnnouncer, topics } from "../support/slow-link.ts";
import { until } from "../support/until.ts";

const MANY = 5_000;

test("commands that make no sense are answered as far as the broker keeps up, and no further", async ({
  onTestFinished,
}) => {
  const { link, of, fallSilent } = await startAnnouncer((stop) => onTestFinished(stop));
  await until(() => of(topics.availability(KEY)).length >= 2, "the repetition");
  link.stopBefore(topics.bridgeEvent);
  for (let count = 0; count < MANY; count += 1) link.hear(`pawline/${KEY}/nonsense/set`, String(count));
  await until(() => link.isStopped, "a broker that takes no more");
  link.resume();
  await until(() => of(topics.bridgeEvent).length >= 100, "answers");
  // What comes behind them shows that there are no more.
  fallSilent();
  await until(() => of(topics.availability(KEY)).at(-1) === "offline", "the news behind");
  expect(of(topics.bridgeEvent)).toHaveLength(100);
  link.hear(`pawline/${KEY}/nonsense/set`, "once more");
  await until(() => of(topics.bridgeEvent).length === 101, "an answer again");
});

test("a Home Assistant that says without end that it is there gets everything once", async ({ onTestFinished }) => {
  const { link, of } = await startAnnouncer((stop) => onTestFinished(stop));
  await until(() => of(topics.availability(KEY)).length >= 2, "the repetition");
  const before = of(topics.discovery(KEY)).length;
  for (let count = 0; count < MANY; count += 1) link.hear("homeassistant/status", "online");
  await until(() => of(topics.discovery(KEY)).length > before, "everything");
  await until(() => of(topics.availability(KEY)).length >= 4, "the repetition behind it");
  expect(of(topics.discovery(KEY)).length - before).toBe(1);
});

test("without a track, the spans of streams that have ended are forgotten", () => {
  const liveness = createLiveness();
  const file = { use: () => undefined, remove() {}, forget() {}, close() {} };
  const recorder = createRecorder({ file, liveness, retentionMs: () => 0, inTruth: (at) => at });
  const fix: DatedFix = { latitude: 51, longitude: -1, measuredAt: 0 };
  const product = { manufacturer: "PetTracer", model: "GPS collar", website: "https://example.test" };
  const collars = [{ key: KEY, id: 14758, product, report: { fix } }];
  recorder.note({ type: "devicesListed", account: "a", at: 0, isConfirmed: true, collars, stations: [] });
  for (let at = 1; at <= 1_000; at += 1) {
    for (const state of ["running", "waiting"] as const) {
      recorder.note({ type: "componentChanged", component: { role: "source", name: "a", state, sinceAt: at } });
    }
    recorder.note({ type: "timePassed", at, elapsedMs: 1 });
  }
  expect(liveness.hasEnded).toBe(false);
  expect(liveness.takeSpans(Number.POSITIVE_INFINITY, 1)).toEqual([]);
});
