/** What the way to the broker can suffer: everything is there again afterwards, and the newest state is the last. */
import { setInterval as every } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { countCalls } from "../support/counts.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  configOf,
  type House,
  type HouseOptions,
  moveIn,
  OWNER,
  openHouse,
  oreo,
  shown,
  station,
  stationAndOreo,
  time,
  topicsOf,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { KEY, startAnnouncer, topics } from "../support/slow-link.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;
type Context = Parameters<typeof openHouse>[0];

function fix(minutes: number) {
  return { lastPos: { posLat: 51.4 + minutes / 10_000, posLong: -1.08, acc: 5, timeMeasure: time(minutes) } };
}

/** A house whose daemon reaches the broker through a relay of its own. */
async function behindRelay(context: Context, options: HouseOptions = {}): Promise<{ house: House; relay: Relay }> {
  const house = await openHouse(context, options);
  const relay = await startRelay(house.broker.port);
  context.onTestFinished(() => relay.close());
  await house.start({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
  return { house, relay };
}

function expectForwards(house: House): void {
  const times = house.mqtt.of(oreo.position).map(({ payload }) => String(json(payload).measured_at));
  expect(times.toSorted()).toEqual(times);
}

test_("a broker that comes back empty gets everything: states, descriptions, online", async (context) => {
  const house = await moveIn(context);
  await house.confirmed();
  const before = countCalls(house.cloud);
  const all = [...(await house.mqtt.retained()).keys()].toSorted();
  await house.closeBroker();
  house.push(14758, fix(1));
  await house.logged(/the broker at 127\.0\.0\.1:\d+ cannot be reached/);
  house.push(14758, { bat: 3600, details: { name: "Cookie" } });
  const from = house.mqtt.mark;
  await house.replaceBroker();
  await house.online(from);
  await house.settled(from);
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].toSorted()).toEqual(all);
  expect(retained.get(BRIDGE_STATE)).toBe("online");
  expect(retained.get(oreo.availability)).toBe("online");
  expect(retained.get(station.availability)).toBe("online");
  expect(configOf(retained.get(oreo.config)).device.name).toBe("Cookie");
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ battery: 17, last_fix: shown(1) });
  expect(json(retained.get(oreo.position) ?? "")).toMatchObject({ measured_at: shown(1) });
  const first = (topic: string): number => house.mqtt.of(topic, from)[0]?.index ?? Number.NaN;
  expect(first(oreo.state)).toBeLessThan(first(oreo.config));
  expect(first(oreo.config)).toBeLessThan(first(BRIDGE_STATE));
  // The broker is no reason to trouble the cloud.
  expect(countCalls(house.cloud, before)).toEqual({ logins: 0, listings: 0, upgrades: 0, calls: 0 });
});

test_(
  "what the broker passed on before the connection broke is not told again, although it was never confirmed",
  async (context) => {
    const { house, relay } = await behindRelay(context);
    await house.confirmed();
    const from = house.mqtt.mark;
    relay.hold();
    house.push(14758, { home: true, homeSince: time(1) });
    await house.mqtt.waitFor(oreo.event, (payload) => payload.includes("came_home"), { from });
    await house.mqtt.waitFor(BRIDGE_INFO, (payload) => payload.includes('"told"'), { from });
    relay.cut();
    relay.release();
    await house.online(from);
    house.push(14758, { chg: 1 });
    // What happens is held for some seconds after a connection was lost; then it comes in its order.
    await house.mqtt.waitFor(oreo.event, (payload) => payload.includes("charging_started"), { from, ms: 40_000 });
    const types = house.mqtt.of(oreo.event, from).map(({ payload }) => json(payload).event_type);
    expect(types).toEqual(["came_home", "charging_started"]);
  },
);

test_("a broker that is not there at the start is found later", async (context) => {
  const house = await openHouse(context);
  await house.closeBroker();
  await house.launch();
  await house.logged(/the broker at .* cannot be reached: .*ECONNREFUSED.*next try in/);
  await house.live();
  house.push(14758, fix(1));
  await house.replaceBroker();
  await house.online();
  await house.settled();
  expect(json(house.mqtt.latest(oreo.position) ?? "")).toMatchObject({ measured_at: shown(1) });
});

/** Pushes a fix for each minute, one every two milliseconds, until `look` is content; returns the last minute. */
async function walk(house: House, look: (minute: number) => boolean): Promise<number> {
  let minute = 0;
  for await (const _ of every(2)) {
    minute += 1;
    house.push(14758, fix(minute));
    if (look(minute)) break;
    if (minute > 20_000) throw new Error("walked in vain");
  }
  return minute;
}

