/** What Home Assistant is told of each device: whole discovery messages, literally. */
import { expect, test, vi } from "vitest";
import { VERSION } from "../../src/lib/about.ts";
import {
  configOf,
  type House,
  moveIn,
  OREO,
  OWNER,
  oreo,
  STATION,
  station,
  stationAndOreo,
  topicsOf,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const origin = { name: "Pawline", sw_version: VERSION };

function availabilityOf(device: string) {
  return {
    availability: [{ topic: "pawline/bridge/state" }, { topic: `pawline/${device}/availability` }],
    availability_mode: "all",
    qos: 1,
  };
}

function readsState(key: string, device = "pettracer_14758") {
  return { state_topic: `pawline/${device}/state`, value_template: `{{ value_json.${key} }}` };
}

const OREO_COMPONENTS = {
  tracker: {
    platform: "device_tracker",
    unique_id: "pettracer_14758_tracker",
    default_entity_id: "device_tracker.oreo",
    name: null,
    icon: "mdi:cat",
    json_attributes_topic: "pawline/pettracer_14758/position",
    source_type: "gps",
  },
  at_home: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_at_home",
    default_entity_id: "binary_sensor.oreo_at_home",
    name: "At home",
    device_class: "presence",
    ...readsState("at_home"),
    payload_on: true,
    payload_off: false,
  },
  battery: {
    platform: "sensor",
    unique_id: "pettracer_14758_battery",
    default_entity_id: "sensor.oreo_battery",
    device_class: "battery",
    unit_of_measurement: "%",
    state_class: "measurement",
    entity_category: "diagnostic",
    ...readsState("battery"),
  },
  charging: {
    platform: "binary_sensor",
    unique_id: "pettracer_14758_charging",
    default_entity_id: "binary_sensor.oreo_charging",
    device_class: "battery_charging",
    entity_category: "diagnostic",
    ...readsState("charging"),
    payload_on: true,
    payload_off: false,
  },
  last_fix: {
    platform: "sensor",
    unique_id: "pettracer_14758_last_fix",
    default_entity_id: "sensor.oreo_last_fix",
    name: "Last fix",
    device_class: "timestamp",
    icon: "mdi:crosshairs-gps",
    ...readsState("last_fix"),
  },
  last_contact: {
    platform: "sensor",
    unique_id: "pettracer_14758_last_contact",
    default_entity_id: "sensor.oreo_last_contact",
    name: "Last contact",
    device_class: "timestamp",
    entity_category: "diagnostic",
    icon: "mdi:radio-tower",
    ...readsState("last_contact"),
  },
  accuracy: {
    platform: "sensor",
    unique_id: "pettracer_14758_accuracy",
    default_entity_id: "sensor.oreo_accuracy",
    name: "GPS accuracy",
    device_class: "distance",
    unit_of_measurement: "m",
    state_class: "measurement",
    entity_category: "diagnostic",
    icon: "mdi:crosshairs-question",
    suggested_display_precision: 0,
    ...readsState("accuracy"),
  },
  distance: {
    platform: "sensor",
    unique_id: "pettracer_14758_distance",
    default_entity_id: "sensor.oreo_distance",
    name: "Distance from home",
    device_class: "distance",
    unit_of_measurement: "m",
    state_class: "measurement",
    icon: "mdi:map-marker-distance",
    suggested_display_precision: 0,
    ...readsState("distance"),
  },
  signal: {
    platform: "sensor",
    unique_id: "pettracer_14758_signal",
    default_entity_id: "sensor.oreo_signal",
    device_class: "signal_strength",
    unit_of_measurement: "dBm",
    state_class: "measurement",
    entity_category: "diagnostic",
    suggested_display_precision: 0,
    enabled_by_default: false,
    ...readsState("signal"),
  },
};

