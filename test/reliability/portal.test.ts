/**
 * What can go wrong with PetTracer's portal, while the stream goes on. Listings, which are made every quarter of an hour,
 * are made every second here: so its faults show soon.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { account, OWNER } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { type Household, type HouseholdOptions, PORTAL_HOST } from "./support/household.ts";
import { identities } from "./support/identities.ts";
import { measure } from "./support/measure.ts";
import { BACK_MS, NO_ANSWER_MS, NOTICED_MS, SHORT_MS, SOON_MS } from "./support/promises.ts";
import type { Measured, Watch } from "./support/watch.ts";

const PORTAL = "PetTracer's portal";
/** What the cloud refuses is tried again after half a minute, while the stream goes on. */
const REFUSED_MS = 31_000;
/** So much later a fault shows at most: the next listing is due. */
const DUE_MS = 10_000;

const often = (more: HouseholdOptions = {}): HouseholdOptions => ({
  config: { pettracer: { refresh: "1s" } },
  ...more,
});

interface Fault {
  readonly begin: () => unknown;
  readonly end: () => unknown;
  readonly forMs: number;
  /** What the log says, and when it says so at the latest. */
  readonly sentence: RegExp;
  readonly noticedMs?: number;
  readonly wholeMs?: number;
}

/** Listings fail for a while and work again; the stream does not care. */
async function failing(house: Household, fault: Fault): Promise<{ watch: Watch; row: Measured }> {
  const watch = await house.watch(fault.begin);
  const noticedMs = await watch.noticed(fault.noticedMs ?? DUE_MS, fault.sentence);
  await house.whole(SOON_MS);
  await pause(fault.forMs);
  watch.over();
  await fault.end();
  const wholeMs = await watch.told(/snapshots work again/, fault.wholeMs ?? SOON_MS);
  await house.whole(SOON_MS);
  expect(watch.lines().some(({ msg }) => msg.includes("the live stream ended"))).toBe(false);
  return { watch, row: watch.row({ noticedMs, wholeMs }) };
}

async function measured(house: Household, fault: Fault): Promise<Measured> {
  const { watch, row } = await failing(house, fault);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 0 });
  return row;
}

measure(
  PORTAL,
  "refused",
  (house) =>
    measured(house, {
      begin: () => house.portal.refuse(),
      end: () => house.portal.accept(),
      forMs: 3_000,
      sentence: /no snapshot: portal\.cloud\.test:\d+ cannot be reached: .*ECONNREFUSED/,
    }),
  often,
);

measure(
  PORTAL,
  "reset",
  (house) =>
    measured(house, {
      begin: () => house.portal.refuse("reset"),
      end: () => house.portal.accept(),
      forMs: 3_000,
      sentence: /no snapshot: .*cannot be reached: .*ECONNRESET/,
    }),
  often,
);

measure(
  PORTAL,
  "clean close",
  async (house) => {
    // Calls that were on their way when the other side hung up; the stream is left alone.
    house.portal.hold();
    const before = house.cloud.calls.length;
    await house.cloud.waitFor(() => house.cloud.calls.length >= before + 2, 10_000);
    return await measured(house, {
      begin: () => {
        house.portal.hangUp();
        house.portal.release();
      },
      end: () => {},
      forMs: 0,
      sentence: /no snapshot: .*cannot be reached: .*socket hang up/,
    });
  },
  often,
);

measure(
  PORTAL,
  "half-open (frozen)",
  (house) =>
    measured(house, {
      begin: () => house.portal.freeze(),
      end: () => house.portal.release(),
      forMs: 0,
      noticedMs: NO_ANSWER_MS,
      sentence: /no snapshot: .*did not answer within 15 s/,
    }),
  often,
);

measure(
  PORTAL,
  "hang",
  (house) =>
    measured(house, {
      begin: () => house.cloud.faults.answer("/map", "hang"),
      end: () => house.cloud.faults.answer("/map", "ok"),
      forMs: 0,
      noticedMs: NO_ANSWER_MS,
      sentence: /no snapshot: .*did not answer within 15 s/,
    }),
  often,
);

/** Slow is not broken: nothing is given up for it. */
async function slow(house: Household, begin: () => void): Promise<Measured> {
  const watch = await house.watch(begin);
  await pause(NOTICED_MS);
  await house.whole(SOON_MS);
  expect(watch.lines().filter(({ level }) => level !== "info")).toEqual([]);
  expect(watch.calls().listings).toBeGreaterThanOrEqual(1);
  return watch.row({ noticedMs: null, wholeMs: null });
}

measure(PORTAL, "slow: 2 s latency", (house) => slow(house, () => house.portal.pace({ latencyMs: 2_000 })), often);

measure(
  PORTAL,
  "slow: 1 kB/s",
  (house) => {
    // A listing of more than 20 kB: it takes longer than a request may be silent.
    for (let id = 1; id <= 20; id += 1) house.cloud.addCollar(OWNER.login, { id });
    return slow(house, () => house.portal.pace({ bytesPerS: 1_000 }));
  },
  often,
);

measure(
  PORTAL,
  "cut in the middle of a frame",
  (house) =>
    measured(house, {
      begin: () => house.portal.cutAfter(200),
      end: () => house.portal.accept(),
      forMs: 2_000,
      sentence: /no snapshot: .*cannot be reached: /,
    }),
  often,
);

measure(
  PORTAL,
  "DNS gone",
  (house) =>
    measured(house, {
      begin: () => house.computer.forget(PORTAL_HOST),
      end: () => house.computer.forget(),
      forMs: 4_000,
      sentence: /no snapshot: .*ENOTFOUND portal\.cloud\.test/,
    }),
  often,
);

