/** The track store as the daemon has it: what it writes down, what it fetches and when, and what it survives. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { RecoverableError } from "../../src/lib/errors.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { DatedFix, Fix } from "../../src/model/device.ts";
import type { FixesFetched, StoreEvent } from "../../src/model/event.ts";
import type { Span } from "../../src/model/span.ts";
import type { Source, TrackSlice } from "../../src/sources/source.ts";
import { loadSqlite, readTrackDatabase } from "../../src/track/database.ts";
import { createTrack, type Track } from "../../src/track/track.ts";
import { memoryStream } from "../support/stream.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const START = Date.UTC(2026, 10, 1, 12);
const CAT = "pettracer_14758";
const OTHER = "pettracer_14759";
const product = { manufacturer: "m", model: "m", website: "w" };
const sqlite = await loadSqlite();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Asked extends Span {
  readonly device: string;
  readonly at: number;
}

interface Answer {
  readonly fixes: readonly DatedFix[];
}

/** A track with a cloud that answers from a list, and a clock that is turned by hand. */
class Bench {
  readonly asked: Asked[] = [];
  /** What the cloud has. */
  stored: DatedFix[] = [];
  failure: Error | undefined;
  /** How far this computer's clock is ahead of the cloud's. */
  aheadMs = 0;
  readonly log = memoryStream();
  /** What was told of what was fetched. */
  readonly told: FixesFetched[] = [];
  readonly #tell = (event: FixesFetched): void => void this.told.push(event);
  readonly folder: string;
  #track: Track | undefined;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  open = 0;
  mostOpen = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  get track(): Track {
    if (this.#track === undefined) throw new Error("it is not started");
    return this.#track;
  }

  async start(retentionMs = 30 * DAY): Promise<void> {
    const log = await createLog({ level: "debug", format: "json", scrubber: createScrubber(), output: this.log });
    const source = { positions: (device: string, span: Span) => this.#answer(device, span) } as unknown as Source;
    this.#track = await createTrack({
      folder: this.folder,
      retentionMs,
      log,
      source: () => source,
      onTrouble: () => {},
      tell: this.#tell,
      inTruth: (at) => at - this.aheadMs,
    });
    this.#stop = new AbortController();
    this.#running = this.track.run(this.#stop.signal);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#track?.close();
    this.#track = undefined;
  }

  async *#answer(device: string, span: Span): AsyncGenerator<TrackSlice> {
    this.asked.push({ device, ...span, at: Date.now() });
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.open -= 1;
    if (this.failure !== undefined) throw this.failure;
    yield { untilAt: span.toAt, ...this.#within(span) };
  }

  #within({ fromAt, toAt }: Span): Answer {
    return { fixes: this.stored.filter(({ measuredAt }) => measuredAt >= fromAt && measuredAt <= toAt) };
  }

  note(event: StoreEvent): void {
    this.track.note(event);
  }

  list(...collars: readonly string[]): void {
    const listed = collars.map((key, id) => ({ key, id, product, report: {} }));
    this.note({
      type: "devicesListed",
      account: "a",
      at: Date.now(),
      isConfirmed: true,
      collars: listed,
      stations: [],
    });
  }

  state(state: "running" | "waiting"): void {
    const component = { role: "source", name: "a", state, sinceAt: Date.now() } as const;
    this.note({ type: "componentChanged", component });
  }

  live(...collars: readonly string[]): void {
    this.list(...(collars.length > 0 ? collars : [CAT]));
    this.state("running");
  }

  report(fix: Fix, key = CAT): void {
    this.note({ type: "collarReported", key, at: Date.now(), report: { fix } });
  }

  /** Seconds go by, each told as the daemon tells it; the stream is heard of unless it is silent. */
  async pass(ms: number, isHeard = true): Promise<void> {
    for (let left = ms; left > 0; left -= SECOND) {
      await vi.advanceTimersByTimeAsync(SECOND);
      if (isHeard) this.note({ type: "accountReported", account: "a", at: Date.now(), report: {} });
      this.note({ type: "timePassed", at: Date.now(), elapsedMs: SECOND });
    }
  }

  fixes(device = CAT): DatedFix[] {
    return this.#read((database) => database.fixes(device, { fromAt: 0, toAt: START + 400 * DAY }, 1_000_000));
  }

  covered(device = CAT): Span[] {
    return this.#read((database) => database.covered(device));
  }

  #read<T>(read: (database: ReturnType<typeof readTrackDatabase>) => T): T {
    const database = readTrackDatabase(sqlite, join(this.folder, "positions.sqlite"));
    try {
      return read(database);
    } finally {
      database.close();
    }
  }

  warnings(): string[] {
    const lines = this.log.text().trim().split("\n").filter(Boolean);
    return lines
      .map((line) => JSON.parse(line) as { level: string; msg: string })
      .flatMap(({ level, msg }) => (level === "warn" ? [msg] : []));
  }
}

