/**
 * Pets in a real Home Assistant that has no MQTT: the route mobile_app, as an owner with an administrator's token uses
 * it. Whatever a test does, Home Assistant's log has to stay clean.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, openHomeAssistant, screenshot, waitForText } from "./support/browser.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, OWNER } from "./support/house.ts";
import { type MobileHouse, openMobileHouse } from "./support/mobile-house.ts";
import { StateHistory } from "./support/state-history.ts";

const WAIT_MS = 30_000;
const OREO = 14758;
const MIA = 14759;
const CONTROLS = [
  "button.oreo_find",
  "select.oreo_mode",
  "switch.oreo_buzzer",
  "switch.oreo_light",
  "switch.oreo_live",
];

let house: MobileHouse;
/** Where the part of the log begins that no test has looked at yet. */
let logFrom = 0;

interface Person {
  readonly id: string;
  readonly name: string;
  readonly user_id: string | null;
  readonly device_trackers: readonly string[];
}

async function waitFor(entityId: string, state: string | ((seen: EntityState) => boolean)): Promise<EntityState> {
  return await house.home.waitForState(entityId, state, WAIT_MS);
}

async function eventually(what: string, look: () => Promise<unknown>, expected: unknown): Promise<void> {
  await expect.poll(look, { timeout: WAIT_MS, message: what }).toEqual(expected);
}

async function say(pet: string, message: string): Promise<void> {
  await house.home.callService("notify", "send_message", { message }, { entity_id: `notify.${pet}` });
}

async function owner(): Promise<Person> {
  const { storage } = await house.home.api.call<{ storage: Person[] }>({ type: "person/list" });
  const found = storage.find(({ id }) => id === "owner");
  if (!found) throw new Error("There is no owner");
  return found;
}

/** What stands on the page, by its id. */
async function notifications(): Promise<Map<string, string>> {
  const all = await house.home.api.call<{ notification_id: string; message: string }[]>({
    type: "persistent_notification/get",
  });
  return new Map(all.map(({ notification_id, message }) => [notification_id, message]));
}

async function helperIds(pet = "oreo"): Promise<string[]> {
  const all = await house.home.entityRegistry();
  return all
    .filter(({ platform, entity_id }) => platform === "template" && entity_id.includes(`.${pet}_`))
    .map(({ entity_id }) => entity_id)
    .toSorted();
}

async function entryOf(entityId: string): Promise<string> {
  const { config_entry_id } = (await house.home.registryEntity(entityId)) as unknown as { config_entry_id: string };
  return config_entry_id;
}

async function disableEntry(entry_id: string, disabled_by: "user" | null): Promise<void> {
  await house.home.api.call({ type: "config_entries/disable", entry_id, disabled_by });
}

function modeCalls(id: number): unknown[] {
  const calls = house.cloud.calls.filter(({ path, body }) => {
    return path === "/map/setccmode" && (body as { devId: unknown }).devId === id;
  });
  return calls.map(({ body }) => (body as { cmdNr: unknown }).cmdNr);
}

function northOf(state: EntityState): number {
  return Math.round((Number(state.attributes.latitude) - HOME.latitude) * 111_195);
}

function move(id: number, northM: number): void {
  house.cloud.push(id, { lastPos: fixAt(northM) });
}

const ON = { home_assistant: { controls: true } };

beforeAll(async () => {
  house = await openMobileHouse("mobile-app");
  const { cloud } = house;
  cloud.addHomeStation(OWNER.login, { id: 10775, posLat: HOME.latitude, posLong: HOME.longitude });
  for (const [id, name] of [
    [OREO, "Oreo"],
    [MIA, "Mia"],
  ] as const) {
    cloud.addCollar(OWNER.login, { id, mode: 2, modeSet: 2, home: false, details: { name }, lastPos: fixAt(100) });
    cloud.setPollDelay(id, 0);
  }
  house.start(ON);
  await waitFor("sensor.oreo_mode", "Normal");
  await waitFor("sensor.mia_mode", "Normal");
  for (const id of [...CONTROLS, ...CONTROLS.map((id) => id.replace("oreo", "mia"))]) await waitFor(id, () => true);
});

