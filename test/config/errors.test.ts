/** What a wrong configuration is answered with: every error at once, each with its place, its key and a remedy. */
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { temporaryFolder } from "../support/temp.ts";
import { errorsOf, MINIMAL } from "./loading.ts";

test("all errors of a file at once, each with place, key and remedy", ({ onTestFinished }) => {
  const text = [
    "pettracer:",
    "  usrname: cat@example.com",
    "  password: 12345678",
    "  refresh: often",
    "  include: [14758, true]",
    "mqtt:",
    "  url: localhost",
    "  qos: 3",
    "  reject_unauthorized: maybe",
    "  discovery: {mode: entity, prefx: homeassistant}",
    "  password:",
    "home: station",
    "entities:",
    "  exclude: signal",
    "log:",
    "  level: loud",
    "mqqt: {}",
    "data_dir: ''",
    "",
  ].join("\n");
  expect(errorsOf({ text }, onTestFinished).toSorted()).toEqual(
    [
      /^pawline\.yaml:10:15 mqtt\.discovery\.mode: must be one of device, component, off$/,
      /^pawline\.yaml:10:29 mqtt\.discovery\.prefx: unknown key; did you mean prefix\?$/,
      /^pawline\.yaml:11:3 mqtt\.password: is empty/,
      /^pawline\.yaml:12:1 home: must be a section with keys of its own$/,
      /^pawline\.yaml:14:3 entities\.exclude: must be a list$/,
      /^pawline\.yaml:16:3 log\.level: must be one of trace, debug, info, warn, error$/,
      /^pawline\.yaml:17:1 mqqt: unknown key; did you mean mqtt\?$/,
      /^pawline\.yaml:18:1 data_dir: must not be empty$/,
      /^pawline\.yaml:1:1 pettracer\.username: missing; write it into .*pawline\.yaml, or set PAWLINE_PETTRACER_USERNAME$/,
      /^pawline\.yaml:2:3 pettracer\.usrname: unknown key; did you mean username\?$/,
      /^pawline\.yaml:3:3 pettracer\.password: must be text \(put the value in quotes\)$/,
      /^pawline\.yaml:4:3 pettracer\.refresh: must be a duration from 1s to 24h, such as 30s, 15m or 2h$/,
      /^pawline\.yaml:5:20 pettracer\.include\.1: must be a device's number or a pet's name$/,
      /^pawline\.yaml:7:3 mqtt\.url: must be an address that starts with mqtt:\/\/, mqtts:\/\/, ws:\/\/, wss:\/\/$/,
      /^pawline\.yaml:8:3 mqtt\.qos: must be 0, 1 or 2$/,
      /^pawline\.yaml:9:3 mqtt\.reject_unauthorized: must be true or false$/,
    ].map((pattern) => expect.stringMatching(pattern)),
  );
});

test("errors of the file and of the environment come together", ({ onTestFinished }) => {
  const environment = { PAWLINE_MQTT_PASWORD: "x", PAWLINE_LOG_LEVEL: "loud" };
  const errors = errorsOf({ text: `${MINIMAL}  qos: 7\n`, environment }, onTestFinished);
  expect(errors).toHaveLength(3);
});

test("the place of an error in a list of accounts is that account's", ({ onTestFinished }) => {
  const text = [
    "pettracer:",
    "  - username: a",
    "    password: b",
    "  - username: c",
    "    passwort: d",
    "  -",
    "",
  ].join("\n");
  expect(errorsOf({ text }, onTestFinished).toSorted()).toEqual([
    expect.stringMatching(/^pawline\.yaml:4:5 pettracer\.1\.password: missing/),
    expect.stringMatching(/^pawline\.yaml:5:5 pettracer\.1\.passwort: unknown key; did you mean password\?/),
    expect.stringMatching(/^pawline\.yaml:6:\d pettracer\.2: /),
  ]);
});

test("a key that resembles none is answered with those that there are", ({ onTestFinished }) => {
  expect(errorsOf({ text: `${MINIMAL}log: {colour: red}\n` }, onTestFinished)).toEqual([
    "pawline.yaml:6:7 log.colour: unknown key; there are level, format",
  ]);
});

test("a file without sections", ({ onTestFinished }) => {
  for (const text of ["- a\n", "tuna\n", "[]", "42"]) {
    expect(errorsOf({ text }, onTestFinished)).toEqual([expect.stringMatching(/^pawline\.yaml:1:1 must be /)]);
  }
});

