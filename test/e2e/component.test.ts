/**
 * A discovery message for each entity, and the way from one kind of discovery to the other, as a real Home Assistant
 * takes it: the entities stay what they are, with all that their user made of them. One house; its days in order.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { complaintsIn } from "./support/home-assistant-log.ts";
import type { RegistryEntity } from "./support/home-assistant-registry.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";
import { type MqttWatcher, watchMqtt } from "./support/mqtt-watcher.ts";
import { eventually } from "./support/waiting.ts";

const OREO = 14758;
const STATION = 10775;
const WAIT_MS = 60_000;
const DEVICES = ["bridge", "pettracer_14758", "pettracer_account_15979", "pettracer_hs_10775"];
/** What the user calls the battery sensor, and which entity he has disabled. */
const RENAMED = "sensor.how_much_is_left";
const DISABLED = "sensor.oreo_distance";
/** Home Assistant's own word on a device whose one message ends: there is no way without it. */
const KNOWN = /No device components to cleanup for/;

type Mode = "device" | "component" | "off";

let house: House;
let watcher: MqttWatcher;
/** Since when the log was not looked at. */
let logged = 0;
let batteryMv = 3_950;

function by(mode: Mode) {
  return { mqtt: { discovery: { mode } } };
}

beforeAll(async () => {
  house = await openHouse("component");
  const { cloud } = house;
  cloud.addHomeStation(OWNER.login, { id: STATION, posLat: HOME.latitude, posLong: HOME.longitude });
  cloud.addImage("oreo", Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
  cloud.addCollar(OWNER.login, {
    id: OREO,
    bat: batteryMv,
    chg: 1,
    lastRssi: 150,
    mode: 2,
    modeSet: 2,
    details: { name: "Oreo", color: 0xff912c, img: "oreo" },
    lastPos: fixAt(300),
  });
  // The collar obeys at once.
  cloud.setPollDelay(OREO, 0);
  watcher = await watchMqtt(house.broker.url);
  await watcher.subscribe("#");
  house.start();
  await house.home.waitForState("sensor.oreo_battery", "75", WAIT_MS);
  const update = { type: "config/entity_registry/update" };
  const { home } = house;
  await home.api.call({ ...update, entity_id: "sensor.oreo_battery", new_entity_id: RENAMED, name: "Left" });
  await home.api.call({ ...update, entity_id: DISABLED, disabled_by: "user" });
  await home.waitForRemoval(DISABLED, WAIT_MS);
  await home.waitForState(RENAMED, "75", WAIT_MS);
});

afterAll(async () => {
  await watcher?.close();
  await house?.close();
});

/** What the broker retains, but for what Home Assistant says. */
async function retained(): Promise<string[]> {
  const reader = await watchMqtt(house.broker.url);
  await reader.subscribe("#");
  const isBridge = ({ topic }: { readonly topic: string }): boolean => topic === "pawline/bridge/state";
  await reader.waitFor("the retained messages", WAIT_MS, 0, (all) => all.some(isBridge));
  await watcher.publish("the/end", "x");
  await reader.waitFor("the end", WAIT_MS, 0, (all) => all.some(({ topic }) => topic === "the/end"));
  await reader.close();
  return reader.messages.flatMap(({ topic, retained: isKept }) => (isKept ? [topic] : [])).toSorted();
}

type Known = Pick<
  RegistryEntity,
  "entity_id" | "unique_id" | "device_id" | "disabled_by" | "hidden_by" | "name" | "original_name" | "entity_category"
>;

/** Of each entity what must not change. */
async function registry(): Promise<Known[]> {
  const ours = (await house.home.entityRegistry()).filter(({ platform }) => platform === "mqtt");
  const pick = ({
    entity_id,
    unique_id,
    device_id,
    disabled_by,
    hidden_by,
    name,
    original_name,
    entity_category,
  }: RegistryEntity): Known => {
    return { entity_id, unique_id, device_id, disabled_by, hidden_by, name, original_name, entity_category };
  };
  return ours.map(pick).toSorted((a, b) => a.unique_id.localeCompare(b.unique_id));
}

/** The entities that have a state which is one, with that state; of those that change by themselves only that. */
async function shown(): Promise<Map<string, string>> {
  const states = await house.home.states();
  const ours = new Set((await registry()).map(({ entity_id }) => entity_id));
  const alive = [...states].filter(([id, { state, attributes }]) => {
    return ours.has(id) && state !== "unavailable" && attributes.restored !== true;
  });
  const isMoving = (id: string): boolean =>
    /last_error|_started|time_outside|activity|last_fix|last_contact|photo/.test(id);
  return new Map(alive.map(([id, { state }]) => [id, isMoving(id) ? "" : state]));
}

interface Picture {
  readonly registry: readonly Known[];
  readonly devices: readonly (readonly [string, string])[];
  readonly shown: ReadonlyMap<string, string>;
}

async function picture(): Promise<Picture> {
  const devices = [...(await house.devices())].map(([key, { id }]) => [key, id] as const);
  return {
    registry: await registry(),
    devices: devices.toSorted(([a], [b]) => a.localeCompare(b)),
    shown: await shown(),
  };
}

/** Each entity is what it was: its id, its device, what the user made of it, and its state. */
async function expectSame(before: Picture): Promise<void> {
  await eventually(WAIT_MS, `All ${before.shown.size} states`, async () => {
    const now = await shown();
    return [...before.shown].every(([id, state]) => now.get(id) === state) || undefined;
  }).catch(async (cause: unknown) => {
    expect(await shown()).toEqual(before.shown);
    throw cause;
  });
  expect(await picture()).toEqual(before);
}

function isIn(mode: Mode, topic: string): boolean {
  return topic.startsWith("homeassistant/") && topic.startsWith("homeassistant/device/") === (mode === "device");
}

/** All stand in the new mode since `from`, and their states are said again. */
async function moved(mode: "device" | "component", from: number): Promise<void> {
  await watcher.waitFor(`everything in mode ${mode}`, WAIT_MS, from, (all) =>
    DEVICES.every((device) => {
      const last = all.findLastIndex(({ topic, payload, retained: isKept }) => {
        const isOf = topic.includes(`/${device}/`) && topic.endsWith("/config");
        return isOf && isIn(mode, topic) && payload.includes('"origin"') && !isKept;
      });
      const state = device === "bridge" ? "pawline/bridge/info" : `pawline/${device}/state`;
      return last >= 0 && all.slice(last).some(({ topic }) => topic === state);
    }),
  );
}

async function expectQuiet(...allowed: readonly RegExp[]): Promise<string[]> {
  const complaints = await house.home.logComplaints(logged);
  logged = house.home.log().length;
  expect(complaints.filter((record) => !allowed.some((pattern) => pattern.test(record)))).toEqual([]);
  return complaints.filter((record) => KNOWN.test(record));
}

/** The battery charges, and Home Assistant shows it. */
async function charge(): Promise<void> {
  const before = (await house.home.states()).get(RENAMED)?.state;
  batteryMv += 40;
  house.cloud.push(OREO, { bat: batteryMv, lastContact: new Date().toISOString() });
  await house.home.waitForState(RENAMED, ({ state }) => state !== before && /^\d+$/.test(state), WAIT_MS);
}

/** The numbers that the recorder has of an entity. */
async function history(id: string): Promise<string[]> {
  const start_time = new Date(Date.now() - 3_600_000).toISOString();
  const question = { type: "history/history_during_period", start_time, entity_ids: [id], no_attributes: true };
  const rows = await house.home.api.call<Record<string, { readonly s: string }[]>>(question);
  const numbers = (rows[id] ?? []).map(({ s }) => s).filter((state) => /^\d+$/.test(state));
  return numbers.filter((state, index, all) => state !== all[index - 1]);
}

let first: Picture;
let topicsInDeviceMode: string[];
let topicsInComponentMode: string[];

test("from device to component, by a reload: all entities are what they were", async () => {
  await expectQuiet();
  first = await picture();
  expect(first.registry.length).toBeGreaterThan(50);
  expect(first.registry.filter(({ disabled_by }) => disabled_by === "integration").length).toBeGreaterThan(10);
  expect(first.registry.find(({ entity_id }) => entity_id === DISABLED)?.disabled_by).toBe("user");
  topicsInDeviceMode = await retained();

  const from = watcher.messages.length;
  house.reconfigure(by("component"));
  await moved("component", from);
  await expectSame(first);
  topicsInComponentMode = await retained();
  expect(topicsInComponentMode.filter((topic) => isIn("device", topic))).toEqual([]);
  const configs = topicsInComponentMode.filter((topic) => topic.endsWith("/config"));
  expect(configs).toHaveLength(first.registry.length);
  const own = (topics: readonly string[]): string[] => topics.filter((topic) => topic.startsWith("pawline/"));
  expect(own(topicsInComponentMode)).toEqual(own(topicsInDeviceMode));
  expect(await expectQuiet(KNOWN)).toHaveLength(DEVICES.length);
});

test("every control works by its own message", async () => {
  const { home, cloud } = house;
  const from = cloud.calls.length;
  await home.callService("switch", "turn_on", {}, { entity_id: "switch.oreo_light" });
  await home.waitForState("switch.oreo_light", "on", WAIT_MS);
  await home.callService("select", "select_option", { option: "Slow" }, { entity_id: "select.oreo_mode" });
  await home.waitForState("select.oreo_mode", "Slow", WAIT_MS);
  await home.callService("select", "select_option", { option: "Normal" }, { entity_id: "select.oreo_mode" });
  await home.waitForState("select.oreo_mode", "Normal", WAIT_MS);
  await home.callService("switch", "turn_off", {}, { entity_id: "switch.oreo_light" });
  await home.waitForState("switch.oreo_light", "off", WAIT_MS);
  await home.waitForState("binary_sensor.oreo_pending", "off", WAIT_MS);
  const paths = cloud.calls.slice(from).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining([`/map/setccled/${OREO}/1`, `/map/setccled/${OREO}/2`]));
  await home.callService("select", "select_option", { option: "debug" }, { entity_id: "select.pawline_log_level" });
  await home.waitForState("select.pawline_log_level", "debug", WAIT_MS);
  await home.callService("select", "select_option", { option: "info" }, { entity_id: "select.pawline_log_level" });
  await home.waitForState("select.pawline_log_level", "info", WAIT_MS);
  await expectQuiet();
});

