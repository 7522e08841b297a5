/** What takes its time by design: long waits that spare the other side, and the watch over silence. */
import { expect, test, vi } from "vitest";
import { startBroker } from "../../src/demo/broker.ts";
import type { Cloud } from "../../src/demo/cloud.ts";
import { countCalls } from "../support/counts.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  callsOf,
  HA_STATUS,
  type House,
  moveIn,
  OREO,
  OTHER_OWNER,
  OWNER,
  openHouse,
  oreo,
  shown,
  station,
  stationAndOreo,
  time,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { startRelay } from "../support/relay.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 120_000 });

const test_ = test.concurrent;

function fix(minutes: number) {
  return { lastPos: { posLat: 51.4 + minutes / 1_000, posLong: -1.08, acc: 5, timeMeasure: time(minutes) } };
}

async function expectFix(house: House, minutes: number): Promise<void> {
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(minutes) });
}

test_("a stream that is lost again and again is tried at a growing distance", async (context) => {
  const house = await moveIn(context);
  await house.confirmed();
  const before = countCalls(house.cloud);
  const at: number[] = [];
  for (let round = 1; round <= 3; round += 1) {
    house.cloud.faults.resetStreams();
    at.push(performance.now());
    house.cloud.push(14758, fix(round));
    await expectFix(house, round);
    await house.live();
    at.push(performance.now());
  }
  expect(countCalls(house.cloud, before)).toEqual({ logins: 0, listings: 3, upgrades: 3, calls: 6 });
  const waits = [0, 2, 4].map((index) => (at[index + 1] ?? 0) - (at[index] ?? 0));
  expect(waits[0]).toBeGreaterThan(800);
  expect(waits[1]).toBeGreaterThan(1_600);
  expect(waits[2]).toBeGreaterThan(4_000);
});

test_("refused credentials are tried once, told, and nothing is removed", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  await house.stop();
  const [from, before] = [house.mqtt.mark, countCalls(house.cloud)];
  house.cloud.faults.login("refuse");
  await house.launch();
  await house.logged(/refused the login \(401\).*Not tried again for 60 min/);
  await house.mqtt.waitFor(BRIDGE_INFO, (text) => text.includes('"parked"'), { from });
  expect(countCalls(house.cloud, before)).toEqual({ logins: 1, listings: 0, upgrades: 0, calls: 1 });
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "")).toEqual([]);
});

const dog = topicsOf("pettracer_500");
const milo = topicsOf("pettracer_20");

function twoAccounts(cloud: Cloud): void {
  stationAndOreo(cloud);
  cloud.addAccount(OTHER_OWNER);
  cloud.addCollar(OTHER_OWNER.login, { id: 500, details: { name: "Rex" } });
}

test_("an account whose login is refused does not hold up the other one, and loses nothing", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  const accounts = [house.account(), house.account(OTHER_OWNER)];
  await house.start({ accounts });
  await house.live(2);
  await house.stop();
  const [from, before] = [house.mqtt.mark, countCalls(house.cloud)];
  await house.launch({ accounts: [house.account(OTHER_OWNER, { password: "wrong-wrong" }), house.account()] });
  await house.online(from);
  await house.live();
  house.push(14758, fix(1));
  await expectFix(house, 1);
  const info = await house.mqtt.waitFor(BRIDGE_INFO, (text) => text.includes('"parked"'), { from });
  const { sources } = json(info.payload) as { sources: { name: string; state: string; error: string | null }[] };
  const parked = sources.find(({ name }) => name === "pettracer 1");
  expect(parked).toMatchObject({ state: "parked", error: expect.stringMatching(/refused the login/) });
  expect(sources.find(({ name }) => name === "pettracer 2")).toMatchObject({ state: "running", error: null });
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "")).toEqual([]);
  const retained = await house.mqtt.retained();
  expect(retained.has(dog.config)).toBe(true);
  expect(json(retained.get(dog.state) ?? "")).toHaveProperty("battery", 67);
  expect(retained.get(oreo.availability)).toBe("online");
  expect(countCalls(house.cloud, before)).toMatchObject({ logins: 2, upgrades: 1 });
});

test_("`online` waits ten seconds at the most for a cloud that is away", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.refuseConnections("closed");
  await house.launch();
  const launchedAt = performance.now();
  const online = await house.online();
  expect(online.at - launchedAt).toBeGreaterThan(9_000);
  expect(house.mqtt.of(oreo.state)).toEqual([]);
  await house.cloud.faults.acceptConnections();
  const { index } = await house.mqtt.waitFor(oreo.config, undefined, { ms: 40_000 });
  expect(house.mqtt.of(oreo.state)[0]?.index).toBeLessThan(index);
  expect(house.mqtt.of(BRIDGE_STATE)).toHaveLength(1);
});

test_("a login that hangs is given up and tried again", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.login("hang", 1);
  await house.launch();
  await house.logged(/127\.0\.0\.1:\d+ did not answer within 15 s/, 40_000);
  await house.live();
  await house.mqtt.waitFor(oreo.availability, (text) => text === "online");
  expect(countCalls(house.cloud)).toMatchObject({ logins: 2, upgrades: 1 });
});

