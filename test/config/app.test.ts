/** What is different where Home Assistant runs the program as an app. */
import { expect, type TestContext, test } from "vitest";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { temporaryFolder } from "../support/temp.ts";

const ACCOUNT = { username: "cat@example.com", password: "tuna-tuna" };

function load(context: TestContext, options: object, environment: Record<string, string> = {}): LoadedConfig {
  const file = temporaryFolder(context.onTestFinished).write("options.json", JSON.stringify(options));
  return loadConfig({ file, environment: { SUPERVISOR_TOKEN: "s3cret", ...environment }, flags: {} });
}

function errors(context: TestContext, options: object): string[] {
  try {
    load(context, options);
  } catch (error) {
    if (error instanceof UsageError)
      return error.message.split("\n").map((line) => line.replace(/^\S+options\.json/, ""));
  }
  throw new Error("the options were accepted");
}

test("data is kept where the app keeps it, and the log is for people", (context) => {
  const { config, origin } = load(context, { pettracer: ACCOUNT });
  expect(config).toMatchObject({ data_dir: "/data", log: { level: "info", format: "pretty" } });
  expect(origin(["data_dir"])).toBe("default of the app");
});

test("what is said wins over the app's defaults", (context) => {
  const options = { pettracer: ACCOUNT, data_dir: "/elsewhere" };
  const { config, origin } = load(context, options, { PAWLINE_LOG_FORMAT: "json" });
  expect(config).toMatchObject({ data_dir: "/elsewhere", log: { format: "json" } });
  expect(origin(["data_dir"])).toMatch(/options\.json:1:\d+$/);
  expect(origin(["log", "format"])).toBe("PAWLINE_LOG_FORMAT");
});

test("a variable, and one that names a file, win in the app, too", (context) => {
  const file = temporaryFolder(context.onTestFinished).write("secret", "salmon\n");
  const { config } = load(context, { pettracer: ACCOUNT }, { PAWLINE_PETTRACER_PASSWORD_FILE: file });
  expect(config.pettracer[0]?.password).toBe("salmon");
});

test("a section that the app shows empty is none", (context) => {
  const { config } = load(context, { pettracer: ACCOUNT, mqtt: {}, home: {}, entities: {}, log: {} });
  expect(config.mqtt).toBeUndefined();
  expect(config.home.prefer).toBe("station");
});

test("outside the app an empty section is what it was", (context) => {
  expect(() => load(context, { pettracer: ACCOUNT, mqtt: {} }, { SUPERVISOR_TOKEN: "" })).toThrow(/mqtt\.url: missing/);
  expect(load(context, { pettracer: ACCOUNT }, { SUPERVISOR_TOKEN: "" }).config.data_dir).toBe("./data");
});

test.for([
  [{ username: "cat@example.com", password: "" }, "password: must not be empty"],
  [{ username: "", password: "tuna" }, "username: must not be empty"],
  [{ username: "cat@example.com" }, "password: missing"],
] as const)("%j is told with the place where to mend it", ([pettracer, sentence], context) => {
  expect(errors(context, { pettracer })).toEqual([
    expect.stringMatching(
      new RegExp(
        `^:1:\\d+ pettracer\\.${sentence}; fill it in on the app's Configuration tab, and start the app again$`,
      ),
    ),
  ]);
});

test("nothing filled in is told for each field at once", (context) => {
  expect(errors(context, { pettracer: { username: "", password: "" }, mqtt: {} })).toHaveLength(2);
  expect(errors(context, { pettracer: {} })).toHaveLength(2);
});
