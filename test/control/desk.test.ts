/** What users ask of a collar, seen through: to the cloud, to its echo, and to its end. The clock is the test's. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createDesk, type Desk } from "../../src/control/desk.ts";
import { createLog, type Logger } from "../../src/lib/log.ts";
import { createMetrics } from "../../src/lib/metrics.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { Activity } from "../../src/model/activity.ts";
import type { Command, Request } from "../../src/model/command.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import type { CollarReport } from "../../src/model/device.ts";
import type { Receipt } from "../../src/publishers/publisher.ts";
import { readArchive, writeArchive } from "../../src/store/archive.ts";
import { NOON } from "../support/arbitraries.ts";
import { CAT, type Cat, createCat, MINUTE, SECOND } from "../support/cat.ts";
import { memoryData } from "../support/memory-data.ts";
import { memoryStream } from "../support/stream.ts";

const FAST: CollarReport = {
  mode: 1,
  modeSet: 1,
  light: false,
  buzzer: false,
  search: false,
  home: false,
  batteryMv: 3_900,
  lastContactAt: NOON,
};
const LIVE: CollarReport = { ...FAST, mode: 11, modeSet: 11, search: true };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"], now: NOON }));
afterEach(() => vi.useRealTimers());

interface RoomOptions {
  readonly first?: CollarReport;
  readonly liveMinutes?: number;
  readonly findMinutes?: number;
  /** What an earlier run has kept. */
  readonly timers?: unknown;
  /** How the cloud answers a command; default: it accepts it at once. */
  readonly answer?: (command: Command) => Promise<void>;
  /** How long until the collar takes a command, ms; null: it never does, and the cloud tells nothing of it either. */
  readonly pollMs?: number | null;
}

/** A desk between one cat and a cloud that does as it is told. */
class Room {
  readonly cat: Cat;
  readonly desk: Desk;
  /** What reached the cloud, as `mode 11` or `light true`, and how many minutes after the beginning. */
  readonly calls: { readonly text: string; readonly minute: number }[] = [];
  refreshes = 0;
  timers: unknown;
  answer: (command: Command) => Promise<void>;
  pollMs: number | null;
  readonly #stop = new AbortController();
  readonly #record: Record<string, unknown>;
  readonly metrics = createMetrics(COUNTERS);
  readonly #log: ReturnType<typeof memoryStream>;

  constructor(options: RoomOptions, cat: Cat, log: Logger, output: ReturnType<typeof memoryStream>) {
    const { first = FAST, liveMinutes = 15, findMinutes = 3, timers = {}, answer, pollMs = 5 * SECOND } = options;
    this.cat = cat;
    this.timers = timers;
    this.answer = answer ?? (() => Promise.resolve());
    this.pollMs = pollMs;
    this.#record = { ...first };
    this.#log = output;
    this.desk = createDesk({
      metrics: this.metrics,
      state: cat.store.state,
      changes: (ended) => cat.store.changes(ended),
      dispatch: cat.dispatch,
      log,
      signal: this.#stop.signal,
      execute: (_, command) => this.#execute(command),
      refresh: () => this.#refresh(),
      keep: {
        // As a file would give it back.
        read: (): unknown => JSON.parse(JSON.stringify(this.timers)),
        write: (next) => {
          this.timers = next;
        },
      },
      durations: () => ({ liveMs: liveMinutes * MINUTE, findMs: findMinutes * MINUTE }),
    });
  }

  get log(): string {
    return this.#log.text();
  }

  get events(): readonly Activity[] {
    return this.cat.told;
  }

  get failures(): readonly Activity[] {
    return this.cat.told.filter(({ type }) => type === "command_failed");
  }

  get sent(): string[] {
    return this.calls.map(({ text }) => text);
  }

  /** What is on its way, and whether the cloud has accepted it. */
  get pending(): [string, boolean][] {
    return (this.cat.collar.pending ?? []).map(({ command, isAccepted }) => [textOf(command), isAccepted]);
  }

  /** What the collar shows of its controls. */
  get shown(): object {
    const { mode, modeSet, light, buzzer } = this.cat.collar;
    return { mode, modeSet, light, buzzer };
  }

  ask(...requests: readonly Request[]): void {
    for (const request of requests) this.desk.request(CAT, request);
  }

