/** What can go wrong with PetTracer's live stream. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { type Household, STREAM_HOST } from "./support/household.ts";
import { identities } from "./support/identities.ts";
import { measure } from "./support/measure.ts";
import { BACK_MS, NO_ANSWER_MS, NOTICED_MS, SHORT_MS, SOON_MS } from "./support/promises.ts";
import type { Measured, Watch } from "./support/watch.ts";

const STREAM = "PetTracer's stream";

/** It ends at once; nothing is to be waited for before it can be opened again. */
async function ending(house: Household, end: () => unknown): Promise<Measured> {
  const watch = await house.watch(end);
  const noticedMs = await watch.noticed(10_000, /the live stream ended/);
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 1 });
  return watch.row({ noticedMs, wholeMs });
}

/** A fault that stays for a while, and in which the stream has ended. */
async function outage(
  house: Household,
  ms: number,
  { begin, end, isAgain = false }: { readonly begin: () => unknown; readonly end: () => unknown; isAgain?: boolean },
): Promise<{ watch: Watch; noticedMs: number }> {
  const watch = await house.watch(async () => {
    await begin();
    house.stream.reset();
  });
  const noticedMs = await watch.noticed(10_000, /next try in/, isAgain);
  await pause(ms);
  watch.over();
  await end();
  return { watch, noticedMs };
}

measure(STREAM, "reset", (house) => ending(house, () => expect(house.stream.reset()).toBe(1)));

measure(STREAM, "clean close", (house) => ending(house, () => expect(house.cloud.faults.dropStreams()).toBe(1)));

measure(STREAM, "cut in the middle of a frame", async (house) => {
  const measured = await ending(house, () => {
    house.stream.cutAfter(100);
    // More than a hundred bytes: they arrive in part.
    house.cloud.pushRaw(14758, JSON.stringify({ id: 14758, bat: 3_900, more: "x".repeat(500) }));
    setTimeout(() => void house.stream.accept(), 300);
  });
  expect(house.daemon.output()).not.toMatch(/"level":"warn"[^\n]*unreadable/);
  return measured;
});

measure(STREAM, "refused", async (house) => {
  const { watch, noticedMs } = await outage(house, 3_000, {
    begin: () => house.stream.refuse(),
    end: () => house.stream.accept(),
  });
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.lines().map(({ msg }) => msg)).toContainEqual(expect.stringContaining("ECONNREFUSED"));
  return watch.row({ noticedMs, wholeMs });
});

measure(STREAM, "half-open (frozen)", async (house) => {
  const watch = await house.watch(() => house.stream.freeze());
  const noticedMs = await watch.noticed(NOTICED_MS, /nothing was heard for three heart-beats/);
  watch.over();
  house.stream.release();
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.calls()).toMatchObject({ logins: 0 });
  return watch.row({ noticedMs, wholeMs });
});

/** Slow is not broken: news go on, and a stream that is opened meanwhile opens. */
async function slow(house: Household, begin: () => void): Promise<Measured> {
  const watch = await house.watch(begin);
  await watch.whole(20_000);
  await pause(NOTICED_MS);
  expect(watch.lines().filter(({ level }) => level !== "info")).toEqual([]);
  const row = watch.row({ noticedMs: null, wholeMs: null });
  house.stream.reset();
  await watch.noticed(10_000);
  await watch.whole(30_000);
  house.stream.pace({});
  return row;
}

measure(STREAM, "slow: 2 s latency", (house) => slow(house, () => house.stream.pace({ latencyMs: 2_000 })));

measure(STREAM, "slow: 1 kB/s", (house) => slow(house, () => house.stream.pace({ bytesPerS: 1_000 })));

measure(STREAM, "DNS gone", async (house) => {
  const { watch, noticedMs } = await outage(house, 4_000, {
    begin: () => house.computer.forget(STREAM_HOST),
    end: () => house.computer.forget(),
  });
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.lines().map(({ msg }) => msg)).toContainEqual(expect.stringContaining(`ENOTFOUND ${STREAM_HOST}`));
  return watch.row({ noticedMs, wholeMs });
});