test("an empty file lacks what is needed", ({ onTestFinished }) => {
  for (const text of ["", "\n\n", "# nothing yet\n", "---\n", "{}"]) {
    expect(errorsOf({ text }, onTestFinished)).toEqual([
      expect.stringMatching(/ pettracer\.username: missing; .*PAWLINE_PETTRACER_USERNAME/),
      expect.stringMatching(/ pettracer\.password: missing; .*PAWLINE_PETTRACER_PASSWORD/),
    ]);
  }
});

test("a key that stands twice is named, beside the other errors", ({ onTestFinished }) => {
  const text = `${MINIMAL}  qos: 9\nmqtt:\n  url: mqtt://other\n`;
  expect(errorsOf({ text }, onTestFinished)).toContainEqual(expect.stringMatching(/^pawline\.yaml:7:1 mqtt: .*twice/));
  expect(errorsOf({ text: `${MINIMAL}  url: mqtt://a\n  qos: 9\n` }, onTestFinished)).toEqual([
    expect.stringMatching(/^pawline\.yaml:6:3 url: .*twice/),
    expect.stringMatching(/^pawline\.yaml:7:3 mqtt\.qos: must be/),
  ]);
});

test.each([
  ["a tab as indentation", "pettracer:\n\tusername: a\n", /^pawline\.yaml:2:1 .*[Tt]abs? .*indent/],
  ["a quote that does not end", 'pettracer:\n  password: "tuna\n', /^pawline\.yaml:\d:\d+ .*quote/],
  ["a bracket that does not end", "pettracer: {username: a\n", /^pawline\.yaml:\d:\d+ .*}/],
  ["no colon", "pettracer:\n  username cat\n  password: tuna\n", /^pawline\.yaml:2:3 /],
  ["wrong indentation", "pettracer:\n  username: a\n   password: b\n", /^pawline\.yaml:\d:\d+ /],
  ["two documents", `${MINIMAL}---\n${MINIMAL}`, /^pawline\.yaml:6:1 /],
  ["JSON without a comma", '{"pettracer": {"username": "a" "password": "b"}}', /^pawline\.yaml:1:\d+ /],
])("%s is an error with its place", (_, text, expected) => {
  const errors = errorsOf({ text }, onTestFinished);
  expect(errors[0]).toMatch(expected);
  // Nothing that only follows from the first.
  expect(errors.join("\n")).not.toContain("missing; write it");
});

test("a file that cannot be read is told of, without what would only follow from that", ({ onTestFinished }) => {
  const { path } = temporaryFolder(onTestFinished);
  const environment = { PAWLINE_MQTT_PASWORD: "x" };
  for (const file of [path, `${path}/absent.yaml`]) {
    const loading = (): unknown => loadConfig({ file, environment, flags: {} });
    expect(loading).toThrow(UsageError);
    expect(loading).toThrow(
      new RegExp(`^${file}: the file cannot be read \\(E[A-Z]+: .*\\)\nPAWLINE_MQTT_PASWORD: .*$`),
    );
  }
});

const SECRET = "Tuna7xQ";

/** Passwords as people write them, each of which YAML reads as something else than text. */
const UNQUOTED = [
  "1234567890",
  "0x5EC12E7",
  "true",
  `*${SECRET}`,
  `&${SECRET}`,
  `!${SECRET}`,
  `!!${SECRET}`,
  `!<${SECRET}>`,
  `%${SECRET}`,
  `@${SECRET}`,
  `\`${SECRET}`,
  `|${SECRET}`,
  `>${SECRET}`,
  `{${SECRET}}`,
  `[${SECRET}]`,
  `[${SECRET}`,
  `"${SECRET}" ${SECRET}`,
  `"\\q${SECRET}"`,
  `'${SECRET}`,
  `- ${SECRET}`,
  `a: ${SECRET}`,
  `? ${SECRET}`,
];

test.each(UNQUOTED)("the password %s is an error that does not repeat it", (written) => {
  const text = `pettracer:\n  username: a\n  password: ${written}\n`;
  const errors = errorsOf({ text }, onTestFinished);
  expect(errors).not.toEqual([]);
  expect(errors[0]).toMatch(/^pawline\.yaml:[34]:\d+ /);
  for (const secret of [SECRET, written]) expect(errors.join("\n")).not.toContain(secret);
});
