/** What people wait for goes at once, whatever else is under way; and never backwards. */
import { expect, test } from "vitest";
import { nextTurn } from "../../src/lib/clock.ts";
import { KEY, startAnnouncer, topics } from "../support/slow-link.ts";
import { until } from "../support/until.ts";

const POSITION = topics.position(KEY);
const STATE = topics.state(KEY);

function fix(step: number) {
  return {
    fix: { latitude: 51 + step / 1_000, longitude: -1, accuracyM: 5, measuredAt: Date.UTC(2026, 5, 1, 1, step) },
  };
}

function latitudes(payloads: readonly string[]): number[] {
  return payloads.map((payload) => (JSON.parse(payload) as { latitude: number }).latitude);
}

test("a fix is on its way when the event that brings it has been told, and its state follows by itself", async (context) => {
  const { tell, of } = await startAnnouncer(context.onTestFinished);
  const before = of(POSITION).length;
  tell(fix(1));
  expect(latitudes(of(POSITION)).slice(before)).toEqual([51.001]);
  tell(fix(2));
  expect(latitudes(of(POSITION)).slice(before)).toEqual([51.001, 51.002]);
  await until(() => of(STATE).at(-1)?.includes("2026-06-01T01:02:00"), "the state");
  // Each is told once, and states are for the latest.
  expect(of(POSITION)).toHaveLength(before + 2);
});

test("while a message waits for the broker, none overtakes it; then the latest goes", async (context) => {
  const { link, tell, of } = await startAnnouncer(context.onTestFinished);
  const before = of(POSITION).length;
  link.stopBefore(STATE);
  tell(fix(1));
  await until(() => link.isStopped, "a state that waits");
  for (const step of [2, 3]) tell(fix(step));
  expect(latitudes(of(POSITION)).slice(before)).toEqual([51.001]);
  link.resume();
  await until(() => of(STATE).at(-1)?.includes("2026-06-01T01:03:00"), "the last state");
  expect(latitudes(of(POSITION)).slice(before)).toEqual([51.001, 51.003]);
});

test("after the news of very many collars there is a rest: positions go on at once, and the latest states are told", async (context) => {
  const { tell, of, keys } = await startAnnouncer(context.onTestFinished, 500);
  const showsStep = (key: string, step: number): boolean =>
    of(topics.state(key)).at(-1)?.includes(`2026-06-01T01:0${step}:00`) === true;
  const [before, states] = [of(POSITION).length, of(STATE).length];
  for (const step of [1, 2, 3, 4, 5]) {
    for (const key of keys) tell(fix(step), key);
    expect(latitudes(of(POSITION)).at(-1)).toBe(51 + step / 1_000);
    await nextTurn();
  }
  await until(() => keys.every((key) => showsStep(key, 5)), "the last state of each");
  expect(latitudes(of(POSITION)).slice(before)).toEqual([51.001, 51.002, 51.003, 51.004, 51.005]);
  // Fewer than there were news.
  expect(of(STATE).length - states).toBeLessThan(5);
});