  /** Somebody else, with the maker's app: the cloud tells of it. */
  hear(report: CollarReport): void {
    Object.assign(this.#record, report);
    this.cat.dispatch({ type: "collarReported", key: CAT, at: Date.now(), report });
  }

  /** Lets time go by, with a tick every second. */
  async pass(ms: number): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end; ) {
      const elapsedMs = Math.min(SECOND, end - Date.now());
      await vi.advanceTimersByTimeAsync(elapsedMs);
      this.cat.dispatch({ type: "accountReported", account: "pettracer", at: Date.now(), report: {} });
      this.cat.dispatch({ type: "timePassed", at: Date.now(), elapsedMs });
      this.desk.tick(Date.now());
    }
  }

  end(): void {
    this.#stop.abort();
  }

  async #execute(command: Command): Promise<void> {
    this.calls.push({ text: textOf(command), minute: (Date.now() - NOON) / MINUTE });
    await this.answer(command);
    if (this.pollMs === null) return;
    if (command.kind === "mode") this.hear({ modeSet: command.value });
    const taken = command.kind === "mode" ? { mode: command.value } : { [command.kind]: command.value };
    setTimeout(() => this.hear(taken), this.pollMs);
  }

  async #refresh(): Promise<void> {
    this.refreshes += 1;
    this.hear(this.#record);
  }

  /** What the cloud holds, without a message that tells of it. */
  change(report: CollarReport): void {
    Object.assign(this.#record, report);
  }
}

function textOf({ kind, value }: Command): string {
  return `${kind} ${value}`;
}

async function openRoom(options: RoomOptions = {}, cat = createCat(options.first ?? FAST)): Promise<Room> {
  const output = memoryStream();
  const log = await createLog({ level: "debug", format: "json", scrubber: createScrubber(), output });
  return new Room(options, cat, log, output);
}

/** The same house after a restart: another store, another desk, and what was kept. */
async function restart(room: Room, isListed = true): Promise<Room> {
  room.end();
  const data = memoryData();
  writeArchive(data, room.cat.store);
  const { mode, modeSet, light, buzzer } = room.cat.collar;
  const first = { ...FAST, mode, modeSet, light, buzzer } as CollarReport;
  const cat = createCat(isListed ? first : undefined, { at: Date.now(), remembered: readArchive(data) });
  return await openRoom({ first, timers: room.timers }, cat);
}

function refused(): Promise<never> {
  return Promise.reject(new Error("PetTracer's answer to /map/setccmode was 500 Internal Server Error"));
}

describe("a request", () => {
  test.each<[string, Request, readonly string[]]>([
    ["a mode", { kind: "mode", value: 3 }, ["mode 3"]],
    ["live on", { kind: "live", value: true }, ["mode 11"]],
    ["light on", { kind: "light", value: true }, ["light true"]],
    ["light off", { kind: "light", value: false }, ["light false"]],
    ["buzzer on", { kind: "buzzer", value: true }, ["buzzer true"]],
    ["find", { kind: "find" }, ["mode 11", "light true", "buzzer true"]],
    ["power off", { kind: "power_off" }, ["mode 12"]],
  ])("for %s is the right commands", async (_, request, commands) => {
    const room = await openRoom();
    room.ask(request);
    await room.pass(30 * SECOND);
    expect(room.sent).toEqual(commands);
    expect(room.pending).toEqual([]);
    expect(room.failures).toEqual([]);
  });

  test("for another device is none", async () => {
    const room = await openRoom();
    for (const device of ["pettracer_1", "bridge", "account:pettracer", ""]) {
      room.desk.request(device, { kind: "light", value: true });
    }
    await room.pass(10 * SECOND);
    expect(room.sent).toEqual([]);
  });
});