measure(
  PORTAL,
  "TLS failure",
  async (house) => {
    const { expired, unknown, otherName, right } = await identities();
    const watch = await house.watch(() => house.portal.identify(expired));
    const noticedMs = await watch.noticed(DUE_MS, /its certificate has expired: is this computer's clock right\?/);
    house.portal.identify(unknown);
    await watch.noticed(10_000, /signed by nobody whom this computer knows: set the variable NODE_EXTRA_CA_CERTS/);
    house.portal.identify(otherName);
    await watch.noticed(10_000, /its certificate is for another name/);
    watch.over();
    house.portal.identify(right);
    const wholeMs = await watch.told(/snapshots work again/, SOON_MS);
    return watch.row({ noticedMs, wholeMs });
  },
  async () => {
    const { authority, right } = await identities();
    return often({ tls: { authority, identity: right } });
  },
);

/** The network is gone, for both halves of the cloud. */
async function outage(house: Household, ms: number, promisedMs: number): Promise<Measured> {
  const watch = await house.watch(() => {
    house.portal.refuse("reset");
    house.stream.refuse("reset");
    house.stream.reset();
  });
  const noticedMs = await watch.noticed(5_000);
  await pause(ms);
  watch.over();
  await Promise.all([house.portal.accept(), house.stream.accept()]);
  const wholeMs = await watch.whole(promisedMs);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 1 });
  return watch.row({ noticedMs, wholeMs });
}

measure(PORTAL, "short outage", (house) => outage(house, SHORT_MS, SOON_MS));

measure(PORTAL, "long outage", (house) => outage(house, 90_000, BACK_MS));

const ERRORS = [
  ["403", { status: 403 }, /no snapshot: .*HTTP 403, it is not allowed/],
  ["401", "refuse", /no snapshot: .*HTTP 401, the token was refused/],
  ["500", { status: 500 }, /no snapshot: .*HTTP 500, the cloud has a problem/],
  ["503", { status: 503 }, /no snapshot: .*HTTP 503, the cloud is out of service/],
  ["HTML instead of JSON", "html", /no snapshot: .*was no JSON, but a web page/],
] as const;

for (const [fault, mode, sentence] of ERRORS) {
  measure(
    PORTAL,
    fault,
    async (house) => {
      const { watch, row } = await failing(house, {
        begin: () => house.cloud.faults.answer("/map", mode),
        end: () => house.cloud.faults.answer("/map", "ok"),
        forMs: 35_000,
        sentence,
        wholeMs: REFUSED_MS,
      });
      // A token that is refused is replaced once: the fault is not the token's.
      expect(watch.calls()).toMatchObject({ logins: fault === "401" || fault === "403" ? 1 : 0, streams: 0 });
      return row;
    },
    often,
  );
}

measure(
  PORTAL,
  "429 with Retry-After",
  async (house) => {
    const askedMs = 40_000;
    const watch = await house.watch(() =>
      house.cloud.faults.answer("/map/getccs", { status: 429, retryAfter: askedMs / 1_000 }, 1),
    );
    const noticedMs = await watch.noticed(DUE_MS, /no snapshot: .*HTTP 429, too many requests/);
    const before = house.cloud.calls.length;
    await pause(askedMs - 3_000);
    expect(house.cloud.calls.length).toBe(before);
    await pause(3_000);
    watch.over();
    const wholeMs = await watch.told(/snapshots work again/, SOON_MS);
    return watch.row({ noticedMs, wholeMs });
  },
  often,
);

measure(
  PORTAL,
  "token expired while connected",
  async (house) => {
    const watch = await house.watch(() => house.cloud.faults.expireTokens());
    await house.cloud.waitFor(() => watch.calls().logins === 1, SOON_MS);
    const { listings } = watch.calls();
    await house.cloud.waitFor(() => watch.calls().listings > listings + 1, SOON_MS);
    await house.whole(SOON_MS);
    expect(watch.calls()).toMatchObject({ tries: 0, logins: 1, streams: 0 });
    expect(watch.lines()).toEqual([]);
    return watch.row({ noticedMs: null, wholeMs: null });
  },
  often,
);

measure(PORTAL, "token expired while down", async (house) => {
  const watch = await house.watch(() => {
    house.portal.refuse("reset");
    house.stream.refuse("reset");
    house.stream.reset();
  });
  const noticedMs = await watch.noticed(5_000);
  await pause(80_000);
  house.cloud.faults.expireTokens();
  watch.over();
  await Promise.all([house.portal.accept(), house.stream.accept()]);
  const wholeMs = await watch.whole(BACK_MS);
  expect(watch.calls().logins).toBe(1);
  return watch.row({ noticedMs, wholeMs });
});

measure(
  PORTAL,
  "subscription over",
  async (house) => {
    const problem = (): unknown => json(house.mqtt.latest(account.state) ?? "{}").problem;
    const watch = await house.watch(() => {
      house.cloud.addAccount({ ...OWNER, subscriptionEnds: "2026-01-31" });
      house.cloud.faults.expireTokens();
    });
    const beganAt = performance.now();
    await house.mqtt.waitUntil(() => problem() === true, "the problem", SOON_MS);
    const noticedMs = Math.round(performance.now() - beganAt);
    const row = watch.row({ noticedMs, wholeMs: null });
    house.cloud.addAccount(OWNER);
    house.cloud.faults.expireTokens();
    const overAt = performance.now();
    await house.mqtt.waitUntil(() => problem() === false, "its end", SOON_MS);
    await house.whole(SOON_MS);
    return { ...row, wholeMs: Math.round(performance.now() - overAt) };
  },
  often,
);
