import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAlarm } from "../../src/lib/alarm.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

function waiting(alarm: ReturnType<typeof createAlarm>, signal = new AbortController().signal): { rung: boolean } {
  const state = { rung: false };
  void alarm.rung(signal).then(() => {
    state.rung = true;
  });
  return state;
}

test("rings when it is due, and can be moved nearer but not farther", async () => {
  const alarm = createAlarm();
  alarm.within(10_000);
  const waiter = waiting(alarm);
  await vi.advanceTimersByTimeAsync(1_000);
  alarm.within(2_000);
  alarm.within(60_000);
  await vi.advanceTimersByTimeAsync(1_999);
  expect(waiter.rung).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(waiter.rung).toBe(true);
});

test("does not ring before it is set, nor twice", async () => {
  const alarm = createAlarm();
  const first = waiting(alarm);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(first.rung).toBe(false);
  alarm.within(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(first.rung).toBe(true);
  const second = waiting(alarm);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(second.rung).toBe(false);
});

test("ends with its signal", async () => {
  const stop = new AbortController();
  const waiter = waiting(createAlarm(), stop.signal);
  stop.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(waiter.rung).toBe(true);
});
