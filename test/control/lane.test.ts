/** The way of one collar's commands to the cloud: one at a time, two seconds apart, the newest of each kind. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLane, type Lane } from "../../src/control/lane.ts";
import type { Command } from "../../src/model/command.ts";

const MODE = (value: number): Command => ({ kind: "mode", value });
const LIGHT = (value: boolean): Command => ({ kind: "light", value });
const BUZZER = (value: boolean): Command => ({ kind: "buzzer", value });

interface Sent {
  readonly command: Command;
  readonly at: number;
  doneAt?: number;
}

let stop = new AbortController();

beforeEach(() => {
  stop = new AbortController();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** @param takesMs how long the cloud takes for each command, in their order; the last one for all that follow */
function openLane(...takesMs: readonly number[]): { readonly lane: Lane; readonly sent: readonly Sent[] } {
  const sent: Sent[] = [];
  const lane = createLane(async (command) => {
    const one: Sent = { command, at: performance.now() };
    sent.push(one);
    const ms = takesMs[sent.length - 1] ?? takesMs.at(-1) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, ms));
    one.doneAt = performance.now();
  }, stop.signal);
  return { lane, sent };
}

function commands(sent: readonly Sent[]): Command[] {
  return sent.map(({ command }) => command);
}

test("a command goes out at once", async () => {
  const { lane, sent } = openLane();
  lane.add(LIGHT(true));
  await vi.advanceTimersByTimeAsync(10);
  expect(commands(sent)).toEqual([LIGHT(true)]);
});

test("the first command asks for no time that cannot be", async () => {
  const timer = vi.spyOn(globalThis, "setTimeout");
  const { lane, sent } = openLane(10);
  lane.add(LIGHT(true));
  await vi.advanceTimersByTimeAsync(60_000);
  lane.add(LIGHT(false));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toHaveLength(2);
  // Node warns of a negative delay on standard error.
  for (const [, ms = 0] of timer.mock.calls) expect(ms).toBeGreaterThanOrEqual(0);
});

test("commands of different kinds go out in their order, two seconds apart", async () => {
  const { lane, sent } = openLane();
  for (const command of [MODE(11), LIGHT(true), BUZZER(true)]) lane.add(command);
  await vi.advanceTimersByTimeAsync(1_990);
  expect(commands(sent)).toEqual([MODE(11)]);
  await vi.advanceTimersByTimeAsync(20);
  expect(commands(sent)).toEqual([MODE(11), LIGHT(true)]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(commands(sent)).toEqual([MODE(11), LIGHT(true), BUZZER(true)]);
});

test("one at a time: a slow cloud gets the next command when it has answered", async () => {
  const { lane, sent } = openLane(15_000, 0);
  lane.add(LIGHT(true));
  lane.add(BUZZER(true));
  await vi.advanceTimersByTimeAsync(14_900);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(commands(sent)).toEqual([LIGHT(true), BUZZER(true)]);
});

test("twelve quick changes are at most two commands, and the last one wins", async () => {
  const { lane, sent } = openLane(300);
  for (const mode of [1, 2, 3, 7, 8, 14, 1, 2, 3, 7, 8, 14]) {
    lane.add(MODE(mode));
    await vi.advanceTimersByTimeAsync(50);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent.length).toBeLessThanOrEqual(2);
  expect(sent.at(-1)?.command).toEqual(MODE(14));
});

test("each kind is replaced by itself, and keeps its place in the queue", async () => {
  const { lane, sent } = openLane(1_000);
  lane.add(BUZZER(true));
  await vi.advanceTimersByTimeAsync(10);
  for (const command of [LIGHT(true), MODE(1), LIGHT(false), BUZZER(false), MODE(3)]) lane.add(command);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(commands(sent)).toEqual([BUZZER(true), LIGHT(false), MODE(3), BUZZER(false)]);
});

test("what is on its way already is not held back, and its replacement follows", async () => {
  const { lane, sent } = openLane(5_000);
  lane.add(LIGHT(true));
  await vi.advanceTimersByTimeAsync(1_000);
  lane.add(LIGHT(false));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(commands(sent)).toEqual([LIGHT(true), LIGHT(false)]);
});

test("nothing goes out any more when it is stopped, and nothing is left that would wait", async () => {
  const { lane, sent } = openLane();
  lane.add(MODE(1));
  lane.add(LIGHT(true));
  await vi.advanceTimersByTimeAsync(100);
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  lane.add(BUZZER(true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(commands(sent)).toEqual([MODE(1)]);
  expect(vi.getTimerCount()).toBe(0);
});

test("whatever comes when: one at a time, two seconds apart, and the last of each kind arrives", async () => {
  const command = fc.oneof(fc.nat(19).map(MODE), fc.boolean().map(LIGHT), fc.boolean().map(BUZZER));
  const steps = fc.array(fc.tuple(command, fc.constantFrom(0, 1, 300, 1_999, 2_000, 2_001, 7_000)), { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 100, 2_500), async (all, takesMs) => {
      const { lane, sent } = openLane(takesMs);
      for (const [one, afterMs] of all) {
        lane.add(one);
        await vi.advanceTimersByTimeAsync(afterMs);
      }
      await vi.advanceTimersByTimeAsync(60_000);
      for (const [index, one] of sent.entries()) {
        const before = sent[index - 1];
        if (before === undefined) continue;
        expect(one.at - before.at).toBeGreaterThanOrEqual(2_000);
        expect(one.at).toBeGreaterThanOrEqual(before.doneAt ?? Number.POSITIVE_INFINITY);
      }
      for (const kind of ["mode", "light", "buzzer"]) {
        const asked = all.map(([one]) => one).filter((one) => one.kind === kind);
        const arrived = commands(sent).filter((one) => one.kind === kind);
        expect(arrived.at(-1)).toEqual(asked.at(-1));
        expect(arrived.length).toBeLessThanOrEqual(asked.length);
      }
    }),
  );
});
