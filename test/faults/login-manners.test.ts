/**
 * An hour of each thing that can go wrong with a login, by a clock that is turned by hand: how often the cloud is asked,
 * by a program that runs through, and by one that is started anew every ten seconds.
 */
import dns from "node:dns";
import { createServer } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { FatalError, RecoverableError } from "../../src/lib/errors.ts";
import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { type Condition, supervise } from "../../src/lib/supervise.ts";
import { createLoginGate, type LoginKeep } from "../../src/sources/pettracer/login-gate.ts";
import { type AccountOptions, accountOptions } from "../../src/sources/pettracer/options.ts";
import { createSession } from "../../src/sources/pettracer/session.ts";
import { createPetTracerSource } from "../../src/sources/pettracer/source.ts";
import { OWNER, stationAndOreo } from "../support/house.ts";
import { memoryStream } from "../support/stream.ts";

const requests = vi.hoisted(() => ({ at: [] as number[], open: 0, most: 0 }));

vi.mock(import("../../src/lib/http.ts"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    async request(url: string, options: Parameters<typeof actual.request>[1]) {
      if (!url.endsWith("/user/login")) return await actual.request(url, options);
      requests.at.push(Date.now());
      requests.open += 1;
      requests.most = Math.max(requests.most, requests.open);
      try {
        return await actual.request(url, options);
      } finally {
        requests.open -= 1;
      }
    },
  };
});

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
/** Real milliseconds without any news after which only the clock can help. */
const STUCK_MS = 400;

let cloud: Cloud;
let log: Logger;

beforeEach(async () => {
  cloud = await startCloud();
  stationAndOreo(cloud);
  log = await createLog({ level: "error", format: "json", scrubber: createScrubber(), output: memoryStream() });
  Object.assign(requests, { at: [], open: 0, most: 0 });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await cloud.close();
});

function account(changes: Partial<AccountOptions> = {}): AccountOptions {
  return accountOptions.parse({
    username: OWNER.login,
    password: OWNER.password,
    portal_url: cloud.portalUrl,
    stream_url: cloud.streamUrl,
    ...changes,
  });
}

function memoryKeep(text = ""): LoginKeep & { text: string } {
  const keep = {
    text,
    read: (): unknown => (keep.text === "" ? undefined : JSON.parse(keep.text)),
    write(value: object) {
      keep.text = JSON.stringify(value);
    },
  };
  return keep;
}

/** Lets what is on the network happen, until `isQuiet`, or until only the clock can help. */
async function quiet(isQuiet: () => boolean): Promise<void> {
  const startedAt = process.hrtime.bigint();
  while (!isQuiet() && Number(process.hrtime.bigint() - startedAt) / 1e6 < STUCK_MS) await turn();
}

/** The account's source under its supervisor for `ms`, as the daemon has it. */
async function runFor(ms: number, options: AccountOptions, logins: LoginKeep, hangs = false): Promise<void> {
  const stop = new AbortController();
  const source = createPetTracerSource("pettracer", options, { log, scrubber: createScrubber(), logins });
  let isWaiting = false;
  const onCondition = ({ state }: Condition): void => {
    isWaiting = state !== "starting";
  };
  const ended = supervise(
    (signal, ready) => {
      isWaiting = false;
      return source.run(() => {}, signal, ready);
    },
    { name: "pettracer", log, signal: stop.signal, onCondition },
  );
  const isHanging = (): boolean => cloud.calls.some(({ status, abandoned }) => status === 0 && !abandoned);
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, ms);
  while (!isOver) {
    await quiet(() => isWaiting || (hangs && isHanging()));
    await vi.advanceTimersToNextTimerAsync();
  }
  stop.abort();
  await ended;
}

function gaps(): number[] {
  return requests.at.slice(1).map((at, index) => at - (requests.at[index] ?? 0));
}

/** The most logins within any hour. */
function mostWithinAnHour(): number {
  return Math.max(0, ...requests.at.map((from) => requests.at.filter((at) => at >= from && at < from + HOUR).length));
}

