/**
 * The main job, with real parts: a cat moves in the (simulated) PetTracer cloud, and its entity moves in a real Home
 * Assistant, through a real mosquitto. One house for the whole file; the tests go through its day in order.
 */
import { writeFileSync } from "node:fs";
import mqtt from "mqtt";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { VERSION } from "../../src/lib/about.ts";
import { artifact } from "./support/artifacts.ts";
import { openBrowser, openHomeAssistant, screenshot, waitForText } from "./support/browser.ts";
import { type Daemon, startDaemon } from "./support/daemon.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import type { RegistryDevice } from "./support/home-assistant-registry.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";

const LOGIN = "owner@cats.example";
const STATION = 10775;
const OREO = 14758;
const BARE = 14759;
const HOME = { latitude: 51.5, longitude: -0.12 };
const BACK_MS = 60_000;

let cloud: Cloud;
let broker: Mosquitto;
let home: HomeAssistant;
let daemon: Daemon;
let browser: Browser;
let config: object;

/** A fix so many metres north of the house. */
function fix(northM: number, more: object = {}): object {
  const time = new Date().toISOString();
  return {
    posLat: HOME.latitude + northM / 111_195,
    posLong: HOME.longitude,
    acc: 10,
    sat: 9,
    timeMeasure: time,
    timeDb: time,
    ...more,
  };
}

beforeAll(async () => {
  cloud = await startCloud();
  cloud.addAccount({ login: LOGIN, password: "a secret for this test", id: 15979, name: "Owner" });
  cloud.addHomeStation(LOGIN, { id: STATION, posLat: HOME.latitude, posLong: HOME.longitude });
  cloud.addCollar(LOGIN, {
    id: OREO,
    bat: 3950,
    chg: 1,
    lastRssi: 150,
    details: { name: "Oreo", color: 0xff912c },
    lastPos: fix(300),
  });
  const bare = Object.fromEntries(Object.keys(cloud.collar(OREO)).map((key) => [key, undefined]));
  cloud.addCollar(LOGIN, { ...bare, id: BARE, bat: 3700, lastContact: new Date().toISOString() });
  broker = await startMosquitto();
  home = await startHomeAssistant({ mqtt: { host: "127.0.0.1", port: broker.port } });
  config = {
    pettracer: {
      username: LOGIN,
      password: "a secret for this test",
      portal_url: cloud.portalUrl,
      stream_url: cloud.streamUrl,
      refresh: "2s",
    },
    mqtt: { url: broker.url },
    // A cat that comes home here goes out again at once.
    home: { flap_time: "0s" },
  };
  daemon = startDaemon({ config });
  browser = await openBrowser();
});

afterAll(async () => {
  if (home) writeFileSync(artifact("home-assistant.log"), home.log());
  if (daemon) writeFileSync(artifact("daemon.log"), daemon.output());
  await browser?.close();
  await daemon?.stop();
  await home?.stop();
  await broker?.stop();
  await cloud?.close();
});

const TIME = /^20\d\d-.*\+00:00$/;
const NOTHING_OR_TIME = /^unknown$|^20\d\d-.*\+00:00$/;
const ANYTHING = /./;

