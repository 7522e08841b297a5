/** What the broker sees when the daemon starts, ends, and reads its configuration again. */
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import {
  account,
  BRIDGE_STATE,
  callsOf,
  configOf,
  HA_STATUS,
  type House,
  moveIn,
  OREO,
  OTHER_OWNER,
  OWNER,
  openHouse,
  oreo,
  station,
  stationAndOreo,
  topicsOf,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { startRelay } from "../support/relay.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;

function indexOf(house: House, topic: string, from: number, payload?: string): number {
  const found = house.mqtt.of(topic, from).find((message) => payload === undefined || message.payload === payload);
  if (found === undefined) throw new Error(`nothing on ${topic}`);
  return found.index;
}

/** States before descriptions before `online`; a station's description before its collars'. */
function expectOrder(house: House, from: number): void {
  const index = (topic: string, payload?: string): number => indexOf(house, topic, from, payload);
  for (const device of [oreo, station]) {
    expect(index(device.state)).toBeLessThan(index(device.config));
    expect(index(device.availability, "online")).toBeLessThan(index(device.config));
    expect(index(device.config)).toBeLessThan(index(BRIDGE_STATE, "online"));
  }
  expect(index(oreo.position)).toBeLessThan(index(oreo.state));
  expect(index(station.config)).toBeLessThan(index(oreo.config));
  expect(index(account.state)).toBeLessThan(index(account.config));
  expect(index(account.config)).toBeLessThan(index(BRIDGE_STATE, "online"));
  expect(index("pawline/bridge/info")).toBeLessThan(index("homeassistant/device/bridge/config"));
}

test_("a first start: states, descriptions, online, and the states once more", async (context) => {
  const house = await moveIn(context);
  expectOrder(house, 0);
  const described = house.mqtt.of(oreo.config)[0];
  const repeated = house.mqtt.of(oreo.state, described?.index)[0];
  expect((repeated?.at ?? 0) - (described?.at ?? 0)).toBeGreaterThan(1_000);
  expect(house.mqtt.messages.map(({ topic }) => topic)).not.toContain(HA_STATUS);
});

test_("the end is `offline`, and nothing behind it; a second start is like the first", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  const last = house.mqtt.messages.at(-1);
  expect([last?.topic, last?.payload]).toEqual([BRIDGE_STATE, "offline"]);
  expect((await house.mqtt.retained()).get(BRIDGE_STATE)).toBe("offline");
  const from = house.mqtt.mark;
  await house.start();
  expectOrder(house, from);
  // What stands at the broker already is not taken back for a moment.
  const payloads = house.mqtt.messages.slice(from).map(({ payload }) => payload);
  expect(payloads).not.toContain("offline");
  expect(payloads).not.toContain("");
});

test_("`online` waits for the snapshot, also when Home Assistant starts meanwhile", async (context) => {
  const house = await openHouse(context);
  // The login and the listing take three seconds each: Home Assistant's birth is answered before they are there.
  house.cloud.faults.latency(3_000);
  await house.launch();
  await house.logged(/connected to the broker/);
  await house.mqtt.publish(HA_STATUS, "online");
  await house.online();
  await house.mqtt.waitFor(oreo.config);
  expectOrder(house, 0);
});

test_("two accounts are one bridge", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  await house.start({ accounts: [house.account(), house.account(OTHER_OWNER)] });
  await house.live(2);
  const retained = await house.mqtt.retained();
  expect(retained.get(dog.availability)).toBe("online");
  expect(retained.get(oreo.availability)).toBe("online");
  expect(house.mqtt.of(BRIDGE_STATE)).toHaveLength(1);
  for (const id of [14758, 500]) house.push(id, { bat: 3600 });
  await house.mqtt.waitForJson(dog.state, { battery: 17 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  const info = json(retained.get("pawline/bridge/info") ?? "") as { sources: { name: string; state: string }[] };
  expect(info.sources.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
    "pettracer 1 running",
    "pettracer 2 running",
  ]);
});

const dog = topicsOf("pettracer_500");

function twoAccounts(cloud: Cloud): void {
  stationAndOreo(cloud);
  cloud.addAccount(OTHER_OWNER);
  cloud.addCollar(OTHER_OWNER.login, { id: 500, details: { name: "Rex" } });
}

