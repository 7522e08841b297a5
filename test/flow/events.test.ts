/** A cat's day at the cloud, and what is told of it: each thing once, whatever fails in between. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { Child } from "../support/child.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  callsOf,
  HA_STATUS,
  type House,
  type HouseOptions,
  moveIn,
  OREO,
  OWNER,
  openHouse,
  oreo,
  STATION,
  topicsOf,
} from "../support/house.ts";
import { type Json, json } from "../support/recorder.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 90_000 });

const test_ = test.concurrent;

const OTHER = 14759;
const other = topicsOf("pettracer_14759");

/** So many seconds from now, as the cloud writes it. */
function soon(seconds = 0): string {
  return new Date(Date.now() + 1_000 * seconds).toISOString().replace("Z", "+0000");
}

function atHome(cloud: Cloud): void {
  const [homeSince, lastContact] = [soon(-3_600), soon(-60)];
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, { ...STATION, lastContact });
  cloud.addCollar(OWNER.login, { ...OREO, home: true, homeSince, lastContact });
  cloud.addCollar(OWNER.login, { id: OTHER, home: true, homeSince, lastContact, details: { name: "Kiki" } });
}

/** Days of seconds: whatever changes counts at once. */
const DAY: HouseOptions = { furnish: atHome, home: { flap_time: "0s" } };

/** What the cloud tells, step by step, with the time of its telling. */
const steps = {
  leave: () => ({ home: false, homeSince: null, lastContact: soon() }),
  walk: (meters: number) => ({
    lastPos: { posLat: 51.4 + meters / 111_000, posLong: -1.08, acc: 6, timeMeasure: soon(meters / 100 - 10) },
  }),
  tire: () => ({ bat: 3_600, lastContact: soon() }),
  comeHome: () => ({ home: true, homeSince: soon(-1), lastContact: soon() }),
  charge: () => ({ chg: 1 }),
  fill: () => ({ bat: 4_150, flags: 2 }),
  unplug: () => ({ chg: 0 }),
};

const LEFT = { event_type: "left_home" };
const LOW = { event_type: "battery_low", battery: 17, voltage: 3.6 };
const HOME = { event_type: "came_home" };
const CHARGING = { event_type: "charging_started", battery: 17 };
const FULL = { event_type: "charging_finished", battery: 100, full: true };

function told(house: House, topic = oreo.event): Json[] {
  return house.mqtt.of(topic).map(({ payload }) => json(payload));
}

/** Exactly these, in this order; and their times go forward, none behind us. */
function expectTold(house: House, ...expected: readonly Json[]): void {
  const events = told(house);
  const timeless = events.map((event) => Object.fromEntries(Object.entries(event).filter(([key]) => key !== "at")));
  expect(timeless).toEqual(expected);
  for (const { at } of events) expect(Date.parse(String(at))).toBeLessThanOrEqual(Date.now());
}

/** The day's next step, told twice by the cloud, as it does. */
function happen(house: House, news: Json, id = 14758): void {
  house.cloud.push(id, news);
  house.cloud.push(id, news);
}

async function tells(house: House, event: Json, from = 0): Promise<Json> {
  return await house.mqtt.waitForJson(oreo.event, event, { from, ms: 40_000 });
}

/** Everything is asked for once more, and published if there is news in it. */
async function refreshed(house: House): Promise<void> {
  const listings = (): number =>
    callsOf(house.cloud, "/user/gethomestations").filter(({ status }) => status > 0).length;
  const [before, from] = [listings(), house.mqtt.mark];
  await house.mqtt.publish("pawline/bridge/request/refresh", "{}");
  await house.cloud.waitFor(() => listings() > before, 10_000);
  // A sign of life of the other cat's, behind whatever the listing brought.
  const bat = 3_700 + before;
  house.cloud.push(OTHER, { bat });
  await house.mqtt.waitForJson(other.state, { battery_voltage: bat / 1_000 }, { from });
}

