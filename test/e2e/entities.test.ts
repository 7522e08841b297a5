/**
 * Every entity as a real Home Assistant has it: its id, name, state, unit, classes, category and icon; nothing that the
 * cloud never sent; and names and pictures as people choose them.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/lib/about.ts";
import { openBrowser, openHomeAssistant, screenshot, waitForText } from "./support/browser.ts";
import { type EntityRow, enableAll, entityTable, expectEntities } from "./support/entity-table.ts";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";

const WAIT_MS = 30_000;
const STATION = 10775;
const OREO = 14758;
const BARE = 14759;
const [MILO, OTHER_MILO] = [14760, 14761];
const [EMOJI, LONG, CONTROL, TEMPLATE, BLANK] = [14762, 14763, 14764, 14765, 14766];

/** The collar that has sent everything. id | name | state | unit | device class | state class | category | icon | disabled */
const OREO_ENTITIES = `
  device_tracker.oreo             |                         | not_home           |     |                  |             |            | cat                  |
  binary_sensor.oreo_at_home      | At home                 | off                |     | presence         |             |            |                      |
  event.oreo_activity             | Activity                | unknown            |     |                  |             |            | paw                  |
  sensor.oreo_battery             | Battery                 | 75                 | %   | battery          | measurement | diagnostic |                      |
  binary_sensor.oreo_charging     | Charging                | on                 |     | battery_charging |             | diagnostic |                      |
  sensor.oreo_last_fix            | Last fix                | <time>             |     | timestamp        |             |            | crosshairs-gps       |
  sensor.oreo_last_contact        | Last contact            | <time>             |     | timestamp        |             | diagnostic | radio-tower          |
  sensor.oreo_home_since          | Home since              | unknown            |     | timestamp        |             | diagnostic | home-clock           |
  sensor.oreo_accuracy            | GPS accuracy            | 10                 | m   | distance         | measurement | diagnostic | crosshairs-question  |
  sensor.oreo_distance            | Distance from home      | 300                | m   | distance         | measurement |            | map-marker-distance  |
  sensor.oreo_time_outside        | Time outside today      | <number>           | min | duration         |             |            | tree                 |
  sensor.oreo_live_remaining      | Live tracking remaining | 0                  | min | duration         |             |            | timer-outline        |
  update.oreo_firmware            | Firmware                | on                 |     | firmware         |             | diagnostic |                      |
  image.oreo_photo                | Photo                   | <time>             |     |                  |             |            | camera               |
  select.oreo_mode                | Mode                    | Normal             |     |                  |             | config     | speedometer          |
  switch.oreo_live                | Live tracking           | off                |     |                  |             |            | crosshairs-gps       |
  button.oreo_find                | Find my cat             | unknown            |     |                  |             |            | cat                  |
  switch.oreo_light               | Light                   | off                |     |                  |             |            | led-on               |
  switch.oreo_buzzer              | Buzzer                  | off                |     |                  |             |            | bullhorn             |
  binary_sensor.oreo_pending      | Command pending         | off                |     |                  |             |            | timer-sand           |
  sensor.oreo_battery_voltage     | Voltage                 | 3.95               | V   | voltage          | measurement | diagnostic |                      | x
  sensor.oreo_battery_warning     | Low battery threshold   | 3.63               | V   | voltage          |             | diagnostic |                      | x
  sensor.oreo_satellites          | Satellites              | 9                  |     |                  | measurement | diagnostic | satellite-variant    | x
  sensor.oreo_signal              | Signal strength         | -55                | dBm | signal_strength  | measurement | diagnostic |                      | x
  sensor.oreo_signal_quality      | Signal quality          | 78                 | %   |                  | measurement | diagnostic | signal               | x
  sensor.oreo_nearest_station     | Nearest station         | Home station 10775 |     |                  |             | diagnostic | home-search          | x
  sensor.oreo_firmware_version    | Firmware version        | 10.4.9             |     |                  |             | diagnostic | chip                 | x
  sensor.oreo_hardware_version    | Hardware version        | 10.5.3             |     |                  |             | diagnostic | chip                 | x
  sensor.oreo_boot_loader_version | Boot loader version     | 10.4.2             |     |                  |             | diagnostic | chip                 | x
  sensor.oreo_status              | Status code             | 3                  |     |                  |             | diagnostic | numeric              | x
  sensor.oreo_station_status      | Home station status     | ACTIVE             |     |                  |             | diagnostic | home-circle          | x
  sensor.oreo_flags               | Flags                   | 2                  |     |                  |             | diagnostic | flag                 | x
  sensor.oreo_telegram_number     | Telegram number         | -42                |     |                  |             | diagnostic | counter              | x
  sensor.oreo_birth               | Birthday                | 2018-07-16         |     | date             |             | diagnostic | cake                 | x
  binary_sensor.oreo_safety_zone  | Safety zone             | off                |     |                  |             | diagnostic | shield-home          | x
  binary_sensor.oreo_search       | Search                  | off                |     |                  |             | diagnostic | magnify              | x
  binary_sensor.oreo_bluetooth    | Bluetooth               | off                |     |                  |             | diagnostic | bluetooth            | x
  binary_sensor.oreo_developer_mode | Developer mode        | off                |     |                  |             | diagnostic | bug                  | x
  binary_sensor.oreo_owner        | Own collar              | on                 |     |                  |             | diagnostic | account-check        | x`;

