/** The door to the login, as two processes with one data folder pass it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepIn } from "../../src/lib/data-dir.ts";
import { createLoginGate } from "../../src/sources/pettracer/login-gate.ts";
import { accountOptions } from "../../src/sources/pettracer/options.ts";
import { memoryData } from "../support/memory-data.ts";

const SECOND = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The gate of a process of its own, and its login, which goes on until it is let go. */
function startLogin(gateOf: typeof createLoginGate, keep: Parameters<typeof createLoginGate>[1]) {
  const options = accountOptions.parse({ username: "cat@example.com", password: "tuna" });
  const answered = Promise.withResolvers<void>();
  const login = { isRunning: false, answer: answered.resolve, ended: Promise.resolve() };
  const run = (): Promise<void> => {
    login.isRunning = true;
    return answered.promise;
  };
  login.ended = gateOf(options, keep, true).pass(run, new AbortController().signal);
  return login;
}

test("a login over a slow line takes minutes, and another process waits for its end", async () => {
  const file = memoryData();
  const keep = keepIn(file, "logins");
  const slow = startLogin(createLoginGate, keep);
  await vi.advanceTimersByTimeAsync(SECOND);
  vi.resetModules();
  const other = await import("../../src/sources/pettracer/login-gate.ts");
  const second = startLogin(other.createLoginGate, keep);
  await vi.advanceTimersByTimeAsync(170 * SECOND);
  expect([slow.isRunning, second.isRunning]).toEqual([true, false]);
  slow.answer();
  await vi.advanceTimersByTimeAsync(SECOND);
  expect(second.isRunning).toBe(true);
  second.answer();
  await Promise.all([slow.ended, second.ended]);
  expect(vi.getTimerCount()).toBe(0);
});

test("one that was killed in the middle of it is waited for no longer than 20 s", async () => {
  const killed = { busyUntilAt: Date.now() + 20 * SECOND, changedAt: 1, loginsAt: [], failures: 0 };
  const file = memoryData();
  const keep = keepIn(file, "logins");
  const first = startLogin(createLoginGate, keep);
  first.answer();
  await vi.advanceTimersByTimeAsync(SECOND);
  await first.ended;
  const { salt, accounts } = keep.read() as { salt: string; accounts: Record<string, object> };
  const [name = ""] = Object.keys(accounts);
  file.write("logins", { salt, accounts: { [name]: { ...killed, changedAt: Date.now() } } });
  const next = startLogin(createLoginGate, keep);
  await vi.advanceTimersByTimeAsync(18 * SECOND);
  expect(next.isRunning).toBe(false);
  await vi.advanceTimersByTimeAsync(2 * SECOND);
  expect(next.isRunning).toBe(true);
  next.answer();
  await next.ended;
});
