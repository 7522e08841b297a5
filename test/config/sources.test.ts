/** Where values come from: the file, the environment over it, flags over both. */
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temp.ts";
import { ACCOUNT, errorsOf, load, MINIMAL } from "./loading.ts";

test("the file is the first found of --config, PAWLINE_CONFIG and ./pawline.yaml", async ({ onTestFinished }) => {
  const folder = temporaryFolder(onTestFinished);
  const named = (name: string): string => folder.write(`${name}.yaml`, `${MINIMAL}  base_topic: ${name}\n`);
  const [flag, variable] = [named("flag"), named("variable")];
  named("pawline");
  const inForce = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stdout, stderr } = await runCli(["config", ...args], {
      cwd: folder.path,
      env,
      atEnd: onTestFinished,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return /^mqtt\.base_topic +(\w+) /m.exec(stdout)?.[1] ?? stdout;
  };
  expect(await inForce(["--config", flag], { PAWLINE_CONFIG: variable })).toBe("flag");
  expect(await inForce([], { PAWLINE_CONFIG: variable })).toBe("variable");
  expect(await inForce([], {})).toBe("pawline");
  // An empty variable is how container tools say "not set".
  expect(await inForce([], { PAWLINE_CONFIG: "" })).toBe("pawline");
});

test("a file that was asked for and is not there is an error, not a reason to take another", async ({
  onTestFinished,
}) => {
  const folder = temporaryFolder(onTestFinished);
  folder.write("pawline.yaml", MINIMAL);
  const options = { cwd: folder.path, atEnd: onTestFinished };
  const missing = { code: 2, stdout: "", stderr: expect.stringMatching(/^absent\.yaml: the file cannot be read/) };
  expect(await runCli(["config", "--config", "absent.yaml"], options)).toEqual(missing);
  expect(await runCli(["config"], { ...options, env: { PAWLINE_CONFIG: "absent.yaml" } })).toEqual(missing);
});

test("no file is needed where the environment has all", async ({ onTestFinished }) => {
  const env = {
    PAWLINE_PETTRACER_USERNAME: "cat@example.com",
    PAWLINE_PETTRACER_PASSWORD: "tuna",
    PAWLINE_MQTT_URL: "mqtt://broker",
  };
  const { path: cwd } = temporaryFolder(onTestFinished);
  const { code, stdout } = await runCli(["config"], { cwd, env, atEnd: onTestFinished });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^mqtt\.url +mqtt:\/\/broker +PAWLINE_MQTT_URL +PAWLINE_MQTT_URL$/m);
});

test("the environment stands over the file, and a flag over both", ({ onTestFinished }) => {
  const text = `${MINIMAL}log: {level: warn, format: json}\n`;
  const environment = { PAWLINE_LOG_LEVEL: "debug", PAWLINE_MQTT_DISCOVERY_MODE: "off", HOME: "/root" };
  const fromEnvironment = load({ text, environment }, onTestFinished);
  expect(fromEnvironment.config.log).toEqual({ level: "debug", format: "json" });
  expect(fromEnvironment.config.mqtt?.discovery.mode).toBe("off");
  expect(fromEnvironment.config.mqtt?.url).toBe("mqtt://broker:1883");
  const fromFlag = load({ text, environment, flags: { "log.level": "trace" } }, onTestFinished);
  expect(fromFlag.config.log).toEqual({ level: "trace", format: "json" });
  expect(fromFlag.origin(["log", "level"])).toBe("--log-level");
  expect(fromFlag.origin(["log", "format"])).toMatch(/pawline\.yaml:6:20$/);
  expect(fromFlag.origin(["mqtt", "discovery", "mode"])).toBe("PAWLINE_MQTT_DISCOVERY_MODE");
  expect(fromFlag.origin(["mqtt", "discovery", "prefix"])).toBe("default");
  expect(fromFlag.origin(["pettracer", 0, "password"])).toMatch(/pawline\.yaml:3:3$/);
});

test("a variable reaches a section that the file has not", ({ onTestFinished }) => {
  const environment = { PAWLINE_MQTT_URL: "mqtt://broker" };
  expect(load({ text: ACCOUNT, environment }, onTestFinished).config.mqtt?.url).toBe("mqtt://broker");
});

test.each([
  ["tuna\n", "tuna"],
  ["tuna\r\n", "tuna"],
  ["tuna", "tuna"],
  ["\n tuna \n\n", "\n tuna \n"],
])("PAWLINE_…_FILE reads the value from a file: %j", (text, password) => {
  const folder = temporaryFolder(onTestFinished);
  const environment = { PAWLINE_PETTRACER_PASSWORD_FILE: folder.write("secret", text) };
  const { config, origin } = load({ environment }, onTestFinished);
  expect(config.pettracer[0]?.password).toBe(password);
  expect(origin(["pettracer", 0, "password"])).toBe("PAWLINE_PETTRACER_PASSWORD_FILE");
});

