import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, openHomeAssistant, screenshot, waitForText } from "./support/browser.ts";
import { type Daemon, startDaemon } from "./support/daemon.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import { connectApi, HomeAssistantError } from "./support/home-assistant-api.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";
import { temporaryFolder } from "./support/processes.ts";
import { within } from "./support/waiting.ts";

const CONFIG_TOPIC = "homeassistant/device/support_cat/config";
const STATE_TOPIC = "support/cat/state";
const SENSOR = "sensor.support_cat_weight";
const HIDDEN = "sensor.support_cat_length";

function component(key: string, unit: string, more: object = {}): object {
  const value_template = `{{ value_json.${key} }}`;
  const names = { name: key === "weight" ? "Weight" : "Length", unique_id: `support_cat_${key}` };
  return { platform: "sensor", ...names, state_topic: STATE_TOPIC, value_template, unit_of_measurement: unit, ...more };
}

const discovery = {
  device: { identifiers: ["support_cat"], name: "Support cat", manufacturer: "Pawline", model: "Stuffed toy" },
  origin: { name: "Pawline tests" },
  components: {
    weight: component("weight", "kg"),
    length: component("length", "cm", { enabled_by_default: false }),
  },
};

let broker: Mosquitto;
let ha: HomeAssistant;
let browser: Browser;
let client: MqttClient;
let daemon: Daemon | undefined;

async function publish(topic: string, payload: object): Promise<void> {
  await client.publishAsync(topic, JSON.stringify(payload), { retain: true, qos: 1 });
}

async function publishCat(weight: number): Promise<void> {
  await publish(STATE_TOPIC, { weight, length: 46 });
  await publish(CONFIG_TOPIC, discovery);
}

beforeAll(async () => {
  [broker, browser] = await Promise.all([startMosquitto({ username: "cat", password: "p@ss:word" }), openBrowser()]);
  const login = { username: "cat", password: "p@ss:word" };
  client = await connectAsync(broker.url, { ...login, reconnectPeriod: 100 });
  ha = await startHomeAssistant({ mqtt: { host: "127.0.0.1", port: broker.port, ...login } });
});

afterAll(async () => {
  await daemon?.kill();
  await browser?.close();
  await client?.endAsync(true);
  await ha?.stop();
  await broker?.stop();
});

test("a bare start gives no cause for complaints", async () => {
  expect(await ha.logComplaints()).toEqual([]);
  expect(ha.log()).toContain("Skipping pip");
});

test("a discovered device has its states and registry entries", async () => {
  await publishCat(4.2);
  const state = await ha.waitForState(SENSOR, "4.2", 10_000);
  expect(state.attributes).toMatchObject({ unit_of_measurement: "kg", friendly_name: "Support cat Weight" });
  expect((await ha.states()).get("zone.home")?.attributes).toMatchObject({ latitude: 51.5, longitude: -0.12 });
  const device = (await ha.deviceRegistry()).find(({ name }) => name === "Support cat");
  expect(device?.identifiers).toEqual([["mqtt", "support_cat"]]);
  const entity = (await ha.entityRegistry()).find(({ unique_id }) => unique_id === "support_cat_length");
  expect(entity).toMatchObject({ entity_id: HIDDEN, disabled_by: "integration", device_id: device?.id });
  expect(await ha.registryEntity(SENSOR)).toMatchObject({ original_name: "Weight", capabilities: null });
});

test("the page of the device shows its sensor", async () => {
  const device = (await ha.deviceRegistry()).find(({ name }) => name === "Support cat");
  const page = await openHomeAssistant(browser, ha, `/config/devices/device/${device?.id}`, {
    width: 1200,
    height: 900,
  });
  await waitForText(page, "Stuffed toy", 20_000);
  await waitForText(page, "4.2 kg", 20_000);
  await screenshot(page, "support-device.png");
  await expect(waitForText(page, "Real cat", 100)).rejects.toThrow(/Stuffed toy/);
  await page.context().close();
});

test("a wait that fails tells what was seen instead", async () => {
  await expect(ha.waitForState(SENSOR, "5", 100)).rejects.toThrow(`${SENSOR} is not as expected, but 4.2`);
  await expect(ha.waitForState("sensor.nobody", "5", 100)).rejects.toThrow(`of its kind there are: `);
});