async function bench(atEnd: AtEnd, folder = temporaryFolder(atEnd).path, retentionMs?: number): Promise<Bench> {
  const made = new Bench(join(folder, "data"));
  await made.start(retentionMs);
  atEnd(() => made.end());
  return made;
}

function fixAt(measuredAt: number, more: Partial<DatedFix> = {}): DatedFix {
  return { latitude: 51.5, longitude: -0.12, measuredAt, ...more };
}

describe("what comes by itself", () => {
  test("10,000 fixes are kept, each once, also when they come again", async () => {
    const house = await bench(onTestFinished);
    house.list(CAT);
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 10_000; index += 1) house.report(fixAt(START - index * SECOND));
    }
    await house.pass(2 * SECOND);
    // They are written in parts, between which others have their turn.
    await vi.waitFor(() => expect(house.fixes()).toHaveLength(10_000), 10_000);
    expect(house.warnings()).toEqual([]);
  });

  test("one that is too bad to move a cat is kept, one of a collar that no listing has named is not", async () => {
    const house = await bench(onTestFinished);
    house.list(CAT);
    house.report(fixAt(START, { accuracyM: 5_000 }));
    house.report(fixAt(START), OTHER);
    await house.pass(SECOND);
    expect(house.fixes()).toEqual([fixAt(START, { accuracyM: 5_000 })]);
    expect(house.fixes(OTHER)).toEqual([]);
  });

  test("one of a snapshot is kept, one without a time once for each place", async () => {
    const house = await bench(onTestFinished);
    const report = { fix: { latitude: 1, longitude: 2 } };
    for (let count = 0; count < 3; count += 1) {
      const collars = [{ key: CAT, id: 1, product, report }];
      house.note({ type: "devicesListed", account: "a", at: Date.now(), isConfirmed: true, collars, stations: [] });
      await house.pass(MINUTE);
    }
    house.report({ latitude: 1, longitude: 3 });
    await house.pass(SECOND);
    expect(house.fixes().map(({ longitude, measuredAt }) => [longitude, measuredAt - START])).toEqual([
      [2, 0],
      [3, 3 * MINUTE],
    ]);
  });

  test("what is known to be whole reaches from the stream's beginning to what was heard last", async () => {
    const house = await bench(onTestFinished);
    house.failure = new RecoverableError("away");
    house.live();
    await house.pass(2 * MINUTE);
    await house.pass(MINUTE, false);
    house.state("waiting");
    await house.pass(MINUTE, false);
    expect(house.covered()).toEqual([{ fromAt: START, toAt: START + 2 * MINUTE }]);
  });

  test.each([HOUR, -HOUR])("a clock that is set by %i ms leaves a hole and no false claim", async (set) => {
    const house = await bench(onTestFinished);
    house.failure = new RecoverableError("away");
    house.live();
    await house.pass(2 * MINUTE);
    vi.setSystemTime(Date.now() + set);
    // Heard before anybody has looked at the clock.
    house.note({ type: "accountReported", account: "a", at: Date.now(), report: {} });
    await house.pass(2 * MINUTE);
    const [first, second] = house.covered();
    if (set > 0) {
      expect(first).toEqual({ fromAt: START, toAt: START + 2 * MINUTE });
      expect(second?.fromAt).toBe(START + 2 * MINUTE + HOUR + SECOND);
    } else expect(first?.toAt).toBeLessThan(START - HOUR + 5 * MINUTE);
  });
});

