/**
 * Which way the cats take into a real Home Assistant, and how they go over from one to the other: none is ever there
 * twice.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFolder } from "./support/artifacts.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import { addMqtt } from "./support/home-assistant-onboarding.ts";
import { fixAt, HOME, type House, type HouseConfig, OWNER, openHouse } from "./support/house.ts";
import { StartedProcess } from "./support/processes.ts";
import { eventually } from "./support/waiting.ts";

const WAIT_MS = 60_000;
const OREO = 14951;
const MIMI = 14952;

let house: House;
/** Another one, without MQTT. */
let second: HomeAssistant | undefined;

interface Entry {
  readonly entry_id: string;
  readonly domain: string;
  readonly title: string;
}

function way(token: string, more: object = {}): HouseConfig {
  return { mqtt: false, home_assistant: { url: house.home.url, token, ...more } };
}

async function entries(domain: string, home = house.home): Promise<Entry[]> {
  return await home.api.call<Entry[]>({ type: "config_entries/get", domain });
}

/** The platforms that have an entity for this cat, each as often as there are devices with the cat's name. */
async function waysOf(name: string, home = house.home): Promise<string[]> {
  const devices = await home.deviceRegistry();
  return devices.filter((device) => device.name === name).map(({ identifiers }) => identifiers[0]?.[0] ?? "");
}

async function onlyWay(name: string, platform: string, home = house.home): Promise<void> {
  await expect.poll(() => waysOf(name, home), { timeout: WAIT_MS }).toEqual([platform]);
}

/** On whichever route, also beside what another one has left. */
async function trackerOf(id: number, platform: string): Promise<string> {
  return await eventually(WAIT_MS, "A tracker", async () => {
    const all = await house.home.entityRegistry();
    return all.find(
      (one) =>
        one.entity_id.startsWith("device_tracker.") && one.platform === platform && one.unique_id.includes(String(id)),
    )?.entity_id;
  });
}

async function seesOreoMove(northM: number, home = house.home, tracker = "device_tracker.oreo"): Promise<void> {
  const fix = fixAt(northM) as { readonly posLat: number };
  await eventually(
    WAIT_MS,
    "A listening stream",
    async () => house.cloud.push(OREO, { lastPos: fix }) > 0 || undefined,
  );
  await home.waitForState(tracker, ({ attributes }) => attributes.latitude === fix.posLat, WAIT_MS);
}

/** Runs a command of Pawline beside the daemon, with its configuration. */
async function pawline(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  const { folder: cwd } = house.daemon;
  const command = new StartedProcess(process.execPath, [join(projectFolder, "dist/main.js"), ...args], { cwd });
  return { code: await command.ended, stdout: command.output() };
}

beforeAll(async () => {
  house = await openHouse("routes", false);
  house.cloud.addHomeStation(OWNER.login, { id: 10795, posLat: HOME.latitude, posLong: HOME.longitude });
  house.cloud.addCollar(OWNER.login, { id: OREO, details: { name: "Oreo" }, lastPos: fixAt(300) });
  house.cloud.addCollar(OWNER.login, { id: MIMI, details: { name: "Mimi" }, lastPos: fixAt(200) });
});

afterAll(async () => {
  await house?.close();
  await second?.stop();
});

test("an administrator's token without MQTT: mobile_app", async () => {
  house.start(way(house.home.adminToken));
  await house.daemon.waitForOutput(/the route is mobile_app, because it has no MQTT integration/, WAIT_MS);
  await seesOreoMove(310);
  await onlyWay("Oreo", "mobile_app");
  await onlyWay("Mimi", "mobile_app");
});

test("check tells of it all", async () => {
  const { code, stdout } = await pawline("check");
  expect(stdout).toMatch(/✓ Home Assistant: connected to 127\.0\.0\.1:\d+, and the token is accepted/);
  expect(stdout).toMatch(/✓ Home Assistant user: the token is an administrator's/);
  expect(stdout).toMatch(/• Home Assistant MQTT: its integration is not set up/);
  expect(stdout).toMatch(/✓ Home Assistant route: mobile_app, because it has no MQTT integration/);
  expect(code).toBe(0);
});

test("MQTT is set up: the cats go over, and none is there twice", async () => {
  const from = house.daemon.output().length;
  await addMqtt(house.home.url, house.home.adminToken, { host: "127.0.0.1", port: house.broker.port });
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS, from);
  await onlyWay("Oreo", "mqtt");
  await onlyWay("Mimi", "mqtt");
  await seesOreoMove(320);
  expect(await entries("mobile_app")).toEqual([]);
});

