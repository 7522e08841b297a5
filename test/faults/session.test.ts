/** What the login, the token and the listings can suffer: no login too many, and no device lost. */
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test, vi } from "vitest";
import { countCalls } from "../support/counts.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  callsOf,
  type House,
  moveIn,
  openHouse,
  oreo,
  shown,
  time,
  withBeacon,
} from "../support/house.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;

function fix(minutes: number) {
  return { lastPos: { posLat: 51.4 + minutes / 1_000, posLong: -1.08, acc: 5, timeMeasure: time(minutes) } };
}

async function expectFix(house: House, minutes: number): Promise<void> {
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(minutes) });
}

/** Milliseconds between two logins that follow each other. */
function loginGaps(house: House): number[] {
  const at = callsOf(house.cloud, "/user/login").map((call) => call.at);
  return at.slice(1).map((later, index) => later - (at[index] ?? 0));
}

test_("a token that expires while the stream is open is renewed once, and the stream stays", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const [before, calls] = [countCalls(cloud), cloud.calls.length];
  const [stream] = cloud.sessions;
  cloud.faults.expireTokens();
  const listings = (status: number): number =>
    callsOf(cloud, "/map/getccs", calls).filter((call) => call.status === status).length;
  await cloud.waitFor(() => listings(200) >= 2, 20_000);
  expect(countCalls(cloud, before)).toMatchObject({ logins: 1, upgrades: 0 });
  expect(listings(401)).toBe(1);
  expect(cloud.sessions[0]).toBe(stream);
  house.push(14758, fix(1));
  await expectFix(house, 1);
});

test_("a token that expires while everything is down is renewed once", async (context) => {
  const house = await moveIn(context);
  await house.confirmed();
  const { cloud } = house;
  const before = countCalls(cloud);
  cloud.faults.refuseConnections("closed");
  cloud.faults.dropStreams();
  cloud.faults.expireTokens();
  await house.logged(/the live stream ended/);
  cloud.push(14758, fix(1));
  await cloud.faults.acceptConnections();
  await expectFix(house, 1);
  await house.live();
  expect(countCalls(cloud, before)).toEqual({ logins: 1, listings: 1, upgrades: 2, calls: 3 });
  expect(cloud.upgrades.map(({ status }) => status)).toEqual([101, 401, 101]);
  house.push(14758, fix(2));
  await expectFix(house, 2);
});

test_("a token near its end is renewed before it is refused", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" }, cloud: { tokenLifeMs: 600_000 + 2_500 } });
  const { cloud } = house;
  await cloud.waitFor(() => countCalls(cloud).logins === 2, 20_000);
  expect(cloud.calls.map(({ status }) => status)).not.toContain(401);
  expect(cloud.upgrades).toHaveLength(1);
  const [first, second] = callsOf(cloud, "/user/login").map(({ at }) => at);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(2_000);
});

test_.for(["missing", "date"] as const)(
  "an expiry that is %s is no reason to log in again",
  async (expires, context) => {
    const house = await moveIn(context, { account: { refresh: "1s" }, cloud: { expires, tokenLifeMs: 3_600_000 } });
    const { listings } = countCalls(house.cloud);
    await house.cloud.waitFor(() => countCalls(house.cloud).listings >= listings + 2, 20_000);
    expect(countCalls(house.cloud).logins).toBe(1);
  },
);