const FAULTS: readonly [name: string, set: () => void, most: number][] = [
  ["401", () => cloud.faults.login("refuse"), 1],
  ["403", () => cloud.faults.login({ status: 403 }), 1],
  ["429", () => cloud.faults.login({ status: 429 }), 20],
  ["429 with Retry-After", () => cloud.faults.login({ status: 429, retryAfter: 900 }), 4],
  ["500", () => cloud.faults.login({ status: 500 }), 20],
  ["503 with Retry-After", () => cloud.faults.login({ status: 503, retryAfter: 1_200 }), 3],
  ["a web page", () => cloud.faults.login("html"), 20],
];

async function startAgainAndAgain(options: AccountOptions, hangs = false): Promise<void> {
  const keep = memoryKeep();
  // Not at the very moment at which a wait of whole seconds ends: who is killed then has asked, and knows no answer.
  for (let start = 0; start < 355; start += 1) await runFor(10 * SECOND + 7, options, keep, hangs);
}

describe("an hour of", () => {
  test.each(FAULTS)("%s, of one that runs through", async (_, set, most) => {
    set();
    await runFor(HOUR - SECOND, account(), memoryKeep());
    expect(requests.at.length).toBeGreaterThanOrEqual(Math.min(most, 15));
    expect(requests.at.length).toBeLessThanOrEqual(most);
  });

  test.each(FAULTS)(
    "%s, of one that is started every 10 s",
    async (_, set, most) => {
      set();
      await startAgainAndAgain(account());
      expect(requests.at.length).toBeGreaterThanOrEqual(Math.min(most, 15));
      expect(requests.at.length).toBeLessThanOrEqual(most);
    },
    120_000,
  );

  test("no answer, of one that runs through, and of one that is killed every 10 s", async () => {
    cloud.faults.login("hang");
    await runFor(HOUR, account(), memoryKeep(), true);
    expect(requests.at.length).toBeGreaterThan(10);
    expect(mostWithinAnHour()).toBeLessThanOrEqual(20);
    requests.at.length = 0;
    await startAgainAndAgain(account(), true);
    expect(requests.at.length).toBeGreaterThan(10);
    expect(mostWithinAnHour()).toBeLessThanOrEqual(20);
    expect(requests.most).toBe(1);
  }, 120_000);

  test.each(["nobody who listens", "no such name"])(
    "%s: back within 65 s, however it is started",
    async (fault) => {
      if (fault === "no such name") failLookups();
      else cloud.faults.refuseConnections("closed");
      const options = fault === "no such name" ? account({ portal_url: "http://cat.invalid/api" }) : account();
      await runFor(HOUR, options, memoryKeep());
      // The login was never reached: it is not to be spared.
      expect(Math.max(...gaps())).toBeLessThanOrEqual(65 * SECOND);
      expect(requests.at.length).toBeLessThan(80);
      requests.at.length = 0;
      await startAgainAndAgain(options);
      expect(Math.max(...gaps())).toBeLessThanOrEqual(65 * SECOND);
      expect(requests.at.length).toBeLessThan(90);
    },
    120_000,
  );

  test.each(["stream", "REST"])(
    "a token that the login gives and %s refuses",
    async (part) => {
      const door = await refusingDoor();
      if (part === "REST") cloud.faults.answer("/map", "refuse");
      const options = part === "REST" ? account() : account({ stream_url: door.url });
      await runFor(HOUR, options, memoryKeep());
      expect(requests.at.length).toBeGreaterThanOrEqual(2);
      expect(requests.at.length).toBeLessThanOrEqual(8);
      requests.at.length = 0;
      await startAgainAndAgain(options);
      expect(requests.at.length).toBeLessThanOrEqual(20);
      await door.close();
    },
    120_000,
  );

  test("logins that succeed, of one that crashes every 10 s", async () => {
    const door = await refusingDoor();
    await startAgainAndAgain(account({ stream_url: door.url }));
    expect(requests.at.length).toBeGreaterThan(15);
    expect(mostWithinAnHour()).toBeLessThanOrEqual(20);
    await door.close();
  }, 120_000);
});