/** Of those that are enabled: entity id, state, and what it must say of itself. */
const ENTITIES: readonly (readonly [
  id: string,
  state: string | RegExp,
  attributes: object,
  category: string | null,
])[] = [
  ["device_tracker.oreo", "not_home", { source_type: "gps", gps_accuracy: 10, source: "gps", satellites: 9 }, null],
  ["binary_sensor.oreo_at_home", "off", { device_class: "presence" }, null],
  [
    "sensor.oreo_battery",
    "75",
    { device_class: "battery", unit_of_measurement: "%", state_class: "measurement" },
    "diagnostic",
  ],
  ["binary_sensor.oreo_charging", "on", { device_class: "battery_charging" }, "diagnostic"],
  ["sensor.oreo_last_fix", TIME, { device_class: "timestamp" }, null],
  ["sensor.oreo_last_contact", TIME, { device_class: "timestamp" }, "diagnostic"],
  ["sensor.oreo_accuracy", "10", { device_class: "distance", unit_of_measurement: "m" }, "diagnostic"],
  ["sensor.oreo_distance", "300", { device_class: "distance", unit_of_measurement: "m" }, null],
  ["sensor.oreo_home_since", "unknown", { device_class: "timestamp" }, "diagnostic"],
  ["sensor.oreo_time_outside", /^\d+$/, { device_class: "duration", unit_of_measurement: "min" }, null],
  ["sensor.oreo_live_remaining", "0", { device_class: "duration", unit_of_measurement: "min" }, null],
  ["event.oreo_activity", NOTHING_OR_TIME, {}, null],
  ["select.oreo_mode", "Fast", {}, "config"],
  ["switch.oreo_live", "off", {}, null],
  ["switch.oreo_light", "off", {}, null],
  ["switch.oreo_buzzer", "off", {}, null],
  ["button.oreo_find", "unknown", {}, null],
  ["binary_sensor.oreo_pending", "off", {}, null],
  ["update.oreo_firmware", "unknown", { device_class: "firmware", installed_version: "10.4.9" }, "diagnostic"],
  ["event.collar_14759_activity", "unknown", {}, null],
  ["device_tracker.collar_14759", "unknown", { source_type: "gps" }, null],
  ["sensor.collar_14759_battery", "28", { unit_of_measurement: "%" }, "diagnostic"],
  ["sensor.collar_14759_last_contact", TIME, { device_class: "timestamp" }, "diagnostic"],
  ["binary_sensor.home_station_10775_online", "on", { device_class: "connectivity" }, "diagnostic"],
  ["sensor.home_station_10775_last_contact", TIME, { device_class: "timestamp" }, "diagnostic"],
  ["sensor.home_station_10775_pets_at_home", "0", {}, null],
  ["update.home_station_10775_firmware", "unknown", { installed_version: "10.4.4" }, "diagnostic"],
  ["binary_sensor.pettracer_account_owner_problem", "off", { device_class: "problem" }, "diagnostic"],
  ["binary_sensor.pettracer_account_owner_stream", "on", { device_class: "connectivity" }, "diagnostic"],
  ["sensor.pettracer_account_owner_subscription_ends", TIME, { device_class: "timestamp" }, "diagnostic"],
  ["binary_sensor.pawline_connection", "on", { device_class: "connectivity" }, "diagnostic"],
  ["sensor.pawline_version", VERSION, {}, "diagnostic"],
  ["sensor.pawline_started", TIME, { device_class: "timestamp" }, "diagnostic"],
  ["sensor.pawline_last_error", ANYTHING, {}, "diagnostic"],
  ["select.pawline_log_level", "info", {}, "config"],
  ["button.pawline_restart", "unknown", { device_class: "restart" }, "config"],
  ["button.pawline_republish", "unknown", {}, "config"],
];

async function expectAllRight(): Promise<void> {
  for (const [id, expected, attributes] of ENTITIES) {
    const isRight = (state: string): boolean =>
      typeof expected === "string" ? state === expected : expected.test(state);
    // An attribute may come behind a state that is right already, such as `unknown`.
    const shows = (shown: EntityState["attributes"]): boolean =>
      Object.entries(attributes).every(([name, value]) => shown[name] === value);
    await home.waitForState(id, ({ state, attributes: shown }) => isRight(state) && shows(shown), BACK_MS);
  }
}

async function devices(): Promise<Map<string, RegistryDevice>> {
  const all = await home.deviceRegistry();
  return new Map(all.map((device) => [device.identifiers[0]?.[1] ?? "", device]));
}

