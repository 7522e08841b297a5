/** The folder of the Home Assistant app, by the Supervisor's rules, the linter's, and our own schema. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { LEAVES } from "../../src/config/leaves.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ROOT, read } from "../docs/markdown.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";
import { complaintsAbout, isSection, type Json, renderOptions, securityRating } from "./supervisor-rules.ts";

const LANGUAGES = ["en", "de"];
const config = parse(read("addon/config.yaml")) as Json;
const schema = config.schema as Json;
const options = config.options as Json;
const about = parse(read("package.json")) as Json;

/** `pettracer`, `pettracer.username`, …: all that a form shows. */
const PATHS = Object.entries(schema).flatMap(([section, inner]) => [
  section,
  ...(isSection(inner) ? Object.keys(inner).map((key) => `${section}.${key}`) : []),
]);
const VALUES = PATHS.filter((path) => path.includes("."));

interface Translation {
  readonly name: string;
  readonly description: string;
  readonly fields?: Readonly<Record<string, Translation>>;
}

function translated(language: string): Map<string, Translation> {
  const { configuration } = parse(read(`addon/translations/${language}.yaml`)) as {
    readonly configuration: Readonly<Record<string, Translation>>;
  };
  return new Map(
    Object.entries(configuration).flatMap(([section, entry]) => [
      [section, entry] as const,
      ...Object.entries(entry.fields ?? {}).map(([key, field]) => [`${section}.${key}`, field] as const),
    ]),
  );
}

/** What a user may have entered under a name of the form. */
const ENTERED: Readonly<Record<string, unknown>> = {
  "pettracer.username": "cat@example.com",
  "pettracer.password": "tuna 'n' \"salmon\"",
  "pettracer.include": ["Mochi", "14758"],
  "pettracer.exclude": ["Biscuit"],
  "pettracer.live_minutes": "0",
  "pettracer.find_minutes": 60,
  "pettracer.allow_power_off": true,
  "mqtt.url": "mqtts://192.168.1.5:8883",
  "mqtt.username": "pawline",
  "mqtt.password": "12345678",
  "mqtt.base_topic": "cats",
  "home_assistant.controls": true,
  "home.prefer": "gps",
  "home.max_accuracy": 50,
  "track.retention": "7d",
  "entities.exclude": ["signal", "Mochi/accuracy"],
  "log.level": "debug",
};

function enter(base: Json, paths: readonly string[]): Json {
  const entered = structuredClone(base) as Record<string, Record<string, unknown>>;
  for (const path of paths) {
    const [section = "", key = ""] = path.split(".");
    entered[section] = { ...entered[section], [key]: ENTERED[path] };
  }
  return entered;
}

function load(entered: Json, atEnd: AtEnd) {
  const file = temporaryFolder(atEnd).write("options.json", JSON.stringify(renderOptions(schema, entered)));
  return loadConfig({ file, environment: { SUPERVISOR_TOKEN: "s3cret" }, flags: {} });
}

test("the Supervisor takes config.yaml, and the linter has nothing against it", () => {
  expect(complaintsAbout(config)).toEqual([]);
  expect(config).toMatchObject({ ingress: true, homeassistant_api: true, services: ["mqtt:want"] });
});

test.each([
  [{ ...config, stage: "stable" }, "stage repeats its default"],
  [{ ...config, ingress_port: 8099 }, "ingress_port repeats its default"],
  [{ ...config, watchdog: "tcp://[HOST]:8099" }, "watchdog is unknown, or not for this app"],
  [{ ...config, webui: "http://[HOST]:[PORT:8099]" }, "webui is unknown, or not for this app"],
  [{ ...config, arch: ["armv7"] }, "arch may be aarch64 and amd64"],
  [{ ...config, schema: { a: "text" } }, "schema.a: text is no type"],
  [{ ...config, schema: { a: { b: { c: "str" } } } }, "schema.a.b: too deep"],
])("the rules find what is wrong: %#", (wrong, complaint) => {
  expect(complaintsAbout(wrong)).toContain(complaint);
});

test("the security rating is the highest", () => {
  const hasProfile = existsSync(join(ROOT, "addon/apparmor.txt"));
  expect(securityRating(config, hasProfile)).toBe(8);
  expect(securityRating(config, false)).toBe(7);
  expect(securityRating({ ...config, host_network: true }, hasProfile)).toBe(7);
});

test("the version is the package's, everywhere", () => {
  expect(config.version).toBe(about.version);
  expect(read("addon/CHANGELOG.md")).toContain(`## ${String(about.version)}\n`);
});