afterEach(async () => {
  const complaints = await house.home.logComplaints(logFrom);
  logFrom = house.home.log().length;
  expect(complaints).toEqual([]);
});

afterAll(async () => {
  await house?.close();
});

describe("what a pet shows", () => {
  test("is what its table of entities says", async () => {
    const expected = {
      "binary_sensor.oreo_at_home": ["off", "presence", "", null],
      "sensor.oreo_battery": ["67", "battery", "%", "diagnostic"],
      "binary_sensor.oreo_charging": ["off", "battery_charging", "", "diagnostic"],
      "sensor.oreo_gps_accuracy": ["10", "distance", "m", "diagnostic"],
      "sensor.oreo_distance_from_home": ["100", "distance", "m", null],
      "sensor.oreo_time_outside_today": ["0", "duration", "min", null],
      "sensor.oreo_live_tracking_remaining": ["0", "duration", "min", null],
      "sensor.oreo_mode": ["Normal", "", "", null],
      "binary_sensor.oreo_live_tracking": ["off", "", "", null],
      "binary_sensor.oreo_light": ["off", "", "", null],
      "binary_sensor.oreo_buzzer": ["off", "", "", null],
      "binary_sensor.oreo_command_pending": ["off", "", "", null],
      "sensor.oreo_home_since": ["unknown", "timestamp", "", "diagnostic"],
    };
    for (const [id, row] of Object.entries(expected)) {
      const { state, attributes } = await waitFor(id, () => true);
      const { entity_category } = await house.home.registryEntity(id);
      const { device_class = "", unit_of_measurement = "" } = attributes;
      expect([id, state, device_class, unit_of_measurement, entity_category]).toEqual([id, ...row]);
    }
    const time = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/;
    expect((await waitFor("sensor.oreo_last_fix", () => true)).state).toMatch(time);
    expect((await waitFor("sensor.oreo_last_contact", () => true)).state).toMatch(time);
    expect((await waitFor("binary_sensor.oreo_at_home", () => true)).attributes.color).toBe("#24b8f8");
    const { attributes } = await waitFor("binary_sensor.oreo_command_pending", () => true);
    expect(attributes).toMatchObject({ command: null, since: null, expected_by: null, icon: "mdi:timer-sand" });
    // The icon of a telephone would be the default.
    expect((await waitFor("sensor.oreo_battery", () => true)).attributes.icon).toBeUndefined();
  });

  test("is what few users look at as well: registered, and disabled", async () => {
    const own = await house.entities((await house.entry("Oreo")).entry_id);
    const hidden = own.filter(({ disabled_by }) => disabled_by === "integration").map(({ entity_id }) => entity_id);
    expect(hidden).toEqual(expect.arrayContaining(["sensor.oreo_status_code", "sensor.oreo_firmware_version"]));
    expect(own.some(({ entity_id }) => /activity|photo|power_off/.test(entity_id))).toBe(false);
    await house.home.enableEntity("sensor.oreo_firmware_version");
    await waitFor("sensor.oreo_firmware_version", ({ state }) => /^\d/.test(state));
    await waitFor("sensor.oreo_mode", "Normal");
  });

  test("is its position, with how exact it is and the battery", async () => {
    const { attributes } = await waitFor("device_tracker.oreo", () => true);
    expect(attributes).toMatchObject({ gps_accuracy: 10, battery_level: 67, source_type: "gps" });
    move(OREO, 500);
    const after = await waitFor("device_tracker.oreo", (state) => northOf(state) === 500);
    expect(after.state).toBe("not_home");
    await waitFor("sensor.oreo_distance_from_home", "500");
  });

  test("is not said twice", async () => {
    const history = await StateHistory.begin(house.home);
    const before = await waitFor("sensor.oreo_battery", () => true);
    move(OREO, 510);
    await waitFor("device_tracker.oreo", (state) => northOf(state) === 510);
    await waitFor("sensor.oreo_distance_from_home", "510");
    expect(await history.of("sensor.oreo_battery")).toEqual([]);
    const after = (await house.home.states()).get("sensor.oreo_battery") as EntityState & { last_reported: string };
    expect(after.last_reported).toBe((before as typeof after).last_reported);
  });

  test("is on one device, as its maker calls it", async () => {
    const devices = await house.home.deviceRegistry();
    const device = devices.find(({ identifiers }) => identifiers.some(([, id]) => id === `pettracer_${OREO}`));
    expect(device).toMatchObject({ name: "Oreo", manufacturer: "PetTracer" });
    expect(device?.identifiers).toEqual([["mobile_app", `pettracer_${OREO}`]]);
    const { device_id } = await house.home.registryEntity("select.oreo_mode");
    expect(device_id).toBe(device?.id);
  });
});