test("MQTT is removed: they go back, by the same connection", async () => {
  const from = house.daemon.output().length;
  const [mqtt] = await entries("mqtt");
  const url = `${house.home.url}/api/config/config_entries/entry/${mqtt?.entry_id ?? ""}`;
  await fetch(url, { method: "DELETE", headers: { Authorization: `Bearer ${house.home.adminToken}` } });
  await house.daemon.waitForOutput(/the route is mobile_app/, 2 * WAIT_MS, from);
  await onlyWay("Oreo", "mobile_app");
  await seesOreoMove(330);
  expect(house.daemon.output().slice(from)).not.toMatch(/next try/);
});

test("a plain user's token where MQTT is loaded: mobile_app, and the log says why", async () => {
  let from = house.daemon.output().length;
  await addMqtt(house.home.url, house.home.adminToken, { host: "127.0.0.1", port: house.broker.port });
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS, from);
  await onlyWay("Oreo", "mqtt");
  from = house.daemon.output().length;
  house.reconfigure(way(house.home.userToken));
  await house.daemon.waitForOutput(
    /the route is mobile_app, because its MQTT integration is set up, but home_assistant\.token is not an administrator's/,
    WAIT_MS,
    from,
  );
  await seesOreoMove(340, house.home, await trackerOf(OREO, "mobile_app"));
});

test("what it may not remove it says: the devices that came by the other route", async () => {
  await house.daemon.waitForOutput(
    /These devices are in Home Assistant twice: (?=.*Oreo)(?=.*Mimi).*Delete them under Settings > Devices & services > MQTT/,
    WAIT_MS,
  );
});

test("an administrator's token again: mqtt, and what the plain user had made is gone", async () => {
  const from = house.daemon.output().length;
  house.reconfigure(way(house.home.adminToken));
  await house.daemon.waitForOutput(/the route is mqtt/, WAIT_MS, from);
  await onlyWay("Oreo", "mqtt");
  await onlyWay("Mimi", "mqtt");
  expect(await entries("mobile_app")).toEqual([]);
});

test("a route that cannot be had is told with its remedy", async () => {
  const from = house.daemon.output().length;
  house.reconfigure(way(house.home.userToken, { route: "mqtt" }));
  await house.daemon.waitForOutput(
    /route is mqtt, but home_assistant\.token is not an administrator's.*or the route auto/,
    WAIT_MS,
    from,
  );
});

test("two ways into the same Home Assistant are refused with a sentence", async () => {
  const from = house.daemon.output().length;
  const { home_assistant } = way(house.home.adminToken);
  house.reconfigure({ home_assistant: home_assistant ?? {} });
  await house.daemon.waitForOutput(
    /homeassistant: the broker of mqtt\.url already brings these pets into the Home Assistant at .*: remove the section home_assistant or the section mqtt/,
    WAIT_MS,
    from,
  );
  await onlyWay("Oreo", "mqtt");
  await seesOreoMove(350);
});

test("two ways into two Home Assistants are not", { timeout: 240_000 }, async () => {
  second = await startHomeAssistant();
  const from = house.daemon.output().length;
  house.reconfigure({ home_assistant: { url: second.url, token: second.adminToken } });
  await house.daemon.waitForOutput(/the route is mobile_app/, WAIT_MS, from);
  await onlyWay("Oreo", "mobile_app", second);
  await seesOreoMove(360, second);
  await seesOreoMove(370);
  await onlyWay("Oreo", "mqtt");
  expect(await second.logComplaints()).toEqual([]);
});

test("a refused login at PetTracer is a notification, and is taken back", async () => {
  const { cloud, home } = house;
  const shown = async (): Promise<string[]> =>
    (await home.api.call<{ message: string }[]>({ type: "persistent_notification/get" })).map(({ message }) => message);
  house.reconfigure({ ...way(home.adminToken), pettracer: { password: "a wrong one" } });
  await expect.poll(shown, { timeout: WAIT_MS }).toContainEqual(expect.stringMatching(/PetTracer refused the login/));
  house.reconfigure(way(home.adminToken));
  await expect.poll(shown, { timeout: WAIT_MS }).not.toContainEqual(expect.stringMatching(/PetTracer/));
  expect(cloud.calls.filter(({ path }) => path === "/user/login").length).toBeLessThan(12);
});

test("cleanup leaves nothing", async () => {
  expect(await house.daemon.stop()).toBe(0);
  const { code, stdout } = await pawline("cleanup", "--yes");
  expect(stdout).toMatch(/Removed \d+ entries\./);
  expect(code).toBe(0);
  await expect.poll(() => waysOf("Oreo"), { timeout: WAIT_MS }).toEqual([]);
  await expect.poll(() => waysOf("Pawline"), { timeout: WAIT_MS }).toEqual([]);
});

test("Home Assistant's log holds no complaint about us", async () => {
  const ours = /pawline|pettracer|oreo|mimi/i;
  expect((await house.home.logComplaints()).filter((line) => ours.test(line))).toEqual([]);
});