describe("what was missed", () => {
  test("of a collar that is seen for the first time: the last day, once, and not at once", async () => {
    const house = await bench(onTestFinished);
    house.stored = [fixAt(START - 2 * DAY), fixAt(START - HOUR), fixAt(START - MINUTE, { accuracyM: 900 })];
    house.live();
    await house.pass(2 * SECOND);
    expect(house.asked).toEqual([]);
    await house.pass(HOUR);
    expect(house.asked).toHaveLength(1);
    expect(house.asked[0]).toMatchObject({ device: CAT, fromAt: expect.closeTo(START - DAY, -4), toAt: START });
    expect(house.fixes()).toEqual(house.stored.slice(1));
    expect(house.covered()).toHaveLength(1);
  });

  test("while we were down: from the last thing that was heard, with a margin; each time once", async () => {
    const house = await bench(onTestFinished);
    house.live();
    await house.pass(MINUTE);
    await house.end();
    house.asked.length = 0;
    // The first one was measured before, and came in later.
    house.stored = [fixAt(START - 5 * HOUR), fixAt(START + 10 * MINUTE), fixAt(START + 30 * MINUTE)];
    vi.setSystemTime(START + HOUR);
    await house.start();
    house.live();
    await house.pass(10 * MINUTE);
    expect(house.asked).toMatchObject([{ fromAt: START + MINUTE + 1 - 12 * HOUR, toAt: START + HOUR }]);
    expect(house.fixes()).toEqual(house.stored);
    expect(house.told.at(-1)).toMatchObject({ type: "fixesFetched", key: CAT, fixes: house.stored });
    expect(house.covered()).toHaveLength(1);
  });

  test("for ten days: a day a request, one after the other, resumed where it was interrupted", async () => {
    const house = await bench(onTestFinished);
    house.live(CAT, OTHER);
    await house.pass(MINUTE);
    await house.end();
    house.asked.length = 0;
    vi.setSystemTime(START + 10 * DAY);
    house.stored = Array.from({ length: 20 }, (_, index) => fixAt(START + (index * DAY) / 2));
    await house.start();
    house.live(CAT, OTHER);
    await house.pass(7 * SECOND);
    const before = house.asked.length;
    expect(before).toBeGreaterThan(1);
    await house.end();
    await house.start();
    house.live(CAT, OTHER);
    await house.pass(10 * MINUTE);
    expect(house.mostOpen).toBe(1);
    for (const { fromAt, toAt } of house.asked) expect(toAt - fromAt).toBeLessThanOrEqual(DAY);
    const gaps = house.asked.slice(1).map(({ at }, index) => at - (house.asked[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(SECOND);
    // Eleven for each, the one that was interrupted, and the seconds of the second start.
    expect(house.asked.length).toBeLessThanOrEqual(2 * 12 + 1);
    for (const cat of [CAT, OTHER]) {
      expect(house.fixes(cat)).toEqual(house.stored);
      expect(house.covered(cat)).toHaveLength(1);
    }
  });

  test("a failure is tried again later and later, and no longer than an hour; in the end nothing is missing", async () => {
    const house = await bench(onTestFinished);
    house.failure = new RecoverableError("HTTP 500");
    house.live();
    await house.pass(6 * HOUR);
    const gaps = house.asked.slice(1).map(({ at }, index) => (at - (house.asked[index]?.at ?? 0)) / SECOND);
    expect(gaps.slice(0, 4).map(Math.round)).toEqual([10, 20, 40, 80]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(3_601);
    expect(house.asked.length).toBeLessThan(16);
    expect(house.warnings()).toHaveLength(1);
    house.failure = undefined;
    house.stored = [fixAt(START - HOUR)];
    await house.pass(HOUR + MINUTE);
    expect(house.fixes()).toEqual(house.stored);
  });

  test("Retry-After is obeyed, also when the stream comes and goes meanwhile", async () => {
    const house = await bench(onTestFinished);
    house.failure = new RecoverableError("busy", { retryAfterMs: 20 * MINUTE });
    house.live();
    await house.pass(5 * MINUTE);
    house.failure = undefined;
    for (let count = 0; count < 3; count += 1) {
      house.state("waiting");
      await house.pass(SECOND);
      house.state("running");
      await house.pass(4 * MINUTE);
    }
    expect(house.asked).toHaveLength(1);
    await house.pass(4 * MINUTE);
    expect(house.asked.length).toBeGreaterThan(1);
    expect((house.asked[1]?.at ?? 0) - (house.asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(20 * MINUTE);
  });

  test("one collar that fails does not keep the others waiting", async () => {
    const house = await bench(onTestFinished);
    house.failure = new RecoverableError("HTTP 500");
    house.live(CAT, OTHER);
    await house.pass(5 * SECOND);
    expect(house.asked.map(({ device }) => device)).toEqual([CAT]);
    house.failure = undefined;
    await house.pass(MINUTE);
    expect(house.asked.map(({ device }) => device)).toEqual([CAT, OTHER, CAT]);
  });

  test("a stream that breaks every minute for an hour: twenty rounds at most, and nothing is missing", async () => {
    const house = await bench(onTestFinished);
    house.live();
    for (let count = 0; count < 60; count += 1) {
      await house.pass(50 * SECOND);
      house.state("waiting");
      await house.pass(10 * SECOND, false);
      house.stored.push(fixAt(Date.now() - 5 * SECOND));
      house.state("running");
    }
    expect(house.asked.length).toBeLessThanOrEqual(20);
    await house.pass(10 * MINUTE);
    expect(house.fixes()).toEqual(house.stored);
    expect(house.covered()).toHaveLength(1);
  });
});

test.each([HOUR, -HOUR, -3 * DAY])("by a clock that is wrong by %i ms all fixes are kept, too", async (aheadMs) => {
  const house = await bench(onTestFinished);
  house.aheadMs = aheadMs;
  house.live();
  const fixes = [0, 1, 2].map((minute) => fixAt(START - aheadMs + minute * MINUTE));
  for (const fix of fixes) {
    house.report(fix);
    await house.pass(MINUTE);
  }
  expect(house.fixes()).toEqual(fixes);
});

describe("what may happen to the file", () => {
  test.each([
    ["is something else", (file: string) => writeFileSync(file, "this is no database at all".repeat(500))],
    ["is half there", (file: string) => truncateSync(file, 6_000)],
    [
      "was written over",
      (file: string) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0xa5, 200));
      },
    ],
  ])("one that %s is set aside, told of, and begun anew", async (_, spoil) => {
    const { path } = temporaryFolder(onTestFinished);
    const house = await bench(onTestFinished, path);
    house.live();
    for (let index = 0; index < 2_000; index += 1) house.report(fixAt(START - index * SECOND));
    await house.pass(10 * SECOND);
    await house.end();
    spoil(join(path, "data", "positions.sqlite"));
    await house.start();
    house.live();
    house.report(fixAt(START + SECOND));
    await house.pass(10 * SECOND);
    expect(house.warnings().join()).toMatch(
      /positions\.sqlite cannot be read .*set aside as .*positions\.sqlite\.broken/,
    );
    expect(house.warnings()).toHaveLength(1);
    expect(house.fixes()).toContainEqual(fixAt(START + SECOND));
    expect(readdirSync(join(path, "data"))).toContain("positions.sqlite.broken");
  });

  test("a file that was deleted while it was in use is begun anew, and nothing of before counts as known", async () => {
    const { path } = temporaryFolder(onTestFinished);
    const house = await bench(onTestFinished, path);
    house.live();
    house.report(fixAt(START));
    await house.pass(10 * MINUTE);
    expect(house.covered()[0]?.fromAt).toBeLessThan(START + MINUTE);
    rmSync(join(path, "data"), { recursive: true });
    const deletedAt = Date.now();
    house.failure = new RecoverableError("not now");
    house.report(fixAt(deletedAt));
    await house.pass(MINUTE);
    expect(house.fixes()).toEqual([fixAt(deletedAt)]);
    expect(house.covered().filter(({ fromAt }) => fromAt < deletedAt)).toEqual([]);
    // It is missed, and asked for.
    expect(house.asked.at(-1)?.fromAt).toBeLessThan(START);
  });

  test("a folder that cannot be written to is one warning; later, what was missed meanwhile is fetched", async () => {
    const folder = temporaryFolder(onTestFinished);
    // Where a file stands, no folder can be made: also for root, who may write anywhere else.
    const inTheWay = folder.write("data", "");
    const house = await bench(onTestFinished, folder.path);
    house.live();
    house.report(fixAt(START));
    await house.pass(30 * MINUTE);
    expect(house.warnings()).toEqual([expect.stringMatching(/^no track is kept at the moment: .* cannot be written/)]);
    expect(house.asked).toEqual([]);
    rmSync(inTheWay);
    house.stored = [fixAt(START), fixAt(START + 20 * MINUTE)];
    await house.pass(3 * MINUTE);
    expect(house.fixes()).toEqual(house.stored);
    expect(house.covered()).toHaveLength(1);
    expect(house.warnings()).toHaveLength(1);
  });

  test("a folder that cannot be looked into is one warning, and no end of the program", async () => {
    const { path } = temporaryFolder(onTestFinished);
    // A link to itself: also root cannot see what is behind it.
    symlinkSync(join(path, "data"), join(path, "data"));
    const house = await bench(onTestFinished, path);
    house.live();
    house.report(fixAt(START));
    await house.pass(MINUTE);
    expect(house.warnings()).toEqual([expect.stringMatching(/^no track is kept at the moment: .* cannot be written/)]);
  });

  test("what was set aside goes when its positions would have gone", async () => {
    const folder = temporaryFolder(onTestFinished);
    mkdirSync(join(folder.path, "data"));
    const [old, young] = [folder.write("data/positions.sqlite.broken", ""), folder.write("data/devices.json", "{}")];
    for (const file of [old, young]) utimesSync(file, START / SECOND - 60, START / SECOND - 60);
    const house = await bench(onTestFinished, folder.path, DAY);
    await house.pass(2 * HOUR);
    expect(existsSync(old)).toBe(true);
    vi.setSystemTime(START + DAY);
    await house.pass(HOUR);
    expect(existsSync(old)).toBe(false);
    expect(existsSync(young)).toBe(true);
  });

  test("retention: what is older goes, also of a collar that has left the account", async () => {
    const house = await bench(onTestFinished, undefined, 2 * DAY);
    house.live(CAT, OTHER);
    house.report(fixAt(START), OTHER);
    house.report(fixAt(START));
    await house.pass(MINUTE);
    house.list(CAT);
    for (let day = 0; day < 3; day += 1) {
      vi.setSystemTime(Date.now() + DAY - 2 * HOUR);
      await house.pass(2 * HOUR + MINUTE);
      house.report(fixAt(Date.now()));
    }
    await house.pass(SECOND);
    expect(house.fixes(OTHER)).toEqual([]);
    expect(house.covered(OTHER)).toEqual([]);
    expect(house.fixes().length).toBeGreaterThan(0);
    expect(house.fixes()).not.toContainEqual(fixAt(START));
    for (const { fromAt } of house.covered()) expect(fromAt).toBeGreaterThan(START);
  });

  test("0 keeps nothing and deletes what was kept; switched on again, it claims nothing of meanwhile", async () => {
    const house = await bench(onTestFinished);
    house.live();
    house.report(fixAt(START));
    await house.pass(MINUTE);
    expect(existsSync(join(house.folder, "positions.sqlite"))).toBe(true);
    house.track.setRetention(0);
    house.report(fixAt(START + MINUTE));
    await house.pass(MINUTE);
    expect(readdirSync(house.folder)).toEqual([]);
    const asked = house.asked.length;
    house.failure = new RecoverableError("away");
    house.track.setRetention(DAY);
    await house.pass(2 * MINUTE);
    expect(house.covered()[0]?.fromAt).toBeGreaterThanOrEqual(START + 2 * MINUTE);
    expect(house.asked.length).toBeGreaterThan(asked);
  });
});