test("a restart of Home Assistant finds every entity by its own message", async () => {
  const before = await picture();
  await house.home.restart();
  await house.home.waitForBroker(WAIT_MS);
  await expectSame(before);
  await expectQuiet();
});

test("from component to device, over a restart of the daemon: the history goes on", async () => {
  await charge();
  const before = await eventually(WAIT_MS, "A history", async () => {
    const rows = await history(RENAMED);
    return rows.length > 1 ? rows : undefined;
  });
  const from = watcher.messages.length;
  await house.daemon.stop();
  house.start(by("device"));
  await moved("device", from);
  await house.home.waitForState(RENAMED, ({ state }) => /^\d+$/.test(state), WAIT_MS);
  expect(await retained()).toEqual(topicsInDeviceMode);
  const { registry: entities, devices } = await picture();
  expect({ entities, devices }).toEqual({ entities: first.registry, devices: first.devices });
  await charge();
  const after = await eventually(WAIT_MS, "A longer history", async () => {
    const rows = await history(RENAMED);
    return rows.length > before.length ? rows : undefined;
  });
  expect(after.slice(0, before.length)).toEqual(before);
  first = await picture();
  await expectQuiet();
});

test("a mode that changes while Home Assistant is away", async () => {
  const before = await picture();
  await house.home.stop();
  const from = watcher.messages.length;
  house.reconfigure(by("component"));
  await moved("component", from);
  await house.home.start();
  await house.home.waitForBroker(WAIT_MS);
  await expectSame(before);
  expect(await retained()).toEqual(topicsInComponentMode);
  await expectQuiet();
});