/** Nothing was said of devices but that they are there. */
function expectNoGap(house: House, from: number): void {
  const said = house.mqtt.messages.slice(from).map(({ topic, payload }) => `${topic} ${payload}`);
  expect(said.filter((text) => text.endsWith(" offline") || text.endsWith(" "))).toEqual([]);
}

test_("a reload that changes nothing publishes nothing", async (context) => {
  const house = await moveIn(context);
  await house.confirmed();
  const [from, calls] = [house.mqtt.mark, house.cloud.calls.length];
  await house.reload({});
  house.push(14758, { bat: 3900 });
  await house.mqtt.waitForJson(oreo.state, { battery: 67 });
  expect(house.mqtt.messages.slice(from).map(({ topic }) => topic)).toEqual([oreo.state]);
  expect(house.cloud.calls).toHaveLength(calls);
});

test_("a reload with other publishing never says offline", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  await house.reload({ home: { prefer: "gps" } });
  await house.online(from);
  await house.settled(from);
  expectNoGap(house, from);
  house.push(14758, { bat: 3600 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(callsOf(house.cloud, "/user/login")).toHaveLength(1);
});

test_("a reload with another account beside the first leaves that one's devices alone", async (context) => {
  const house = await moveIn(context, { furnish: twoAccounts });
  const from = house.mqtt.mark;
  await house.reload({ accounts: [house.account(), house.account(OTHER_OWNER)] });
  await house.mqtt.waitFor(dog.config);
  await house.live(2);
  await house.settled();
  expectNoGap(house, from);
  expect((await house.mqtt.retained()).get(oreo.availability)).toBe("online");
});

test_("a reload with the accounts in another order leaves their devices alone", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  const accounts = [house.account(), house.account(OTHER_OWNER)];
  await house.start({ accounts });
  await house.live(2);
  const from = house.mqtt.mark;
  await house.reload({ accounts: accounts.toReversed() });
  await house.cloud.waitFor(() => house.cloud.endedSessions.length === 2, 20_000);
  await house.live(2);
  for (const [topics, id] of [
    [oreo, 14758],
    [dog, 500],
  ] as const) {
    house.push(id, { bat: 3600 });
    await house.mqtt.waitForJson(topics.state, { battery: 17 }, { from });
  }
  expectNoGap(house, from);
});

test_("a reload without one of two accounts removes its devices, and only those", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  const accounts = [house.account(), house.account(OTHER_OWNER)];
  await house.start({ accounts });
  await house.live(2);
  const from = house.mqtt.mark;
  await house.reload({ accounts: accounts.slice(0, 1) });
  await house.mqtt.waitFor(dog.config, (text) => text === "", { from });
  await house.mqtt.waitFor(dog.availability, (text) => text === "", { from });
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].filter((topic) => topic.includes("pettracer_500"))).toEqual([]);
  expect(house.mqtt.of(oreo.availability, from).map(({ payload }) => payload)).not.toContain("offline");
  expect(house.mqtt.of(oreo.config, from).map(({ payload }) => payload)).not.toContain("");
});

test_("a wrong password is mended by a reload", async (context) => {
  const house = await openHouse(context);
  await house.launch({ account: { password: "wrong-wrong" } });
  await house.logged(/refused the login/);
  await house.reload({});
  await house.online();
  await house.live();
  expect(house.mqtt.latest(oreo.availability)).toBe("online");
  expect(callsOf(house.cloud, "/user/login").map(({ status }) => status)).toEqual([401, 200]);
});

test_("a device that left while the daemon was down goes: first its description, then the rest", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  house.cloud.removeDevice(14758);
  house.cloud.addCollar(OWNER.login, { ...OREO, id: 14759 });
  const from = house.mqtt.mark;
  await house.start();
  const gone = await house.mqtt.waitFor(oreo.config, (text) => text === "", { from });
  for (const topic of [oreo.availability, oreo.state, oreo.position, oreo.firmware]) {
    const { index } = await house.mqtt.waitFor(topic, (text) => text === "", { from });
    expect(index).toBeGreaterThan(gone.index);
  }
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].filter((topic) => topic.includes("14758"))).toEqual([]);
  expect(configOf(retained.get(topicsOf("pettracer_14759").config)).device.name).toBe("Oreo");
});

