/** Devices that come, go, and are deleted; entities that are not wanted; Home Assistant that starts. */
import { expect, test, vi } from "vitest";
import {
  BRIDGE_STATE,
  callsOf,
  configOf,
  HA_STATUS,
  type House,
  moveIn,
  OREO,
  OWNER,
  openHouse,
  oreo,
  station,
  stationAndOreo,
  time,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;
/** Oreo's entities, in their order: all but those of which its record says nothing. */
const KEYS = [
  "tracker",
  "at_home",
  "activity",
  "battery",
  "charging",
  "last_fix",
  "last_contact",
  "home_since",
  "accuracy",
  "distance",
  "time_outside",
  "live_remaining",
  "firmware",
  "mode",
  "live",
  "find",
  "light",
  "buzzer",
  "pending",
  "battery_voltage",
  "battery_warning",
  "satellites",
  "signal",
  "signal_quality",
  "firmware_version",
  "hardware_version",
  "boot_loader_version",
  "status",
  "station_status",
  "flags",
  "telegram_number",
  "birth",
  "safety_zone",
  "search",
  "bluetooth",
  "developer_mode",
  "owner",
];
const milo = topicsOf("pettracer_20");

function componentsOf(payload: string | undefined) {
  return configOf(payload).components;
}

/** Waits for the two steps in which a component goes: named by its platform alone, then not at all. */
async function expectTwoSteps(house: House, from: number, removed: Readonly<Record<string, string>>): Promise<void> {
  const isStep = (payload: string): boolean => Object.keys(removed).every((key) => !(key in componentsOf(payload)));
  const second = await house.mqtt.waitFor(oreo.config, isStep, { from });
  const [first, ...others] = house.mqtt.of(oreo.config, from).filter(({ retain }) => !retain);
  expect(others.map(({ index }) => index)).toEqual([second.index]);
  for (const [key, platform] of Object.entries(removed)) {
    expect(componentsOf(first?.payload)[key]).toEqual({ platform });
  }
  const kept = Object.entries(componentsOf(first?.payload)).filter(([key]) => !(key in removed));
  expect(componentsOf(second.payload)).toEqual(Object.fromEntries(kept));
}

test_.for<[string, string]>([
  ["a key", "signal"],
  ["a device's topic name and a key", "pettracer_14758/signal"],
  ["a device's number and a key", "14758/signal"],
  ["a pet's name and a key", "Oreo/signal"],
])("an entity that is excluded by %s goes in two steps, and comes back", async ([, entry], context) => {
  const house = await moveIn(context);
  await house.stop();
  const from = house.mqtt.mark;
  await house.start({ entities: { exclude: [entry] } });
  await expectTwoSteps(house, from, { signal: "sensor" });
  const keys = Object.keys(componentsOf((await house.mqtt.retained()).get(oreo.config)));
  expect(keys).toEqual(KEYS.filter((key) => key !== "signal"));
  expect(json(house.mqtt.latest(oreo.state) ?? "")).toHaveProperty("signal", -55);

  const back = house.mqtt.mark;
  await house.reload({ entities: { exclude: [] } });
  await house.mqtt.waitFor(oreo.config, (text) => "unique_id" in (componentsOf(text).signal ?? {}), { from: back });
});

test_("an entity that a reload excludes goes in two steps", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  await house.reload({ entities: { exclude: ["signal", "charging"] } });
  await expectTwoSteps(house, from, { signal: "sensor", charging: "binary_sensor" });
});

test_("another device's entity of that name stays", async (context) => {
  const house = await moveIn(context, { entities: { exclude: ["pettracer_1/signal", "signals", "oreo/battery/x"] } });
  expect(Object.keys(componentsOf(house.mqtt.latest(oreo.config)))).toEqual(KEYS);
});

/** As an older version may have left it at the broker. */
function olderConfig(components: object): string {
  return JSON.stringify({
    device: { identifiers: ["pettracer_14758"], name: "Oreo" },
    origin: { name: "Pawline" },
    availability: [{ topic: "pawline/bridge/state" }],
    components,
  });
}