test("a mode that changes while Home Assistant starts, as after a power cut", async () => {
  const before = await picture();
  await house.home.stop();
  await house.daemon.kill();
  const from = watcher.messages.length;
  house.start(by("device"));
  await house.home.start();
  await moved("device", from);
  await house.home.waitForBroker(WAIT_MS);
  await expectSame(before);
  expect(await retained()).toEqual(topicsInDeviceMode);
  await expectQuiet();
});

test("the daemon is killed in the middle of a change, and started again", async () => {
  const before = await picture();
  const from = watcher.messages.length;
  house.reconfigure(by("component"));
  await watcher.waitFor("the first word of a move", WAIT_MS, from, (all) =>
    all.some(({ payload }) => payload.includes("migrate_discovery")),
  );
  await house.daemon.kill();
  const again = watcher.messages.length;
  house.start(by("component"));
  await moved("component", again);
  await expectSame(before);
  expect(await retained()).toEqual(topicsInComponentMode);
  await expectQuiet(KNOWN);
});

test("a device that its user deletes is gone with all its messages, and stays away until it is asked for", async () => {
  const { home } = house;
  // The collar's parent first; then the collar, most of whose entities are disabled.
  for (const key of [`pettracer_hs_${STATION}`, `pettracer_${OREO}`]) {
    const device = (await house.devices()).get(key);
    const output = house.daemon.output().length;
    await home.api.call({ type: "config/device_registry/remove", device_id: device?.id });
    await house.daemon.waitForOutput(new RegExp(`"${key} was deleted in Home Assistant`), WAIT_MS, output);
    const left = (await retained()).filter((topic) => topic.endsWith("/config") && topic.includes(`/${key}/`));
    expect(left).toEqual([]);
  }
  await home.restart();
  await home.waitForBroker(WAIT_MS);
  await home.waitForState("binary_sensor.pawline_connection", "on", WAIT_MS);
  await home.waitForState("binary_sensor.pettracer_account_owner_problem", "off", WAIT_MS);
  const left = [...(await house.devices()).keys()].filter((key) => key !== "backup_manager");
  expect(left.toSorted()).toEqual(["pawline_bridge", "pettracer_account_15979"]);

  await home.callService("button", "press", {}, { entity_id: "button.pawline_republish" });
  await home.waitForState("binary_sensor.home_station_10775_online", "on", WAIT_MS);
  await home.waitForState("binary_sensor.oreo_charging", "on", WAIT_MS);
  expect(await retained()).toEqual(topicsInComponentMode);
  await expectQuiet();
});