test("no other file has the name that the Supervisor looks for", () => {
  const files = globSync("**/config.{yaml,yml,json}", {
    cwd: ROOT,
    exclude: (name) => ["node_modules", "build", "dist", "coverage"].includes(name),
  });
  expect(files).toEqual(["addon/config.yaml"]);
});

test("the repository is described at its top, where the Supervisor reads it", () => {
  const repository = parse(read("repository.yaml")) as Json;
  expect(Object.keys(repository).toSorted()).toEqual(["maintainer", "name", "url"]);
  expect(repository.url).toBe(config.url);
});

test.each(["apparmor.txt", "CHANGELOG.md", "DOCS.md", "README.md", "icon.png", "logo.png"])("%s is there", (file) => {
  expect(statSync(join(ROOT, "addon", file)).size).toBeGreaterThan(100);
});

test.each([
  ["icon", 128, 128],
  ["logo", 250, 100],
])("%s.png is %i × %i, and its drawing is kept", (name, width, height) => {
  const png = readFileSync(join(ROOT, `addon/${name}.png`));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height]);
  expect(read(`tools/art/${name}.svg`)).toMatch(/^<svg /);
});

describe.each(LANGUAGES)("in %s", (language) => {
  const texts = translated(language);

  test("every option has a name and a description, and nothing else has", () => {
    expect([...texts.keys()].toSorted()).toEqual(PATHS.toSorted());
    for (const { name, description } of texts.values()) {
      expect(name).toMatch(/^\p{Lu}.{1,48}[^.]$/u);
      expect(description).toMatch(/^\p{Lu}.{20,}[.]$/u);
    }
  });

  test("all that the form names makes a configuration", ({ onTestFinished }) => {
    const named = [...texts.keys()].filter((path) => path.includes("."));
    const { config: effective } = load(enter(options, named), onTestFinished);
    expect(effective).toMatchObject({
      pettracer: [
        {
          username: "cat@example.com",
          password: "tuna 'n' \"salmon\"",
          include: ["Mochi", "14758"],
          exclude: ["Biscuit"],
          live_minutes: 0,
          find_minutes: 60,
          allow_power_off: true,
        },
      ],
      mqtt: { url: "mqtts://192.168.1.5:8883", username: "pawline", password: "12345678", base_topic: "cats" },
      home: { prefer: "gps", max_accuracy: 50 },
      home_assistant: { controls: true },
      track: { retention: 7 * 86_400_000 },
      entities: { exclude: ["signal", "Mochi/accuracy"] },
      log: { level: "debug", format: "pretty" },
      data_dir: "/data",
    });
  });

  test.for([...texts.keys()].filter((path) => path.includes(".")))(
    "%s alone is taken, too",
    (path, { onTestFinished }) => {
      const needed = path.startsWith("mqtt.") ? ["mqtt.url"] : [];
      const entered = enter(options, ["pettracer.username", "pettracer.password", ...needed, path]);
      expect(() => load(entered, onTestFinished)).not.toThrow();
    },
  );
});

test("the options are keys of the configuration file", () => {
  const keys = LEAVES.map(({ path }) => path.join("."));
  expect(VALUES.filter((path) => !keys.includes(path))).toEqual([]);
});

test("what is entered beyond our limits is refused by the form", () => {
  const entered = enter(options, VALUES);
  for (const [path, wrong] of [
    ["pettracer.live_minutes", 1441],
    ["pettracer.find_minutes", 0],
    ["home.max_accuracy", 0],
    ["home.prefer", "moon"],
    ["log.level", "loud"],
    ["mqtt.url", "192.168.1.5"],
  ] as const) {
    const [section = "", key = ""] = path.split(".");
    const broken = { ...entered, [section]: { ...(entered[section] as Json), [key]: wrong } };
    expect(() => renderOptions(schema, broken), path).toThrow();
  }
});

test("a fresh installation starts, and the program says what to fill in", ({ onTestFinished }) => {
  expect(() => load(options, onTestFinished)).toThrow(
    /pettracer\.username: must not be empty; fill it in on the app's Configuration tab.*\n.*pettracer\.password: must not be empty/,
  );
});

test("with the account alone, everything else has its default", ({ onTestFinished }) => {
  const { config: effective } = load(enter(options, ["pettracer.username", "pettracer.password"]), onTestFinished);
  expect(effective.mqtt).toBeUndefined();
  expect(effective).toMatchObject({ pettracer: [{ live_minutes: 15 }], home: { prefer: "station" } });
});

test("the documentation names every option", () => {
  const text = read("addon/DOCS.md");
  expect(VALUES.filter((path) => !text.includes(`\`${path}\``))).toEqual([]);
});
