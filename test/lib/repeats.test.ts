import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sleep } from "../../src/lib/clock.ts";
import { FatalError, RecoverableError } from "../../src/lib/errors.ts";
import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { spanOf } from "../../src/lib/span.ts";
import { type Component, supervise } from "../../src/lib/supervise.ts";
import { memoryStream } from "../support/stream.ts";

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const DAY = 24 * HOUR;

let log: Logger;
let output: ReturnType<typeof memoryStream>;

async function logAt(level: "info" | "debug"): Promise<void> {
  output = memoryStream();
  log = await createLog({ level, format: "json", scrubber: createScrubber(), output });
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  await logAt("info");
});

afterEach(() => void vi.useRealTimers());

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
}

function lines(): Line[] {
  const written = output.text().trimEnd();
  return written === "" ? [] : written.split("\n").map((line) => JSON.parse(line) as Line);
}

const told = (): string[] => lines().map(({ msg }) => msg);
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function every(ms: number, forMs: number, say: () => void): Promise<void> {
  for (let at = 0; at < forMs; at += ms) {
    say();
    await pass(ms);
  }
}

test("the first is told at once, then how many there were, at growing distances", async () => {
  await every(10 * SECOND, 12 * HOUR, () => log.warn("the cat is away"));
  expect(told()).toEqual([
    "the cat is away",
    "the cat is away (5 more times in the last 60 s)",
    "the cat is away (60 more times in the last 10 min)",
    "the cat is away (360 more times in the last 60 min)",
    "the cat is away (2160 more times in the last 6 h)",
  ]);
});

test("what ends is counted, too, and when it was said last stands there", async () => {
  await every(SECOND, 5 * SECOND, () => log.error("broken"));
  await pass(MINUTE);
  log.error("broken");
  log.error("broken");
  await pass(2 * HOUR);
  expect(told()).toEqual([
    "broken",
    "broken (4 more times in the last 60 s)",
    "broken (2 more times in the last 10 min, the last one 10 min ago)",
  ]);
});

test("what was not said for an hour is new", async () => {
  await every(SECOND, 30 * SECOND, () => log.warn("broken"));
  await pass(HOUR);
  const from = told().length;
  log.warn("broken");
  expect(told().slice(from)).toEqual(["broken"]);
});

test("a different complaint is told at once, and so is the same of another device or with another code", () => {
  const texts = ["pettracer 1: HTTP 500", "pettracer 2: HTTP 500", "pettracer 1: HTTP 503", "pettracer_14758 is lost"];
  for (const text of [...texts, ...texts]) log.warn(text);
  expect(told()).toEqual(texts);
});

test("how long something takes, and until when, makes no other complaint of it", () => {
  log.warn("away; next try in 1.2 s, not before 2026-06-01T10:00:00.000Z");
  log.warn("away; next try in 55.0 s, not before 2026-06-01T11:00:00.000Z");
  expect(told()).toHaveLength(1);
});

test("some of what is no complaint is told each time", async () => {
  for (let count = 0; count < 9; count += 1) log.info("the light is on");
  expect(told()).toHaveLength(5);
  await pass(MINUTE);
  expect(told().at(-1)).toBe("the light is on (4 more times in the last 60 s)");
});

test("at level debug all is told, as debug", async () => {
  await logAt("debug");
  for (let count = 0; count < 4; count += 1) log.warn({ text: count }, "odd");
  expect(lines().map(({ level }) => level)).toEqual(["warn", "debug", "debug", "debug"]);
  expect(output.text()).toContain('"text":3');
  await pass(MINUTE);
  expect(lines().at(-1)).toMatchObject({ level: "warn", msg: "odd (3 more times in the last 60 s)" });
});

test("texts that are never the same are bounded, too", async () => {
  let count = 0;
  await every(SECOND, 2 * HOUR, () => {
    count += 1;
    log.warn(`odd${count}`);
  });
  expect(told().length).toBeGreaterThan(200);
  expect(told().length).toBeLessThan(420);
});