test.concurrent("a collar, its station and the bridge are described in full", async (context) => {
  const house = await moveIn(context);
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(oreo.config))).toEqual({
    device: {
      identifiers: ["pettracer_14758"],
      name: "Oreo",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "14758",
      hw_version: "10.5.3",
      sw_version: "10.4.9",
      configuration_url: "https://portal.pettracer.com",
      via_device: "pettracer_hs_10775",
    },
    origin,
    ...availabilityOf("pettracer_14758"),
    components: OREO_COMPONENTS,
  });
  expect(configOf(retained.get(station.config))).toEqual({
    device: {
      identifiers: ["pettracer_hs_10775"],
      name: "Home station 10775",
      manufacturer: "PetTracer",
      model: "Home station",
      serial_number: "10775",
      hw_version: "10.4.0",
      sw_version: "10.4.4",
      configuration_url: "https://portal.pettracer.com",
    },
    origin,
    ...availabilityOf("pettracer_hs_10775"),
    components: {
      online: {
        platform: "binary_sensor",
        unique_id: "pettracer_hs_10775_online",
        default_entity_id: "binary_sensor.home_station_10775_online",
        device_class: "connectivity",
        entity_category: "diagnostic",
        ...readsState("online", "pettracer_hs_10775"),
        payload_on: true,
        payload_off: false,
      },
      last_contact: {
        platform: "sensor",
        unique_id: "pettracer_hs_10775_last_contact",
        default_entity_id: "sensor.home_station_10775_last_contact",
        name: "Last contact",
        device_class: "timestamp",
        entity_category: "diagnostic",
        icon: "mdi:radio-tower",
        ...readsState("last_contact", "pettracer_hs_10775"),
      },
    },
  });
  expect(configOf(retained.get("homeassistant/device/bridge/config"))).toEqual({
    device: {
      identifiers: ["pawline_bridge"],
      name: "Pawline",
      manufacturer: "Pawline",
      model: "Bridge",
      sw_version: VERSION,
    },
    origin,
    qos: 1,
    components: {
      connection: {
        platform: "binary_sensor",
        unique_id: "bridge_connection",
        default_entity_id: "binary_sensor.pawline_connection",
        device_class: "connectivity",
        entity_category: "diagnostic",
        state_topic: "pawline/bridge/state",
        payload_on: "online",
        payload_off: "offline",
      },
      version: {
        platform: "sensor",
        unique_id: "bridge_version",
        default_entity_id: "sensor.pawline_version",
        name: "Version",
        entity_category: "diagnostic",
        icon: "mdi:tag-outline",
        state_topic: "pawline/bridge/info",
        value_template: "{{ value_json.version }}",
      },
    },
  });
  expect(retained.get("pawline/bridge/state")).toBe("online");
  expect([...retained.keys()].toSorted()).toEqual([
    "homeassistant/device/bridge/config",
    oreo.config,
    station.config,
    "pawline/bridge/info",
    "pawline/bridge/state",
    oreo.availability,
    oreo.position,
    oreo.state,
    station.availability,
    station.state,
  ]);
});

/** Every field that the simulated cloud would fill in is left out. */
const NOTHING = Object.fromEntries(
  [
    ..."accuWarn safetyZone hw sw bl bat chg userId masterHs mode modeSet status search lastTlgNr lastContact".split(
      " ",
    ),
    ..."lastPos devMode details led ble buz lastRssi flags searchModeDuration masterStatus home homeSince".split(" "),
    ..."owner fiFo".split(" "),
  ].map((field) => [field, undefined]),
);

const BARE = { ...NOTHING, id: 77, bat: 3760, lastContact: "2026-06-01T10:05:00.310+0000" };
const bare = topicsOf("pettracer_77");