test_("a broker that drops its clients while news come in ends with the newest", async (context) => {
  const house = await moveIn(context);
  let dropped = 0;
  const last = await walk(house, (minute) => {
    if (minute % 80 === 0) dropped += house.broker.dropClients();
    return minute === 240;
  });
  expect(dropped).toBeGreaterThanOrEqual(3);
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(last) });
  await house.mqtt.waitUntil(() => house.mqtt.latest(BRIDGE_STATE) === "online", "online again");
  const retained = await house.mqtt.retained();
  expect(json(retained.get(oreo.position) ?? "")).toMatchObject({ measured_at: shown(last) });
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ last_fix: shown(last) });
  expect(countCalls(house.cloud)).toMatchObject({ logins: 1, upgrades: 1 });
});

test_("a connection that is cut while news come in: nothing older comes behind something newer", async (context) => {
  const { house, relay } = await behindRelay(context);
  let [cuts, cutAt] = [0, 0];
  // The broker speaks for us while we are away.
  const isBack = (): boolean => {
    const said = house.mqtt.of(BRIDGE_STATE).map(({ payload }) => payload);
    return said.filter((text) => text === "offline").length === cuts && said.at(-1) === "online";
  };
  const last = await walk(house, (minute) => {
    if (minute - cutAt < 100 || !isBack()) return false;
    if (cuts === 2) return true;
    [cuts, cutAt] = [cuts + relay.cut(), minute];
    return false;
  });
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(last) });
  expectForwards(house);
  const retained = await house.mqtt.retained();
  expect(json(retained.get(oreo.position) ?? "")).toMatchObject({ measured_at: shown(last) });
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ last_fix: shown(last) });
  expect(relay.count).toBe(3);
});

test_("after a cut everything is said once more, in the order of a start", async (context) => {
  const { house, relay } = await behindRelay(context);
  const from = house.mqtt.mark;
  relay.cut();
  const will = await house.mqtt.waitFor(BRIDGE_STATE, (text) => text === "offline", { from });
  const online = await house.online(from);
  const first = (topic: string): number => house.mqtt.of(topic, from)[0]?.index ?? Number.NaN;
  const order = [will.index, first(oreo.position), first(oreo.state), first(oreo.config), online.index];
  expect(order.toSorted((a, b) => a - b)).toEqual(order);
  expect(first(station.config)).toBeLessThan(first(oreo.config));
  await house.settled(from);
  expect(house.mqtt.of(oreo.config, from)).toHaveLength(1);
});

function manyCollars(cloud: Cloud): void {
  stationAndOreo(cloud);
  for (let id = 1_000; id < 1_100; id += 1) {
    cloud.addCollar(OWNER.login, { id, lastPos: { posLat: 51, posLong: -1, timeMeasure: time(0) } });
  }
}

test_("a broker that is slow holds news back, and gets the newest when it is quick again", async (context) => {
  const { house, relay } = await behindRelay(context, { furnish: manyCollars });
  const from = house.mqtt.mark;
  relay.hold();
  for (let minutes = 1; minutes <= 30; minutes += 1) {
    for (let id = 1_000; id < 1_100; id += 1) {
      house.push(id, { bat: 4_100 - minutes, lastPos: { posLat: 51, posLong: -1, timeMeasure: time(minutes) } });
    }
    house.push(14758, fix(minutes));
  }
  // It takes no more than it may leave unconfirmed: eight kilobytes.
  await house.mqtt.waitUntil(() => house.mqtt.mark - from >= 30, "a full window");
  house.push(14758, fix(31));
  relay.release();
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(31) });
  for (let id = 1_000; id < 1_100; id += 1) {
    await house.mqtt.waitForJson(topicsOf(`pettracer_${id}`).position, { measured_at: shown(30) });
  }
  expectForwards(house);
  expect(house.log).not.toMatch(/has not confirmed/);
  // Conflated: far less than the thirty rounds of two messages for a hundred collars.
  expect(house.mqtt.mark - from).toBeLessThan(2_000);
  expect(relay.count).toBe(1);
});

test_("a broker that refuses the login is told, and a reload with the right one mends it", async (context) => {
  const login = { username: "cat", password: "tuna-of-the-broker" };
  const house = await openHouse(context, { broker: { authenticate: login }, recorder: login });
  await house.launch({ mqtt: { username: "cat", password: "wrong-fish" } });
  await house.logged(/the broker at 127\.0\.0\.1:\d+ refused the login: check mqtt\.username and mqtt\.password/);
  await house.live();
  expect(house.broker.clients).toHaveLength(1);
  house.push(14758, fix(1));
  await house.reload({ mqtt: login });
  await house.online();
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(1) });
  expect(countCalls(house.cloud)).toMatchObject({ logins: 1, upgrades: 1 });
});

test_("a change of the broker takes everything there", async (context) => {
  const house = await moveIn(context);
  const other = await openHouse(context);
  const from = house.mqtt.mark;
  await house.reload({ mqtt: { url: other.broker.url } });
  await other.mqtt.waitFor(BRIDGE_STATE, (text) => text === "online");
  const retained = await other.mqtt.retained();
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ battery: 83 });
  expect(configOf(retained.get(oreo.config)).device.name).toBe("Oreo");
  house.push(14758, fix(1));
  await other.mqtt.waitForJson(oreo.position, { measured_at: shown(1) });
  expect(house.mqtt.of(oreo.position, from)).toEqual([]);
  const info = json((await other.mqtt.retained()).get(BRIDGE_INFO) ?? "") as { publishers: { state: string }[] };
  expect(info.publishers.map(({ state }) => state)).toEqual(["running"]);
});

