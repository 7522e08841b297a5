/** The page's connection: what it says and hears, when it gives up, and when it comes back. */
import { describe, expect, test, vi } from "vitest";
import { retryDelayMs } from "../../src/lib/backoff.ts";
import { keepConnected, type Obstacle, type Seams } from "../../src/page/live/keep-connected.ts";
import { CommandRefused, type Listener, openTalk, type WireEvents } from "../../src/page/live/talk.ts";

/** A clock that goes on when the test says so. */
function createClock() {
  let now = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  let last = 0;
  return {
    now: () => now,
    set(callback: () => void, ms: number) {
      const id = ++last;
      timers.set(id, { at: now + ms, callback });
      return () => void timers.delete(id);
    },
    advance(ms: number) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next[0]);
        now = next[1].at;
        next[1].callback();
      }
      now = end;
    },
  };
}

const WELCOME = {
  type: "welcome",
  schema: 1,
  version: "1.0.0",
  instance: "a",
  scopes: ["read", "control"],
  devices: null,
  event: 0,
  heartbeat_ms: 20_000,
  limits: { message_bytes: 1, subscriptions: 1, messages_per_second: 1, burst: 1 },
  compression: false,
};

function startTalk() {
  const clock = createClock();
  const sent: Record<string, unknown>[] = [];
  let wire: WireEvents | undefined;
  let isClosed = false;
  const listener = { welcomed: vi.fn(), subscribed: vi.fn(), news: vi.fn() } satisfies Listener;
  const talk = openTalk(
    (events) => {
      wire = events;
      return {
        send: (text) => sent.push(JSON.parse(text) as Record<string, unknown>),
        close() {
          isClosed = true;
        },
      };
    },
    listener,
    clock,
  );
  const hear = (message: object): void => wire?.message(JSON.stringify(message));
  return { talk, clock, sent, listener, hear, wire: () => wire, isClosed: () => isClosed };
}

describe("a connection", () => {
  test("subscribes to everything as soon as it is welcomed", () => {
    const { sent, hear, listener } = startTalk();
    expect(sent).toEqual([]);
    hear(WELCOME);
    expect(listener.welcomed).toHaveBeenCalledWith(WELCOME);
    expect(sent).toEqual([{ type: "subscribe", id: "1", topics: ["devices", "position/+", "events/#", "bridge"] }]);
    const answer = { type: "subscribed", id: "1", subscription: 1, topics: [], snapshot: {}, event: 0 };
    hear(answer);
    hear({ type: "message", subscription: 1, topic: "bridge", data: null });
    expect(listener.subscribed).toHaveBeenCalledWith(answer);
    expect(listener.news).toHaveBeenCalledTimes(1);
  });

  test.each(["", "[]", "null", "{", '{"type":7}', '"welcome"'])("%j is no message, and hurts nothing", (text) => {
    const { wire, listener } = startTalk();
    wire()?.message(text);
    wire()?.message(new ArrayBuffer(2));
    expect(listener.welcomed).not.toHaveBeenCalled();
  });

  test("a command is pending, then accepted, then done", async () => {
    const { talk, hear, sent } = startTalk();
    hear(WELCOME);
    const accepted = vi.fn();
    const done = talk.command("pettracer_1", { command: "live", value: true }, accepted);
    expect(sent.at(-1)).toEqual({ type: "command", id: "2", device: "pettracer_1", command: "live", value: true });
    hear({ type: "pending", id: "2", accepted: false });
    expect(accepted).not.toHaveBeenCalled();
    hear({ type: "pending", id: "2", accepted: true, until: "2026-06-01T12:00:00+00:00" });
    expect(accepted).toHaveBeenCalledWith("2026-06-01T12:00:00+00:00");
    hear({ type: "result", id: "2", status: "done" });
    await done;
  });

  test("a refused command brings the sentence, and only its own", async () => {
    const { talk, hear } = startTalk();
    hear(WELCOME);
    const [first, second] = ["a", "b"].map((device) => talk.command(device, { command: "find" }, () => {}));
    hear({ type: "error", id: "2", code: "command_failed", message: "PetTracer refused it." });
    await expect(first).rejects.toMatchObject({ sentence: "PetTracer refused it." });
    hear({ type: "result", id: "3", status: "done" });
    await second;
  });

  test("when it ends, whoever waits is told, and nobody can ask any more", async () => {
    const { talk, hear, wire, isClosed } = startTalk();
    hear(WELCOME);
    const waiting = talk.command("a", { command: "find" }, () => {});
    wire()?.closed(1012);
    await expect(waiting).rejects.toMatchObject({ sentence: undefined });
    await expect(talk.ended).resolves.toEqual({ code: 1012, isWelcomed: true });
    expect(isClosed()).toBe(true);
    await expect(talk.command("a", { command: "find" }, () => {})).rejects.toBeInstanceOf(CommandRefused);
  });

  test("silence is asked about once, and then it is the end", async () => {
    const { talk, hear, clock, sent } = startTalk();
    hear(WELCOME);
    clock.advance(19_999);
    expect(sent.some(({ type }) => type === "ping")).toBe(false);
    clock.advance(1);
    expect(sent.at(-1)).toMatchObject({ type: "ping" });
    hear({ type: "pong", id: "2", at: "2026-06-01T12:00:00+00:00" });
    clock.advance(20_000);
    expect(sent.filter(({ type }) => type === "ping")).toHaveLength(2);
    clock.advance(20_000);
    await expect(talk.ended).resolves.toEqual({ code: 1006, isWelcomed: true });
  });

  test("who never greets is given up", async () => {
    const { talk, clock } = startTalk();
    clock.advance(10_000);
    await expect(talk.ended).resolves.toEqual({ code: 1006, isWelcomed: false });
  });
});

