/** The command line itself: help, version, what is wrong usage, and `config`. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { MINIMAL } from "../config/loading.ts";
import { type CliResult, runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temp.ts";
import { acceptedBy } from "./json-schema.ts";

/** Runs it beside this configuration. */
function pawline(args: readonly string[], text = MINIMAL, env = {}): Promise<CliResult> {
  const folder = temporaryFolder(onTestFinished);
  folder.write("pawline.yaml", text);
  return runCli(args, { cwd: folder.path, env, atEnd: onTestFinished });
}

test("--version is that of the package", async () => {
  const about: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(about).toMatchObject({ version: expect.any(String) });
  const { version } = about as { readonly version: string };
  expect(await pawline(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test("--help names every command, and none needs a configuration", async () => {
  const { code, stdout, stderr } = await pawline(["--help"], "spoilt: [");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const command of ["run", "demo", "check", "devices", "config"])
    expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, "m"));
  for (const option of ["--config", "--log-level", "--version", "--help"]) expect(stdout).toContain(option);
});

test.each([
  ["run", []],
  ["demo", ["--port"]],
  ["check", ["--commands"]],
  ["devices", ["--json", "--watch"]],
  ["config", ["--schema"]],
  ["track", ["--from", "--to", "--format", "--output"]],
  ["token create", ["--name", "--scope", "--device", "--json"]],
  ["token list", ["--json"]],
  ["token revoke", []],
  ["cleanup", ["--yes"]],
  ["diagnostics", ["--output"]],
] as const)("the help of %s is a whole page", async (command, options) => {
  const { code, stdout, stderr } = await pawline([...command.split(" "), "--help"], "spoilt: [");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`Usage: pawline ${command} [options]`);
  for (const option of ["--config <file>", "--log-level <level>", "--help", ...options])
    expect(stdout).toContain(option);
  expect(sectionsOf(stdout)).toEqual(
    expect.arrayContaining(
      command === "demo"
        ? ["Options", "Environment and files", "Examples", "Exit codes"]
        : ["Options", "Environment", "Files", "Examples", "Exit codes"],
    ),
  );
  expect(stdout).toMatch(/^ {2}0 {2}/m);
  expect(stdout).toMatch(/^ {2}2 {2}wrong usage/m);
  expect(stdout).toContain(`  pawline ${command}`);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("every command has such a page, and the program's own names environment, files and exit codes", async () => {
  const { stdout } = await pawline(["--help"]);
  expect(sectionsOf(stdout)).toEqual(["Options", "Commands", "Environment", "Files", "Examples", "Exit codes"]);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name);
  const all = ["run", "demo", "check", "devices", "config", "track", "token", "cleanup", "diagnostics"];
  expect(new Set(commands)).toEqual(new Set(all));
});

test.each([
  [["chek"], "error: unknown command 'chek'\n(Did you mean check?)\n"],
  [["--log-level", "trace", "devcies"], "error: unknown command 'devcies'\n(Did you mean devices?)\n"],
  [["purr"], "error: unknown command 'purr'\n"],
] as const)("%j is a command that there is not", async (args, sentence) => {
  expect(await pawline(args)).toEqual({ code: 2, stdout: "", stderr: sentence });
});

/** The headings of a page of help: `Files (…):` is "Files". */
function sectionsOf(page: string): string[] {
  return [...page.matchAll(/^([A-Z][a-z ]+?)(?: \(.*\))?:$/gm)].map(([, name = ""]) => name);
}

test.each([
  [["purr"], /purr/],
  [["check", "purr"], /purr/],
  [["--purr"], /unknown option '--purr'/],
  [["run", "--purr"], /unknown option '--purr'/],
  [["devices", "--jsn"], /--json/],
  [["run", "--config"], /--config <file>.*argument missing/],
  [["run", "--log-level", "loud"], /trace, debug, info, warn, error/],
  [["demo", "--port", "purr"], /--port: must be a port number/],
  [["demo", "--port", "65536"], /--port: must be a port number/],
])("%j is wrong usage", async (args, sentence) => {
  const { code, stdout, stderr } = await pawline(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^ +at /m);
});

test.each(["run", "check", "devices", "config"])("%s with a bad file tells all its errors", async (command) => {
  const text = `${MINIMAL}  qos: 7\nlog: {level: loud}\n`;
  const { code, stdout, stderr } = await pawline([command, "--config", "pawline.yaml"], text);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(
    [
      "pawline.yaml:6:3 mqtt.qos: must be 0, 1 or 2",
      "pawline.yaml:7:7 log.level: must be one of trace, debug, info, warn, error",
      "",
    ].join("\n"),
  );
});

test("run without anywhere to publish to says what to set", async () => {
  const { code, stdout, stderr } = await pawline(["run"], MINIMAL.replace(/mqtt:\n.*/s, ""));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^nowhere to publish to: .*mqtt\.url.*PAWLINE_MQTT_URL/m);
});

test("options may stand before the command and behind it", async () => {
  const folder = temporaryFolder(onTestFinished);
  const file = folder.write("other.yaml", `${MINIMAL}  base_topic: other\n`);
  const options = { cwd: folder.path, atEnd: onTestFinished };
  for (const args of [
    ["--config", file, "--log-level", "trace", "config"],
    ["config", "--config", file, "--log-level", "trace"],
  ]) {
    const { code, stdout } = await runCli(args, options);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mqtt\.base_topic +other /m);
    expect(stdout).toMatch(/^log\.level +trace +--log-level /m);
  }
});