test_("a listing that lacks a device once, at the start, removes nothing", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  const { cloud } = house;
  const record = cloud.collar(14758);
  cloud.removeDevice(14758);
  // Slow enough to put the collar back between the first listing and the next.
  cloud.faults.latency(400);
  const [from, calls] = [house.mqtt.mark, cloud.calls.length];
  await house.launch();
  await cloud.waitFor(() => callsOf(cloud, "/map/getccs", calls)[0]?.status === 200, 20_000);
  cloud.addCollar(OWNER.login, record);
  await house.mqtt.waitFor(oreo.config, (text) => text !== "", { from });
  expect(house.mqtt.of(oreo.config, from).map(({ payload }) => payload)).not.toContain("");
  expect(house.mqtt.of(oreo.state, from).map(({ payload }) => payload)).not.toContain("");
});

test_("what an unreachable account showed last is unavailable after five minutes, and stays", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  house.cloud.faults.answer("/", { status: 503 });
  const from = house.mqtt.mark;
  await house.launch();
  await house.logged(/the cloud is out of service/);
  house.daemon.store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 301_000 });
  await house.mqtt.waitFor(oreo.availability, (text) => text === "offline", { from });
  await house.mqtt.waitFor(station.availability, (text) => text === "offline", { from });
  expect(house.mqtt.messages.slice(from).filter(({ payload }) => payload === "")).toEqual([]);
  await house.cloud.faults.clear();
  await house.mqtt.waitFor(oreo.availability, (text) => text === "online", { from });
});

test_("two reloads at once end with the later one, and with one of each", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  await house.start();
  const both = [house.account(), house.account(OTHER_OWNER)];
  await Promise.all([
    house.reload({ accounts: both, home: { prefer: "gps" } }),
    house.reload({ accounts: both.slice(0, 1), home: { max_accuracy: 100 } }),
    house.reload({ accounts: both, entities: { exclude: ["signal"] } }),
  ]);
  await house.mqtt.waitFor(oreo.config, (text) => !("signal" in configOf(text).components));
  await house.live(2);
  await house.mqtt.waitFor(dog.availability, (text) => text === "online");
  expect(house.broker.clients.filter((id) => id.startsWith("pawline-"))).toHaveLength(1);
  expect(house.cloud.sessions).toHaveLength(2);
});

test_("an end during a reload is an end", async (context) => {
  const house = await openHouse(context, { furnish: twoAccounts });
  await house.start();
  const reloading = house.reload({ accounts: [house.account(OTHER_OWNER)], home: { prefer: "gps" } });
  await house.stop();
  await reloading;
  expect(house.mqtt.latest(BRIDGE_STATE)).toBe("offline");
  await house.cloud.waitFor(() => house.cloud.sessions.length === 0, 20_000);
  expect(house.broker.clients.filter((id) => id.startsWith("pawline-"))).toEqual([]);
});

test_.for<[string, (house: House) => unknown]>([
  ["the login hangs", ({ cloud }) => cloud.faults.login("hang")],
  ["the listing hangs", ({ cloud }) => cloud.faults.answer("/map/getccs", "hang")],
  ["the cloud says nothing at all", ({ cloud }) => cloud.faults.freeze()],
  ["the cloud is away", ({ cloud }) => cloud.faults.refuseConnections("closed")],
  ["the broker is away", (house) => house.closeBroker()],
])("an end while %s takes no longer than any other", async ([, interfere], context) => {
  const house = await openHouse(context);
  await interfere(house);
  await house.launch();
  await house.logged(/connected to the broker|cannot be reached/);
  // The house itself complains about an end that takes more than five seconds.
  await house.stop();
  await house.cloud.faults.clear();
  expect(house.cloud.sessions).toEqual([]);
});

test_("an end while the broker is silent takes no longer than any other", async (context) => {
  const house = await openHouse(context);
  const relay = await startRelay(house.broker.port);
  context.onTestFinished(() => relay.close());
  relay.hold();
  await house.launch({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
  await house.live();
  await house.stop();
  relay.release();
  await house.start({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
  relay.hold();
  house.push(14758, { bat: 3600 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  await house.stop();
});