describe("a command", () => {
  test("is pending until its echo, first without and then with the cloud's word, and moves nothing by itself", async () => {
    const accepted = Promise.withResolvers<void>();
    const room = await openRoom({ answer: () => accepted.promise, pollMs: null });
    const before = room.shown;
    room.ask({ kind: "light", value: true });
    expect(room.cat.collar.pending).toEqual([
      { command: { kind: "light", value: true }, sinceAt: NOON, untilAt: NOON + MINUTE, isAccepted: false },
    ]);
    await room.pass(5 * SECOND);
    expect(room.pending).toEqual([["light true", false]]);
    accepted.resolve();
    await room.pass(SECOND);
    expect(room.pending).toEqual([["light true", true]]);
    expect(room.shown).toEqual(before);
    room.hear({ light: true });
    expect([room.pending, room.shown]).toEqual([[], { ...before, light: true }]);
    await room.pass(10 * MINUTE);
    expect(room.events).toEqual([]);
  });

  test("whose echo comes before the cloud's answer is done with the answer", async () => {
    const accepted = Promise.withResolvers<void>();
    const room = await openRoom({ answer: () => accepted.promise, pollMs: null });
    room.ask({ kind: "mode", value: 3 });
    await room.pass(SECOND);
    room.hear({ modeSet: 3 });
    expect(room.pending).toEqual([["mode 3", false]]);
    accepted.resolve();
    await room.pass(SECOND);
    expect(room.pending).toEqual([]);
    await room.pass(10 * MINUTE);
    expect(room.failures).toEqual([]);
  });

  test("for what is so already is done when the cloud has accepted it", async () => {
    const room = await openRoom({ pollMs: null });
    room.ask({ kind: "light", value: false }, { kind: "mode", value: 1 });
    await room.pass(10 * SECOND);
    expect([room.pending, room.failures]).toEqual([[], []]);
  });

  test("for a mode is done with the echo of what was asked for, which the collar may take later", async () => {
    const room = await openRoom({ pollMs: 10 * MINUTE });
    room.ask({ kind: "mode", value: 3 });
    await room.pass(SECOND);
    expect([room.pending, room.cat.collar.modeSet, room.cat.collar.mode]).toEqual([[], 3, 1]);
  });

  test("that the cloud refuses has failed at once, with the reason", async () => {
    const room = await openRoom({ answer: refused });
    const before = room.shown;
    room.ask({ kind: "mode", value: 3 });
    await room.pass(SECOND);
    expect(room.failures).toMatchObject([
      { details: { command: "mode", value: "Slow", reason: expect.stringContaining("500") as string } },
    ]);
    expect([room.pending, room.shown]).toEqual([[], before]);
    expect(room.log).toContain("the mode Slow failed");
    await room.pass(10 * MINUTE);
    expect([room.failures.length, room.sent]).toEqual([1, ["mode 3"]]);
  });

  test.each([
    ["Fast", 1, 120],
    ["Slow", 3, 1_800],
    ["Live", 11, 42],
    ["Peil 4, every five seconds", 19, 10],
  ])("without an echo has failed after two polls: in %s", async (_, mode, seconds) => {
    const room = await openRoom({ first: { ...FAST, mode, modeSet: mode }, pollMs: null });
    room.ask({ kind: "light", value: true });
    await room.pass((seconds - 1) * SECOND);
    expect([room.pending, room.failures]).toEqual([[["light true", true]], []]);
    await room.pass(3 * SECOND);
    expect(room.failures).toMatchObject([
      { details: { command: "light", value: "on", reason: expect.stringContaining(`${seconds} s`) as string } },
    ]);
    expect([room.pending, room.cat.collar.light]).toEqual([[], false]);
    await room.pass(2 * seconds * SECOND);
    expect(room.failures).toHaveLength(1);
  });

  test("is counted by its outcome, from the start at 0", async () => {
    const room = await openRoom({ pollMs: null });
    const counted = () => {
      const family = room.metrics.families().find(({ name }) => name === "pawline_commands_total");
      const counts = family?.series.map(
        ({ labels, cell }) => [`${labels.kind} ${labels.outcome}`, cell.value] as const,
      );
      return new Map(counts?.filter(([, value]) => value > 0));
    };
    expect(room.metrics.families().flatMap(({ series }) => series)).toHaveLength(9);
    expect(counted()).toEqual(new Map());
    room.ask({ kind: "light", value: true });
    await room.pass(SECOND);
    expect(counted()).toEqual(new Map([["light accepted", 1]]));
    await room.pass(3 * MINUTE);
    expect(counted()).toEqual(
      new Map([
        ["light accepted", 1],
        ["light unconfirmed", 1],
      ]),
    );
    room.answer = refused;
    room.ask({ kind: "mode", value: 3 });
    await room.pass(SECOND);
    expect(counted().get("mode refused")).toBe(1);
    expect(counted().get("mode accepted")).toBeUndefined();
  });

  test("whose echo has gone astray is asked for, a few times and no more", async () => {
    const room = await openRoom({ pollMs: null });
    room.ask({ kind: "buzzer", value: true });
    room.change({ buzzer: true });
    await room.pass(2 * MINUTE);
    expect([room.pending, room.cat.collar.buzzer, room.failures]).toEqual([[], true, []]);
    expect(room.refreshes).toBe(1);
    room.ask({ kind: "buzzer", value: false });
    await room.pass(10 * MINUTE);
    expect(room.refreshes).toBeLessThanOrEqual(4);
  });

  test("of a collar that has left the account meanwhile is forgotten", async () => {
    const room = await openRoom({ pollMs: null });
    room.ask({ kind: "buzzer", value: true });
    await room.pass(SECOND);
    room.cat.dispatch({ type: "accountDropped", account: "pettracer" });
    await room.pass(10 * MINUTE);
    expect(room.failures).toEqual([]);
  });

  test("is silent when the program ends", async () => {
    const room = await openRoom({ pollMs: null });
    room.ask({ kind: "buzzer", value: true }, { kind: "light", value: true });
    await room.pass(SECOND);
    room.end();
    await room.pass(10 * MINUTE);
    expect([room.failures, room.sent]).toEqual([[], ["buzzer true"]]);
  });
});

