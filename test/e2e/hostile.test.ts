/**
 * A cloud that means harm, in a real Home Assistant: what it calls its pets is text there, none of it is run as a
 * template, and Home Assistant has nothing to complain about.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTILE_NAMES, HOSTILE_NUMBERS } from "../support/hostile.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";

const WAIT_MS = 30_000;
const TEMPLATE = "{{ 6 * 7 }}";
const NOTES = `<script>alert(1)</script> ${TEMPLATE} \u001b[2J`;
const STATION = 10775;
const [TEMPLATED, NUMBERS, FIRST] = [300, 301, 310];

let house: House;
const feed = createServer((_, response) => {
  const release = { version: "13.5.0", notes: { en: NOTES } };
  response.end(JSON.stringify({ collar: release, homestation: release }));
});

beforeAll(async () => {
  house = await openHouse("hostile");
  await once(feed.listen(0, "127.0.0.1"), "listening");
  const { cloud } = house;
  cloud.addAccount({ ...OWNER, name: `${TEMPLATE}\u0000 owner` });
  cloud.addHomeStation(OWNER.login, {
    id: STATION,
    posLat: HOME.latitude,
    posLong: HOME.longitude,
    wlanSsid: `${TEMPLATE} ${"w".repeat(900)}`,
    details: { name: `Station ${TEMPLATE}` },
  });
  const details = { name: `Cat ${TEMPLATE}`, img: "../../x", image: null };
  cloud.addCollar(OWNER.login, {
    id: TEMPLATED,
    details,
    masterStatus: `${TEMPLATE}\n\u001b`,
    home: true,
    lastPos: fixAt(50),
  });
  cloud.addCollar(OWNER.login, {
    id: NUMBERS,
    details: { name: "Numbers" },
    lastPos: { ...fixAt(60), acc: 1e308, sat: 2 ** 53 - 1 },
  });
  for (const [index, name] of HOSTILE_NAMES.entries()) {
    cloud.addCollar(OWNER.login, {
      id: FIRST + index,
      details: { name },
      masterStatus: name,
      lastPos: fixAt(100 + index),
    });
  }
  const { port } = feed.address() as AddressInfo;
  house.start({ pettracer: { firmware_url: `http://127.0.0.1:${port}/` } });
});

afterAll(async () => {
  feed.close();
  await house?.close();
});

test("names, states and attributes are text, also where they look like templates", async () => {
  const devices = await house.home.waitForState(
    "device_tracker.cat_6_7",
    ({ state }) => state !== "unavailable",
    WAIT_MS,
  );
  expect(devices.attributes.friendly_name).toBe(`Cat ${TEMPLATE}`);
  await house.home.enableEntity("sensor.cat_6_7_station_status", "sensor.station_6_7_wifi");
  const status = await house.home.waitForState(
    "sensor.cat_6_7_station_status",
    ({ state }) => state.includes("6 * 7"),
    WAIT_MS,
  );
  expect(status.state.trim()).toBe(TEMPLATE);
  const wifi = await house.home.waitForState(
    "sensor.station_6_7_wifi",
    ({ state }) => state.includes("6 * 7"),
    WAIT_MS,
  );
  expect(wifi.state).toMatch(/^\{\{ 6 \* 7 \}\} w+$/);
  expect(wifi.state.length).toBeLessThanOrEqual(255);
  const firmware = await house.home.waitForState("update.cat_6_7_firmware", ({ state }) => state === "on", WAIT_MS);
  expect(firmware.attributes.release_summary).toContain(TEMPLATE);
  const home = await house.home.waitForState("sensor.station_6_7_pets_at_home", ({ state }) => state === "1", WAIT_MS);
  expect(home.attributes.names).toEqual([`Cat ${TEMPLATE}`]);
  for (const { state, attributes } of (await house.home.states()).values()) {
    // What each template would have made of itself.
    expect([state, attributes.friendly_name, ...[attributes.names].flat()]).not.toContain("42");
    expect(JSON.stringify([state, attributes])).not.toMatch(/\\u001b|\\u0000|\bCat 42\b|\bStation 42\b/);
  }
});

test("every pet is a device by its own number, and its name has nothing that is not to be seen", async () => {
  const devices = await house.devices();
  for (const [index] of HOSTILE_NAMES.entries()) {
    const name = devices.get(`pettracer_${FIRST + index}`)?.name ?? "";
    expect(name, String(index)).not.toBe("");
    expect(name).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
  }
});

test("numbers beyond reason reach no log, and a good value behind them is shown", async () => {
  await house.cloud.waitFor(() => house.cloud.push(NUMBERS, HOSTILE_NUMBERS), WAIT_MS);
  house.cloud.push(NUMBERS, { mode: 2, modeSet: 2, bat: 3_950, lastPos: fixAt(70) });
  await house.home.waitForState("sensor.numbers_battery", ({ state }) => state === "75", WAIT_MS);
  await house.home.waitForState(
    "device_tracker.numbers",
    ({ state }) => state === "home" || state === "not_home",
    WAIT_MS,
  );
  expect(await house.home.logComplaints()).toEqual([]);
  expect(house.daemon.output()).not.toMatch(/this is a defect/);
});