/** The collar that has sent nothing but its battery and a contact. */
const BARE_ENTITIES = `
  device_tracker.collar_14759         |              | unknown |   |           |             |            | cat         |
  event.collar_14759_activity         | Activity     | unknown |   |           |             |            | paw         |
  sensor.collar_14759_battery         | Battery      | 28      | % | battery   | measurement | diagnostic |             |
  sensor.collar_14759_last_contact    | Last contact | <time>  |   | timestamp |             | diagnostic | radio-tower |
  sensor.collar_14759_battery_voltage | Voltage      | 3.7     | V | voltage   | measurement | diagnostic |             | x`;

const STATION_ENTITIES = `
  binary_sensor.home_station_10775_online    | Connectivity    | on     |     | connectivity    |             | diagnostic |             |
  sensor.home_station_10775_last_contact     | Last contact    | <time> |     | timestamp       |             | diagnostic | radio-tower |
  sensor.home_station_10775_pets_at_home     | Pets at home    | 0      |     |                 | measurement |            | cat         |
  sensor.home_station_10775_signal           | Signal strength | -70    | dBm | signal_strength | measurement | diagnostic |             | x
  sensor.home_station_10775_wifi             | Wi-Fi network   | garden |     |                 |             | diagnostic | wifi        | x
  update.home_station_10775_firmware         | Firmware        | on     |     | firmware        |             | diagnostic |             |`;

const ACCOUNT_ENTITIES = `
  binary_sensor.pettracer_account_owner_problem         | Problem           | off    | | problem      | | diagnostic |              |
  binary_sensor.pettracer_account_owner_stream          | Live stream       | on     | | connectivity | | diagnostic |              |
  sensor.pettracer_account_owner_subscription_ends      | Subscription ends | <time> | | timestamp    | | diagnostic | calendar-end |`;

const BRIDGE_ENTITIES = `
  binary_sensor.pawline_connection | Connectivity | on         | | connectivity | | diagnostic |                      |
  sensor.pawline_version           | Version      | ${VERSION} | |              | | diagnostic | tag-outline          |
  sensor.pawline_started           | Started      | <time>     | | timestamp    | | diagnostic | clock-start          |
  sensor.pawline_last_error        | Last error   | unknown    | |              | | diagnostic | alert-circle-outline |
  select.pawline_log_level         | Log level    | info       | |              | | config     | text-box-outline     |
  button.pawline_restart           | Restart      | unknown    | | restart      | | config     |                      |
  button.pawline_republish         | Republish    | unknown    | |              | | config     | refresh              |`;