measure(
  STREAM,
  "TLS failure",
  async (house) => {
    const { expired, unknown, otherName, right } = await identities();
    const watch = await house.watch(() => {
      house.stream.identify(expired);
      house.stream.reset();
    });
    const noticedMs = await watch.noticed(10_000);
    await watch.noticed(10_000, /its certificate has expired: is this computer's clock right\?/);
    house.stream.identify(unknown);
    await watch.noticed(10_000, /signed by nobody whom this computer knows: set the variable NODE_EXTRA_CA_CERTS/);
    house.stream.identify(otherName);
    await watch.noticed(10_000, /its certificate is for another name/);
    watch.over();
    house.stream.identify(right);
    const wholeMs = await watch.whole(SOON_MS);
    return watch.row({ noticedMs, wholeMs });
  },
  async () => {
    const { authority, right } = await identities();
    return { tls: { authority, identity: right } };
  },
);

measure(STREAM, "short outage", async (house) => {
  const rows: Measured[] = [];
  for (const ms of [500, 5_000, SHORT_MS]) {
    // The schedule of tries begins anew after a minute without a failure.
    if (rows.length > 0) await pause(61_000);
    const { watch, noticedMs } = await outage(house, ms, {
      begin: () => house.stream.refuse("reset"),
      end: () => house.stream.accept(),
      isAgain: rows.length > 0,
    });
    rows.push(watch.row({ noticedMs, wholeMs: await watch.whole(SOON_MS) }));
  }
  return rows.reduce((worst, row) => ((row.wholeMs ?? 0) >= (worst.wholeMs ?? 0) ? row : worst));
});

measure(STREAM, "long outage", async (house) => {
  const { watch, noticedMs } = await outage(house, 90_000, {
    begin: () => house.stream.refuse("reset"),
    end: () => house.stream.accept(),
  });
  const wholeMs = await watch.whole(BACK_MS);
  // While there is no stream, listings stand in for it, a minute apart.
  expect(watch.calls().listings).toBeGreaterThanOrEqual(1);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 1 });
  return watch.row({ noticedMs, wholeMs });
});

const REFUSALS = [
  ["401", "refuse", /HTTP 401/],
  ["403", { status: 403 }, /HTTP 403/],
  ["500", { status: 500 }, /HTTP 500/],
  ["503", { status: 503 }, /HTTP 503/],
  ["HTML instead of JSON", "html", /HTTP 200/],
] as const;

for (const [fault, mode, sentence] of REFUSALS) {
  measure(STREAM, fault, async (house) => {
    const { watch, noticedMs } = await outage(house, 6_000, {
      begin: () => house.cloud.faults.stream(mode),
      end: () => house.cloud.faults.stream("ok"),
    });
    const wholeMs = await watch.whole(SOON_MS);
    expect(watch.lines().map(({ msg }) => msg)).toContainEqual(expect.stringMatching(sentence));
    // A token that is refused is replaced once: the fault is not the token's.
    expect(watch.calls().logins).toBeLessThanOrEqual(fault === "401" || fault === "403" ? 1 : 0);
    return watch.row({ noticedMs, wholeMs });
  });
}

measure(STREAM, "429 with Retry-After", async (house) => {
  const askedMs = 15_000;
  const { watch, noticedMs } = await outage(house, 2_000, {
    begin: () => house.cloud.faults.stream({ status: 429, retryAfter: askedMs / 1_000 }, 1),
    end: () => {},
  });
  // It was refused once, a second or two ago; until the time is over nothing else is tried.
  await pause(askedMs - 4_000);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 1 });
  await pause(2_000);
  watch.over();
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.calls().streams).toBe(2);
  return watch.row({ noticedMs, wholeMs });
});

measure(STREAM, "hang", async (house) => {
  const { watch } = await outage(house, 0, {
    begin: () => house.cloud.faults.stream("hang"),
    end: () => {},
  });
  const noticedMs = await watch.noticed(NO_ANSWER_MS, /cannot be opened/);
  watch.over();
  house.cloud.faults.stream("ok");
  const wholeMs = await watch.whole(SOON_MS);
  return watch.row({ noticedMs, wholeMs });
});

measure(STREAM, "token expired while connected", async (house) => {
  const watch = await house.watch(() => house.cloud.faults.expireTokens());
  // The cloud leaves it open; news go on, and nobody logs in for that.
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.calls()).toEqual({ tries: 0, logins: 0, listings: 0, streams: 0 });
  const row = watch.row({ noticedMs: null, wholeMs: null });
  house.stream.reset();
  await watch.noticed(10_000, /the live stream ended/);
  await watch.whole(SOON_MS);
  expect(watch.calls().logins).toBe(1);
  expect(wholeMs).toBeLessThan(SOON_MS);
  return row;
});

measure(STREAM, "token expired while down", async (house) => {
  const { watch, noticedMs } = await outage(house, SHORT_MS, {
    begin: () => house.stream.refuse("reset"),
    end: async () => {
      house.cloud.faults.expireTokens();
      await house.stream.accept();
    },
  });
  const wholeMs = await watch.whole(SOON_MS);
  expect(watch.calls().logins).toBe(1);
  return watch.row({ noticedMs, wholeMs });
});