describe("entities", () => {
  test("have the right state, class, unit and attributes", expectAllRight);

  test("are the table's, each in its category and on its device", async () => {
    const byId = new Map([...(await devices())].map(([key, { id }]) => [id, key]));
    const ours = (await home.entityRegistry()).filter(
      ({ platform, disabled_by }) => platform === "mqtt" && disabled_by === null,
    );
    expect(ours.map(({ entity_id }) => entity_id).toSorted()).toEqual(ENTITIES.map(([id]) => id).toSorted());
    for (const { entity_id, entity_category, device_id, unique_id } of ours) {
      expect(entity_category, entity_id).toBe(ENTITIES.find(([id]) => id === entity_id)?.[3]);
      const device = byId.get(device_id ?? "") ?? "";
      expect(unique_id.startsWith(device === "pawline_bridge" ? "bridge_" : `${device}_`), unique_id).toBe(true);
    }
  });

  test("stand on devices that say what they are, each collar behind its home station", async () => {
    const all = await devices();
    const station = all.get(`pettracer_hs_${STATION}`);
    expect(station).toMatchObject({
      name: "Home station 10775",
      manufacturer: "PetTracer",
      model: "Home station",
      sw_version: "10.4.4",
    });
    expect(all.get(`pettracer_${OREO}`)).toMatchObject({
      name: "Oreo",
      model: "GPS collar",
      serial_number: "14758",
      hw_version: "10.5.3",
      sw_version: "10.4.9",
      via_device_id: station?.id,
    });
    expect(all.get(`pettracer_${BARE}`)).toMatchObject({ name: "Collar 14759", via_device_id: null });
    expect(all.get("pawline_bridge")).toMatchObject({ name: "Pawline", sw_version: VERSION });
  });

  test("that few want are disabled, and right once they are enabled", async () => {
    const signal = await home.registryEntity("sensor.oreo_signal");
    expect(signal.disabled_by).toBe("integration");
    await home.enableEntity("sensor.oreo_signal");
    const { attributes } = await home.waitForState("sensor.oreo_signal", "-55", BACK_MS);
    expect(attributes).toMatchObject({
      device_class: "signal_strength",
      unit_of_measurement: "dBm",
      state_class: "measurement",
    });
    await expectAllRight();
  });
});

describe("a cat that moves", () => {
  test("has moved in the state machine within 300 ms, at the median", async () => {
    const times: number[] = [];
    for (let metres = 401; metres <= 440; metres += 1) {
      const lastPos = fix(metres);
      const moved = home.waitForState(
        "device_tracker.oreo",
        ({ attributes }) => {
          const latitude = attributes.latitude;
          return typeof latitude === "number" && Math.abs(latitude - HOME.latitude - metres / 111_195) < 1e-7;
        },
        10_000,
      );
      const sentAt = performance.now();
      expect(cloud.push(OREO, { lastPos })).toBe(1);
      await moved;
      times.push(performance.now() - sentAt);
    }
    times.sort((a, b) => a - b);
    const median = times[times.length >> 1] ?? Number.NaN;
    console.log(
      `position, cloud → state machine: median ${median.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms`,
    );
    expect(median).toBeLessThan(300);
  });

  test("is at home when its station hears it, wherever its last fix was", async () => {
    cloud.push(OREO, { home: true, homeSince: new Date().toISOString() });
    const { attributes } = await home.waitForState("device_tracker.oreo", "home", BACK_MS);
    expect(attributes).toMatchObject({ ...HOME, source: "station" });
    await home.waitForState("binary_sensor.oreo_at_home", "on", BACK_MS);
    await home.waitForState("sensor.oreo_distance", "0", BACK_MS);
    cloud.push(OREO, { home: false, lastPos: fix(300) });
    await home.waitForState("device_tracker.oreo", "not_home", BACK_MS);
    await expectAllRight();
  });
});

describe("in the browser", () => {
  test("the device page shows the cat", async () => {
    const oreo = (await devices()).get(`pettracer_${OREO}`);
    const page = await openHomeAssistant(browser, home, `/config/devices/device/${oreo?.id}`, {
      width: 1280,
      height: 1000,
    });
    for (const text of ["Oreo", "by PetTracer", "Distance from home", "Last fix", "At home", "GPS accuracy", "75%"]) {
      await waitForText(page, text, 60_000);
    }
    await screenshot(page, "device-page.png");
    await page.context().close();
  });

  test("the map shows the cat", async () => {
    const page = await openHomeAssistant(browser, home, "/map", { width: 1280, height: 800 });
    // Where it has tabs (at times it shows everything at once), the first is for people; a cat is on the second one.
    const tab = page.getByText("Devices").locator("visible=true").first();
    const marker = page.getByRole("button", { name: "Oreo", exact: true }).first();
    await tab.or(marker).first().waitFor({ timeout: 60_000 });
    if (await tab.isVisible()) await tab.click();
    await marker.waitFor({ timeout: 60_000 });
    await screenshot(page, "map.png");
    await page.context().close();
  });
});