/** Cats that have sent little more than a name, such as people give, and such as nobody should. */
const LONG_SLUG = "abcdefghi_abcdefghi_abcdefghi_abcdefghi_abcdefghi_abcdefghi_abcd";
const NAMED_ENTITIES = `
  device_tracker.milo                      |              | not_home |   |           |             |            | cat               |
  event.milo_activity                      | Activity     | unknown  |   |           |             |            | paw               |
  sensor.milo_last_contact                 | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  sensor.milo_last_fix                     | Last fix     | <time>   |   | timestamp |             |            | crosshairs-gps    |
  sensor.milo_accuracy                     | GPS accuracy | 10       | m | distance  | measurement | diagnostic | crosshairs-question |
  sensor.milo_satellites                   | Satellites   | 9        |   |           | measurement | diagnostic | satellite-variant | x
  image.milo_photo                         | Photo        | <time>   |   |           |             |            | camera            |
  device_tracker.milo_2                    |              | not_home |   |           |             |            | cat               |
  event.milo_activity_2                    | Activity     | unknown  |   |           |             |            | paw               |
  sensor.milo_last_contact_2               | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  sensor.milo_last_fix_2                   | Last fix     | <time>   |   | timestamp |             |            | crosshairs-gps    |
  sensor.milo_accuracy_2                   | GPS accuracy | 10       | m | distance  | measurement | diagnostic | crosshairs-question |
  sensor.milo_satellites_2                 | Satellites   | 9        |   |           | measurement | diagnostic | satellite-variant | x
  device_tracker.pettracer_14762           |              | unknown  |   |           |             |            | cat               |
  event.pettracer_14762_activity           | Activity     | unknown  |   |           |             |            | paw               |
  sensor.pettracer_14762_last_contact      | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  device_tracker.${LONG_SLUG}              |              | unknown  |   |           |             |            | cat               |
  event.${LONG_SLUG}_activity              | Activity     | unknown  |   |           |             |            | paw               |
  sensor.${LONG_SLUG}_last_contact         | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  device_tracker.lu_na_moon                |              | unknown  |   |           |             |            | cat               |
  event.lu_na_moon_activity                | Activity     | unknown  |   |           |             |            | paw               |
  sensor.lu_na_moon_last_contact           | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  device_tracker.states_sun_sun            |              | unknown  |   |           |             |            | cat               |
  event.states_sun_sun_activity            | Activity     | unknown  |   |           |             |            | paw               |
  sensor.states_sun_sun_last_contact       | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |
  device_tracker.collar_14766              |              | unknown  |   |           |             |            | cat               |
  event.collar_14766_activity              | Activity     | unknown  |   |           |             |            | paw               |
  sensor.collar_14766_last_contact         | Last contact | <time>   |   | timestamp |             | diagnostic | radio-tower       |`;

const FIRMWARE = {
  collar: { version: "13.5.0", notes: { en: "Longer battery life", de: "Längere Laufzeit" } },
  homestation: { version: "14.0.2" },
};

interface Picture {
  readonly type: "image/png" | "image/jpeg";
  readonly base64: string;
}

let house: House;
let browser: Browser;
let feed: Server;
let feedCalls = 0;
let png: Picture;
let jpeg: Picture;
let rows = [OREO_ENTITIES, BARE_ENTITIES, STATION_ENTITIES, ACCOUNT_ENTITIES, BRIDGE_ENTITIES, NAMED_ENTITIES].flatMap(
  entityTable,
);

/** The rows with other states. */
function withStates(states: Readonly<Record<string, string>>): EntityRow[] {
  return rows.map((row) => ({ ...row, state: states[row.id] ?? row.state }));
}

async function attributesOf(id: string): Promise<EntityState["attributes"]> {
  return (await house.home.waitForState(id, () => true, WAIT_MS)).attributes;
}

/** Made by the browser: what it writes is a real picture. */
async function paint(type: Picture["type"]): Promise<Picture> {
  const page = await browser.newPage();
  const url = await page.evaluate<string>(`(() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 96;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#ff912c";
    pen.fillRect(0, 0, 96, 96);
    pen.font = "64px sans-serif";
    pen.fillStyle = "#222";
    pen.fillText("^^", 16, 72);
    return canvas.toDataURL("${type}");
  })()`);
  await page.close();
  const [head, body = ""] = url.split(",");
  expect(head).toBe(`data:${type};base64`);
  return { type, base64: body };
}

function bytesOf({ base64 }: Picture): Uint8Array {
  return Buffer.from(base64, "base64");
}