describe("the page of a pet", () => {
  test("shows its position, its sensors and its controls by their short names", async () => {
    const { device_id } = await house.home.registryEntity("sensor.oreo_mode");
    const browser = await openBrowser();
    try {
      const size = { width: 1280, height: 1400 };
      const page = await openHomeAssistant(browser, house.home, `/config/devices/device/${device_id}`, size);
      for (const text of [
        "Find my cat",
        "Distance from home",
        "GPS accuracy",
        "by PetTracer",
        "Live tracking remaining",
      ])
        await waitForText(page, text, WAIT_MS);
      await screenshot(page, "mobile-app-device.png");
    } finally {
      await browser.close();
    }
  });
});

describe("the owner's person", () => {
  test("does not follow the cats, and keeps everything else", async () => {
    expect(await owner()).toMatchObject({ name: "Owner", device_trackers: [] });
    expect((await waitFor("person.owner", () => true)).state).toBe("unknown");
    expect(house.daemon.output()).toMatch(/the person Owner to be wherever Oreo is: the tracker was taken out/);
  });

  test("is freed at the next start, if somebody has put a cat's tracker there", async () => {
    const { id, name, user_id } = await owner();
    const trackers = ["device_tracker.telephone", "device_tracker.mia", "device_tracker.oreo"];
    const update = { type: "person/update", person_id: id, name, user_id, picture: "/local/me.jpg" };
    await house.home.api.call({ ...update, device_trackers: trackers });
    await house.restart(ON);
    await eventually("the repair", async () => (await owner()).device_trackers, ["device_tracker.telephone"]);
    expect(await owner()).toMatchObject({ name, user_id, picture: "/local/me.jpg" });
    await house.home.api.call({ ...update, device_trackers: [], picture: null });
  });
});

describe("a command", () => {
  test.each([
    { text: "mode fast", mode: "Fast", number: 1 },
    { text: "Mode: Slow+", mode: "Slow+", number: 7 },
    { text: " MODE=normal ", mode: "Normal", number: 2 },
  ])("comes as a message: $text", async ({ text, mode, number }) => {
    const before = modeCalls(OREO).length;
    await say("oreo", text);
    await waitFor("sensor.oreo_mode", mode);
    expect(modeCalls(OREO).slice(before)).toEqual([number]);
  });

  test("comes with data", async () => {
    const notify = (data: object): Promise<unknown> => {
      return house.home.callService("notify", "mobile_app_oreo", { message: "a command", data });
    };
    await notify({ command: "light", value: "on" });
    await waitFor("binary_sensor.oreo_light", "on");
    await notify({ command: "light", value: false });
    await waitFor("binary_sensor.oreo_light", "off");
    await notify({ command: "mode", value: "Fast+" });
    await waitFor("sensor.oreo_mode", "Fast+");
    await say("oreo", "mode normal");
    await waitFor("sensor.oreo_mode", "Normal");
  });

  test("that is none is answered where users look, until the next good one", async () => {
    const before = house.cloud.calls.filter(({ path }) => path.startsWith("/map/setcc")).length;
    await say("oreo", "make `tea`");
    const id = `pawline_pettracer_${OREO}`;
    await eventually("the answer", async () => (await notifications()).has(id), true);
    const answer = (await notifications()).get(id);
    expect(answer).toContain(
      "is no command for `Oreo`, who understands: mode Slow/Slow+/Normal/Normal+/Fast/Fast+/Live",
    );
    expect(answer).not.toContain("power off");
    await house.daemon.waitForOutput(/a command was refused: .*tea.* is no command for Oreo/, WAIT_MS);
    await say("oreo", "power_off");
    expect(house.cloud.calls.filter(({ path }) => path.startsWith("/map/setcc"))).toHaveLength(before);
    await say("oreo", "buzzer on");
    await waitFor("binary_sensor.oreo_buzzer", "on");
    await eventually("the end of the answer", async () => (await notifications()).has(id), false);
    await say("oreo", "buzzer off");
    await waitFor("binary_sensor.oreo_buzzer", "off");
  });

  test("may be for Pawline", async () => {
    const before = house.cloud.calls.filter(({ path }) => path === "/map/getccs").length;
    await say("oreo", "Refresh");
    await expect
      .poll(() => house.cloud.calls.filter(({ path }) => path === "/map/getccs").length, { timeout: WAIT_MS })
      .toBeGreaterThan(before);
  });
});

