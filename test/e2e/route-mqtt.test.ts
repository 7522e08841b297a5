/**
 * The same cats without a word to the broker: everything goes through Home Assistant's WebSocket API and its own MQTT
 * integration. A relay stands between the daemon and Home Assistant, and counts the connections.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Relay, startRelay } from "../support/relay.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";
import { type MqttWatcher, watchMqtt } from "./support/mqtt-watcher.ts";

const WAIT_MS = 60_000;
const OREO = 14901;
const MIMI = 14902;
const STATION = 10790;
let house: House;
let relay: Relay;
let watcher: MqttWatcher;

function way(token: string, more: object = {}): object {
  return { url: `http://127.0.0.1:${relay.port}`, token, ...more };
}

async function waitFor(entityId: string, state: string, ms = WAIT_MS): Promise<EntityState> {
  return await house.home.waitForState(entityId, state, ms);
}

function place(entityId: string, latitude: number): Promise<EntityState> {
  return house.home.waitForState(entityId, ({ attributes }) => attributes.latitude === latitude, WAIT_MS);
}

beforeAll(async () => {
  house = await openHouse("route-mqtt");
  const { cloud, broker, home } = house;
  cloud.addHomeStation(OWNER.login, { id: STATION, posLat: HOME.latitude, posLong: HOME.longitude });
  cloud.addCollar(OWNER.login, { id: OREO, mode: 1, modeSet: 1, details: { name: "Oreo" }, lastPos: fixAt(300) });
  cloud.addCollar(OWNER.login, { id: MIMI, mode: 1, modeSet: 1, details: { name: "Mimi" }, lastPos: fixAt(200) });
  cloud.setPollDelay(OREO, 0);
  relay = await startRelay(home.port);
  watcher = await watchMqtt(broker.url);
  await watcher.subscribe("pawline/#", "homeassistant/device/+/config");
  house.start({ mqtt: false, home_assistant: way(home.adminToken) });
  await waitFor("device_tracker.oreo", "not_home");
});

afterAll(async () => {
  await watcher?.close();
  await house?.close();
  await relay?.close();
});

test("the log and bridge/info say which route is taken, and why", async () => {
  await house.daemon.waitForOutput(
    /the route is mqtt, because its MQTT integration is set up and .* administrator's/,
    10_000,
  );
  await watcher.waitFor("bridge/info", WAIT_MS, 0, (all) =>
    all.some(({ topic, payload }) => topic === "pawline/bridge/info" && payload.includes('"route":"mqtt"')),
  );
});

test("nothing that the broker retains already is sent again, and descriptions come before what they read", async () => {
  await house.daemon.waitForOutput(/the route is mqtt/, 10_000);
  await waitFor("binary_sensor.pawline_connection", "on");
  const live = watcher.messages.filter(({ retained, topic }) => !retained && topic.startsWith("pawline/"));
  const twice = live.filter(({ topic, payload }, index) =>
    live.some((other, at) => at > index && other.topic === topic && other.payload === payload),
  );
  expect(twice).toEqual([]);
  const topics = watcher.messages.map(({ topic }) => topic);
  for (const id of [OREO, MIMI]) {
    const described = topics.indexOf(`homeassistant/device/pettracer_${id}/config`);
    expect(described).toBeGreaterThanOrEqual(0);
    expect(topics.indexOf(`pawline/pettracer_${id}/state`)).toBeGreaterThan(described);
    expect(topics.indexOf(`pawline/pettracer_${id}/position`)).toBeGreaterThan(described);
  }
});

test("a position is in the state machine in a moment", async () => {
  const latencies: number[] = [];
  for (let step = 1; step <= 20; step += 1) {
    const fix = fixAt(300 + step);
    const seen = place("device_tracker.oreo", (fix as { posLat: number }).posLat);
    const sentAt = performance.now();
    house.cloud.push(OREO, { lastPos: fix });
    await seen;
    latencies.push(performance.now() - sentAt);
  }
  const median = latencies.toSorted((a, b) => a - b)[10] ?? 0;
  console.log(
    `position by route mqtt: median ${median.toFixed(1)} ms, slowest ${Math.max(...latencies).toFixed(1)} ms`,
  );
  expect(median).toBeLessThan(300);
});

describe("each control works both ways", () => {
  const callService: House["home"]["callService"] = (...args) => house.home.callService(...args);

  test("the mode", async () => {
    await callService("select", "select_option", { option: "Slow" }, { entity_id: "select.oreo_mode" });
    await waitFor("select.oreo_mode", "Slow");
  });

  test.each(["live", "light", "buzzer"])("%s", async (key) => {
    await callService("switch", "turn_on", {}, { entity_id: `switch.oreo_${key}` });
    await waitFor(`switch.oreo_${key}`, "on");
    await callService("switch", "turn_off", {}, { entity_id: `switch.oreo_${key}` });
    await waitFor(`switch.oreo_${key}`, "off");
  });

  test("find my cat", async () => {
    await callService("button", "press", {}, { entity_id: "button.oreo_find" });
    await waitFor("switch.oreo_light", "on");
    await waitFor("switch.oreo_buzzer", "on");
    await waitFor("switch.oreo_live", "on");
  });

  test("the log level", async () => {
    await callService("select", "select_option", { option: "debug" }, { entity_id: "select.pawline_log_level" });
    await waitFor("select.pawline_log_level", "debug");
  });
});

test("a connection that is cut is there again, and everything with it", async () => {
  const before = relay.count;
  relay.cut();
  const fix = fixAt(600);
  await house.daemon.waitForOutput(/homeassistant: .*next try/, 10_000);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
  expect(relay.count - before).toBeLessThanOrEqual(3);
});

test("Home Assistant restarts: its states are right again, by few connections", async () => {
  const before = relay.count;
  await house.home.stop();
  house.cloud.push(OREO, { lastPos: fixAt(700) });
  await house.home.start();
  const fix = fixAt(710);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
  await waitFor("binary_sensor.pawline_connection", "on");
  expect(relay.count - before).toBeLessThanOrEqual(12);
});

test("Home Assistant is killed: its states are right again", async () => {
  await house.home.kill();
  await house.home.start();
  const fix = fixAt(720);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
});

test("the broker restarts and has lost everything: it is told again", async () => {
  await house.broker.stop();
  house.cloud.push(OREO, { lastPos: fixAt(800) });
  await house.broker.start();
  await house.home.waitForBroker(WAIT_MS);
  const fix = fixAt(810);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
  const second = await watchMqtt(house.broker.url);
  await second.subscribe("pawline/#", "homeassistant/device/+/config");
  await second.waitFor("all that is retained", WAIT_MS, 0, (all) => {
    const retained = new Set(all.map(({ topic }) => topic));
    return [OREO, MIMI].every((id) =>
      [`homeassistant/device/pettracer_${id}/config`, `pawline/pettracer_${id}/state`].every((topic) =>
        retained.has(topic),
      ),
    );
  });
  await second.close();
});

test("Home Assistant freezes: that is noticed, and afterwards everything is right by itself", async () => {
  const [from, before] = [house.daemon.output().length, relay.count];
  house.home.freeze();
  const frozenAt = performance.now();
  await house.daemon.waitForOutput(/homeassistant: .*(?:ping|does not answer).*next try/, 60_000, from);
  console.log(`a frozen Home Assistant was noticed after ${((performance.now() - frozenAt) / 1000).toFixed(0)} s`);
  house.cloud.push(OREO, { lastPos: fixAt(900) });
  house.home.thaw();
  const fix = fixAt(910);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
  expect(relay.count - before).toBeLessThanOrEqual(4);
});

test("a token that is revoked parks the publisher with a sentence, and another one brings it back", async () => {
  const { api, adminToken } = house.home;
  const token = await api.call<string>({ type: "auth/long_lived_access_token", client_name: "pawline", lifespan: 1 });
  house.reconfigure({ mqtt: false, home_assistant: way(token) });
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS, house.daemon.output().length);
  const tokens = await api.call<{ id: string; client_name: string | null }[]>({ type: "auth/refresh_tokens" });
  const id = tokens.find(({ client_name: name }) => name === "pawline")?.id;
  const [from, before] = [house.daemon.output().length, relay.count];
  await api.call({ type: "auth/delete_refresh_token", refresh_token_id: id });
  await house.daemon.waitForOutput(
    /refused the token: make a new .*home_assistant\.token.*Not tried again for 60 min/,
    WAIT_MS,
    from,
  );
  expect(relay.count - before).toBe(1);
  house.reconfigure({ mqtt: false, home_assistant: way(adminToken) });
  const fix = fixAt(920);
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS, from);
  house.cloud.push(OREO, { lastPos: fix });
  await place("device_tracker.oreo", (fix as { posLat: number }).posLat);
});

test("the daemon ends: offline is said, and its entities are unavailable", async () => {
  expect(await house.daemon.stop()).toBe(0);
  await waitFor("device_tracker.oreo", "unavailable");
  await waitFor("binary_sensor.pawline_connection", "off");
});

test("Home Assistant's log holds no complaint about us", async () => {
  const ours = /pawline|pettracer|oreo|mimi/i;
  expect((await house.home.logComplaints()).filter((line) => ours.test(line))).toEqual([]);
});