describe("several commands", () => {
  test("twelve quick changes are at most two calls: the last one wins, and none has failed", async () => {
    const room = await openRoom();
    for (const value of [1, 2, 3, 7, 8, 14, 1, 2, 3, 7, 8, 14]) {
      room.ask({ kind: "mode", value });
      await vi.advanceTimersByTimeAsync(40);
    }
    expect(room.pending.length).toBeLessThanOrEqual(1);
    await room.pass(MINUTE);
    expect(room.sent.length).toBeLessThanOrEqual(2);
    expect(room.sent.at(-1)).toBe("mode 14");
    expect([room.cat.collar.mode, room.pending, room.failures]).toEqual([14, [], []]);
  });

  test("of different kinds are each seen through", async () => {
    const room = await openRoom();
    room.ask({ kind: "light", value: true }, { kind: "mode", value: 3 }, { kind: "buzzer", value: true });
    expect(room.pending.map(([text]) => text)).toEqual(["light true", "mode 3", "buzzer true"]);
    await room.pass(MINUTE);
    expect(room.shown).toEqual({ mode: 3, modeSet: 3, light: true, buzzer: true });
    expect(room.pending).toEqual([]);
  });

  test("a newer one that replaces one without echo has two polls of its own", async () => {
    const room = await openRoom({ pollMs: null });
    room.ask({ kind: "light", value: true });
    await room.pass(100 * SECOND);
    room.ask({ kind: "light", value: false }, { kind: "buzzer", value: true });
    await room.pass(100 * SECOND);
    // Off it was all the time; the buzzer still has time.
    expect([room.pending, room.failures]).toEqual([[["buzzer true", true]], []]);
    await room.pass(40 * SECOND);
    expect(room.failures).toMatchObject([{ details: { command: "buzzer" } }]);
  });

  test("one that fails does not take a newer one of its kind along", async () => {
    const answers = [refused, (): Promise<void> => Promise.resolve()];
    const room = await openRoom({
      pollMs: null,
      answer: async () => {
        await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
        await answers.shift()?.();
      },
    });
    room.ask({ kind: "light", value: true });
    await room.pass(SECOND);
    // The same once more, while the first one is on its way.
    room.ask({ kind: "light", value: true });
    await room.pass(10 * SECOND);
    expect(room.sent).toEqual(["light true", "light true"]);
    expect(room.pending).toEqual([["light true", true]]);
    await room.pass(5 * MINUTE);
    expect([room.pending, room.failures.length]).toEqual([[], 2]);
  });

  test("never move what is shown before the cloud does, whatever is asked and however it answers", async () => {
    const request: fc.Arbitrary<Request> = fc.oneof(
      fc.record({ kind: fc.constant("mode" as const), value: fc.constantFrom(1, 2, 3, 11, 12) }),
      fc.record({ kind: fc.constantFrom("live" as const, "light" as const, "buzzer" as const), value: fc.boolean() }),
      fc.constantFrom<Request>({ kind: "find" }, { kind: "power_off" }),
    );
    const steps = fc.array(fc.tuple(request, fc.nat(90)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, isRefused) => {
        vi.setSystemTime(NOON);
        const room = await openRoom({ pollMs: null, answer: isRefused ? refused : () => Promise.resolve() });
        for (const [one, seconds] of all) {
          room.ask(one);
          await room.pass(seconds * SECOND);
          expect(room.shown).toEqual({ mode: 1, modeSet: 1, light: false, buzzer: false });
        }
        await room.pass(20 * MINUTE);
        expect(room.shown).toEqual({ mode: 1, modeSet: 1, light: false, buzzer: false });
        expect(room.pending).toEqual([]);
        room.end();
      }),
      { numRuns: 30 },
    );
  });
});

