/**
 * A cloud that means harm, from its answers to what stands at the broker: the house fails for a broken topic, for a
 * message that Home Assistant would complain about, and for a defect in the log.
 */
import { expect, test, vi } from "vitest";
import { devicesAnswer } from "../../src/publishers/live/api/requests.ts";
import { freePort } from "../e2e/support/network.ts";
import { deepJson, HOSTILE_NAMES, HOSTILE_NUMBERS } from "../support/hostile.ts";
import {
  BRIDGE_INFO,
  configOf,
  type House,
  moveIn,
  OREO,
  OWNER,
  oreo,
  stationAndOreo,
  time,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { ask } from "../support/http.ts";

vi.setConfig({ maxConcurrency: 4, testTimeout: 60_000 });

const MEGABYTE = 1024 * 1024;
/** What a broker passes on whole, level by level. */
const TOPIC = /^(?:[\w.-]+\/)+[\w.-]+$/;

function expectSound(house: House): void {
  for (const { topic, payload } of house.mqtt.messages) {
    expect(topic).toMatch(TOPIC);
    expect(payload.length).toBeLessThan(100_000);
  }
  // Nothing in the log moves a terminal's cursor, and no line is endless.
  for (const line of house.log.split("\n")) {
    expect(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u.test(line)).toBe(false);
    expect(line.length).toBeLessThan(25_000);
  }
}

/** Of our templates each is a value's name, whatever the pet is called. */
function expectOwnTemplates(text: string | undefined): void {
  const { components } = configOf(text);
  for (const component of Object.values(components)) {
    for (const [key, value] of Object.entries(component)) {
      if (key.endsWith("_template")) expect(value).toMatch(/^\{\{ (value_json\.\w+|\{['\w: .,]+\} \| tojson) \}\}$/);
    }
  }
}

test.concurrent("names of every kind are text, on every topic and on the page", async (context) => {
  const port = await freePort();
  const house = await moveIn(context, {
    live: { port },
    furnish(cloud) {
      const [, , accountName = ""] = HOSTILE_NAMES;
      cloud.addAccount({ ...OWNER, name: accountName + HOSTILE_NAMES[3] });
      cloud.addHomeStation(OWNER.login, {
        id: 10775,
        wlanSsid: HOSTILE_NAMES.join(),
        details: { name: HOSTILE_NAMES[6] },
      });
      for (const [index, name] of HOSTILE_NAMES.entries()) {
        cloud.addCollar(OWNER.login, { id: 100 + index, details: { name, image: name }, masterStatus: name });
      }
    },
  });
  for (const [index, name] of HOSTILE_NAMES.entries()) {
    const topics = topicsOf(`pettracer_${100 + index}`);
    const config = house.mqtt.latest(topics.config);
    expectOwnTemplates(config);
    const shown = String(configOf(config).device.name);
    expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    expect(name.replace(/[^a-z]/g, "")).toContain(shown.replace(/[^a-z]/g, "").slice(0, 3));
    house.push(100 + index, {
      details: { name: `${name} again` },
      lastPos: { posLat: 1, posLong: 2, timeMeasure: time(1) },
    });
    await house.mqtt.waitFor(topics.position, () => true);
  }
  const { body, headers } = await ask(`http://127.0.0.1:${port}/`);
  expect(headers["content-security-policy"]).toContain("script-src 'self'");
  // The page has none of it; its script gets it as data, and the browser no other way.
  expect(body).not.toContain("<img src=x");
  const { devices } = devicesAnswer.parse(JSON.parse((await ask(`http://127.0.0.1:${port}/api/devices`)).body));
  const told = devices.map(({ name }) => name);
  expect(told).toContainEqual(expect.stringContaining("<img src=x onerror=alert(1)>"));
  expect(told.join("")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  expectSound(house);
});

test.concurrent("a name of ten megabytes comes as its beginning, by REST; by the stream it ends the connection", async (context) => {
  const huge = `Oreo ${"{{ 1 }} ".repeat((10 * MEGABYTE) / 8)}`;
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, { ...OREO, details: { ...OREO.details, name: huge } });
    },
  });
  const { name } = configOf(house.mqtt.latest(oreo.config)).device;
  expect(String(name)).toMatch(/^Oreo \{\{ 1 \}\}/);
  expect(String(name).length).toBeLessThanOrEqual(64);
  const from = house.cloud.upgrades.length;
  house.push(OREO.id, { details: { name: `${huge} again` } });
  await house.logged(/the live stream ended: .*(?:1009|payload)/i);
  await house.cloud.waitFor(() => house.cloud.upgrades.length > from, 10_000);
  expectSound(house);
});

test.concurrent("numbers beyond reason are left out, or told as they are", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  house.push(OREO.id, HOSTILE_NUMBERS);
  const odd = [
    { posLat: 1e308, posLong: 0 },
    { posLat: "NaN", posLong: "Infinity" },
    { posLat: 91, posLong: 181 },
    { posLat: -0, posLong: 180, acc: 1e308, sat: 2 ** 53 - 1, timeMeasure: time(2) },
    { posLat: 1, posLong: 1, timeMeasure: "9999-12-31T23:59:59.999-1200" },
    { posLat: 1, posLong: 1, timeMeasure: "0000-01-01T00:00:00.000+0000" },
  ];
  for (const lastPos of odd) house.push(OREO.id, { lastPos });
  for (const id of ["9007199254740993", "-1", "1e400", "0.5", '"14758"', "null", "{}"])
    house.cloud.pushRaw(OREO.id, `{"id":${id},"bat":4000}`);
  await house.fence();
  const state = JSON.parse(house.mqtt.latest(oreo.state) ?? "") as Record<string, unknown>;
  expect(state).toMatchObject({ charging: false, at_home: false });
  expectSound(house);
});

test.concurrent("deep JSON, keys of JavaScript's own and lists without an end harm nobody", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  const raw = [
    deepJson(100_000),
    `{"id":14758,"details":${deepJson(100_000)}}`,
    `{"id":14758,"fiFo":${deepJson(100_000)}}`,
    `{"id":14758,"__proto__":{"bat":3000,"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}`,
    `{"id":14758,"details":{"__proto__":{"name":"polluted"},"hasOwnProperty":1,"name":{"toString":null}}}`,
    `{"id":14758,"fiFo":[${Array(300_000).fill('{"telegram":1}').join()}]}`,
    `{"id":14758,"masterHs":{"id":"__proto__"},"lastPos":{"__proto__":{"posLat":1}}}`,
    '{"id":14758,"id":"__proto__"}',
  ];
  for (const body of raw) house.cloud.pushRaw(OREO.id, body);
  await house.fence();
  expect({}).not.toHaveProperty("polluted");
  expect(configOf(house.mqtt.latest(oreo.config)).device.name).toBe("Oreo");
  expectSound(house);
});

test.concurrent("strangers on the stream cost nothing", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      stationAndOreo(cloud);
    },
  });
  const before = house.daemon.store.state.size;
  for (let id = 1; id <= 12_000; id += 1) house.cloud.pushRaw(OREO.id, `{"id":${id + 50_000},"bat":4000}`);
  house.push(OREO.id, { bat: 3_700 });
  await house.mqtt.waitForJson(oreo.state, { battery_voltage: 3.7 });
  expect(house.daemon.store.state.size).toBe(before);
  expectSound(house);
});