describe("what happened", () => {
  test("is told once, as an event", async () => {
    const events: Record<string, unknown>[] = [];
    const end = await house.home.api.subscribeEvents<{ data: Record<string, unknown> }>("pawline_event", ({ data }) => {
      events.push(data);
    });
    house.cloud.push(MIA, { chg: 1 });
    await expect.poll(() => events, { timeout: WAIT_MS }).toHaveLength(1);
    expect(events[0]).toMatchObject({ device: `pettracer_${MIA}`, name: "Mia", event_type: "charging_started" });
    expect(String(events[0]?.at)).toMatch(/^20.*\+00:00$/);
    await house.restart(ON);
    await waitFor("binary_sensor.mia_charging", "on");
    house.cloud.push(MIA, { chg: 0 });
    await waitFor("binary_sensor.mia_charging", "off");
    expect(events.filter(({ event_type }) => event_type === "charging_started")).toHaveLength(1);
    await end();
  });
});

describe("a template helper", () => {
  test("shows what the collar is asked for, and asks it", async () => {
    expect((await waitFor("select.oreo_mode", "Normal")).attributes.options).toEqual([
      "Slow",
      "Slow+",
      "Normal",
      "Normal+",
      "Fast",
      "Fast+",
      "Live",
    ]);
    await house.home.callService("select", "select_option", { option: "Slow" }, { entity_id: "select.oreo_mode" });
    await waitFor("select.oreo_mode", "Slow");
    await waitFor("sensor.oreo_mode", "Slow");
    for (const key of ["light", "buzzer"]) {
      for (const to of ["on", "off"]) {
        await house.home.callService("switch", `turn_${to}`, {}, { entity_id: `switch.oreo_${key}` });
        await waitFor(`switch.oreo_${key}`, to);
        await waitFor(`binary_sensor.oreo_${key}`, to);
      }
    }
    await house.home.callService("switch", "turn_on", {}, { entity_id: "switch.oreo_live" });
    await waitFor("select.oreo_mode", "Live");
    await say("oreo", "mode normal");
    await waitFor("switch.oreo_live", "off");
    await house.home.callService("button", "press", {}, { entity_id: "button.mia_find" });
    for (const key of ["live", "light", "buzzer"]) await waitFor(`switch.mia_${key}`, "on");
    await say("mia", "live off");
    await say("mia", "light off");
    await say("mia", "buzzer off");
    for (const key of ["live", "light", "buzzer"]) await waitFor(`switch.mia_${key}`, "off");
  });

  test("shows a mode that cannot be chosen", async () => {
    house.cloud.push(OREO, { mode: 5, modeSet: 5 });
    expect((await waitFor("select.oreo_mode", "Test")).attributes.options).toContain("Test");
    house.cloud.push(OREO, { mode: 2, modeSet: 2 });
    await waitFor("select.oreo_mode", "Normal");
  });

  test("that somebody deletes is made again, once", async () => {
    await house.removeEntry(await entryOf("switch.oreo_light"));
    await eventually("the repair", () => helperIds(), CONTROLS);
    await waitFor("switch.oreo_light", "off");
  });

  test("follows an entity that somebody renames", async () => {
    const rename = { type: "config/entity_registry/update", entity_id: "sensor.oreo_mode" };
    await house.home.api.call({ ...rename, new_entity_id: "sensor.how_fast" });
    await say("oreo", "mode fast");
    await waitFor("sensor.how_fast", "Fast");
    await waitFor("select.oreo_mode", "Fast");
    await house.home.api.call({ ...rename, entity_id: "sensor.how_fast", new_entity_id: "sensor.oreo_mode" });
    await say("oreo", "mode normal");
    await waitFor("select.oreo_mode", "Normal");
  });

  test("is there once, also when Pawline has forgotten that it made it", async () => {
    const count = (await house.entries("template")).length;
    await house.stop();
    const file = join(house.daemon.folder, "data", "homeassistant.json");
    const kept = JSON.parse(readFileSync(file, "utf8")) as { registrations: Record<string, { controls: object }> };
    for (const registration of Object.values(kept.registrations)) registration.controls = {};
    writeFileSync(file, JSON.stringify(kept));
    house.start(ON);
    move(OREO, 520);
    await waitFor("device_tracker.oreo", (state) => northOf(state) === 520);
    const noted = (): number => {
      const { registrations } = JSON.parse(readFileSync(file, "utf8")) as typeof kept;
      return Object.values(registrations).flatMap(({ controls }) => Object.keys(controls)).length;
    };
    await expect.poll(noted, { timeout: WAIT_MS }).toBe(count);
    expect(await house.entries("template")).toHaveLength(count);
  });

  test("goes when controls is turned off, and comes again", async () => {
    await house.restart();
    await eventually("the end of the helpers", () => house.entries("template"), []);
    await house.restart(ON);
    await eventually("the helpers", () => helperIds(), CONTROLS);
    await waitFor("select.oreo_mode", "Normal");
  });
});