test_("both sides down at once come back to the newest", async (context) => {
  const house = await moveIn(context);
  await house.closeBroker();
  house.cloud.faults.refuseConnections("closed");
  house.cloud.faults.dropStreams();
  house.cloud.push(14758, fix(1));
  await house.logged(/the live stream ended/);
  await house.logged(/the broker at .* cannot be reached/);
  await house.cloud.faults.acceptConnections();
  await house.replaceBroker();
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(1) });
  await house.live();
  house.push(14758, fix(2));
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(2) });
  expectForwards(house);
  expect(countCalls(house.cloud).logins).toBe(1);
});

const TOPICS = { position: topics.position(KEY), state: topics.state(KEY), availability: topics.availability(KEY) };

test_.for([
  // A state is said once more behind each description, and everything at Home Assistant's birth.
  ["battery", "repetition", "state"],
  ["battery", "repetition", "availability"],
  ["battery", "birth", "position"],
  ["battery", "birth", "state"],
  ["battery", "birth", "availability"],
  ["silence", "repetition", "state"],
  ["silence", "repetition", "availability"],
  ["silence", "birth", "position"],
  ["silence", "birth", "state"],
] as const)(
  "news of a %s in the middle of a %s, before the %s, are the last word",
  async ([news, when, what], context) => {
    const { link, tell, fallSilent, of } = await startAnnouncer((stop) => context.onTestFinished(stop));
    const onlines = (): number => of(topics.bridgeState).length;
    if (when === "birth") {
      await until(() => of(topics.availability(KEY)).length >= 2, "the repetition");
      link.hear("homeassistant/status", "online");
    }
    const before = onlines();
    link.stopBefore(TOPICS[what]);
    await until(() => link.isStopped, `the ${when}`);
    if (news === "battery") tell({ batteryMv: 3_600 });
    else fallSilent();
    // Whoever does not wait until the older one is out gets the time to overtake it.
    await new Promise((resolve) => setImmediate(resolve));
    link.resume();
    const [topic, word] =
      news === "battery" ? [topics.state(KEY), '"battery":17'] : [topics.availability(KEY), "offline"];
    await until(() => of(topic).some((text) => text.includes(word)), "the news");
    await until(() => of(topics.availability(KEY)).length >= 2, "the end of the repetition");
    if (when === "birth") await until(() => onlines() > before, "the end of the birth");
    expect(of(topic).at(-1)).toContain(word);
  },
);

test_("messages of another mode that come to light late are moved all the same", async (context) => {
  const { link, of } = await startAnnouncer((stop) => context.onTestFinished(stop));
  const late = topics.entityDiscovery(KEY, "sensor", "battery");
  await until(() => of(topics.availability(KEY)).length >= 2, "the repetition");
  const before = of(topics.discovery(KEY));
  const payload = { unique_id: `${KEY}_battery`, origin: { name: "Pawline" }, state_topic: topics.state(KEY) };
  link.hear(late, JSON.stringify(payload), true);
  await until(() => of(late).includes(""), "the end of the old topic", 30_000);
  expect(new Set(of(late).slice(0, -1))).toEqual(new Set(['{"migrate_discovery": true}']));
  // Home Assistant has refused the one that it got beside them.
  await until(() => of(topics.discovery(KEY)).length > before.length, "the description once more");
  expect(of(topics.discovery(KEY)).at(-1)).toBe(before.at(-1));
});

test_("two different descriptions are never nearer than two seconds, birth or not", async (context) => {
  const { link, tell, of } = await startAnnouncer((stop) => context.onTestFinished(stop));
  const at: number[] = [];
  const publish = link.publish.bind(link);
  link.publish = async (message) => {
    if (message.topic === topics.discovery(KEY)) at.push(performance.now());
    await publish(message);
  };
  await until(() => of(topics.availability(KEY)).length >= 2, "the repetition");
  // Home Assistant says that it is there, and from then on the pet has another name every half second.
  link.hear("homeassistant/status", "online");
  const renaming = setInterval(() => tell({ name: `Oreo ${Math.round(performance.now())}` }), 500);
  context.onTestFinished(() => clearInterval(renaming));
  await until(() => at.length >= 4, "four descriptions");
  const gaps = at.slice(1).map((later, index) => later - (at[index] ?? 0));
  const payloads = of(topics.discovery(KEY)).slice(1);
  const near = gaps.filter((gap, index) => gap < 2_000 && payloads[index] !== payloads[index + 1]);
  expect(near).toEqual([]);
});