function sensor(key: string) {
  return { platform: "sensor", unique_id: `pettracer_14758_${key}`, state_topic: oreo.state };
}

const silentOreo = { ...OREO, chg: undefined, lastRssi: undefined, masterHs: undefined };

test_("an older version's description is replaced without losing what it described", async (context) => {
  const house = await openHouse(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, silentOreo);
    },
  });
  const older = { battery: sensor("battery"), charging: sensor("charging"), signal: sensor("signal") };
  await house.mqtt.publish(oreo.config, olderConfig(older), true);
  await house.start();
  const components = componentsOf((await house.mqtt.retained()).get(oreo.config));
  // The cloud says nothing of charging and signal now: they are there because they were.
  const unknown = ["distance", "signal_quality"];
  expect(Object.keys(components)).toEqual(KEYS.filter((key) => !unknown.includes(key)));
  expect(components.signal).toMatchObject({ unique_id: "pettracer_14758_signal", device_class: "signal_strength" });
  const payloads = house.mqtt.of(oreo.config).map(({ payload }) => payload);
  expect(payloads).not.toContain("");
});

test_("an older version's component that there is no more goes in two steps", async (context) => {
  const house = await openHouse(context);
  await house.mqtt.publish(oreo.config, olderConfig({ battery: sensor("battery"), steps: sensor("steps") }), true);
  const from = house.mqtt.mark;
  await house.start();
  await expectTwoSteps(house, from, { steps: "sensor" });
  expect(Object.keys(componentsOf((await house.mqtt.retained()).get(oreo.config)))).toEqual(KEYS);
});

test_("other programs' devices are left alone, also with names like ours", async (context) => {
  const house = await openHouse(context);
  const foreign = JSON.stringify({ device: { identifiers: ["x"] }, origin: { name: "zigbee2mqtt" }, components: {} });
  const topics = ["homeassistant/device/0x1234/config", "homeassistant/device/pettracer_1/config"];
  for (const topic of topics) await house.mqtt.publish(topic, foreign, true);
  await house.start();
  const retained = await house.mqtt.retained();
  for (const topic of topics) expect(retained.get(topic)).toBe(foreign);
  expect(house.mqtt.messages.filter(({ payload }) => payload === "")).toEqual([]);
});

test_("a device that leaves the account goes when a second listing lacks it, too", async (context) => {
  const house = await moveIn(context, {
    account: { refresh: "2s" },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.addCollar(OWNER.login, { id: 20, details: { name: "Milo" }, lastPos: { posLat: 51.4, posLong: -1 } });
    },
  });
  const [from, calls] = [house.mqtt.mark, house.cloud.calls.length];
  house.cloud.removeDevice(20);
  const gone = await house.mqtt.waitFor(milo.config, (text) => text === "", { from });
  expect(callsOf(house.cloud, "/map/getccs", calls).filter(({ status }) => status === 200).length).toBeGreaterThan(1);
  for (const topic of [milo.availability, milo.state, milo.position, milo.firmware]) {
    const cleared = await house.mqtt.waitFor(topic, (text) => text === "", { from });
    expect(cleared.index).toBeGreaterThan(gone.index);
    expect(cleared.at - gone.at).toBeGreaterThan(1_000);
  }
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].filter((topic) => topic.includes("pettracer_20"))).toEqual([]);
  expect(retained.get(oreo.availability)).toBe("online");
  // Nothing of it comes back by itself.
  expect(house.mqtt.of(milo.state).at(-1)?.payload).toBe("");
});

test_("a device that is missing from one listing stays", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon, account: { refresh: "1s" } });
  const { cloud } = house;
  const listed = (from: number): number =>
    callsOf(cloud, "/map/getccs", from).filter(({ status }) => status === 200).length;
  const [record, calls, from] = [cloud.collar(14758), cloud.calls.length, house.mqtt.mark];
  cloud.removeDevice(14758);
  await cloud.waitFor(() => listed(calls) === 1, 20_000);
  cloud.addCollar(OWNER.login, record);
  const again = cloud.calls.length;
  await cloud.waitFor(() => listed(again) >= 2, 20_000);
  await house.fence();
  const said = house.mqtt.messages.slice(from).filter(({ topic }) => topic.includes("14758"));
  expect(said).toEqual([]);
});

