/** Timers that are due by the time they are set: Node would complain of them on standard error. */
import { expect, test, vi } from "vitest";
import { createAlarm } from "../../src/lib/alarm.ts";

test("an alarm that falls due between two looks at the clock rings, and no timer gets a negative delay", async ({
  onTestFinished,
}) => {
  let nowMs = 1_000;
  // Each look takes a little time: the last one before the alarm is the one after which it is due.
  const clock = vi.spyOn(performance, "now").mockImplementation(() => {
    nowMs += 0.6;
    return nowMs;
  });
  const timer = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => {
    clock.mockRestore();
    timer.mockRestore();
  });
  const alarm = createAlarm();
  alarm.within(1);
  await alarm.rung(new AbortController().signal);
  const delays = timer.mock.calls.map(([, ms]) => ms ?? 0);
  expect(delays.filter((ms) => ms < 0)).toEqual([]);
});
