/** A broker for one Home Assistant, and the WebSocket API of another: both ways at once, and none taken for the other. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Relay, startRelay } from "../support/relay.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";

const WAIT_MS = 60_000;
const OREO = 14961;
const EITHER = /remove the section|the route is (?:mqtt|mobile_app)/;

let house: House;
/** Of the other Home Assistant. */
let broker: Mosquitto;
let other: HomeAssistant;
let relay: Relay;

beforeAll(async () => {
  house = await openHouse("two-homes");
  broker = await startMosquitto();
  other = await startHomeAssistant({ mqtt: { host: "127.0.0.1", port: broker.port } });
  relay = await startRelay(other.port);
  house.cloud.addHomeStation(OWNER.login, { id: 10796, posLat: HOME.latitude, posLong: HOME.longitude });
  house.cloud.addCollar(OWNER.login, { id: OREO, details: { name: "Oreo" }, lastPos: fixAt(300) });
});

afterAll(async () => {
  await house?.close();
  await relay?.close();
  await other?.stop();
  await broker?.stop();
});

test("the other one has MQTT of its own: both have the cat", async () => {
  const { adminToken } = other;
  house.start({ home_assistant: { url: `http://127.0.0.1:${relay.port}`, token: adminToken } });
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS);
  for (const home of [house.home, other]) await home.waitForState("device_tracker.oreo", "not_home", WAIT_MS);
  await other.waitForState("binary_sensor.pawline_connection", "on", WAIT_MS);
});

test("after a reconnect it is still not taken for the broker's", async () => {
  const from = house.daemon.output().length;
  relay.cut();
  await house.daemon.waitForOutput(/homeassistant: .*next try/, WAIT_MS, from);
  const { posLat, ...fix } = { ...fixAt(400), posLat: HOME.latitude + 0.004 };
  // By then it has looked whether the broker brings the cat there.
  house.cloud.push(OREO, { lastPos: { ...fix, posLat } });
  const isThere = ({ attributes }: EntityState): boolean => attributes.latitude === posLat;
  for (const home of [house.home, other]) await home.waitForState("device_tracker.oreo", isThere, WAIT_MS);
  expect(house.daemon.output().slice(from)).not.toMatch(/remove the section/);
});

test("two ways into the same one are refused whatever is excluded, and nothing is lost", async () => {
  const from = house.daemon.output().length;
  house.reconfigure({
    home_assistant: { url: house.home.url, token: house.home.adminToken, route: "mobile_app" },
    entities: { exclude: ["started"] },
  });
  const [said] = await house.daemon.waitForOutput(EITHER, WAIT_MS, from);
  expect(said).toMatch(/remove the section/);
  expect(house.daemon.output().slice(from)).not.toMatch(/was deleted in Home Assistant/);
});