describe("a registration", () => {
  test("that the user removes stays away, until republish brings it back, once", async () => {
    const { entry_id } = await house.entry("Mia");
    const from = house.daemon.output().length;
    await house.removeEntry(entry_id);
    await house.daemon.waitForOutput(/Mia was removed in Home Assistant: it stays away/, WAIT_MS, from);
    move(MIA, 200);
    move(OREO, 530);
    await waitFor("device_tracker.oreo", (state) => northOf(state) === 530);
    await eventually("the end of its helpers", () => helperIds("mia"), []);
    expect((await house.entries("mobile_app")).map(({ title }) => title)).toEqual(["Oreo"]);
    await say("oreo", "republish");
    await waitFor("device_tracker.mia", (state) => northOf(state) === 200);
    await waitFor("sensor.mia_mode", "Normal");
    await eventually("its helpers", async () => (await helperIds("mia")).length, CONTROLS.length);
    expect((await house.entry("Mia")).entry_id).not.toBe(entry_id);
    expect((await owner()).device_trackers).toEqual([]);
    // The tracker may have jumped for a moment, but what it showed was the cat's, and is not the owner's any more.
    await waitFor("person.owner", "unknown");
  });

  test("that the user removes is back after a restart", async () => {
    const from = house.daemon.output().length;
    await house.removeEntry((await house.entry("Mia")).entry_id);
    await house.daemon.waitForOutput(/Mia was removed in Home Assistant/, WAIT_MS, from);
    await house.restart(ON);
    await waitFor("sensor.mia_mode", "Normal");
    await house.entry("Mia");
    await eventually("its helpers", async () => (await helperIds("mia")).length, CONTROLS.length);
  });

  test("that the user disables is left alone, and right again when it is enabled", async () => {
    const { entry_id } = await house.entry("Mia");
    const from = house.daemon.output().length;
    await disableEntry(entry_id, "user");
    await house.daemon.waitForOutput(/Mia is disabled in Home Assistant/, WAIT_MS, from);
    move(MIA, 300);
    move(OREO, 540);
    await waitFor("device_tracker.oreo", (state) => northOf(state) === 540);
    await disableEntry(entry_id, null);
    await waitFor("device_tracker.mia", (state) => northOf(state) === 300);
    await waitFor("sensor.mia_distance_from_home", "300");
    expect((await house.entry("Mia")).entry_id).toBe(entry_id);
  });

  test("follows a pet's name, and keeps all ids", async () => {
    const { entry_id } = await house.entry("Mia");
    const ids = (await house.entities(entry_id)).map(({ entity_id, unique_id }) => [entity_id, unique_id]);
    house.cloud.push(MIA, { details: { name: "Rex" } });
    await waitFor("sensor.mia_mode", ({ attributes }) => attributes.friendly_name === "Rex Mode");
    // The entry's own title comes behind its entities' names.
    await eventually("the entry's title", async () => (await house.entry("Rex")).entry_id, entry_id);
    expect((await house.entities(entry_id)).map(({ entity_id, unique_id }) => [entity_id, unique_id])).toEqual(ids);
    await waitFor("select.mia_mode", ({ attributes }) => attributes.friendly_name === "Rex Mode");
    // As after a restart of Home Assistant.
    await house.home.api.call({ type: "config_entries/disable", entry_id, disabled_by: "user" });
    await house.home.api.call({ type: "config_entries/disable", entry_id, disabled_by: null });
    await waitFor("sensor.mia_mode", ({ attributes }) => attributes.friendly_name === "Rex Mode");
    house.cloud.push(MIA, { details: { name: "Mia" } });
    await waitFor("sensor.mia_mode", ({ attributes }) => attributes.friendly_name === "Mia Mode");
    await waitFor("sensor.mia_battery", ({ attributes }) => attributes.friendly_name === "Mia Battery");
    await eventually("the entry's title", async () => (await house.entry("Mia")).entry_id, entry_id);
  });

  test("is made for a new pet, and removed with one that has left", async () => {
    house.cloud.addCollar(OWNER.login, { id: 14760, mode: 2, modeSet: 2, details: { name: "Tom" }, lastPos: fixAt(9) });
    await say("oreo", "refresh");
    await waitFor("sensor.tom_mode", "Normal");
    await eventually("its helpers", async () => (await helperIds("tom")).length, CONTROLS.length);
    house.cloud.removeDevice(14760);
    const entries = async (): Promise<string[]> => {
      await say("oreo", "refresh");
      return (await house.entries("mobile_app")).map(({ title }) => title).toSorted();
    };
    await expect.poll(entries, { timeout: 90_000, interval: 2_000 }).toEqual(["Mia", "Oreo"]);
    await eventually("the end of its helpers", () => helperIds("tom"), []);
    house.cloud.addCollar(OWNER.login, { id: 14760, mode: 3, modeSet: 3, details: { name: "Tom" }, lastPos: fixAt(9) });
    await say("oreo", "refresh");
    await waitFor("sensor.tom_mode", "Slow");
    house.cloud.removeDevice(14760);
    await expect.poll(entries, { timeout: 90_000, interval: 2_000 }).toEqual(["Mia", "Oreo"]);
  });
});