function stored(house: House, name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(house.dataDir, `${name}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

/** It is kept that so many have been told: from now on a kill makes none of them happen again. */
async function settledAt(house: House, count: number): Promise<void> {
  await until(() => stored(house, "told-mqtt") === count, `${count} events kept as told`);
}

/** Home Assistant says so until the program has heard it. */
async function hears(house: House, status: "online" | "offline"): Promise<void> {
  const from = house.mqtt.mark;
  const isHeard = (text: string): boolean => (json(text).home_assistant as Json).status === status;
  for (let tries = 0; tries < 20; tries += 1) {
    await house.mqtt.publish(HA_STATUS, status);
    try {
      return void (await house.mqtt.waitFor(BRIDGE_INFO, isHeard, { from, ms: 1_000 }));
    } catch {}
  }
  throw new Error(`nobody hears that Home Assistant is ${status}`);
}

test_("an undisturbed day is told as it was, each thing once", async (context) => {
  const house = await moveIn(context, DAY);
  const { leave, walk, tire, comeHome, charge, fill, unplug } = steps;
  happen(house, leave());
  await tells(house, LEFT);
  for (const meters of [100, 200, 300, 400]) happen(house, walk(meters));
  happen(house, tire());
  await tells(house, LOW);
  const home = comeHome();
  happen(house, home);
  const cameHome = await tells(house, HOME);
  expect(Date.parse(String(cameHome.at))).toBe(Date.parse(home.homeSince));
  happen(house, charge());
  await tells(house, CHARGING);
  happen(house, fill());
  await tells(house, FULL);
  happen(house, unplug());
  happen(house, leave(), OTHER);
  await house.mqtt.waitForJson(other.event, LEFT);

  await refreshed(house);
  await house.reload({ account: { refresh: "20m" } });
  await house.live();
  await refreshed(house);
  await house.stop();
  await house.start();
  await refreshed(house);
  expectTold(house, LEFT, LOW, HOME, CHARGING, FULL);
  expect(told(house, other.event)).toHaveLength(1);
  const retained = [...(await house.mqtt.retained()).keys()];
  expect(retained.filter((topic) => topic.endsWith("/event"))).toEqual([]);
});

test_(
  "what happened while the program was down is told at its start, with what the cloud knows of its time",
  async (context) => {
    const house = await moveIn(context, DAY);
    await house.stop();
    const home = steps.comeHome();
    happen(house, { ...steps.leave(), ...steps.tire() });
    await house.start();
    await tells(house, LOW);
    await house.stop();
    happen(house, { ...home, ...steps.charge() });
    const from = house.mqtt.mark;
    await house.start();
    const { at } = await tells(house, HOME);
    await tells(house, CHARGING);
    expect(Date.parse(String(at))).toBe(Date.parse(home.homeSince));
    // Home Assistant hears it behind the state that it belongs to, and behind `online`.
    const index = (topic: string): number => house.mqtt.of(topic, from).at(0)?.index ?? -1;
    expect(index(oreo.event)).toBeGreaterThan(index(BRIDGE_STATE));
    expect(index(oreo.event)).toBeGreaterThan(index(oreo.state));
    await refreshed(house);
    expectTold(house, LEFT, LOW, HOME, CHARGING);
  },
);

test_("a day with a program that is killed again and again is told as it was, each thing once", async (context) => {
  const house = await openHouse(context, DAY);
  const child = new Child(house, context);
  const { leave, walk, tire, comeHome, charge, fill, unplug } = steps;

  await child.start();
  happen(house, leave());
  await tells(house, LEFT);
  await settledAt(house, 1);
  await child.kill();

  // Killed with the news before its eyes.
  await child.start();
  for (const meters of [100, 200, 300]) happen(house, walk(meters));
  await house.mqtt.waitForJson(oreo.position, { latitude: 51.4 + 300 / 111_000 });
  house.cloud.push(14758, tire());
  await child.kill();

  await child.start();
  await tells(house, LOW);
  await settledAt(house, 2);
  // Killed with something that it keeps for a Home Assistant that is away.
  await hears(house, "offline");
  happen(house, comeHome());
  await until(() => JSON.stringify(stored(house, "devices")).includes("came_home"), "came_home kept");
  await child.kill();
  expectTold(house, LEFT, LOW);

  // And it happens more while nobody looks.
  happen(house, charge());
  await child.start();
  await house.mqtt.publish(HA_STATUS, "online");
  await tells(house, CHARGING);
  await settledAt(house, 4);
  await child.kill();

  // Killed with nothing to tell, twice in a row.
  await child.start();
  await child.kill();
  await child.start();
  happen(house, fill());
  await tells(house, FULL);
  await settledAt(house, 5);
  happen(house, unplug());
  await child.kill();
  await child.start();
  await refreshed(house);
  await child.kill();
  expectTold(house, LEFT, LOW, HOME, CHARGING, FULL);
});

/** What happens while the broker is away, and when it happened. */
async function withoutBroker(house: House): Promise<readonly number[]> {
  happen(house, steps.leave());
  await tells(house, LEFT);
  await house.closeBroker();
  happen(house, steps.tire());
  happen(house, steps.comeHome());
  happen(house, steps.charge());
  const { store } = house.daemon;
  await until(() => store.activities(0).length === 4, "all was noticed");
  const times = store.activities(1).map(({ at }) => at);
  await house.replaceBroker();
  return times;
}

function expectTimes(house: House, times: readonly number[]): void {
  expect(
    told(house)
      .slice(1)
      .map(({ at }) => Date.parse(String(at))),
  ).toEqual(times);
}

test_("what happened without a broker is told once, late, with its own time", async (context) => {
  const house = await moveIn(context, DAY);
  const times = await withoutBroker(house);
  const from = house.mqtt.mark;
  const online = await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
  // Changes that come meanwhile are no reason to hurry.
  happen(house, { lastRssi: -30 });
  await house.mqtt.waitForJson(oreo.state, { signal: -17 }, { from });
  await tells(house, CHARGING);
  const [, first] = house.mqtt.of(oreo.event);
  // Home Assistant may have lost its own connection with ours, and comes back within that time.
  expect((first?.at ?? 0) - online.at).toBeGreaterThan(15_000);
  expectTimes(house, times);
  happen(house, steps.fill());
  await tells(house, FULL);
  await refreshed(house);
  expectTold(house, LEFT, LOW, HOME, CHARGING, FULL);
});

test_("what happened without a broker is told as soon as Home Assistant is back, too", async (context) => {
  const house = await moveIn(context, DAY);
  const times = await withoutBroker(house);
  const from = house.mqtt.mark;
  const online = await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
  await house.mqtt.publish(HA_STATUS, "online");
  const { index } = await house.mqtt.waitFor(BRIDGE_STATE, () => true, { from: online.index + 1 });
  await tells(house, CHARGING);
  const [, first] = house.mqtt.of(oreo.event);
  expect(first?.index ?? -1).toBeGreaterThan(index);
  expect((first?.at ?? 0) - online.at).toBeLessThan(15_000);
  expectTimes(house, times);
  await refreshed(house);
  expectTold(house, LEFT, LOW, HOME, CHARGING);
});

test_("a broken connection, and no more, makes nothing happen twice", async (context) => {
  const house = await moveIn(context, DAY);
  happen(house, steps.leave());
  await tells(house, LEFT);
  for (let round = 0; round < 2; round += 1) {
    const from = house.mqtt.mark;
    house.broker.dropClients();
    house.cloud.faults.dropStreams();
    await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
    await house.live();
  }
  happen(house, steps.tire());
  await house.mqtt.publish(HA_STATUS, "online");
  await tells(house, LOW);
  await refreshed(house);
  expectTold(house, LEFT, LOW);
});

test_("what happens while Home Assistant is away is told once it listens again, in its order", async (context) => {
  const house = await moveIn(context, DAY);
  await hears(house, "offline");
  const { leave, tire, comeHome, charge, fill } = steps;
  for (const step of [leave, tire, comeHome, charge, fill]) {
    happen(house, step());
    await refreshed(house);
  }
  expectTold(house);
  const times = house.daemon.store
    .activities(0)
    .filter(({ device }) => device === "pettracer_14758")
    .map(({ at }) => at);

  const from = house.mqtt.mark;
  await hears(house, "online");
  // It is up, but has not set up its entities yet: what changes meanwhile is told, what happened is not.
  happen(house, { lastRssi: -30 });
  await house.mqtt.waitForJson(oreo.state, { signal: -17 }, { from });
  const described = await house.mqtt.waitFor(oreo.config, undefined, { from });
  const round = await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
  await tells(house, FULL);
  const first = house.mqtt.of(oreo.event)[0];
  expect(first?.index ?? -1).toBeGreaterThan(described.index);
  expect((first?.at ?? 0) - round.at).toBeGreaterThan(1_500);
  expectTold(house, LEFT, LOW, HOME, CHARGING, FULL);
  expect(told(house).map(({ at }) => Date.parse(String(at)))).toEqual(times);

  // Another birth, as after a restart of Home Assistant alone, tells nothing again.
  const again = house.mqtt.mark;
  await hears(house, "offline");
  await hears(house, "online");
  await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from: again });
  happen(house, leave());
  await tells(house, LEFT, again);
  expectTold(house, LEFT, LOW, HOME, CHARGING, FULL, LEFT);
});

test_("a birth that the broker retained is an old one, and holds nothing back", async (context) => {
  const house = await openHouse(context, DAY);
  await house.mqtt.publish(HA_STATUS, "online", true);
  await house.start();
  happen(house, steps.leave());
  await tells(house, LEFT);
  expectTold(house, LEFT);
});

/** Home Assistant goes first, then the program; and the cat leaves while both are away. */
async function bothAway(house: House): Promise<void> {
  await hears(house, "offline");
  await house.stop();
  happen(house, steps.leave());
}

test_("after both were away, Home Assistant's birth is waited for", async (context) => {
  const house = await moveIn(context, DAY);
  await bothAway(house);
  const from = house.mqtt.mark;
  await house.start();
  happen(house, steps.tire());
  await house.mqtt.waitForJson(oreo.state, { battery: 17 }, { from });
  expectTold(house);
  await house.mqtt.publish(HA_STATUS, "online");
  await tells(house, LOW);
  expectTold(house, LEFT, LOW);
});

test_("after both were away, a birth counts that comes before the program is ready", async (context) => {
  const house = await moveIn(context, DAY);
  await bothAway(house);
  // The login and the listing take their time.
  house.cloud.faults.latency(3_000);
  const from = house.mqtt.mark;
  await house.launch();
  await hears(house, "online");
  expect(house.mqtt.of(BRIDGE_STATE, from)).toEqual([]);
  const online = await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
  await tells(house, LEFT);
  expect((house.mqtt.of(oreo.event)[0]?.at ?? 0) - online.at).toBeLessThan(15_000);
  expectTold(house, LEFT);
});

test_("after both were away, a birth counts that the broker has kept", async (context) => {
  const house = await moveIn(context, DAY);
  await bothAway(house);
  await house.mqtt.publish(HA_STATUS, "online", true);
  await house.start();
  await tells(house, LEFT);
  expectTold(house, LEFT);
});

test_("a memory that was lost is no reason to be silent", async (context) => {
  const house = await openHouse(context, DAY);
  // As after a full disk: what was known is cut off, how far it was told is not.
  writeFileSync(join(house.dataDir, "devices.json"), '{"devices":[{"kind":"col');
  writeFileSync(join(house.dataDir, "told-mqtt.json"), "42");
  await house.start();
  happen(house, steps.leave());
  await tells(house, LEFT);
  happen(house, steps.comeHome());
  await tells(house, HOME);
  await house.stop();
  await house.start();
  await refreshed(house);
  expectTold(house, LEFT, HOME);
});

test_("to have lost how far it was told is no reason to tell all of it again", async (context) => {
  const house = await moveIn(context, DAY);
  happen(house, steps.leave());
  await tells(house, LEFT);
  await settledAt(house, 1);
  await house.stop();
  rmSync(join(house.dataDir, "told-mqtt.json"));
  await house.start();
  happen(house, steps.comeHome());
  await tells(house, HOME);
  expectTold(house, LEFT, HOME);
});

test_("without a folder to remember in, a restart of all parts makes nothing happen twice", async (context) => {
  const house = await openHouse(context, DAY);
  rmSync(house.dataDir, { recursive: true });
  writeFileSync(house.dataDir, "a file where the folder should be");
  await house.start();
  happen(house, steps.leave());
  await tells(house, LEFT);
  const from = house.mqtt.mark;
  await house.mqtt.publish("pawline/bridge/request/restart", "{}");
  await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from });
  await house.live();
  happen(house, steps.comeHome());
  await tells(house, HOME);
  expectTold(house, LEFT, HOME);
});
