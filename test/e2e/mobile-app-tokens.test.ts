/**
 * The route mobile_app with tokens of other rights, with names that are none, with many pets, and at its end. In this
 * process, against a real Home Assistant, whose log has to stay clean.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FatalError } from "../../src/lib/errors.ts";
import { artifact } from "./support/artifacts.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { type Cat, Lab, openSession, type Run, startRun } from "./support/mobile-lab.ts";

const WAIT_MS = 30_000;
const OREO: Cat = { id: 1, name: "Oreo" };
const MIA: Cat = { id: 2, name: "Mia" };

let home: HomeAssistant;
let lab: Lab;
const runs: Run[] = [];
let logFrom = 0;

interface Entry {
  readonly entry_id: string;
  readonly domain: string;
  readonly title: string;
}

async function entries(domain = "mobile_app"): Promise<Entry[]> {
  return await home.api.call({ type: "config_entries/get", domain });
}

async function titles(domain = "mobile_app"): Promise<string[]> {
  return (await entries(domain)).map(({ title }) => title).toSorted();
}

async function waitFor(entityId: string, state: string | ((seen: EntityState) => boolean)): Promise<EntityState> {
  return await home.waitForState(entityId, state, WAIT_MS);
}

async function eventually(look: () => unknown, expected: unknown): Promise<void> {
  await expect.poll(look, { timeout: WAIT_MS }).toEqual(expected);
}

async function start(token: string, options: Parameters<Lab["app"]>[0] = {}, app = lab.app(options)): Promise<Run> {
  const run = await startRun(app, lab, home.url, token);
  runs.push(run);
  return run;
}

async function settled(count: number): Promise<void> {
  await eventually(() => lab.log.match(/(\d+) pets? (?:is|are) in Home Assistant now/g)?.length, count);
}

async function leave(token: string): Promise<readonly string[]> {
  const session = await openSession(home.url, token);
  try {
    return await lab.app().leave(session);
  } finally {
    session.close();
  }
}

async function plainUserId(): Promise<string> {
  const users = await home.api.call<{ id: string; name: string }[]>({ type: "config/auth/list" });
  return users.find(({ name }) => name === "Plain")?.id ?? "";
}

beforeAll(async () => {
  home = await startHomeAssistant();
});

beforeEach(async () => {
  lab = await Lab.open();
});

afterEach(async () => {
  for (const run of runs.splice(0)) await run.end();
  const { registrations = {} } = JSON.parse(lab.file || "{}") as { registrations?: object };
  const secrets = Object.values(registrations).map(({ webhook }: { webhook: string }) => webhook);
  await leave(home.adminToken);
  for (const domain of ["mobile_app", "template"]) expect([domain, await titles(domain)]).toEqual([domain, []]);
  const complaints = await home.logComplaints(logFrom);
  logFrom = home.log().length;
  expect(complaints).toEqual([]);
  expect(secrets.filter((secret) => lab.log.includes(secret))).toEqual([]);
  expect(existsSync(join(home.folder, "ip_bans.yaml"))).toBe(false);
});

afterAll(async () => {
  writeFileSync(artifact("mobile-app-tokens-home-assistant.log"), home?.log() ?? "");
  await home?.stop();
});

describe("the token of a plain user without a person", () => {
  test("publishes, and takes commands", async () => {
    lab.list(OREO);
    await start(home.userToken, { controls: true });
    await waitFor("sensor.oreo_mode", "Normal");
    await waitFor("device_tracker.oreo", "not_home");
    await settled(1);
    await home.callService("notify", "send_message", { message: "light on" }, { entity_id: "notify.oreo" });
    await eventually(() => lab.requests, [["pettracer_1", { kind: "light", value: true }]]);
    await home.callService("notify", "send_message", { message: "sing" }, { entity_id: "notify.oreo" });
    await eventually(
      async () => JSON.stringify(await home.api.call({ type: "persistent_notification/get" })),
      expect.stringContaining("sing"),
    );
    expect(lab.log).toMatch(/home_assistant.controls has no effect: only an administrator's token/);
    expect(await titles("template")).toEqual([]);
  });

  test("cannot remove: it says what to delete, and forgets", async () => {
    lab.list(OREO, MIA);
    await start(home.userToken);
    await waitFor("sensor.mia_mode", "Normal");
    await settled(1);
    lab.list(OREO);
    await waitFor("sensor.mia_mode", "unavailable");
    await waitFor("binary_sensor.mia_light", "unavailable");
    lab.report(1, { mode: 1, modeSet: 1 });
    await waitFor("sensor.oreo_mode", "Fast");
    const sentence = "Mia is in no account any more: delete it under Settings > Devices & services > Mobile App > Mia";
    expect(lab.log.split(sentence)).toHaveLength(2);
    for (const run of runs.splice(0)) await run.end();
    const { file } = lab;
    expect(await leave(home.userToken)).toEqual([
      "Oreo (mobile app): delete it under Settings > Devices & services > Mobile App > Oreo",
      "Mia (mobile app): delete it under Settings > Devices & services > Mobile App > Mia",
    ]);
    expect(JSON.parse(lab.file)).toEqual({});
    expect(await titles()).toEqual(["Mia", "Oreo"]);
    lab.file = file;
  });
});

describe("the token of a plain user with a person", () => {
  let person = "";

  async function addPerson(): Promise<void> {
    const create = { type: "person/create", name: "Anna", user_id: await plainUserId(), device_trackers: [] };
    person = (await home.api.call<{ id: string }>(create)).id;
  }

  afterEach(async () => {
    await home.api.call({ type: "person/delete", person_id: person });
  });

  test("registers nothing: Anna would be wherever the cat is", async () => {
    await addPerson();
    lab.list(OREO);
    const { outcome } = await start(home.userToken);
    const error = await outcome;
    expect(error).toBeInstanceOf(FatalError);
    expect(String(error)).toMatch(/a person, Anna, .*use the token of an administrator, or of a user without a person/);
    expect(await titles()).toEqual([]);
    expect(lab.file).toBe("");
  });

  test("goes on with what is registered, but takes no new pet", async () => {
    lab.list(OREO);
    await start(home.userToken);
    await settled(1);
    await addPerson();
    lab.list(OREO, MIA);
    await eventually(() => lab.log.includes("Mia is not registered in Home Assistant"), true);
    lab.report(1, { mode: 1, modeSet: 1 });
    await waitFor("sensor.oreo_mode", "Fast");
    expect(await titles()).toEqual(["Oreo"]);
  });
});

describe("the end", () => {
  test("leaves nothing, with an administrator's token", async () => {
    lab.list(OREO, MIA);
    await start(home.adminToken, { controls: true });
    await waitFor("button.mia_find", "unknown");
    await settled(1);
    const session = await openSession(home.url, home.adminToken);
    const traces = await lab.app().traces(session);
    expect(traces).toHaveLength(12);
    expect(traces).toEqual(expect.arrayContaining(["Oreo (mobile app)", "Mia Mode (template helper)"]));
    for (const run of runs.splice(0)) await run.end();
    expect(await lab.app().leave(session)).toEqual([]);
    expect(await lab.app().traces(session)).toEqual([]);
    session.close();
    expect(JSON.parse(lab.file)).toEqual({});
    const left = (await home.entityRegistry()).filter(({ entity_id }) => /oreo|mia/.test(entity_id));
    expect(left).toEqual([]);
  });
});

describe("an account that is not heard of", () => {
  test("makes its sensors unavailable after five minutes, and right again", async () => {
    lab.list(OREO);
    await start(home.adminToken, { controls: true });
    await waitFor("select.oreo_mode", "Normal");
    await settled(1);
    lab.silence(299_000);
    lab.report(1, { mode: 1, modeSet: 1 });
    await waitFor("sensor.oreo_mode", "Fast");
    lab.silence(301_000);
    for (const id of ["sensor.oreo_mode", "sensor.oreo_battery", "binary_sensor.oreo_light", "select.oreo_mode"])
      await waitFor(id, "unavailable");
    lab.hear();
    await waitFor("sensor.oreo_mode", "Fast");
    await waitFor("select.oreo_mode", "Fast");
    await waitFor("binary_sensor.oreo_light", "off");
  });
});

describe("names", () => {
  test("may be anything", async () => {
    const names = [
      "😺",
      "🐈‍⬛🐈",
      "{{ states('sensor.x') }}",
      `"O'Reo" <b>\\`,
      "x".repeat(64),
      "Mia",
      "Mia",
      "{% if %}",
      "小猫",
    ];
    lab.list(...names.map((name, index) => ({ id: index + 101, name })));
    await start(home.adminToken, { controls: true });
    await expect.poll(async () => (await entries("template")).length, { timeout: 60_000 }).toBe(names.length * 5);
    await settled(1);
    expect(await titles()).toEqual(names.toSorted());
    const smile = await waitFor("sensor.pettracer_101_mode", "Normal");
    expect(smile.attributes.friendly_name).toBe("😺 Mode");
    expect((await waitFor("select.pettracer_101_mode", "Normal")).attributes.friendly_name).toBe("😺 Mode");
    expect((await waitFor("device_tracker.pettracer_101", () => true)).attributes.friendly_name).toBe("😺");
    await waitFor("select.mia_mode", "Normal");
    await waitFor("select.mia_mode_2", "Normal");
    await home.callService("switch", "turn_on", {}, { entity_id: "switch.pettracer_101_light" });
    await eventually(() => lab.requests, [["pettracer_101", { kind: "light", value: true }]]);
    await home.callService("notify", "send_message", { message: "nonsense" }, { entity_id: "notify.pettracer_102" });
    await eventually(() => lab.log.includes("a command was refused"), true);
  });
});

describe("values", () => {
  test("that are none are left out", async () => {
    lab.list(OREO);
    await start(home.adminToken);
    await settled(1);
    const fix = { latitude: 51.7, longitude: -0.12, measuredAt: Date.now() + 60_000 };
    lab.report(1, { batteryMv: Number.NaN, fix: { ...fix, latitude: Number.NaN } });
    lab.report(1, { batteryMv: 1e308, fix: { ...fix, longitude: 1e9 }, searchMinutes: Number.POSITIVE_INFINITY });
    lab.report(1, { firmware: "v".repeat(10_000), hardware: "\ud800", fix: { ...fix, accuracyM: 1e300 } });
    lab.report(1, { fix: { ...fix, measuredAt: Date.now() + 120_000, accuracyM: 12 }, mode: 1, modeSet: 1e21 });
    await waitFor("sensor.oreo_mode", "Mode 1e+21");
    await waitFor("device_tracker.oreo", ({ attributes }) => attributes.latitude === 51.7);
  });
});

describe("a hundred pets", () => {
  test("are registered one by one, and found again", async () => {
    const cats = Array.from({ length: 100 }, (_, index) => ({ id: index + 1, name: `Cat ${index + 1}` }));
    lab.list(...cats);
    await start(home.adminToken);
    await expect.poll(async () => (await entries()).length, { timeout: 150_000, interval: 500 }).toBe(100);
    await expect.poll(() => lab.log.includes("100 pets are in Home Assistant"), { timeout: 60_000 }).toBe(true);
    await waitFor("sensor.cat_100_mode", "Normal");
    const { storage } = await home.api.call<{ storage: { device_trackers: string[] }[] }>({ type: "person/list" });
    expect(storage.flatMap(({ device_trackers }) => device_trackers)).toEqual([]);
    const ids = (await entries()).map(({ entry_id }) => entry_id).toSorted();
    for (const run of runs.splice(0)) await run.end();
    lab.report(77, { mode: 1, modeSet: 1 });
    await start(home.adminToken);
    await waitFor("sensor.cat_77_mode", "Fast");
    expect((await entries()).map(({ entry_id }) => entry_id).toSorted()).toEqual(ids);
  });
});

describe("two runs at once", () => {
  test("make nothing twice", async () => {
    lab.list(OREO, MIA);
    const options = { controls: true };
    await start(home.adminToken, options);
    await start(home.adminToken, options);
    await waitFor("sensor.mia_mode", "Normal");
    await settled(2);
    expect(lab.log.match(/was registered in Home Assistant/g)).toHaveLength(2);
    lab.report(1, { mode: 1, modeSet: 1 });
    await waitFor("select.oreo_mode", "Fast");
    expect(await titles()).toEqual(["Mia", "Oreo"]);
    await expect.poll(async () => (await entries("template")).length, { timeout: WAIT_MS }).toBe(10);
    for (const run of runs.splice(0)) await run.end();
    await start(home.adminToken, options);
    await settled(3);
    expect(await titles()).toEqual(["Mia", "Oreo"]);
    expect(await entries("template")).toHaveLength(10);
  });
});