/** What is told at level info, and what is only counted. */
describe("a day of", () => {
  const DAYS: readonly [name: string, set: () => void, first: RegExp][] = [
    ["500", () => cloud.faults.login({ status: 500 }), /HTTP 500/],
    ["429 with Retry-After", () => cloud.faults.login({ status: 429, retryAfter: 900 }), /HTTP 429/],
    ["401", () => cloud.faults.login("refuse"), /refused the login \(401\)/],
    ["a web page", () => cloud.faults.login("html"), /a web page/],
    ["listings that fail", () => cloud.faults.answer("/map", { status: 500 }), /HTTP 500/],
    ["nobody who listens", () => cloud.faults.refuseConnections("closed"), /ECONNREFUSED/],
    ["a stream that is refused", () => cloud.faults.stream({ status: 503 }), /HTTP 503/],
  ];

  test.each(DAYS)(
    "%s: a short log, and its first line at once",
    async (_, set, first) => {
      const output = memoryStream();
      log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output });
      const told = (): { msg: string; level: string }[] =>
        output
          .text()
          .split("\n")
          .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { msg: string; level: string }]));
      set();
      const keep = memoryKeep();
      await runFor(24 * HOUR, account(), keep);
      expect(told()[0]?.msg).toMatch(first);
      expect(told()[0]?.level).toMatch(/warn|error/);
      expect(told().length).toBeGreaterThan(3);
      expect(told().length).toBeLessThan(100);
    },
    120_000,
  );
});

test("a subscription that is over costs a login an hour, and its renewal is noticed by it", async () => {
  cloud.addAccount({ ...OWNER, subscriptionEnds: new Date(Date.now() - 100 * HOUR).toISOString().slice(0, 10) });
  const one = session(memoryKeep());
  for (let minute = 0; minute < 180; minute += 10) {
    await one.token(forever);
    await pass(10 * MINUTE);
  }
  expect(requests.at).toHaveLength(3);
  expect(one.account().subscriptionEndsAt).toBeLessThan(Date.now());
  cloud.addAccount(OWNER);
  for (let minute = 0; minute < 600; minute += 10) {
    await one.token(forever);
    await pass(10 * MINUTE);
  }
  expect(requests.at).toHaveLength(4);
  expect(one.account().subscriptionEndsAt).toBeGreaterThan(Date.now());
});

test("what Retry-After asks for holds for every call of the account, and not for longer", async () => {
  const one = session(memoryKeep());
  await one.call("/map/getccs", forever);
  cloud.faults.answer("/map/getccs", { status: 503, retryAfter: 120 }, 1);
  expect((await errorOf(one.call("/map/getccs", forever))).retryAfterMs).toBe(120_000);
  const before = cloud.calls.length;
  const error = await errorOf(one.send("/map/setccled/14758/1", forever));
  expect(error.message).toBe("PetTracer asked for patience for another 2 min");
  expect(error.retryAfterMs).toBeGreaterThan(100_000);
  await pass(119 * SECOND);
  await errorOf(one.call("/user/gethomestations", forever));
  expect(cloud.calls.length).toBe(before);
  await pass(2 * SECOND);
  await one.call("/map/getccs", forever);
});

test("403 renews the token of a listing, which everybody may ask for, and not that of a command", async () => {
  const one = session(memoryKeep());
  await one.call("/map/getccs", forever);
  for (let count = 0; count < 3; count += 1) {
    cloud.faults.answer("/map/setccled", { status: 403 }, 1);
    expect((await errorOf(one.send("/map/setccled/14758/1", forever))).message).toMatch(/HTTP 403, it is not allowed/);
  }
  expect(requests.at).toHaveLength(1);
  cloud.faults.answer("/map/getccs", { status: 403 }, 1);
  await one.call("/map/getccs", forever);
  expect(requests.at).toHaveLength(2);
});

test("a call that is refused for ever costs one login in ten minutes, though others are taken", async () => {
  const one = session(memoryKeep());
  cloud.faults.answer("/map/getccs", "refuse");
  for (let minute = 0; minute < 9; minute += 1) {
    await errorOf(one.call("/map/getccs", forever));
    await one.call("/user/gethomestations", forever);
    await pass(MINUTE);
  }
  expect(requests.at).toHaveLength(2);
  // One that it took once may expire like any other.
  cloud.faults.answer("/map/getccs", "ok");
  await one.call("/map/getccs", forever);
  cloud.faults.expireTokens();
  await one.call("/map/getccs", forever);
  expect(requests.at).toHaveLength(3);
});