describe("live tracking", () => {
  const ON: Request = { kind: "live", value: true };
  const OFF: Request = { kind: "live", value: false };

  test("that was switched on here ends after its minutes, with the mode before", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(14 * MINUTE + 50 * SECOND);
    expect(room.sent).toEqual(["mode 11"]);
    await room.pass(20 * SECOND);
    expect(room.sent).toEqual(["mode 11", "mode 1"]);
    await room.pass(60 * MINUTE);
    expect([room.sent.length, room.cat.collar.mode, room.timers]).toEqual([2, 1, {}]);
  });

  test("ends in time over restarts, also one that lasts longer", async () => {
    const first = await openRoom();
    first.ask(ON);
    await first.pass(10 * MINUTE);
    const second = await restart(first);
    await second.pass(4 * MINUTE);
    expect(second.sent).toEqual([]);
    const third = await restart(second);
    await vi.advanceTimersByTimeAsync(3 * 60 * MINUTE);
    await third.pass(5 * SECOND);
    expect(third.sent).toEqual(["mode 1"]);
    const fourth = await restart(third);
    await fourth.pass(30 * MINUTE);
    expect(fourth.sent).toEqual([]);
  });

  test("does not last longer because the clock was set back", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(5 * MINUTE);
    vi.setSystemTime(Date.now() - 60 * MINUTE);
    room.desk.tick(Date.now(), -60 * MINUTE);
    await room.pass(9 * MINUTE + 50 * SECOND);
    expect(room.sent).toEqual(["mode 11"]);
    await room.pass(20 * SECOND);
    expect(room.sent).toEqual(["mode 11", "mode 1"]);
  });

  test("waits with its end until the collar is listed, after a restart", async () => {
    const first = await openRoom();
    first.ask(ON);
    await first.pass(MINUTE);
    const second = await restart(first, false);
    await second.pass(30 * MINUTE);
    expect(second.sent).toEqual([]);
    second.cat.list(LIVE);
    await second.pass(5 * SECOND);
    expect(second.sent).toEqual(["mode 1"]);
  });

  test("never ends by itself with 0 minutes", async () => {
    const room = await openRoom({ liveMinutes: 0 });
    room.ask(ON);
    await room.pass(5 * 60 * MINUTE);
    expect(room.sent).toEqual(["mode 11"]);
    room.ask(OFF);
    await room.pass(5 * SECOND);
    expect(room.sent).toEqual(["mode 11", "mode 1"]);
  });

  test("that is asked for again begins its minutes anew, and still knows the mode before", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(10 * MINUTE);
    room.ask(ON);
    await room.pass(14 * MINUTE);
    expect(room.sent).toEqual(["mode 11", "mode 11"]);
    await room.pass(2 * MINUTE);
    expect(room.sent).toEqual(["mode 11", "mode 11", "mode 1"]);
  });

  test("that is switched off goes back to the mode before, and does not end a second time", async () => {
    const room = await openRoom({ first: { ...FAST, mode: 14, modeSet: 14 } });
    room.ask(ON);
    await room.pass(2 * MINUTE);
    room.ask(OFF);
    await room.pass(30 * MINUTE);
    expect(room.sent).toEqual(["mode 11", "mode 14"]);
  });

  test("is not ended where somebody else has ended it", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(5 * MINUTE);
    room.hear({ mode: 3, modeSet: 3 });
    await room.pass(30 * MINUTE);
    expect([room.sent, room.timers]).toEqual([["mode 11"], {}]);
  });

  test("ends in time also where the cloud took a while to begin it", async () => {
    const room = await openRoom({ answer: () => new Promise((resolve) => setTimeout(resolve, 12 * SECOND)) });
    room.ask(ON);
    await room.pass(14 * MINUTE);
    expect(room.shown).toMatchObject({ mode: 11 });
    await room.pass(2 * MINUTE);
    expect(room.sent).toEqual(["mode 11", "mode 1"]);
  });

  test("is not ended where a mode was chosen here meanwhile", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(5 * MINUTE);
    room.ask({ kind: "mode", value: 3 });
    await room.pass(30 * MINUTE);
    expect(room.sent).toEqual(["mode 11", "mode 3"]);
  });

  test("is not ended where somebody else has switched it on, after all that happened here", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(5 * MINUTE);
    room.hear({ mode: 3, modeSet: 3 });
    await room.pass(5 * MINUTE);
    room.hear({ mode: 11, modeSet: 11 });
    await room.pass(60 * MINUTE);
    expect(room.sent).toEqual(["mode 11"]);

    const other = await openRoom({ answer: refused });
    other.ask(ON);
    await other.pass(MINUTE);
    other.hear({ mode: 11, modeSet: 11 });
    await other.pass(60 * MINUTE);
    expect(other.sent).toEqual(["mode 11"]);
  });

  test("that somebody else has switched on goes back to the mode before, too", async () => {
    const room = await openRoom();
    room.hear({ mode: 11, modeSet: 11 });
    await room.pass(MINUTE);
    room.ask(OFF);
    await room.pass(5 * SECOND);
    expect(room.sent).toEqual(["mode 1"]);
  });

  test("that was on before anything was known goes back to Normal", async () => {
    const room = await openRoom({ first: LIVE });
    room.ask(OFF);
    await room.pass(5 * SECOND);
    expect(room.sent).toEqual(["mode 2"]);
  });

  test("whose end the cloud refuses is ended later", async () => {
    const room = await openRoom();
    room.ask(ON);
    await room.pass(14 * MINUTE);
    room.answer = refused;
    await room.pass(2 * MINUTE);
    room.answer = () => Promise.resolve();
    await room.pass(30 * MINUTE);
    expect(room.cat.collar.mode).toBe(1);
    expect(room.sent.length).toBeLessThan(10);
  });
});