test("config shows each value and where it comes from, and masks what is secret", async () => {
  const text = [
    "pettracer: {username: cat@example.com, password: s3cret-tuna, refresh: 90s, include: [14758, Oreo]}",
    "mqtt:",
    "  url: mqtt://paw:s3cret@s3cret@broker:1883",
    "  password: s3cret-broker",
    "",
  ].join("\n");
  const env = { PAWLINE_MQTT_USERNAME: "paw", PAWLINE_LOG_LEVEL: "debug" };
  const { code, stdout, stderr } = await pawline(["config"], text, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toContain("s3cret");
  const rows = new Map(stdout.split("\n").map((line) => [line.split(" ")[0], line.split(/ {2,}/).slice(1)]));
  expect(rows.get("pettracer.username")).toEqual([
    "cat@example.com",
    "./pawline.yaml:1:13",
    "PAWLINE_PETTRACER_USERNAME",
  ]);
  expect(rows.get("pettracer.password")).toEqual(["***", "./pawline.yaml:1:40", "PAWLINE_PETTRACER_PASSWORD"]);
  expect(rows.get("pettracer.refresh")?.[0]).toBe("90s");
  expect(rows.get("pettracer.include")?.[0]).toBe('[14758,"Oreo"]');
  expect(rows.get("mqtt.url")?.slice(0, 2)).toEqual(["mqtt://***@broker:1883", "./pawline.yaml:3:3"]);
  expect(rows.get("mqtt.username")).toEqual(["paw", "PAWLINE_MQTT_USERNAME", "PAWLINE_MQTT_USERNAME"]);
  expect(rows.get("mqtt.password")?.slice(0, 2)).toEqual(["***", "./pawline.yaml:4:3"]);
  expect(rows.get("mqtt.ca")).toEqual(["", "not set", "PAWLINE_MQTT_CA"].filter((cell) => cell !== ""));
  expect(rows.get("mqtt.discovery.prefix")).toEqual(["homeassistant", "default", "PAWLINE_MQTT_DISCOVERY_PREFIX"]);
  expect(rows.get("log.level")?.slice(0, 2)).toEqual(["debug", "PAWLINE_LOG_LEVEL"]);
  expect(rows.get("data_dir")).toEqual(["./data", "default", "PAWLINE_DATA_DIR"]);
});

test("config numbers the accounts of a list", async () => {
  const text = "pettracer:\n  - {username: a, password: s3cret}\n  - {username: b, password: s3cret}\n";
  const { stdout } = await pawline(["config"], text);
  expect(stdout).toMatch(/^pettracer\.0\.username +a +\.\/pawline\.yaml:2:6 /m);
  expect(stdout).toMatch(/^pettracer\.1\.username +b +\.\/pawline\.yaml:3:6 /m);
  expect(stdout).toMatch(/^pettracer\.1\.password +\*\*\* /m);
  expect(stdout).not.toContain("s3cret");
});

const EXAMPLE = `
pettracer:
  username: cat@example.com
  password: "tuna"
  portal_url: https://portal.pettracer.com/api
  stream_url: wss://pt.pettracer.com/sc
  include: []
  exclude: [14758, Oreo]
  refresh: 15m
  live_minutes: 15
  find_minutes: 3
  allow_power_off: false
mqtt:
  url: mqtt://localhost:1883
  username: paw
  password: line
  ca: ca.pem
  client_id: pawline-1
  protocol_version: 4
  qos: 1
  base_topic: pawline
  discovery: {mode: device, prefix: homeassistant, status_topic: homeassistant/status}
home: {prefer: station, max_accuracy: 200}
entities: {exclude: []}
log: {level: info, format: auto}
data_dir: ./data
`;

test("config --schema is a JSON Schema that accepts the example, and nothing that is wrong", async () => {
  const { code, stdout, stderr } = await pawline(["config", "--schema"], "spoilt: [");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const schema: unknown = JSON.parse(stdout);
  expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
  const isAccepted = (text: string): boolean => acceptedBy(schema, parse(text));
  expect(isAccepted(EXAMPLE)).toBe(true);
  expect(isAccepted(MINIMAL)).toBe(true);
  expect(isAccepted("pettracer: [{username: a, password: b}, {username: c, password: d}]")).toBe(true);
  for (const wrong of [
    "{}",
    "pettracer: {username: a}",
    "pettracer: {username: a, password: 1}",
    "pettracer: []",
    `${MINIMAL}  qos: 3`,
    `${MINIMAL}  passwort: x`,
    `${MINIMAL}  discovery: {mode: entity}`,
    `${MINIMAL}home: {max_accuracy: 0}`,
    `${MINIMAL}log: {level: loud}`,
    `${MINIMAL}entities: {exclude: signal}`,
    `${MINIMAL}mqqt: {}`,
  ])
    expect([wrong, isAccepted(wrong)]).toEqual([wrong, false]);
});

test("what the schema accepts is what is accepted", async () => {
  expect(await pawline(["config"], EXAMPLE)).toMatchObject({ code: 0, stderr: "" });
});

test("that Node.js calls its SQLite an experiment is not repeated; other warnings are", async () => {
  const folder = temporaryFolder(onTestFinished);
  folder.write("pawline.yaml", MINIMAL);
  // As soon as the program has taken care of it: Node.js warns by the same function, in versions that do.
  const script = folder.write(
    "before.mjs",
    `let emitWarning = process.emitWarning;
     Object.defineProperty(process, "emitWarning", {
       get: () => emitWarning,
       set(next) {
         emitWarning = next;
         next("SQLite is an experimental feature and might change at any time", "ExperimentalWarning");
         next("something else is an experimental feature", "ExperimentalWarning");
       },
     });`,
  );
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(script).href}` };
  const { stderr } = await runCli(["config"], { cwd: folder.path, env, atEnd: onTestFinished });
  expect(stderr).toContain("something else is an experimental feature");
  expect(stderr).not.toContain("SQLite");
});