/** As a resolver without a network has it. */
function failLookups(): void {
  const lookup = (host: string, _options: unknown, done: (error: Error) => void): void => {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
    process.nextTick(() => done(error));
  };
  vi.spyOn(dns, "lookup").mockImplementation(lookup as unknown as typeof dns.lookup);
}

/** A stream that refuses every token. */
async function refusingDoor(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.once("listening", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { url: `ws://127.0.0.1:${address.port}/sc`, close };
}

const forever = new AbortController().signal;

function session(logins: LoginKeep, changes: Partial<AccountOptions> = {}, isAsked = false) {
  return createSession(account(changes), { scrubber: createScrubber(), logins, isAsked });
}

/** The error of a login that is not let through, or goes wrong. */
async function errorOf(promise: Promise<unknown>): Promise<FatalError | RecoverableError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FatalError || error instanceof RecoverableError) return error;
    throw error;
  }
  throw new Error("it went well");
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("a refused login", () => {
  test("is refused here for the rest of the hour, also after a restart, and then tried once more", async () => {
    const keep = memoryKeep();
    cloud.faults.login("refuse");
    expect(await errorOf(session(keep).token(forever))).toBeInstanceOf(FatalError);
    await pass(20 * MINUTE);
    const error = await errorOf(session(keep).token(forever));
    expect(error).toBeInstanceOf(FatalError);
    expect(error.message).toMatch(/refused the login \(401\): check pettracer.username and pettracer.password/);
    expect(Math.round((error.retryAfterMs ?? 0) / MINUTE)).toBe(40);
    expect(requests.at).toHaveLength(1);
    await pass(40 * MINUTE);
    await errorOf(session(keep).token(forever));
    expect(requests.at).toHaveLength(2);
  });

  test("parks the source after a restart for what is left of the hour", async () => {
    const keep = memoryKeep();
    cloud.faults.login("refuse");
    await errorOf(session(keep).token(forever));
    await pass(20 * MINUTE);
    await runFor(39 * MINUTE, account(), keep);
    expect(requests.at).toHaveLength(1);
    cloud.faults.login("ok");
    await runFor(2 * MINUTE, account({ stream_url: "ws://127.0.0.1:9/sc" }), keep);
    expect(requests.at).toHaveLength(2);
  });

  test.each([{ password: "another one" }, { username: "other@example.com" }])(
    "is tried at once with %o",
    async (changes) => {
      const keep = memoryKeep();
      await errorOf(session(keep, { password: "wrong" }).token(forever));
      await errorOf(session(keep, { password: "wrong", ...changes }).token(forever));
      expect(requests.at).toHaveLength(2);
    },
  );

  test("is tried at once, and once, when a person asks; what succeeds then opens the door for all", async () => {
    const keep = memoryKeep();
    cloud.faults.login("refuse", 2);
    await errorOf(session(keep).token(forever));
    const asked = session(keep, {}, true);
    await errorOf(asked.token(forever));
    await errorOf(asked.token(forever));
    expect(requests.at).toHaveLength(2);
    await session(keep, {}, true).token(forever);
    await session(keep).token(forever);
    expect(requests.at).toHaveLength(4);
  });
});

describe("what a person asks for", () => {
  test("waits for Retry-After, too, also after a restart", async () => {
    const keep = memoryKeep();
    cloud.faults.login({ status: 429, retryAfter: 600 }, 1);
    await errorOf(session(keep).token(forever));
    const error = await errorOf(session(keep, {}, true).token(forever));
    expect(error.message).toMatch(/not asked for another login before 2\d{3}-.*PetTracer asked for patience/);
    expect(Math.round((error.retryAfterMs ?? 0) / SECOND)).toBe(600);
    await pass(600 * SECOND);
    await session(keep, {}, true).token(forever);
    expect(requests.at).toHaveLength(2);
  });

  test("counts, and there are twenty an hour", async () => {
    const keep = memoryKeep();
    for (let count = 0; count < 20; count += 1) await session(keep, {}, true).token(forever);
    const error = await errorOf(session(keep, {}, true).token(forever));
    expect(error.message).toMatch(/since the last ones were many \(20 within an hour\)/);
    expect(error.retryAfterMs).toBeGreaterThan(50 * MINUTE);
    await errorOf(session(keep).token(forever));
    expect(requests.at).toHaveLength(20);
    await pass(HOUR);
    await session(keep).token(forever);
  });
});