describe("all is back, with nobody doing anything,", () => {
  test("after a restart of Home Assistant", async () => {
    await home.restart();
    await expectAllRight();
    cloud.push(OREO, { lastPos: fix(301) });
    await home.waitForState("sensor.oreo_distance", "301", BACK_MS);
    cloud.push(OREO, { lastPos: fix(300) });
  });

  test("after a restart of the broker, which has lost everything", async () => {
    await broker.restart();
    await home.waitForBroker(BACK_MS);
    await expectAllRight();
    cloud.push(OREO, { lastPos: fix(302) });
    await home.waitForState("sensor.oreo_distance", "302", BACK_MS);
    cloud.push(OREO, { lastPos: fix(300) });
  });

  test("after a restart of the daemon", async () => {
    expect(await daemon.stop()).toBe(0);
    await home.waitForState("device_tracker.oreo", "unavailable", BACK_MS);
    await home.waitForState("binary_sensor.pawline_connection", "off", BACK_MS);
    daemon = startDaemon({ config, folder: daemon.folder });
    await expectAllRight();
  });

  test("after the daemon was killed", async () => {
    await daemon.kill();
    await home.waitForState("device_tracker.oreo", "unavailable", BACK_MS);
    daemon = startDaemon({ config, folder: daemon.folder });
    await expectAllRight();
  });

  test("after an upgrade that meets what an older version has left", async () => {
    expect(await daemon.stop()).toBe(0);
    await home.stop();
    await leaveOlderMessages();
    await home.start();
    daemon = startDaemon({ config, folder: daemon.folder });
    await expectAllRight();
  });
});

/** An older version knew fewer entities: their keys are in neither its state nor its discovery message. */
async function leaveOlderMessages(): Promise<void> {
  const client = await mqtt.connectAsync(broker.url);
  const retained = new Map<string, string>();
  client.on("message", (topic, payload) => retained.set(topic, payload.toString()));
  const [stateTopic, configTopic] = [
    `pawline/pettracer_${OREO}/state`,
    `homeassistant/device/pettracer_${OREO}/config`,
  ];
  await client.subscribeAsync([stateTopic, configTopic]);
  await expect.poll(() => retained.size, { timeout: 10_000 }).toBe(2);
  const state = JSON.parse(retained.get(stateTopic) ?? "{}");
  const discovery = JSON.parse(retained.get(configTopic) ?? "{}");
  for (const key of ["distance", "accuracy", "at_home"]) {
    delete state[key];
    delete discovery.components[key];
  }
  await client.publishAsync(stateTopic, JSON.stringify(state), { retain: true, qos: 1 });
  await client.publishAsync(configTopic, JSON.stringify(discovery), { retain: true, qos: 1 });
  await client.endAsync();
}

test("a collar that leaves the account leaves Home Assistant", async () => {
  cloud.removeDevice(BARE);
  await home.waitForRemoval("sensor.collar_14759_battery", BACK_MS);
  expect((await devices()).has(`pettracer_${BARE}`)).toBe(false);
});

test("Home Assistant's log has no complaint about us", async () => {
  const complaints = await home.logComplaints();
  // That it lost its broker, which was stopped under it, is no complaint about us.
  const ours = complaints.filter(
    (record) => !/homeassistant\.components\.mqtt\.client|paho\.mqtt\.client|mqtt\/client\.py/.test(record),
  );
  expect(ours).toEqual([]);
  expect(complaints.filter((record) => /pawline|pettracer|oreo/i.test(record))).toEqual([]);
});