test("PAWLINE_…_FILE that cannot be read is an error that does not tell what stands in the variable", ({
  onTestFinished,
}) => {
  // Who mixes up the two variables has put the password itself here.
  const environment = { PAWLINE_MQTT_PASSWORD_FILE: "s3cret-tuna" };
  const errors = errorsOf({ environment }, onTestFinished);
  expect(errors).toEqual([expect.stringMatching(/^PAWLINE_MQTT_PASSWORD_FILE: .*cannot be read/)]);
  expect(errors.join()).not.toContain("s3cret");
});

test("an empty variable is one that is not set", ({ onTestFinished }) => {
  const environment = {
    PAWLINE_PETTRACER_PASSWORD: "",
    PAWLINE_MQTT_URL: "",
    PAWLINE_MQTT_PASSWORD_FILE: "",
    PAWLINE_MQTT_QOS: "",
    PAWLINE_ENTITIES_EXCLUDE: "",
  };
  const { config, origin } = load({ environment }, onTestFinished);
  expect(config).toEqual(load({}, onTestFinished).config);
  expect(origin(["mqtt", "qos"])).toBe("default");
});

test("numbers, booleans, lists and durations come from the environment, too", ({ onTestFinished }) => {
  const environment = {
    PAWLINE_HOME_MAX_ACCURACY: "75.5",
    PAWLINE_MQTT_QOS: "0",
    PAWLINE_MQTT_REJECT_UNAUTHORIZED: "false",
    PAWLINE_ENTITIES_EXCLUDE: "signal, pettracer_14758/accuracy",
    PAWLINE_PETTRACER_INCLUDE: "14758,Oreo the Cat",
    PAWLINE_PETTRACER_REFRESH: "90s",
    PAWLINE_DATA_DIR: "/data/pawline",
  };
  const { config } = load({ environment }, onTestFinished);
  expect(config.home.max_accuracy).toBe(75.5);
  expect(config.mqtt).toMatchObject({ qos: 0, reject_unauthorized: false });
  expect(config.entities.exclude).toEqual(["signal", "pettracer_14758/accuracy"]);
  expect(config.pettracer[0]).toMatchObject({ include: ["14758", "Oreo the Cat"], refresh: 90_000 });
  expect(config.data_dir).toBe("/data/pawline");
});

test("a value of the wrong type in a variable is an error that names it and not its value", ({ onTestFinished }) => {
  const environment = {
    PAWLINE_MQTT_QOS: "s3cret",
    PAWLINE_HOME_MAX_ACCURACY: "s3cret",
    PAWLINE_MQTT_REJECT_UNAUTHORIZED: "s3cret",
    PAWLINE_PETTRACER_REFRESH: "s3cret",
    PAWLINE_MQTT_URL: "s3cret",
    PAWLINE_LOG_LEVEL: "s3cret",
  };
  const errors = errorsOf({ environment }, onTestFinished);
  expect(errors.toSorted()).toEqual([
    expect.stringMatching(/^PAWLINE_HOME_MAX_ACCURACY home\.max_accuracy: must be a number/),
    expect.stringMatching(/^PAWLINE_LOG_LEVEL log\.level: must be one of trace, debug, info, warn, error/),
    expect.stringMatching(/^PAWLINE_MQTT_QOS mqtt\.qos: must be 0, 1 or 2/),
    expect.stringMatching(/^PAWLINE_MQTT_REJECT_UNAUTHORIZED mqtt\.reject_unauthorized: must be true or false/),
    expect.stringMatching(/^PAWLINE_MQTT_URL mqtt\.url: must be an address that starts with mqtt:\/\//),
    expect.stringMatching(/^PAWLINE_PETTRACER_REFRESH pettracer\.refresh: must be a duration/),
  ]);
  expect(errors.join()).not.toContain("s3cret");
});

test.each(["PAWLINE_MQTT_PASWORD", "PAWLINE_MQTT_PASWORD_FILE", "PAWLINE_PETTRACER_USER", "PAWLINE_LOG_LEVELS"])(
  "the misspelt variable %s is an error that names it",
  (name) => {
    const errors = errorsOf({ environment: { [name]: "s3cret" } }, onTestFinished);
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^${name}: unknown variable`))]);
    expect(errors.join()).not.toContain("s3cret");
  },
);

test("a variable of somebody else's that begins like ours is a warning", ({ onTestFinished }) => {
  // Kubernetes sets such for a service named "pawline".
  const environment = { PAWLINE_SERVICE_HOST: "10.0.0.7", PAWLINE_PORT: "tcp://10.0.0.7:80", OTHER: "x" };
  const { warnings } = load({ environment }, onTestFinished);
  expect(warnings.toSorted()).toEqual([
    expect.stringMatching(/^PAWLINE_PORT: unknown variable/),
    expect.stringMatching(/^PAWLINE_SERVICE_HOST: unknown variable/),
  ]);
  expect(warnings.join()).not.toContain("10.0.0.7");
});

test("an account's variable cannot say which account of a list it means", ({ onTestFinished }) => {
  const text = "pettracer:\n  - {username: a, password: b}\n";
  const errors = errorsOf({ text, environment: { PAWLINE_PETTRACER_PASSWORD: "s3cret" } }, onTestFinished);
  expect(errors).toEqual([expect.stringMatching(/^PAWLINE_PETTRACER_PASSWORD: pettracer is a list of accounts/)]);
});