test("where too much is said to be told apart, some is told, and how many others there were", async () => {
  for (let count = 0; count < 203; count += 1) log.warn(`odd${count}`);
  log.warn("the disk is full");
  await pass(10 * MINUTE);
  expect(told().slice(200)).toEqual(["odd200", "the disk is full (and 2 other complaints in the last 10 min)"]);
  await every(MINUTE, 2 * HOUR, () => log.warn(`odd${performance.now()}`));
  expect(told().slice(202).length).toBeGreaterThanOrEqual(12);
});

test("what was counted is told before it is new again", async () => {
  await every(MINUTE, 75 * MINUTE, () => log.warn("broken"));
  const from = told().length;
  await pass(HOUR);
  expect(told().slice(from)).toEqual([]);
  log.warn("broken");
  expect(told().slice(from)).toEqual([
    expect.stringMatching(/^broken \(\d more times in the last \d+ min, the last one 61 min ago\)$/),
    "broken",
  ]);
});

test("nothing of it keeps a program from its end", () => {
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  for (let count = 0; count < 3; count += 1) log.warn("again");
  expect(process.getActiveResourcesInfo().filter((one) => one === "Timeout").length).toBe(before);
});

test.each([
  [1_000, "1 s"],
  [89_000, "89 s"],
  [20 * MINUTE, "20 min"],
  [5 * HOUR, "5 h"],
  [4 * DAY, "4 days"],
])("%i ms are %s", (ms, text) => expect(spanOf(ms)).toBe(text));

describe("a day of a part that", () => {
  const FAULTS: readonly [name: string, run: Component][] = [
    ["cannot reach the other side", () => Promise.reject(new RecoverableError("no route"))],
    ["is refused", () => Promise.reject(new FatalError("refused."))],
    ["has a defect", () => Promise.reject(new TypeError("x is not a function"))],
    ["is asked to wait", () => Promise.reject(new RecoverableError("busy", { retryAfterMs: 90_000 }))],
    [
      "fails for two reasons in turn",
      () => Promise.reject(new RecoverableError(Math.random() < 0.5 ? "no route" : "no answer")),
    ],
    [
      "works and fails, and works and fails",
      async (signal, ready) => {
        ready();
        await sleep(5 * SECOND, signal);
        throw new RecoverableError("closed");
      },
    ],
    [
      "works for ten minutes each time",
      async (signal, ready) => {
        ready();
        await sleep(10 * MINUTE, signal);
        throw new RecoverableError("closed");
      },
    ],
  ];

  test.each(FAULTS)("%s takes less than a hundred lines", async (_, run) => {
    const stop = new AbortController();
    const ended = supervise(run, { name: "part", log, signal: stop.signal });
    await pass(DAY);
    stop.abort();
    await ended;
    expect(lines()[0]).toMatchObject({ msg: expect.stringMatching(/^part: /) as string });
    expect(lines().length).toBeGreaterThan(3);
    expect(lines().length).toBeLessThan(100);
  });
});

test("that a part works again is told, with how long that took", async () => {
  const stop = new AbortController();
  const startedAt = performance.now();
  const run: Component = async (signal, ready) => {
    if (performance.now() - startedAt < 3 * HOUR) throw new RecoverableError("no route");
    ready();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  };
  const ended = supervise(run, { name: "part", log, signal: stop.signal });
  await pass(3 * HOUR + 70 * SECOND);
  expect(told().at(-1)).toMatch(/^part: works again after 3 h and \d{3} tries$/);
  expect(told().filter((one) => one.includes("works again"))).toHaveLength(1);
  stop.abort();
  await ended;
});

test("a part that works from the beginning says nothing of it", async () => {
  const stop = new AbortController();
  const run: Component = (signal, ready) => {
    ready();
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  };
  const ended = supervise(run, { name: "part", log, signal: stop.signal });
  await pass(SECOND);
  expect(told()).toEqual([]);
  stop.abort();
  await ended;
});