test_("a listing that hangs removes nothing, and the stream goes on", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const [stream] = cloud.sessions;
  cloud.faults.answer("/map/getccs", "hang");
  cloud.removeDevice(10775);
  const calls = cloud.calls.length;
  await cloud.waitFor(() => callsOf(cloud, "/map/getccs", calls).length > 0, 20_000);
  house.push(14758, fix(1));
  await expectFix(house, 1);
  await house.logged(/no snapshot: .*did not answer within 15 s/, 40_000);
  house.push(14758, fix(2));
  await expectFix(house, 2);
  expect(cloud.sessions[0]).toBe(stream);
  expect(callsOf(cloud, "/map/getccs", calls)).toHaveLength(1);
  expect(house.mqtt.of(station.config).map(({ payload }) => payload)).not.toContain("");
});

test_(
  "a silent stream is noticed by the daemon's own heart-beat, within half a minute and a little",
  async (context) => {
    const house = await moveIn(context);
    const { cloud } = house;
    const [frozen] = cloud.sessions;
    await house.confirmed();
    const before = countCalls(cloud);
    cloud.faults.freeze();
    const frozenAt = performance.now();
    cloud.push(14758, fix(1));
    await house.logged(/nothing was heard for three heart-beats/, 60_000);
    const silentMs = performance.now() - frozenAt;
    expect(silentMs).toBeGreaterThan(20_000);
    expect(silentMs).toBeLessThan(45_000);
    cloud.faults.thaw();
    await expectFix(house, 1);
    await cloud.waitFor(() => cloud.sessions.some((session) => session !== frozen), 20_000);
    await house.live();
    house.push(14758, fix(2));
    await expectFix(house, 2);
    expect(countCalls(cloud, before)).toEqual({ logins: 0, listings: 1, upgrades: 1, calls: 2 });
    expect(house.mqtt.latest(oreo.availability)).toBe("online");
  },
);

test_("a broker that refuses the login is asked again in half a minute, and then lets us in", async (context) => {
  const login = { username: "cat", password: "tuna-of-the-broker" };
  const house = await openHouse(context, { broker: { authenticate: login }, recorder: login });
  const strict = await startBroker({ authenticate: { username: "cat", password: "another-one" } });
  const relay = await startRelay(strict.port);
  context.onTestFinished(async () => {
    await relay.close();
    await strict.close();
  });
  await house.launch({ mqtt: { ...login, url: `mqtt://127.0.0.1:${relay.port}` } });
  const told = await house.logged(/refused the login: check mqtt\.username[^"]*next try in (\d+)/);
  expect(told).toMatch(/next try in (?:2[5-9]|3[0-9])/);
  relay.redirect(house.broker.port);
  const refusedAt = performance.now();
  await house.live();
  house.push(14758, fix(1));
  await house.mqtt.waitFor(BRIDGE_STATE, (text) => text === "online", { ms: 60_000 });
  expect(performance.now() - refusedAt).toBeGreaterThan(20_000);
  expect(relay.count).toBe(2);
  expect(json((await house.mqtt.retained()).get(oreo.position) ?? "")).toMatchObject({ measured_at: shown(1) });
  expect(countCalls(house.cloud)).toMatchObject({ logins: 1, upgrades: 1 });
});

test_("nothing is removed while the listings fail, and what is gone goes when they succeed", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  const { cloud } = house;
  cloud.removeDevice(14758);
  cloud.addCollar(OWNER.login, { ...OREO, id: 20 });
  cloud.faults.answer("/user/gethomestations", { status: 500 }, 1);
  const from = house.mqtt.mark;
  await house.launch();
  await house.logged(/gethomestations was an error \(HTTP 500/);
  cloud.faults.answer("/map/getccs", "html", 1);
  await house.logged(/getccs was no JSON/);
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "")).toEqual([]);
  await house.mqtt.waitFor(oreo.config, (text) => text === "", { from });
  expect(callsOf(cloud, "/map/getccs").at(-1)?.status).toBe(200);
  await house.mqtt.waitFor(milo.availability, (text) => text === "online", { from });
  expect(house.mqtt.of(station.config, from).map(({ payload }) => payload)).not.toContain("");
});

test_("with discovery off nothing is described, and all the rest is there", async (context) => {
  const house = await moveIn(context, {
    account: { refresh: "1s" },
    mqtt: { discovery: { mode: "off" } },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.addCollar(OWNER.login, { id: 20, lastPos: { posLat: 51.4, posLong: -1 } });
    },
  });
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].filter((topic) => !topic.startsWith("pawline/"))).toEqual([]);
  expect(retained.get(oreo.availability)).toBe("online");
  house.push(14758, { bat: 3600 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });

  house.cloud.removeDevice(20);
  for (const topic of [milo.availability, milo.state, milo.position]) {
    await house.mqtt.waitFor(topic, (text) => text === "");
  }
  const from = house.mqtt.mark;
  await house.mqtt.publish(HA_STATUS, "online");
  await house.online(from);
  expect(house.mqtt.of(oreo.state, from)).toHaveLength(1);
  expect(house.mqtt.messages.filter(({ topic }) => topic.endsWith("/config"))).toEqual([]);
});