test("refusals carry Home Assistant's code, and a plain user's token is a plain user's", async () => {
  await expect(ha.callService("nothing", "at_all")).rejects.toThrow(HomeAssistantError);
  const plain = await connectApi(ha.url, ha.userToken);
  expect(await plain.call({ type: "auth/current_user" })).toMatchObject({ is_admin: false, is_owner: false });
  await expect(plain.call({ type: "config/auth/list" })).rejects.toMatchObject({ code: "unauthorized" });
  await plain.close();
  await expect(connectApi(ha.url, "no token")).rejects.toMatchObject({ code: "auth_invalid" });
});

test("a disabled entity can be enabled", async () => {
  await ha.enableEntity(HIDDEN);
  await ha.waitForState(HIDDEN, "46", 5_000);
});

test("a broker that restarts has forgotten everything, and Home Assistant finds back to it", async () => {
  const before = ha.log().length;
  await broker.restart();
  await ha.waitForBroker(30_000);
  expect((await ha.logComplaints(before)).join("\n")).toContain("The connection was lost");
  await publishCat(4.3);
  await ha.waitForState(SENSOR, "4.3", 10_000);
});

test("a frozen broker carries nothing until it thaws", async () => {
  broker.freeze();
  const published = publishCat(4.4);
  await expect(ha.waitForState(SENSOR, "4.4", 500)).rejects.toThrow("but 4.3");
  broker.thaw();
  await published;
  await ha.waitForState(SENSOR, "4.4", 10_000);
});

test("Home Assistant restarts with what it had, and ends", async () => {
  const before = ha.log().length;
  await ha.restart();
  await ha.waitForState(SENSOR, "4.4", 10_000);
  await ha.kill();
  await ha.start();
  await ha.waitForState(SENSOR, "4.4", 10_000);
  await client.publishAsync(CONFIG_TOPIC, "", { retain: true });
  await ha.waitForRemoval(SENSOR, 10_000);
  expect(await ha.logComplaints(before)).toEqual([]);
});

test("a broker with persistence keeps its messages, over WebSockets too", async () => {
  const keeper = await startMosquitto({ protocol: "websockets", persistence: true });
  const writer = await connectAsync(keeper.url);
  await writer.publishAsync("cat", "asleep", { retain: true, qos: 1 });
  await writer.endAsync();
  await keeper.restart();
  const reader = await connectAsync(`mqtt://127.0.0.1:${keeper.port}`);
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  reader.once("message", (_topic, payload) => resolve(String(payload)));
  await reader.subscribeAsync("cat");
  expect(await within(10_000, heard, () => "The message is gone")).toBe("asleep");
  await reader.endAsync();
  await keeper.stop();
});

/** Stands in for the daemon: shows its configuration, and ends when told. */
const program = `
  const { readFileSync, statSync } = require("node:fs");
  const file = process.argv[process.argv.indexOf("--config") + 1];
  const show = () => console.log(readFileSync(file, "utf8").trim(), (statSync(file).mode & 0o777).toString(8));
  process.on("SIGHUP", show);
  process.on("SIGTERM", () => process.exit(3));
  setInterval(() => undefined, 1000);
  show();
  console.error(process.argv[2], process.env.CAT, Object.keys(process.env).filter((name) => name.startsWith("PAWLINE_")));
`;

test("a daemon is started with its configuration, and stopped", async () => {
  const main = join(temporaryFolder("program"), "main.cjs");
  writeFileSync(main, program);
  daemon = startDaemon({ config: { name: "Oreo" }, env: { CAT: "tabby" }, main });
  await daemon.waitForOutput(/^name: Oreo 600$/m, 10_000);
  await daemon.waitForOutput(/^run tabby \[\]$/m, 10_000);
  daemon.configure("name: Milo");
  daemon.signal("SIGHUP");
  await daemon.waitForOutput(/Milo/, 10_000);
  await expect(daemon.waitForOutput(/Luna/, 50)).rejects.toThrow(/did not say \/Luna\/:\n[\s\S]*Milo/);
  expect(await daemon.stop()).toBe(3);
  await expect(daemon.waitForOutput(/Luna/, 10_000)).rejects.toThrow("ended without /Luna/");
});