test("an entity that its user deletes stays away, too", async () => {
  const { home } = house;
  const output = house.daemon.output().length;
  await home.api.call({ type: "config/entity_registry/remove", entity_id: "sensor.oreo_accuracy" });
  await house.daemon.waitForOutput(/pettracer_14758\/accuracy was deleted in Home Assistant/, WAIT_MS, output);
  await home.restart();
  await home.waitForBroker(WAIT_MS);
  await home.waitForState("binary_sensor.oreo_charging", "on", WAIT_MS);
  expect((await registry()).map(({ unique_id }) => unique_id)).not.toContain("pettracer_14758_accuracy");
  await home.callService("button", "press", {}, { entity_id: "button.pawline_republish" });
  await home.waitForState("sensor.oreo_accuracy", "10", WAIT_MS);
  await expectQuiet();
});

test("what its user excludes together with a change of the mode is gone, and the rest stays", async () => {
  const before = await registry();
  const from = watcher.messages.length;
  house.reconfigure({ ...by("device"), entities: { exclude: ["light"] } });
  await moved("device", from);
  await house.home.waitForState("switch.oreo_buzzer", "off", WAIT_MS);
  expect(await registry()).toEqual(before.filter(({ unique_id }) => unique_id !== `pettracer_${OREO}_light`));
  const there = watcher.messages.length;
  house.reconfigure({ ...by("component"), entities: { exclude: ["light", "buzzer"] } });
  await moved("component", there);
  await house.home.waitForState("binary_sensor.oreo_charging", "on", WAIT_MS);
  const kept = before.filter(({ unique_id }) => !/_14758_(?:light|buzzer)$/.test(unique_id));
  expect(await registry()).toEqual(kept);
  expect(await expectQuiet(KNOWN)).toHaveLength(DEVICES.length);
});

test("off takes everything out of Home Assistant", async () => {
  await house.home.waitForState("device_tracker.oreo", "not_home", WAIT_MS);
  house.reconfigure(by("off"));
  await house.home.waitForRemoval("device_tracker.oreo", WAIT_MS);
  await eventually(WAIT_MS, "No device of ours", async () => {
    const left = [...(await house.devices()).keys()].filter((key) => /pettracer|pawline/.test(key));
    return left.length === 0 || undefined;
  });
  expect((await retained()).filter((topic) => topic.startsWith("homeassistant/"))).toEqual([]);
  await expectQuiet();
  expect(complaintsIn(house.home.log()).filter((record) => /conflicting/.test(record))).toEqual([]);
});
