/** What the example file and the reference say of the configuration is what the schema says. */
import { expect, test } from "vitest";
import { parse } from "yaml";
import { environmentName, LEAVES, type Leaf } from "../../src/config/leaves.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";
import { code, codeBlock, read, section, tableRows } from "./markdown.ts";

const example = read("config/pawline.example.yaml");
const reference = read("docs/configuration.md");

/** A key that is switched off: `#` right before it, or with whole steps of indentation between. */
const SWITCHED_OFF = /^( *)#((?: {2})*[a-z_]+:(?: .*)?)$/gm;
const PLACEHOLDER = /YOUR-[A-Z-]+/g;

const filled = example.replace(PLACEHOLDER, "something");
const complete = filled.replace(SWITCHED_OFF, "$1$2");

function load(text: string, atEnd: AtEnd): LoadedConfig {
  const file = temporaryFolder(atEnd).write("pawline.yaml", text);
  return loadConfig({ file, environment: {}, flags: {} });
}

function valueAt({ pettracer: [account], ...others }: Config, { path }: Leaf): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], {
    pettracer: account,
    ...others,
  });
}

/** What holds where nothing is written; undefined where there is nothing, or where something has to be written. */
function defaultOf({ schema }: Leaf): unknown {
  return schema.safeParse(undefined).data;
}

test("the example needs three values, and has the defaults for the rest", ({ onTestFinished }) => {
  expect(example.match(PLACEHOLDER)).toHaveLength(3);
  const { config } = load(filled, onTestFinished);
  // A section that is not there at all has no values.
  const own = LEAVES.filter((leaf) => {
    const value = valueAt(config, leaf);
    return value !== undefined && JSON.stringify(value) !== JSON.stringify(defaultOf(leaf));
  });
  expect(own.map(({ path }) => path.join("."))).toEqual([
    "pettracer.username",
    "pettracer.password",
    "mqtt.url",
    "mqtt.username",
    "mqtt.password",
  ]);
});

test("the example holds every key, those with a default at their default", ({ onTestFinished }) => {
  const { config, origin } = load(complete, onTestFinished);
  for (const leaf of LEAVES) {
    const [first = "", ...rest] = leaf.path;
    expect(origin(first === "pettracer" ? [first, 0, ...rest] : leaf.path), leaf.path.join(".")).toMatch(/:\d+:\d+$/);
    const usual = defaultOf(leaf);
    if (usual !== undefined) expect(valueAt(config, leaf), leaf.path.join(".")).toEqual(usual);
  }
});

test("the example can be read on a narrow screen", () => {
  expect(example.split("\n").filter((line) => line.length > 120)).toEqual([]);
});

const rows = new Map(tableRows(reference).map((cells) => [code(cells[0]) ?? "", cells]));

test.each(LEAVES.map((leaf) => [leaf.path.join("."), leaf] as const))("the reference tells of %s", (key, leaf) => {
  const [, type, shownDefault, meaning, variable] = rows.get(key) ?? [];
  expect(type).toBeTruthy();
  expect(meaning).toBeTruthy();
  expect(code(variable)).toBe(environmentName(leaf.path));
  const { success, data } = leaf.schema.safeParse(undefined);
  if (!success) expect(shownDefault).toBe("required");
  else if (data === undefined) expect(shownDefault).toBe("none");
  else expect(leaf.schema.parse(parse(code(shownDefault) ?? ""))).toEqual(data);
});

test("the reference tells of no key that does not exist", () => {
  const told = [...rows.keys()].filter((key) => key.includes(".") || key === "data_dir");
  expect(told.toSorted()).toEqual(LEAVES.map(({ path }) => path.join(".")).toSorted());
});

test("the example of errors is true", ({ onTestFinished }) => {
  const errors = section(reference, "Errors");
  const folder = temporaryFolder(onTestFinished);
  const file = folder.write("pawline.yaml", codeBlock(errors, "text", 0));
  let told = "";
  try {
    loadConfig({ file, environment: {}, flags: {} });
  } catch (error) {
    if (error instanceof UsageError) told = error.message.replaceAll(`${folder.path}/`, "./");
  }
  expect(`${told}\n`).toBe(codeBlock(errors, "text", 1));
});