describe("find my cat", () => {
  const FIND: Request = { kind: "find" };
  const BEFORE = { mode: 1, modeSet: 1, light: false, buzzer: false };
  const FOUND = { mode: 11, modeSet: 11, light: true, buzzer: true };

  test("is live, light and buzzer, and ends after its minutes with everything as before", async () => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(MINUTE);
    expect([room.sent, room.shown]).toEqual([["mode 11", "light true", "buzzer true"], FOUND]);
    await room.pass(2 * MINUTE - 5 * SECOND);
    expect(room.sent).toHaveLength(3);
    await room.pass(MINUTE);
    expect([room.sent.slice(3).toSorted(), room.shown]).toEqual([["buzzer false", "light false", "mode 1"], BEFORE]);
    await room.pass(60 * MINUTE);
    expect([room.sent.length, room.timers, room.failures]).toEqual([6, {}, []]);
  });

  test("lasts as long as the user wants", async () => {
    const room = await openRoom({ findMinutes: 10 });
    room.ask(FIND);
    await room.pass(9 * MINUTE + 55 * SECOND);
    expect(room.shown).toEqual(FOUND);
    await room.pass(30 * SECOND);
    expect(room.shown).toEqual(BEFORE);
  });

  test("ends over a restart, also a long one", async () => {
    for (const minutes of [1, 600]) {
      const first = await openRoom();
      first.ask(FIND);
      await first.pass(MINUTE);
      const second = await restart(first);
      await vi.advanceTimersByTimeAsync(minutes * MINUTE);
      await second.pass(2 * MINUTE);
      expect(second.shown).toEqual(BEFORE);
      const third = await restart(second);
      await third.pass(30 * MINUTE);
      expect([third.sent, third.timers]).toEqual([[], {}]);
    }
  });

  test("leaves live tracking on that was switched on here before, and that ends in its own time", async () => {
    const room = await openRoom();
    room.ask({ kind: "live", value: true });
    await room.pass(MINUTE);
    room.ask(FIND);
    await room.pass(5 * MINUTE);
    expect(room.shown).toEqual({ ...FOUND, light: false, buzzer: false });
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual(BEFORE);
    expect(room.sent.filter((text) => text.startsWith("mode"))).toEqual(["mode 11", "mode 1"]);
  });

  test("leaves live tracking on that never ends by itself", async () => {
    const room = await openRoom({ liveMinutes: 0 });
    room.ask({ kind: "live", value: true });
    await room.pass(MINUTE);
    room.ask(FIND);
    await room.pass(60 * MINUTE);
    expect(room.shown).toEqual({ ...FOUND, light: false, buzzer: false });
  });

  test("leaves live tracking on that somebody else has switched on", async () => {
    const room = await openRoom({ first: LIVE });
    room.ask(FIND);
    await room.pass(60 * MINUTE);
    expect(room.shown).toEqual({ ...FOUND, light: false, buzzer: false });
    expect(room.sent.filter((text) => text.startsWith("mode"))).toEqual([]);
  });

  test("leaves a light on that was on before", async () => {
    const room = await openRoom({ first: { ...FAST, light: true } });
    room.ask(FIND);
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual({ ...BEFORE, light: true });
  });

  test("pressed again lasts longer, and still knows how everything was before", async () => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(2 * MINUTE);
    room.ask(FIND);
    await room.pass(2 * MINUTE + 30 * SECOND);
    expect(room.shown).toEqual(FOUND);
    await room.pass(2 * MINUTE);
    expect(room.shown).toEqual(BEFORE);
  });

  test("whose end the cloud refuses for good is given up, and so is that of live tracking", async () => {
    const room = await openRoom();
    room.ask(FIND, { kind: "live", value: true });
    await room.pass(2 * MINUTE);
    room.answer = refused;
    await room.pass(60 * MINUTE);
    const { length } = room.sent;
    expect(length).toBeLessThan(30);
    await room.pass(60 * MINUTE);
    expect([room.sent.length, room.timers]).toEqual([length, {}]);
  });

  test("pressed again after its live tracking was ended begins anew, and ends what it began", async () => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(MINUTE);
    room.ask({ kind: "live", value: false });
    await room.pass(30 * SECOND);
    room.ask(FIND);
    await room.pass(MINUTE);
    expect(room.shown).toEqual(FOUND);
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual(BEFORE);

    const other = await openRoom({ first: LIVE });
    other.ask(FIND);
    await other.pass(MINUTE);
    other.hear({ mode: 3, modeSet: 3 });
    other.ask(FIND);
    await other.pass(MINUTE);
    expect(other.shown).toEqual(FOUND);
    await other.pass(10 * MINUTE);
    expect(other.shown).toEqual({ ...BEFORE, mode: 3, modeSet: 3 });
  });

  test.each<[string, Request, modes: readonly [then: number, later: number]]>([
    ["live tracking is switched off", { kind: "live", value: false }, [1, 1]],
    ["live tracking is switched on", { kind: "live", value: true }, [11, 1]],
    ["a mode is chosen", { kind: "mode", value: 3 }, [3, 3]],
  ])("ends light and buzzer, and nothing else, where %s meanwhile", async (_, request, [then, later]) => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(MINUTE);
    room.ask(request);
    await room.pass(10 * MINUTE);
    expect(room.shown).toMatchObject({ mode: then, light: false, buzzer: false });
    await room.pass(20 * MINUTE);
    expect(room.shown).toMatchObject({ mode: later, light: false, buzzer: false });
  });

  test("ends light and buzzer also where live tracking ends before it", async () => {
    const room = await openRoom();
    room.ask({ kind: "live", value: true });
    await room.pass(14 * MINUTE);
    room.ask(FIND);
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual(BEFORE);
  });

  test("ends light and buzzer also where somebody else has ended live tracking", async () => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(MINUTE);
    room.hear({ mode: 3, modeSet: 3 });
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual({ ...BEFORE, mode: 3, modeSet: 3 });
  });

  test("of which the cloud refuses a part does the rest, and ends it", async () => {
    const room = await openRoom({ answer: ({ kind }) => (kind === "mode" ? refused() : Promise.resolve()) });
    room.ask(FIND);
    await room.pass(MINUTE);
    expect(room.shown).toEqual({ ...BEFORE, light: true, buzzer: true });
    expect(room.failures).toMatchObject([{ details: { command: "mode", value: "Live" } }]);
    await room.pass(10 * MINUTE);
    expect(room.shown).toEqual(BEFORE);
  });

  test("whose end the cloud refuses is ended later: a buzzer does not go on for ever", async () => {
    const room = await openRoom();
    room.ask(FIND);
    await room.pass(2 * MINUTE);
    room.answer = refused;
    await room.pass(2 * MINUTE);
    room.answer = () => Promise.resolve();
    await room.pass(30 * MINUTE);
    expect(room.shown).toEqual(BEFORE);
    expect(room.sent.length).toBeLessThan(20);
  });
});

