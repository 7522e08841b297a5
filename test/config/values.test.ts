/** What a configuration means once it is read: accounts, durations, addresses and defaults. */
import { expect, onTestFinished, test } from "vitest";
import { ACCOUNT, errorsOf, load, MINIMAL } from "./loading.ts";

test("the defaults are those of the documentation", ({ onTestFinished }) => {
  const { config } = load({}, onTestFinished);
  expect(config).toMatchObject({
    pettracer: [
      {
        username: "cat@example.com",
        password: "tuna",
        portal_url: "https://portal.pettracer.com/api",
        stream_url: "wss://pt.pettracer.com/sc",
        include: [],
        exclude: [],
        refresh: 15 * 60_000,
        live_minutes: 15,
        find_minutes: 3,
        allow_power_off: false,
      },
    ],
    mqtt: {
      url: "mqtt://broker:1883",
      reject_unauthorized: true,
      protocol_version: 4,
      qos: 1,
      base_topic: "pawline",
      discovery: { mode: "device", prefix: "homeassistant", status_topic: "homeassistant/status" },
    },
    home: { prefer: "station", max_accuracy: 200 },
    entities: { exclude: [] },
    log: { level: "info", format: "auto" },
    data_dir: "./data",
  });
  for (const key of ["username", "password", "ca", "cert", "key", "client_id"])
    expect(config.mqtt).not.toHaveProperty(key);
});

test("without a broker there is no broker", ({ onTestFinished }) => {
  expect(load({ text: ACCOUNT }, onTestFinished).config.mqtt).toBeUndefined();
});

test("empty sections are sections with nothing but defaults", ({ onTestFinished }) => {
  const text = `${MINIMAL}  discovery:\nhome:\nlog:\nentities: {}\n`;
  expect(load({ text }, onTestFinished).config).toEqual(load({}, onTestFinished).config);
});

test("one account, or a list of accounts", ({ onTestFinished }) => {
  const list = "pettracer:\n  - {username: a, password: b}\n  - username: c\n    password: d\n    refresh: 5m\n";
  expect(load({ text: list }, onTestFinished).config.pettracer).toMatchObject([
    { username: "a", password: "b", refresh: 900_000 },
    { username: "c", password: "d", refresh: 300_000 },
  ]);
  expect(errorsOf({ text: "pettracer: []\n" }, onTestFinished)).toEqual([
    expect.stringMatching(/^pawline\.yaml:1:1 pettracer: must have at least one account/),
  ]);
});

test("devices are named by number or by name", ({ onTestFinished }) => {
  const text = `${ACCOUNT}\n  include: [14758, Oreo]\n  exclude:\n    - "14759"\n`;
  expect(load({ text }, onTestFinished).config.pettracer[0]).toMatchObject({
    include: [14758, "Oreo"],
    exclude: ["14759"],
  });
});

test.each([
  ["30s", 30_000],
  ["15m", 900_000],
  ["2h", 7_200_000],
  ["1.5h", 5_400_000],
  ["90 s", 90_000],
  ["1000ms", 1000],
  ["1s", 1000],
  ["24h", 86_400_000],
  ["1d", 86_400_000],
])("%s is a duration", (written, ms) => {
  const { config } = load({ text: `${ACCOUNT}\n  refresh: ${written}\n` }, onTestFinished);
  expect(config.pettracer[0]?.refresh).toBe(ms);
});

test.each(["15", "0s", "25h", "999ms", "-1m", "1m30s", "m", "15 minutes", "1e3s", '""'])(
  "%s is no duration",
  (written) => {
    const errors = errorsOf({ text: `${ACCOUNT}\n  refresh: ${written}\n` }, onTestFinished);
    expect(errors).toEqual([expect.stringMatching(/^pawline\.yaml:4:3 pettracer\.refresh: must be /)]);
  },
);

test.each([
  ["mqtt://broker", true],
  ["mqtts://broker:8883", true],
  ["ws://broker:9001/mqtt", true],
  ["wss://[2001:db8::1]/mqtt", true],
  ["broker:1883", false],
  ["broker", false],
  ["http://broker", false],
  ["mqtt://", false],
  ["mqtt:broker", false],
  ["mqtt://broker:99999", false],
])("the broker's address %s: %s", (url, isGood) => {
  const errors = errorsOf({ text: `${ACCOUNT}\nmqtt:\n  url: ${url}\n` }, onTestFinished);
  expect(errors).toEqual(isGood ? [] : [expect.stringMatching(/^pawline\.yaml:5:3 mqtt\.url: must be an address/)]);
});

test("a slash at an address's end is taken off, as paths are put behind it", ({ onTestFinished }) => {
  const text = `${ACCOUNT}\n  portal_url: http://127.0.0.1:8080/api/\n`;
  expect(load({ text }, onTestFinished).config.pettracer[0]?.portal_url).toBe("http://127.0.0.1:8080/api");
});

test.each(["pawline/#", "paw/+/line", "/pawline", "pawline/", '""'])("%s is no base topic", (topic) => {
  const errors = errorsOf({ text: `${MINIMAL}  base_topic: ${topic}\n` }, onTestFinished);
  expect(errors).toEqual([expect.stringMatching(/^pawline\.yaml:6:3 mqtt\.base_topic: /)]);
});

test("the app's options, a JSON file with the same keys", ({ onTestFinished }) => {
  const options = {
    pettracer: [{ username: "cat@example.com", password: "tuna", include: ["Oreo"], refresh: "10m" }],
    mqtt: { url: "mqtt://core-mosquitto:1883", username: "addons", discovery: { mode: "off" } },
    log: { level: "debug" },
  };
  for (const text of [JSON.stringify(options), JSON.stringify(options, null, "\t")]) {
    const { config, origin } = load({ text, name: "options.json" }, onTestFinished);
    expect(config.pettracer).toMatchObject([{ password: "tuna", include: ["Oreo"], refresh: 600_000 }]);
    expect(config.mqtt).toMatchObject({ username: "addons", discovery: { mode: "off", prefix: "homeassistant" } });
    expect(config.log.level).toBe("debug");
    expect(origin(["mqtt", "username"])).toMatch(/options\.json:\d+:\d+$/);
  }
});