describe("coming back", () => {
  /** Connections that last as long as the test says (ms), and a log of what was done. */
  async function play(lives: readonly number[], obstacles: readonly (Obstacle | undefined)[] = [], random = 0.5) {
    const stop = new AbortController();
    const log: string[] = [];
    let [now, count] = [0, 0];
    const seams: Seams = {
      async connect() {
        const life = lives[count];
        count += 1;
        if (life === undefined) stop.abort();
        now += life ?? 0;
        return { code: 1006, isWelcomed: (life ?? 0) > 0 };
      },
      findObstacle: async () => obstacles[count - 1],
      signIn: async () => void log.push("sign in"),
      pause: async (ms) => void log.push(`${ms}`),
      lost: ({ kind }) => void log.push(kind),
      nowMs: () => now,
      random: () => random,
    };
    await keepConnected(seams, stop.signal);
    return log;
  }

  test("waits longer each time, up to a minute", async () => {
    const waits = (await play(Array.from({ length: 10 }, () => 0))).filter((entry) => /^\d/.test(entry)).map(Number);
    expect(waits).toEqual(Array.from({ length: 10 }, (_, attempt) => retryDelayMs(attempt, 0.5)));
    expect(waits[0]).toBeLessThanOrEqual(1_200);
    expect(waits.at(-1)).toBe(55_000);
  });

  test("the waits of many pages are spread", async () => {
    const first = async (random: number): Promise<number> => Number((await play([0], [], random))[1]);
    expect(await first(0)).toBe(850);
    expect(await first(1)).toBe(1_150);
  });

  test("a connection that was good begins anew; one that was cut at once does not", async () => {
    const waits = async (lives: readonly number[]): Promise<number[]> =>
      (await play(lives)).filter((entry) => /^\d/.test(entry)).map(Number);
    expect(await waits([0, 0, 60_000, 0])).toEqual([1_000, 2_000, 1_000, 2_000]);
    expect(await waits([500, 500, 500])).toEqual([1_000, 2_000, 3_000]);
  });

  test("a token is asked for, and then it goes on at once", async () => {
    expect(await play([0, 0], [{ kind: "unauthorized" }, undefined])).toEqual([
      "unauthorized",
      "sign in",
      "unreachable",
      "1000",
    ]);
  });

  test("a refusal is told, and tried again", async () => {
    expect(await play([0], [{ kind: "refused", sentence: "Open it in Home Assistant." }])).toEqual(["refused", "1000"]);
  });
});