test.concurrent("pictures are asked for at the portal alone, whatever they are called", async (context) => {
  const names = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://evil.example/x.png",
    "//evil.example/x",
    "../../user/profile",
    "\ud800",
    "x".repeat(100_000),
  ];
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      for (const [index, image] of names.entries())
        cloud.addCollar(OWNER.login, { id: 200 + index, details: { name: "x", image } });
      cloud.faults.answer("/image", { status: 302 });
    },
  });
  await house.cloud.waitFor(() => house.cloud.calls.some(({ path }) => path.startsWith("/image/")), 10_000);
  house.push(200, { bat: 3_700 });
  await house.mqtt.waitForJson(topicsOf("pettracer_200").state, { battery_voltage: 3.7 });
  expect(house.mqtt.messages.filter(({ topic }) => topic.endsWith("/photo"))).toEqual([]);
  expectSound(house);
});

test.concurrent("what it says at its end is told, short and on one line", async (context) => {
  const house = await moveIn(context);
  house.cloud.faults.stompError(`\u001b[2J{{ states('x') }} \u202e${"y".repeat(10_000)}`);
  const info = await house.mqtt.waitFor(BRIDGE_INFO, (payload) => payload.includes("the server reported an error"));
  expect(info.payload.length).toBeLessThan(5_000);
  expect(info.payload).not.toMatch(/\\u001b|\\n|\u202e/);
  expectSound(house);
});