test_("a device that joins is asked for at the cloud and published, without a restart", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const stream = house.cloud.sessions[0];
  const from = house.mqtt.mark;
  house.cloud.addCollar(OWNER.login, { id: 20, details: { name: "Milo" }, lastPos: { posLat: 51.4, posLong: -1 } });
  const described = await house.mqtt.waitFor(milo.config, undefined, { from });
  for (const topic of [milo.position, milo.state, milo.availability, milo.firmware]) {
    expect(house.mqtt.of(topic, from)[0]?.index).toBeLessThan(described.index);
  }
  await house.cloud.waitFor(() => stream?.deviceIds.has(20), 20_000);
  house.push(20, { lastPos: { posLat: 51.41, posLong: -1, timeMeasure: "2099-01-01T00:00:00.000+0000" }, bat: 3600 });
  await house.mqtt.waitForJson(milo.state, { battery: 17 }, { from });
  expect(house.cloud.sessions[0]).toBe(stream);
  expect(callsOf(house.cloud, "/user/login")).toHaveLength(1);
  expect(house.mqtt.of(BRIDGE_STATE, from)).toEqual([]);
});

/** Everything of the devices and the bridge, descriptions first, then states, then `online`. */
async function birth(house: House): Promise<number> {
  const from = house.mqtt.mark;
  await house.mqtt.publish(HA_STATUS, "online");
  const heard = await house.mqtt.waitFor(HA_STATUS, undefined, { from });
  const online = await house.online(from);
  expect(online.at - heard.at).toBeGreaterThan(900);
  expect(online.at - heard.at).toBeLessThan(6_000);
  return from;
}

test_("Home Assistant's birth brings everything once more within 6 s", async (context) => {
  const house = await moveIn(context);
  const from = await birth(house);
  const first = (topic: string): number => house.mqtt.of(topic, from)[0]?.index ?? Number.NaN;
  for (const device of [station, oreo]) {
    expect(first(device.config)).toBeLessThan(first(device.state));
    expect(first(device.availability)).toBeLessThan(first(BRIDGE_STATE));
  }
  expect(first(oreo.position)).toBeLessThan(first(BRIDGE_STATE));
  expect(first(station.config)).toBeLessThan(first(oreo.config));
  expect(first("homeassistant/device/bridge/config")).toBeLessThan(first(BRIDGE_STATE));
  const info = await house.mqtt.waitFor("pawline/bridge/info", (text) => text.includes('"status":"online"'), { from });
  expect(json(info.payload).home_assistant).toMatchObject({ seen: expect.stringMatching(/\+00:00$/) });
});

test_("Home Assistant's end is noted, and changes nothing else", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  const from = house.mqtt.mark;
  await house.mqtt.publish(HA_STATUS, "offline");
  await house.mqtt.publish(HA_STATUS, "nonsense");
  await house.mqtt.waitFor("pawline/bridge/info", (text) => text.includes('"status":"offline"'), { from });
  await house.fence();
  const said = house.mqtt.messages.slice(from).filter(({ topic }) => !topic.includes("pettracer_99"));
  // Its second word may be faster than our note of the first.
  expect(said.map(({ topic }) => topic).toSorted()).toEqual([HA_STATUS, HA_STATUS, "pawline/bridge/info"]);
});

