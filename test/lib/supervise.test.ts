import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { retryDelayMs } from "../../src/lib/backoff.ts";
import { sleep } from "../../src/lib/clock.ts";
import { FatalError, RecoverableError } from "../../src/lib/errors.ts";
import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { type Component, type Condition, supervise } from "../../src/lib/supervise.ts";
import { memoryStream } from "../support/stream.ts";

const MINUTE = 60_000;

interface Watched {
  readonly starts: number[];
  readonly conditions: Condition[];
  readonly lines: () => string;
  readonly stop: () => Promise<void>;
}

let log: Logger;
let output: ReturnType<typeof memoryStream>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  output = memoryStream();
  log = await createLog({ level: "debug", format: "json", scrubber: createScrubber(), output });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function watch(run: Component): Watched {
  const abort = new AbortController();
  const starts: number[] = [];
  const conditions: Condition[] = [];
  const begin = performance.now();
  const ended = supervise(
    (signal, ready) => {
      starts.push(Math.round((performance.now() - begin) / 100) / 10);
      return run(signal, ready);
    },
    { name: "part", log, signal: abort.signal, onCondition: (condition) => conditions.push(condition) },
  );
  return {
    starts,
    conditions,
    lines: () => output.text(),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000);

test("a failure that may pass is tried again at a growing pace, never slower than a minute", async () => {
  const part = watch(() => Promise.reject(new RecoverableError("away")));
  await seconds(240);
  expect(part.starts).toEqual([0, 1, 3, 6, 9, 12, 15, 25, 45, 85, 140, 195]);
  expect(part.conditions.slice(0, 2)).toEqual([{ state: "starting" }, { state: "waiting", error: "away" }]);
  await part.stop();
});

test("the jitter stays within the promise: back within 65 s", () => {
  for (const attempt of [0, 3, 6, 50]) {
    expect(retryDelayMs(attempt, 1)).toBeLessThanOrEqual(64_000);
    expect(retryDelayMs(attempt, 0)).toBeGreaterThan(800);
  }
});

test("for a quarter of a minute the delays are within the promise: back within 5 s", () => {
  const delays = Array.from({ length: 40 }, (_, attempt) => [retryDelayMs(attempt, 0), retryDelayMs(attempt, 1)]);
  for (let attempt = 0, awayMs = 0; awayMs < 12_000; attempt += 1) {
    const [shortest = 0, longest = 0] = delays[attempt] ?? [];
    expect(longest).toBeLessThanOrEqual(3_500);
    awayMs += shortest;
  }
});

test("a try that took long has waited already, but for the shortest delay", async () => {
  const part = watch(async (signal) => {
    await sleep(15_000, signal);
    throw new RecoverableError("no answer");
  });
  await seconds(230);
  // 15 s each; of the schedule's 1, 2, 3, 3, 3, 3, 10, 20, 40, 55 s from one to the next nothing is left, or the rest.
  expect(part.starts).toEqual([0, 16, 32, 48, 64, 80, 96, 112, 132, 172, 227]);
  await part.stop();
});

test("one that worked for a while waits all of it, and longer each time", async () => {
  const part = watch(async (signal, ready) => {
    ready();
    await sleep(15_000, signal);
    throw new RecoverableError("closed");
  });
  await seconds(60);
  expect(part.starts).toEqual([0, 16, 33, 53]);
  await part.stop();
});

test("a healthy minute begins the schedule anew", async () => {
  const part = watch(async (signal) => {
    await sleep(MINUTE, signal);
    throw new RecoverableError("away");
  });
  await seconds(190);
  expect(part.starts).toEqual([0, 61, 122, 183]);
  await part.stop();
});

test("the other side's wish to wait longer is obeyed", async () => {
  const part = watch(() => Promise.reject(new RecoverableError("busy", { retryAfterMs: 90_000 })));
  await seconds(100);
  expect(part.starts).toEqual([0, 90]);
  await part.stop();
});

test("refused credentials park the part: no second try within the hour", async () => {
  const part = watch(() => Promise.reject(new FatalError("refused.")));
  await seconds(3_599);
  expect(part.starts).toEqual([0]);
  expect(part.conditions.at(-1)).toEqual({ state: "parked", error: "refused." });
  expect(part.lines()).toContain("Not tried again for 60 min");
  await seconds(2);
  expect(part.starts).toEqual([0, 3600]);
  await part.stop();
});

describe("a defect", () => {
  test.each([new TypeError("x is not a function"), "a string", undefined])(
    "(%s) is logged as one, and tried again",
    async (thrown) => {
      const part = watch(() => Promise.reject(thrown));
      await seconds(2);
      expect(part.starts).toEqual([0, 1]);
      expect(part.lines()).toContain("this is a defect");
      await part.stop();
    },
  );

  test("that ends a part by itself is one, too", async () => {
    const part = watch(() => Promise.resolve());
    await seconds(2);
    expect(part.starts).toEqual([0, 1]);
    expect(part.lines()).toContain("ended by itself");
    await part.stop();
  });
});

test("a part that was stopped ends without a word, also while it waits", async () => {
  const part = watch(() => Promise.reject(new RecoverableError("away")));
  await seconds(0.1);
  await part.stop();
  await seconds(100);
  expect(part.starts).toEqual([0]);
});

test("that it works is told when the part says so", async () => {
  const part = watch((signal, ready) => {
    ready();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  await seconds(0);
  expect(part.conditions).toEqual([{ state: "starting" }, { state: "running" }]);
  await part.stop();
});

test("what only the user can mend is tried again as soon as it is mended", async () => {
  const { promise: isMended, resolve: mend } = Promise.withResolvers<void>();
  const waiting: AbortSignal[] = [];
  const part = watch(() => {
    const mended = (signal: AbortSignal): Promise<void> => {
      waiting.push(signal);
      return waiting.length === 1 ? isMended : new Promise(() => {});
    };
    return Promise.reject(new FatalError("no key", { mended }));
  });
  await seconds(600);
  expect(part.starts).toEqual([0]);
  mend();
  await seconds(1);
  expect(part.starts).toEqual([0, 600]);
  // Whoever looked whether it was mended need not look any more.
  expect(waiting[0]?.aborted).toBe(true);
  await part.stop();
});