test_("a stream that refuses every token does not make us log in for each try", async (context) => {
  const house = await openHouse(context);
  const refusals: number[] = [];
  const server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (_, socket) => {
    refusals.push(performance.now());
    socket.on("error", () => {});
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  await once(server, "listening");
  context.onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await house.launch({ account: { stream_url: `ws://127.0.0.1:${address.port}/sc` } });
  await until(() => refusals.length >= 4, "four tries");
  // One more than the first: the token might have been the reason. The one after that is no better.
  expect(countCalls(house.cloud).logins).toBeLessThanOrEqual(2);
  expect(house.mqtt.latest(oreo.availability)).toBe("online");
});

test_("a login that fails with 500 is tried again at a growing distance", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.login({ status: 500 }, 2);
  await house.start();
  expect(countCalls(house.cloud).logins).toBe(3);
  const [first, second] = loginGaps(house);
  expect(first).toBeGreaterThan(800);
  expect(second).toBeGreaterThan(1_600);
  expect(house.mqtt.of(BRIDGE_STATE)).toHaveLength(1);
  expect(house.log).toMatch(/the login was an error \(HTTP 500/);
});

test_.for<[string, () => number | string]>([
  ["seconds", () => 3],
  ["a date", () => new Date(Date.now() + 4_500).toUTCString()],
])("a login refused with 429 is not tried again before Retry-After, in %s", async ([, when], context) => {
  const house = await openHouse(context);
  house.cloud.faults.login({ status: 429, retryAfter: when() }, 1);
  await house.start();
  const [gap, ...more] = loginGaps(house);
  // A date has no milliseconds.
  expect(gap).toBeGreaterThan(2_900);
  expect(more).toEqual([]);
});

test_("a listing refused with 429 is not tried again before Retry-After", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.answer("/map/getccs", { status: 429, retryAfter: 3 }, 1);
  await house.start();
  const [refused, next] = callsOf(house.cloud, "/map/getccs");
  expect(refused?.status).toBe(429);
  expect((next?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThan(2_900);
});

test_("a web page in the place of the login is told, and tried again", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.login("html", 1);
  await house.start();
  expect(house.log).toMatch(/the login was no JSON/);
  expect(countCalls(house.cloud)).toMatchObject({ logins: 2, upgrades: 1 });
});

test_("a login without a token is told, and tried again", async (context) => {
  const house = await openHouse(context, {
    furnish(cloud) {
      withBeacon(cloud);
      const { login, password, id, name } = { login: "cat@example.com", password: "tuna-tuna-tuna", id: 1, name: "A" };
      cloud.addAccount({ login, password, id, name, loginAnswer: { access_token: undefined } });
    },
  });
  await house.launch();
  await house.logged(/holds no access token/);
  house.cloud.addAccount({ login: "cat@example.com", password: "tuna-tuna-tuna", id: 1, name: "A" });
  await house.online();
  await house.live();
});

test_("a password that is changed while we run parks the account at its next login", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const from = house.mqtt.mark;
  cloud.faults.login("refuse");
  cloud.faults.expireTokens();
  await house.logged(/refused the login \(401\)/);
  await house.mqtt.waitFor(BRIDGE_INFO, (text) => text.includes('"parked"'), { from });
  const logins = callsOf(cloud, "/user/login");
  expect(logins.map(({ status }) => status)).toEqual([200, 401]);
  await cloud.waitFor(() => cloud.sessions.length === 0, 20_000);
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "")).toEqual([]);
});

test_.for(["reset", "closed"] as const)(
  "a cloud that cannot be reached at the start (%s) is found later",
  async (how, context) => {
    const house = await openHouse(context);
    house.cloud.faults.refuseConnections(how);
    await house.launch();
    await house.logged(/cannot be reached/);
    await house.cloud.faults.acceptConnections();
    await house.online();
    await house.live();
    expect(house.mqtt.latest(oreo.availability)).toBe("online");
    expect(countCalls(house.cloud).logins).toBe(1);
  },
);

test_.for<["refuse" | "html" | { status: number }, RegExp]>([
  [{ status: 500 }, /no snapshot: .*HTTP 500/],
  [{ status: 503 }, /no snapshot: .*HTTP 503/],
  ["html", /no snapshot: .*no JSON/],
  ["refuse", /no snapshot: .*the token was refused/],
])("listings that fail (%j) leave the stream alone", async ([mode, told], context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const [stream] = cloud.sessions;
  const from = house.mqtt.mark;
  cloud.faults.answer("/map/getccs", mode);
  await house.logged(told);
  const calls = countCalls(cloud);
  for (let minutes = 1; minutes <= 5; minutes += 1) {
    house.push(14758, fix(minutes));
    await expectFix(house, minutes);
  }
  expect(cloud.sessions[0]).toBe(stream);
  // Few: the next try is half a minute away, though a refresh were due every second.
  expect(countCalls(cloud, calls).calls).toBe(0);
  expect(countCalls(cloud).logins).toBeLessThanOrEqual(2);
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "" || payload === "offline")).toEqual([]);
});

test_("REST that is away leaves the stream alone", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const [stream] = cloud.sessions;
  cloud.faults.refuseConnections("closed");
  await house.logged(/no snapshot: .*cannot be reached/);
  house.push(14758, fix(1));
  await expectFix(house, 1);
  expect(cloud.sessions[0]).toBe(stream);
});

test_("home stations that cannot be listed do not cost the collars' news", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const [stream] = cloud.sessions;
  cloud.faults.answer("/user/gethomestations", { status: 500 });
  await house.logged(/no snapshot: .*gethomestations/);
  house.push(14758, fix(1));
  await expectFix(house, 1);
  expect(cloud.sessions[0]).toBe(stream);
  const emptied = house.mqtt.messages.filter(({ payload }) => payload === "");
  expect(emptied).toEqual([]);
});