test.concurrent("a bare collar has what is known of it, and every key in its state", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, BARE);
    },
  });
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(bare.config))).toEqual({
    device: {
      identifiers: ["pettracer_77"],
      name: "Collar 77",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "77",
      configuration_url: "https://portal.pettracer.com",
    },
    origin,
    ...availabilityOf("pettracer_77"),
    components: {
      tracker: {
        ...OREO_COMPONENTS.tracker,
        unique_id: "pettracer_77_tracker",
        default_entity_id: "device_tracker.collar_77",
        json_attributes_topic: "pawline/pettracer_77/position",
      },
      battery: {
        ...OREO_COMPONENTS.battery,
        unique_id: "pettracer_77_battery",
        default_entity_id: "sensor.collar_77_battery",
        ...readsState("battery", "pettracer_77"),
      },
      last_contact: {
        ...OREO_COMPONENTS.last_contact,
        unique_id: "pettracer_77_last_contact",
        default_entity_id: "sensor.collar_77_last_contact",
        ...readsState("last_contact", "pettracer_77"),
      },
    },
  });
  expect(json(retained.get(bare.state) ?? "")).toEqual({
    at_home: null,
    battery: 34,
    charging: null,
    last_fix: null,
    last_contact: "2026-06-01T10:05:00.310+00:00",
    accuracy: null,
    distance: null,
    signal: null,
    color: null,
    pending_command: null,
    pending_since: null,
    pending_until: null,
  });
  expect(house.mqtt.of(bare.position)).toEqual([]);
});

test.concurrent("what the cloud tells of for the first time becomes a component, beside the old ones", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, BARE);
    },
  });
  const from = house.mqtt.mark;
  house.push(77, { lastPos: { posLat: 51.5, posLong: -0.1, acc: 9, timeMeasure: "2026-06-01T11:00:00.000+0000" } });
  const { payload, index } = await house.mqtt.waitFor(bare.config, undefined, { from });
  expect(Object.keys(configOf(payload).components)).toEqual([
    "tracker",
    "battery",
    "last_fix",
    "last_contact",
    "accuracy",
  ]);
  const [first, second] = house.mqtt.of(bare.config);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2_000);
  expect(house.mqtt.of(bare.position, from)[0]?.index).toBeLessThan(index);
  await house.mqtt.waitForJson(bare.state, { accuracy: 9 }, { from: index });
});

test.concurrent("a component that was published once stays, though the cloud is silent about it", async (context) => {
  const house = await moveIn(context);
  await house.stop();
  house.cloud.removeDevice(14758);
  house.cloud.addCollar(OWNER.login, { ...OREO, chg: undefined, lastPos: undefined, masterHs: undefined });
  const from = house.mqtt.mark;
  await house.start();
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(oreo.config)).components).toEqual(OREO_COMPONENTS);
  const state = json((await house.mqtt.waitFor(oreo.state, undefined, { from })).payload);
  expect(state).toMatchObject({ charging: null, last_fix: null, accuracy: null, distance: null, battery: 83 });
});

test.concurrent("a collar does not name a station that is not published", async (context) => {
  const house = await moveIn(context, { account: { exclude: [10775] } });
  const retained = await house.mqtt.retained();
  expect(retained.has(station.config)).toBe(false);
  expect(configOf(retained.get(oreo.config)).device).not.toHaveProperty("via_device");
  // Its coordinates are home all the same: the collar's own record has them.
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ distance: 131 });
});

function viaOf(payload: string): unknown {
  return configOf(payload).device.via_device;
}

test.concurrent("a collar names its station as long as that is published", async (context) => {
  const house = await moveIn(context, {
    account: { refresh: "1s" },
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.removeDevice(10775);
    },
  });
  expect(viaOf(house.mqtt.latest(oreo.config) ?? "")).toBeUndefined();

  const joined = house.mqtt.mark;
  house.cloud.addHomeStation(OWNER.login, STATION);
  const named = await house.mqtt.waitFor(oreo.config, (text) => viaOf(text) === "pettracer_hs_10775", { from: joined });
  const described = await house.mqtt.waitFor(station.config, undefined, { from: joined });
  expect(described.index).toBeLessThan(named.index);

  // At once: the collar was described just now, and the next description has to wait.
  await leave(house);
});