test("what was kept in another shape is no reason to stumble", async () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(fc.constantFrom(CAT, "pettracer_2", "__proto__"), fc.jsonValue({ maxDepth: 2 })),
    fc.constantFrom({ [CAT]: { live: { untilAt: "soon" }, find: 5 } }, { [CAT]: { find: { untilAt: 0 } } }),
  );
  await fc.assert(
    fc.asyncProperty(odd, async (timers) => {
      const room = await openRoom({ timers });
      await room.pass(3 * SECOND);
      expect(room.sent).toEqual([]);
      room.ask({ kind: "live", value: true });
      await room.pass(3 * SECOND);
      expect(room.sent).toEqual(["mode 11"]);
      room.end();
    }),
  );
});

describe("a receipt", () => {
  interface Fate {
    accepted: string;
    done: string;
  }

  /** What has become of both promises so far. */
  function fateOf({ accepted, done }: Receipt): Fate {
    const fate: Fate = { accepted: "open", done: "open" };
    const note = (what: keyof Fate, promise: Promise<void>): void => {
      const settle = (how: string): void => {
        fate[what] = how;
      };
      promise.then(
        () => settle("yes"),
        (error: Error) => settle(error.message),
      );
    };
    note("accepted", accepted);
    note("done", done);
    return fate;
  }

  test("tells when the cloud has accepted it, and when its echo has come", async () => {
    const room = await openRoom({ pollMs: 30 * SECOND });
    const fate = fateOf(room.desk.request(CAT, { kind: "light", value: true }));
    expect(fate).toEqual({ accepted: "open", done: "open" });
    await room.pass(SECOND);
    expect(fate).toEqual({ accepted: "yes", done: "open" });
    await room.pass(30 * SECOND);
    expect(fate).toEqual({ accepted: "yes", done: "yes" });
  });

  test("tells at once, not when the desk looks the next time", async () => {
    const room = await openRoom({ pollMs: null });
    const fate = fateOf(room.desk.request(CAT, { kind: "light", value: true }));
    await room.pass(10 * SECOND);
    room.hear({ light: true });
    await vi.advanceTimersByTimeAsync(1);
    expect(fate.done).toBe("yes");
  });

  test("of find my cat is done when all of it is", async () => {
    const room = await openRoom({ pollMs: 30 * SECOND });
    const fate = fateOf(room.desk.request(CAT, { kind: "find" }));
    await room.pass(3 * SECOND);
    expect(fate).toEqual({ accepted: "open", done: "open" });
    await room.pass(3 * SECOND);
    expect(fate).toEqual({ accepted: "yes", done: "open" });
    await room.pass(60 * SECOND);
    expect(fate.done).toBe("yes");
  });

  test("tells why the cloud has refused it", async () => {
    const room = await openRoom({ answer: () => Promise.reject(new Error("no such light")) });
    const fate = fateOf(room.desk.request(CAT, { kind: "light", value: true }));
    await room.pass(SECOND);
    expect(fate).toEqual({ accepted: "no such light", done: "no such light" });
  });

  test("tells that no echo came", async () => {
    const room = await openRoom({ pollMs: null });
    const fate = fateOf(room.desk.request(CAT, { kind: "light", value: true }));
    await room.pass(3 * MINUTE);
    expect(fate).toEqual({ accepted: "yes", done: expect.stringMatching(/^the collar did not take it within \d+ s$/) });
  });

  test("tells that a newer command took its place", async () => {
    const room = await openRoom({ pollMs: 5 * SECOND });
    const [first, second] = [1, 2].map((value) => fateOf(room.desk.request(CAT, { kind: "mode", value: value + 6 })));
    await room.pass(20 * SECOND);
    const replaced = "a newer command took its place";
    expect([first, second]).toEqual([
      { accepted: replaced, done: replaced },
      { accepted: "yes", done: "yes" },
    ]);
  });

  test("tells that there is no such collar", async () => {
    const room = await openRoom({});
    const fate = fateOf(room.desk.request("pettracer_1", { kind: "find" }));
    await room.pass(SECOND);
    expect(fate.done).toBe("there is no collar pettracer_1");
  });
});