async function startFeed(): Promise<Server> {
  const server = createServer((_, response) => {
    feedCalls += 1;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(FIRMWARE));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** A collar that sends nothing but its number, its last contact and these. */
function addSparse(id: number, fields: { readonly details?: object; readonly [field: string]: unknown }): void {
  const { cloud } = house;
  const everyField = Object.keys(cloud.collar(OREO)).map((key) => [key, undefined]);
  const lastContact = new Date().toISOString();
  const details = fields.details && { color: undefined, birth: undefined, ...fields.details };
  cloud.addCollar(OWNER.login, { ...Object.fromEntries(everyField), lastContact, ...fields, details, id });
}

function fill(): void {
  const { cloud } = house;
  cloud.addImage("oreo", bytesOf(png), png.type);
  // What the cloud says of a picture's kind is not always true.
  cloud.addImage("milo", bytesOf(jpeg), "application/octet-stream");
  cloud.addHomeStation(OWNER.login, { id: STATION, posLat: HOME.latitude, posLong: HOME.longitude, rssi: 120 });
  cloud.addCollar(OWNER.login, {
    id: OREO,
    accuWarn: 3630,
    bat: 3950,
    chg: 1,
    mode: 2,
    modeSet: 2,
    status: 3,
    flags: 2,
    lastTlgNr: -42,
    lastRssi: -106,
    details: { name: "Oreo", color: 0xff912c, birth: "2018-07-15T23:00:00.000+0000", img: "oreo", image: null },
    lastPos: fixAt(300),
  });
  addSparse(BARE, { bat: 3700 });
  addSparse(MILO, { details: { name: "Milo", img: "milo" }, lastPos: fixAt(400) });
  addSparse(OTHER_MILO, { details: { name: "Milo" }, lastPos: fixAt(500) });
  addSparse(EMOJI, { details: { name: "🐈‍⬛" } });
  addSparse(LONG, { details: { name: "Abcdefghi ".repeat(30) } });
  addSparse(CONTROL, { details: { name: "  Lu\u0000\u0007na\r\n\u202eMoon\u2028 " } });
  addSparse(TEMPLATE, { details: { name: "{{ states('sun.sun') }}" } });
  addSparse(BLANK, { details: { name: " \u0000\t" } });
}

/** Only the stream carries telegrams. */
async function pushTelegram(): Promise<void> {
  const receivedBy = [
    { hsId: 99999, rssi: 80 },
    { hsId: STATION, rssi: 200 },
  ];
  const fiFo = [{ telegram: { id: 1, deviceId: OREO, hsId: STATION }, receivedBy }];
  await house.cloud.waitFor(() => house.cloud.push(OREO, { fiFo }), WAIT_MS);
}

beforeAll(async () => {
  [house, browser, feed] = await Promise.all([openHouse("entities"), openBrowser(), startFeed()]);
  [png, jpeg] = [await paint("image/png"), await paint("image/jpeg")];
  fill();
  const { port } = feed.address() as AddressInfo;
  house.start({ pettracer: { refresh: "2s", firmware_url: `http://127.0.0.1:${port}/firmware.json` } });
  await pushTelegram();
});

afterAll(async () => {
  await browser?.close();
  await house?.close();
  feed?.close();
});

describe("every entity", () => {
  test("that the cloud has sent something for is there as the table says, and no other", async () => {
    await expectEntities(house.home, rows);
  });

  test("stands on its device, by its key", async () => {
    const devices = [...(await house.devices())].map(([key, { id }]) => [id, key] as const);
    const keys = new Map(devices);
    const ours = (await house.home.entityRegistry()).filter(({ platform }) => platform === "mqtt");
    for (const { unique_id, device_id } of ours) {
      const key = keys.get(device_id ?? "") ?? "none";
      expect(unique_id.startsWith(key === "pawline_bridge" ? "bridge_" : `${key}_`), unique_id).toBe(true);
    }
  });

  test("shows what else there is to show", async () => {
    const position = { ...HOME, latitude: HOME.latitude + 300 / 111_195 };
    expect(await attributesOf("device_tracker.oreo")).toMatchObject({
      ...position,
      source_type: "gps",
      source: "gps",
      gps_accuracy: 10,
      satellites: 9,
      measured_at: expect.stringMatching(/^20\d\d-.*\+00:00$/),
    });
    expect(await attributesOf("binary_sensor.oreo_at_home")).toMatchObject({ color: "#ff912c" });
    expect(await attributesOf("sensor.home_station_10775_pets_at_home")).toMatchObject({ names: [] });
    expect(await attributesOf("select.oreo_mode")).toMatchObject({
      options: ["Slow", "Slow+", "Normal", "Normal+", "Fast", "Fast+", "Live"],
    });
    expect(await attributesOf("select.pawline_log_level")).toMatchObject({
      options: ["trace", "debug", "info", "warn", "error"],
    });
    const told = ["came_home", "left_home", "battery_low", "charging_started", "charging_finished", "live_started"];
    const toldToo = ["live_ended", "mode_changed", "command_failed", "contact_lost", "contact_restored"];
    expect(await attributesOf("event.oreo_activity")).toMatchObject({ event_types: [...told, ...toldToo] });
  });

  test("says when: the times are those of the cloud", async () => {
    const { lastContact, lastPos } = house.cloud.collar(OREO);
    const states = await house.home.states();
    const shown = (id: string): number => Math.floor(Date.parse(states.get(id)?.state ?? "") / 1_000);
    const sent = (value: unknown): number => Math.floor(Date.parse(String(value).replace("+0000", "Z")) / 1_000);
    expect(shown("sensor.oreo_last_contact")).toBe(sent(lastContact));
    expect(shown("sensor.oreo_last_fix")).toBe(sent((lastPos as { timeMeasure: unknown }).timeMeasure));
    expect(states.get("sensor.pettracer_account_owner_subscription_ends")?.state).toBe("2099-12-31T00:00:00+00:00");
  });

  test("of the firmware compares it with the maker's list, which is asked for once", async () => {
    expect(await attributesOf("update.oreo_firmware")).toMatchObject({
      installed_version: "10.4.9",
      latest_version: "13.5.0",
      title: "PetTracer GPS collar",
      release_summary: "Longer battery life",
    });
    expect(await attributesOf("update.home_station_10775_firmware")).toMatchObject({
      installed_version: "10.4.4",
      latest_version: "14.0.2",
      title: "PetTracer Home station",
      release_summary: null,
    });
    expect(feedCalls).toBe(1);
  });
});

describe("devices", () => {
  test("say what they are", async () => {
    const devices = await house.devices();
    const station = devices.get(`pettracer_hs_${STATION}`);
    expect(station).toMatchObject({
      name: "Home station 10775",
      manufacturer: "PetTracer",
      model: "Home station",
      serial_number: "10775",
      hw_version: "10.4.0",
      sw_version: "10.4.4",
      configuration_url: "https://portal.pettracer.com",
    });
    expect(devices.get(`pettracer_${OREO}`)).toMatchObject({
      name: "Oreo",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "14758",
      hw_version: "10.5.3",
      sw_version: "10.4.9",
      configuration_url: "https://portal.pettracer.com",
      via_device_id: station?.id,
    });
    expect(devices.get("pettracer_account_15979")).toMatchObject({
      name: "PetTracer account Owner",
      manufacturer: "PetTracer",
      model: "Account",
    });
    expect(devices.get("pawline_bridge")).toMatchObject({ name: "Pawline", model: "Bridge", sw_version: VERSION });
  });

  test("have the pets' names, as far as they can be shown", async () => {
    const devices = await house.devices();
    const name = (id: number): unknown => devices.get(`pettracer_${id}`)?.name;
    expect(name(BARE)).toBe("Collar 14759");
    expect([name(MILO), name(OTHER_MILO)]).toEqual(["Milo", "Milo"]);
    expect(name(EMOJI)).toBe("🐈‍⬛");
    expect(name(LONG)).toBe(`${"Abcdefghi ".repeat(6)}Abcd`);
    expect(name(CONTROL)).toBe("Lu na Moon");
    expect(name(TEMPLATE)).toBe("{{ states('sun.sun') }}");
    expect(name(BLANK)).toBe("Collar 14766");
  });

  test("of one name are two cats", async () => {
    const registry = await house.home.entityRegistry();
    const found = [MILO, OTHER_MILO].map((id) =>
      registry.find(({ unique_id }) => unique_id === `pettracer_${id}_tracker`),
    );
    const [first = "", second = ""] = found.map((entity) => entity?.entity_id);
    expect([first, second].toSorted()).toEqual(["device_tracker.milo", "device_tracker.milo_2"]);
    expect((await attributesOf(first)).latitude).toBeCloseTo(HOME.latitude + 400 / 111_195, 6);
    expect((await attributesOf(second)).latitude).toBeCloseTo(HOME.latitude + 500 / 111_195, 6);
  });
});

describe("a photo", () => {
  async function served(id: string): Promise<Picture> {
    const { entity_picture } = await attributesOf(id);
    const answer = await fetch(`${house.home.url}${String(entity_picture)}`, { signal: AbortSignal.timeout(WAIT_MS) });
    expect(answer.status).toBe(200);
    return {
      type: answer.headers.get("content-type") as Picture["type"],
      base64: Buffer.from(await answer.arrayBuffer()).toString("base64"),
    };
  }

  test("is served by Home Assistant as the cloud has it", async () => {
    expect(await served("image.oreo_photo")).toEqual(png);
    expect(await served("image.milo_photo")).toEqual(jpeg);
  });

  test("that takes the place of another one is served instead", async () => {
    const { state: before } = await house.home.waitForState("image.oreo_photo", () => true, WAIT_MS);
    house.cloud.addImage("oreo 2", bytesOf(jpeg), jpeg.type);
    house.cloud.push(OREO, { details: { img: "oreo 2" } });
    await house.home.waitForState("image.oreo_photo", ({ state }) => state !== before, WAIT_MS);
    await expect.poll(() => served("image.oreo_photo"), { timeout: WAIT_MS }).toEqual(jpeg);
  });

  test("that cannot be had at once is fetched later", async () => {
    house.cloud.addImage("oreo 3", bytesOf(png), png.type);
    house.cloud.faults.answer("/image/oreo 3", { status: 500 }, 1);
    house.cloud.push(OREO, { details: { img: "oreo 3" } });
    await house.cloud.waitFor(() => house.cloud.calls.some(({ path }) => path === "/image/oreo 3"), WAIT_MS);
    // Meanwhile the last one is there.
    expect(await served("image.oreo_photo")).toEqual(jpeg);
    await expect.poll(() => served("image.oreo_photo"), { timeout: WAIT_MS }).toEqual(png);
  });
});

/** Leaves a picture of a device's page behind, once it shows these texts. */
async function shoot(device: string, file: string, height: number, texts: readonly string[]): Promise<void> {
  const { id } = (await house.devices()).get(device) ?? {};
  const page = await openHomeAssistant(browser, house.home, `/config/devices/device/${id}`, { width: 1280, height });
  for (const text of texts) await waitForText(page, text, 60_000);
  await screenshot(page, file);
  await page.context().close();
}

describe("on a page", () => {
  test("a cat shows what it does, and what can be done", async () => {
    const sensors = ["At home", "Distance from home", "300 m", "Last fix", "Time outside today", "Photo"];
    const controls = ["Find my cat", "Live tracking", "Light", "Buzzer", "Mode"];
    await shoot("pettracer_14758", "page-cat.png", 1_900, ["Oreo", "by PetTracer", ...sensors, ...controls, "75%"]);
  });

  test("a home station shows who is at home", async () => {
    await shoot("pettracer_hs_10775", "page-station.png", 1_200, ["Home station 10775", "Pets at home", "Connected"]);
  });

  test("an account shows whether all is well", async () => {
    await shoot("pettracer_account_15979", "page-account.png", 900, ["Subscription ends", "Live stream", "Problem"]);
  });

  test("the bridge shows itself", async () => {
    await shoot("pawline_bridge", "page-bridge.png", 1_100, ["Log level", "Restart", "Republish", VERSION]);
  });
});

describe("what few want", () => {
  test("is right as well once it is enabled", async () => {
    rows = await enableAll(house.home, rows);
    await expectEntities(house.home, rows);
    await shoot("pettracer_14758", "page-cat-all.png", 2_600, ["Telegram number"]);
  });
});

describe("a renamed pet", () => {
  test("keeps its entity ids, and its device has the new name", async () => {
    house.cloud.push(OREO, { details: { name: "Sir Oreo" } });
    await house.home.waitForState(
      "sensor.oreo_battery",
      ({ attributes }) => attributes.friendly_name === "Sir Oreo Battery",
      WAIT_MS,
    );
    expect((await house.devices()).get(`pettracer_${OREO}`)?.name).toBe("Sir Oreo");
    expect(await attributesOf("device_tracker.oreo")).toMatchObject({ friendly_name: "Sir Oreo" });
    await expectEntities(house.home, rows);
  });
});

describe("what the cloud does not send any more", () => {
  /** Two listings begin and end after this, and then all news so far are in Home Assistant. */
  async function afterTwoListings(telegramNumber: number): Promise<EntityRow[]> {
    const { calls } = house.cloud;
    const listings = (): number => calls.filter(({ path, status }) => path === "/map/getccs" && status === 200).length;
    const before = listings();
    await house.cloud.waitFor(() => listings() >= before + 3, WAIT_MS);
    house.cloud.push(OREO, { lastTlgNr: telegramNumber });
    return withStates({ "sensor.oreo_telegram_number": String(telegramNumber) });
  }

  test("stays as it was", async () => {
    const { id, ...fields } = house.cloud.collar(OREO);
    house.cloud.push(id, Object.fromEntries(Object.keys(fields).map((key) => [key, undefined])));
    const { id: station, type, ...stationFields } = house.cloud.collar(STATION);
    house.cloud.push(station, {
      type,
      ...Object.fromEntries(Object.keys(stationFields).map((key) => [key, undefined])),
    });
    rows = await afterTwoListings(7);
    await expectEntities(house.home, rows);
  });

  test("becomes unknown where null means none, and only there", async () => {
    const { id, ...fields } = house.cloud.collar(OREO);
    const nulls = Object.fromEntries(Object.keys(fields).map((key) => [key, null]));
    house.cloud.push(id, { ...nulls, details: { name: null, color: null, birth: null } });
    house.cloud.push(STATION, { type: 1, rssi: null, wlanSsid: null, lastContact: null, sw: null });
    await afterTwoListings(8);
    rows = withStates({
      "sensor.oreo_telegram_number": "8",
      "sensor.oreo_distance": "unknown",
      "sensor.oreo_birth": "unknown",
      "sensor.home_station_10775_wifi": "unknown",
    });
    await expectEntities(house.home, rows);
    expect((await attributesOf("binary_sensor.oreo_at_home")).color).toBeNull();
  });
});

describe("an account", () => {
  const problem = "binary_sensor.pettracer_account_owner_problem";

  async function expectProblem(message: RegExp): Promise<void> {
    const says = ({ state, attributes }: EntityState): boolean =>
      state === "on" && message.test(String(attributes.message));
    await house.home.waitForState(problem, says, WAIT_MS);
  }

  test("whose subscription is over has a problem, and says when that was", async () => {
    house.cloud.addAccount({ ...OWNER, subscriptionEnds: "2026-01-31" });
    house.cloud.faults.expireTokens();
    await expectProblem(/^the PetTracer subscription is over: /);
    await house.home.waitForState(
      "sensor.pettracer_account_owner_subscription_ends",
      "2026-01-31T00:00:00+00:00",
      WAIT_MS,
    );
    await house.home.waitForState("binary_sensor.pettracer_account_owner_stream", "on", WAIT_MS);
  });

  test("whose password was changed has a problem, and its devices are still there", async () => {
    house.cloud.addAccount({ ...OWNER, password: "another one" });
    house.cloud.faults.expireTokens();
    await expectProblem(/^PetTracer refused the login \(401\): check pettracer\.username and pettracer\.password\.$/);
    await house.home.waitForState("binary_sensor.pettracer_account_owner_stream", "off", WAIT_MS);
    const isTold = ({ state }: EntityState): boolean => state.startsWith("PetTracer refused the login (401)");
    await house.home.waitForState("sensor.pawline_last_error", isTold, WAIT_MS);
    await shoot("pettracer_account_15979", "page-account-problem.png", 900, ["Subscription ends", "Disconnected"]);
    expect((await house.home.states()).get("sensor.oreo_battery")?.state).toBe("75");
  });
});

test("Home Assistant has no complaint about us: neither in its log nor among its repairs", async () => {
  expect(await house.home.logComplaints()).toEqual([]);
  const { issues } = await house.home.api.call<{ issues: readonly { domain: string }[] }>({
    type: "repairs/list_issues",
  });
  expect(issues.filter(({ domain }) => domain === "mqtt")).toEqual([]);
  expect(feedCalls).toBe(1);
});