test("two sessions of one account log in one after the other; two accounts need not", async () => {
  const keep = memoryKeep();
  await Promise.all([session(keep).token(forever), session(keep).token(forever), session(memoryKeep()).token(forever)]);
  expect(requests).toMatchObject({ most: 1, at: [expect.any(Number), expect.any(Number), expect.any(Number)] });
});

test("another process that is logging in at this moment is waited for, and no longer than it can take", async () => {
  const keep = memoryKeep();
  let release = (): void => {};
  const held = createLoginGate(account(), keep, false).pass(
    () => new Promise<void>((done) => (release = done)),
    forever,
  );
  await quiet(() => keep.text !== "");
  const busy = keep.text;
  expect(busy).toMatch(/"busyUntilAt":[1-9]/);
  release();
  await held;
  const next = memoryKeep(busy);
  const token = session(next).token(forever);
  await pass(19 * SECOND);
  expect(requests.at).toHaveLength(0);
  await pass(2 * SECOND);
  await token;
  expect(requests.at).toHaveLength(1);
});

test("a folder that cannot be written to is no reason to forget while the program runs", async () => {
  const keep: LoginKeep = { read: () => undefined, write: () => {} };
  cloud.faults.login({ status: 429, retryAfter: 600 }, 1);
  const one = session(keep);
  await errorOf(one.token(forever));
  await errorOf(one.token(forever));
  expect(requests.at).toHaveLength(1);
});

test("neither password nor user name is written, and the same password looks different elsewhere", async () => {
  const [one, other] = [memoryKeep(), memoryKeep()];
  for (const keep of [one, other]) await errorOf(session(keep, { password: "wrong-wrong" }).token(forever));
  expect(one.text).toContain("refused the login");
  for (const secret of ["wrong-wrong", OWNER.login, "127.0.0.1"]) expect(one.text).not.toContain(secret);
  const hashOf = ({ text }: { text: string }): string | undefined => /"credentials":"(\w+)"/.exec(text)?.[1];
  expect(hashOf(one)).toMatch(/^\w{32}$/);
  expect(hashOf(one)).not.toBe(hashOf(other));
});

test("a clock that was ahead locks nobody out", async () => {
  const keep = memoryKeep();
  const now = Date.now();
  vi.setSystemTime(now + 365 * 24 * HOUR);
  cloud.faults.login("refuse");
  for (let count = 0; count < 3; count += 1) await errorOf(session(keep, {}, true).token(forever));
  cloud.faults.login({ status: 429, retryAfter: 3_000 }, 1);
  await errorOf(session(keep, {}, true).token(forever));
  vi.setSystemTime(now);
  cloud.faults.login("ok");
  await session(keep).token(forever);
});

test("whatever the file holds, a login is possible within an hour", async () => {
  vi.useRealTimers();
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.constant("x".repeat(20)));
  const record = fc.dictionary(
    fc.constantFrom("changedAt", "loginsAt", "failures", "failedAt", "notBeforeAt", "busyUntilAt", "refusal"),
    fc.oneof(value, fc.array(value)),
  );
  const file = fc.oneof(
    value,
    fc.record({ salt: value, accounts: fc.dictionary(fc.string(), fc.oneof(record, value)) }),
  );
  await fc.assert(
    fc.asyncProperty(file, async (content) => {
      const keep: LoginKeep = { read: () => content, write: () => {} };
      expect(await createLoginGate(account(), keep, false).pass(() => Promise.resolve(1), forever)).toBe(1);
    }),
    { numRuns: 200 },
  );
});