test_("a device that was deleted in Home Assistant stays away until the next start", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  const from = house.mqtt.mark;
  await house.mqtt.publish(oreo.config, "", true);
  await house.logged(/pettracer_14758 was deleted in Home Assistant/);
  house.push(14758, { details: { name: "Cookie" }, bat: 3600 });
  await house.fence();
  await birth(house);
  await house.fence();
  expect(house.mqtt.of(oreo.config, from).map(({ payload }) => payload)).toEqual([""]);
  expect((await house.mqtt.retained()).has(oreo.config)).toBe(false);
  expect(house.mqtt.of(topicsOf("pettracer_99").config, from)).toHaveLength(1);
  // A broker that was away does not bring it back either.
  const away = house.mqtt.mark;
  await house.closeBroker();
  await house.replaceBroker();
  await house.mqtt.waitFor(station.config, undefined, { from: away });
  await house.fence();
  expect((await house.mqtt.retained()).has(oreo.config)).toBe(false);

  await house.stop();
  const again = house.mqtt.mark;
  await house.start();
  expect(configOf(house.mqtt.of(oreo.config, again)[0]?.payload).device.name).toBe("Cookie");
});

test_("a device that we removed and that comes back is no deleted one", async (context) => {
  const house = await moveIn(context, { account: { refresh: "1s" } });
  const { cloud } = house;
  const record = cloud.collar(14758);
  const from = house.mqtt.mark;
  cloud.removeDevice(14758);
  await house.mqtt.waitFor(oreo.position, (text) => text === "", { from });
  const back = house.mqtt.mark;
  cloud.addCollar(OWNER.login, { ...record, lastPos: { posLat: 51.4, posLong: -1, timeMeasure: time(0) } });
  const { payload } = await house.mqtt.waitFor(oreo.config, (text) => text !== "", { from: back });
  expect(Object.keys(componentsOf(payload))).toEqual(KEYS);
  await house.mqtt.waitForJson(oreo.position, { latitude: 51.4 }, { from: back });
  await house.mqtt.waitFor(oreo.availability, (text) => text === "online", { from: back });
});

test_.for([
  [
    "include by number",
    { include: [14758] },
    ["bridge", "pettracer_14758", "pettracer_account_15979", "pettracer_hs_10775"],
  ],
  [
    "include by name",
    { include: [" oreo"] },
    ["bridge", "pettracer_14758", "pettracer_account_15979", "pettracer_hs_10775"],
  ],
  ["include of a cat without a station", { include: ["20"] }, ["bridge", "pettracer_20", "pettracer_account_15979"]],
  [
    "exclude by number",
    { exclude: [20] },
    ["bridge", "pettracer_14758", "pettracer_account_15979", "pettracer_hs_10775"],
  ],
  [
    "exclude by name",
    { exclude: ["OREO"] },
    ["bridge", "pettracer_20", "pettracer_account_15979", "pettracer_hs_10775"],
  ],
  [
    "exclude of an included one",
    { include: ["Oreo", "Milo"], exclude: [20] },
    ["bridge", "pettracer_14758", "pettracer_account_15979", "pettracer_hs_10775"],
  ],
] as const)("%s", async ([, filter, wanted], context) => {
  const house = await openHouse(context, {
    account: {
      include: [...("include" in filter ? filter.include : [])],
      exclude: [...("exclude" in filter ? filter.exclude : [])],
    },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.addCollar(OWNER.login, { id: 20, details: { name: "Milo" }, masterHs: null });
    },
  });
  await house.start();
  const retained = [...(await house.mqtt.retained()).keys()];
  const described = retained.flatMap((topic) => /^homeassistant\/device\/(.+)\/config$/.exec(topic)?.[1] ?? []);
  expect(described.toSorted()).toEqual(wanted);
  const devices = new Set(retained.flatMap((topic) => /^pawline\/(.+)\/state$/.exec(topic)?.[1] ?? []));
  expect([...devices].toSorted()).toEqual(wanted);
  const asked = [...(house.cloud.sessions[0]?.deviceIds ?? [])];
  expect(asked.map((id) => `pettracer_${id}`).toSorted()).toEqual(wanted.filter((key) => /^pettracer_\d/.test(key)));
});

test_("what is excluded by a reload is removed, description first", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  await house.reload({ account: { exclude: ["Oreo"] } });
  const gone = await house.mqtt.waitFor(oreo.config, (text) => text === "", { from });
  const cleared = await house.mqtt.waitFor(oreo.state, (text) => text === "", { from });
  expect(gone.index).toBeLessThan(cleared.index);
});