describe("what the user excludes", () => {
  test("is disabled, and comes back when it is wanted again", async () => {
    const isDisabled = async (): Promise<boolean> => {
      return (await house.home.registryEntity("sensor.oreo_battery")).disabled_by === "integration";
    };
    await house.restart({ ...ON, entities: { exclude: ["oreo/battery", "buzzer"] } });
    await eventually("the exclusion", isDisabled, true);
    await eventually(
      "the helpers",
      () => helperIds(),
      CONTROLS.filter((id) => !id.endsWith("buzzer")),
    );
    await waitFor("sensor.mia_battery", "67");
    await house.restart(ON);
    await eventually("the end of the exclusion", isDisabled, false);
    await house.home.waitForState("sensor.oreo_battery", "67", 60_000);
    await house.home.waitForState("switch.oreo_buzzer", "off", 60_000);
  });
});

describe("a Home Assistant that is killed and started again", () => {
  test("has everything right again, and nothing twice", async () => {
    const counts = [(await house.entries("mobile_app")).length, (await house.entries("template")).length];
    await house.home.kill();
    move(OREO, 700);
    house.cloud.push(OREO, { mode: 1, modeSet: 1 });
    const from = house.daemon.output().length;
    await house.home.start();
    await house.settled(from);
    await waitFor("device_tracker.oreo", (state) => northOf(state) === 700);
    await waitFor("sensor.oreo_mode", "Fast");
    await waitFor("select.oreo_mode", "Fast");
    await waitFor("sensor.mia_mode", "Normal");
    await say("oreo", "mode normal");
    await waitFor("select.oreo_mode", "Normal");
    expect([(await house.entries("mobile_app")).length, (await house.entries("template")).length]).toEqual(counts);
    expect((await owner()).device_trackers).toEqual([]);
  });
});