/** The station leaves the account: first the collar does without it, then it goes. */
async function leave(house: House): Promise<void> {
  const from = house.mqtt.mark;
  house.cloud.removeDevice(10775);
  const cleared = await house.mqtt.waitFor(station.config, (text) => text === "", { from });
  const unnamed = await house.mqtt.waitFor(oreo.config, (text) => viaOf(text) === undefined, { from });
  expect(unnamed.index).toBeLessThan(cleared.index);
}

test.concurrent("a station that leaves is taken from its collar first", async (context) => {
  await leave(await moveIn(context, { account: { refresh: "2s" } }));
});

test.concurrent("a station that the user deleted is no parent any more", async (context) => {
  const house = await moveIn(context);
  await house.mqtt.publish(station.config, "", true);
  await house.logged(/pettracer_hs_10775 was deleted/);
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Oreo II" } });
  const { payload } = await house.mqtt.waitFor(oreo.config, undefined, { from });
  expect(configOf(payload).device).toMatchObject({ name: "Oreo II" });
  expect(configOf(payload).device).not.toHaveProperty("via_device");
});

test.concurrent.for([
  ["  Mr.  Tibbles \u0007", "Mr. Tibbles", "device_tracker.mr_tibbles", "sensor.mr_tibbles_battery"],
  ["Mäusejäger", "Mäusejäger", "device_tracker.mausejager", "sensor.mausejager_battery"],
  ["🐈‍⬛", "🐈‍⬛", "device_tracker.pettracer_14758", "sensor.pettracer_14758_battery"],
  ["\t", "Collar 14758", "device_tracker.collar_14758", "sensor.collar_14758_battery"],
  ["x".repeat(100), "x".repeat(64), `device_tracker.${"x".repeat(64)}`, `sensor.${"x".repeat(64)}_battery`],
])("a pet called %j is shown as %j", async ([name, shown, tracker, battery], context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, { ...OREO, details: { name } });
    },
  });
  const { device, components } = configOf(house.mqtt.latest(oreo.config));
  expect(device.name).toBe(shown);
  expect(components.tracker?.default_entity_id).toBe(tracker);
  expect(components.battery?.default_entity_id).toBe(battery);
});

test.concurrent("a rename is a new description with the same ids", async (context) => {
  const house = await moveIn(context);
  const before = configOf(house.mqtt.latest(oreo.config));
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Cookie" } });
  const after = configOf((await house.mqtt.waitFor(oreo.config, undefined, { from })).payload);
  expect(after.device).toEqual({ ...before.device, name: "Cookie" });
  const ids = (config: typeof after): unknown[] => Object.values(config.components).map((one) => one.unique_id);
  expect(ids(after)).toEqual(ids(before));
  expect(ids(after)).toHaveLength(9);
});

test.concurrent("an unchanged description is not sent again over many updates", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  for (let count = 1; count <= 60; count += 1) {
    const timeMeasure = new Date(Date.UTC(2026, 5, 1, 11, count)).toISOString().replace("Z", "+0000");
    house.push(14758, { bat: 4000 - count, lastPos: { ...OREO.lastPos, posLat: 51.4 + count / 10_000, timeMeasure } });
    await house.mqtt.waitForJson(oreo.position, { latitude: 51.4 + count / 10_000 }, { from });
  }
  const configs = house.mqtt.messages.slice(from).filter(({ topic }) => topic.endsWith("/config"));
  expect(configs).toEqual([]);
});

test.concurrent("other firmware is told", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  house.push(14758, { sw: 0x0a0500 });
  const { payload } = await house.mqtt.waitFor(oreo.config, undefined, { from });
  expect(configOf(payload).device).toMatchObject({ sw_version: "10.5.0", hw_version: "10.5.3" });
  await until(() => house.mqtt.of(oreo.config, from).length === 1, "one config");
});
