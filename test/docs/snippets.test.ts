/** Every piece of YAML in the documents is what Home Assistant, or the program, would take. */
import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codeBlocks, DOCUMENTS, ROOT, read } from "./markdown.ts";
import {
  automationComplaints,
  automationsIn,
  blueprintComplaints,
  isRecord,
  readYaml,
  strangers,
  type Yaml,
} from "./snippets.ts";

const BLUEPRINTS = globSync("config/blueprints/*.yaml", { cwd: ROOT });
const CARDS = ["vertical-stack", "map", "tile"];

describe.each(DOCUMENTS)("the YAML of %s", (file) => {
  const text = read(file);

  test("can be read, and is of a kind that is checked", () => {
    const blocks = codeBlocks(text).filter(({ language }) => language === "yaml");
    expect(blocks.map((block) => kindOf(readYaml(block.text)))).not.toContain("unknown");
  });

  test("has automations that a restart does not fire", () => {
    expect(automationsIn(text).flatMap(automationComplaints)).toEqual([]);
  });

  test("names entities that there are", () => {
    expect(codeBlocks(text).flatMap((block) => strangers(block.text))).toEqual([]);
  });
});

test("the examples are there, for both kinds of entities", () => {
  const automations = automationsIn(read("docs/examples.md")).map(({ value }) => value);
  const aliases = automations.map(({ alias }) => alias);
  expect(new Set(aliases).size).toBe(aliases.length);
  const used = automations.flatMap(({ triggers }) => (triggers as Yaml[] | undefined)?.map((one) => one.trigger) ?? []);
  for (const trigger of ["event.received", "zone.entered", "state", "event", "mqtt", "time"])
    expect(used).toContain(trigger);
  expect(automations.filter((one) => "use_blueprint" in one)).toHaveLength(1);
});

test.each(BLUEPRINTS)("the blueprint %s is whole, and a document leads to it", (file) => {
  expect(blueprintComplaints(readYaml(read(file)) as Yaml)).toEqual([]);
  expect(read("docs/examples.md")).toContain(`](../${file})`);
});

test("there is a blueprint, and no file has the name that only the app's may have", () => {
  expect(BLUEPRINTS).not.toEqual([]);
  const others = globSync("**/config.{yaml,yml,json}", { cwd: ROOT, exclude: ["node_modules/**", "dist/**"] });
  expect(others).toEqual(["addon/config.yaml"]);
});

const ACTION = { action: "notify.notify" };
const STATE = { trigger: "state", entity_id: "binary_sensor.mochi_at_home" };

test.each<[string, Yaml]>([
  ["no name", { triggers: [{ ...STATE, from: "on", to: "off" }], actions: [ACTION] }],
  ["no trigger", { alias: "a", triggers: [], actions: [ACTION] }],
  ["no action", { alias: "a", triggers: [{ ...STATE, from: "on", to: "off" }], actions: [] }],
  ["a state without from", { alias: "a", triggers: [{ ...STATE, to: "off" }], actions: [ACTION] }],
  ["a state without to", { alias: "a", triggers: [{ ...STATE, from: "on" }], actions: [ACTION] }],
  [
    "a state from unavailable",
    { alias: "a", triggers: [{ ...STATE, from: "unavailable", to: "on" }], actions: [ACTION] },
  ],
  ["a number", { alias: "a", triggers: [{ trigger: "numeric_state", below: 9 }], actions: [ACTION] }],
  [
    "an event that there is not",
    {
      alias: "a",
      triggers: [{ trigger: "event.received", target: { entity_id: "event.a" }, options: { event_type: "hungry" } }],
      actions: [ACTION],
    },
  ],
])("an automation with %s would be found", (_, value) => {
  expect(automationComplaints({ value })).toHaveLength(1);
});

test("an entity that there is not would be found", () => {
  const text = "sensor.mochi_battery, switch.mochi_battery, event.biscuit_activity, device_tracker.mochi, sun.sun";
  expect(strangers(text)).toEqual(["switch.mochi_battery"]);
});

const CONFIGURATION = ["pettracer", "mqtt", "home_assistant", "live", "home", "entities", "log", "data_dir"];

/** "unknown" for what nobody would check. */
function kindOf(value: unknown): string {
  if (!isRecord(value)) return "unknown";
  const keys = Object.keys(value);
  if (keys.every((key) => CONFIGURATION.includes(key))) return "configuration";
  if ("triggers" in value || "use_blueprint" in value) return "automation";
  if (typeof value.action === "string" && isRecord(value.data)) return "action";
  if ("type" in value) return cardsOf(value).every(({ type }) => CARDS.includes(String(type))) ? "card" : "unknown";
  if ("healthcheck" in value && keys.length === 1) return "compose";
  return "scrape_configs" in value && keys.length === 1 ? "prometheus" : "unknown";
}

function cardsOf(card: Yaml): Yaml[] {
  const inner = Array.isArray(card.cards) ? card.cards.filter(isRecord) : [];
  return [card, ...inner.flatMap(cardsOf)];
}
