/** The documents' automations in a Home Assistant, as a user pastes them; and what they need besides a cat. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";
import { DOCUMENTS, ROOT, read } from "../../docs/markdown.ts";
import { type Automation, automationsIn } from "../../docs/snippets.ts";
import type { HomeAssistant } from "./home-assistant.ts";
import type { EntityState } from "./home-assistant-states.ts";
import { HOME } from "./house.ts";

const WAIT_MS = 30_000;

export const BLUEPRINT = "cat-comes-home.yaml";
export const EXAMPLES = DOCUMENTS.flatMap((file) => automationsIn(read(file)));

/** Takes a restart for news, as no example does: where it has fired, there was one. */
export const HASTY: Automation = {
  text: `alias: Takes a restart for news
triggers:
  - trigger: state
    entity_id: binary_sensor.mochi_at_home
    to: "on"
actions:
  - stop: nothing to do`,
  value: { alias: "Takes a restart for news" },
};

const switchHall = (to: string): object[] => [
  { action: `input_boolean.turn_${to}`, target: { entity_id: "input_boolean.hall" } },
];

/** Sections of the configuration: what the examples switch, and where they look, is the user's. */
export const USERS_OWN = stringify({
  input_boolean: { hall: null },
  template: [
    {
      light: [
        {
          name: "Hall",
          state: "{{ is_state('input_boolean.hall', 'on') }}",
          turn_on: switchHall("on"),
          turn_off: switchHall("off"),
        },
      ],
    },
  ],
  zone: [{ name: "Garden next door", latitude: HOME.latitude + 0.001, longitude: HOME.longitude, radius: 20 }],
  automation: [],
});

/** Those of these names, in the documents' order. */
export function examplesCalled(...aliases: readonly string[]): Automation[] {
  return EXAMPLES.filter(({ value }) => aliases.includes(String(value.alias)));
}

/** Puts the blueprint into its folder, and these automations, and no others, into the configuration. */
export async function paste(home: HomeAssistant, automations: readonly Automation[]): Promise<void> {
  const blueprints = join(home.folder, "blueprints/automation/pawline");
  mkdirSync(blueprints, { recursive: true });
  copyFileSync(join(ROOT, "config/blueprints", BLUEPRINT), join(blueprints, BLUEPRINT));
  const file = join(home.folder, "configuration.yaml");
  const [before = ""] = readFileSync(file, "utf8").split("automation:");
  // As they are written: Home Assistant has a YAML of its own, in which a bare `on` is no text.
  const items = automations.map(({ text }) => `  - ${text.trimEnd().replaceAll("\n", "\n    ")}\n`);
  writeFileSync(file, `${before}automation:\n${items.join("")}`);
  // It refuses with what is wrong.
  await home.callService("homeassistant", "check_config");
  await home.callService("automation", "reload");
  await expect
    .poll(async () => (await automationStates(home)).length, { timeout: WAIT_MS, message: "the automations" })
    .toBe(automations.length);
}

export async function automationStates(home: HomeAssistant): Promise<EntityState[]> {
  return [...(await home.states()).values()].filter(({ entity_id }) => entity_id.startsWith("automation."));
}

/** When each has run last, by the name that the documents give it; without those that have not. */
export async function fired(home: HomeAssistant): Promise<Map<string, string>> {
  const times = (await automationStates(home)).map(({ attributes: { friendly_name, last_triggered } }) => {
    return [String(friendly_name), last_triggered] as const;
  });
  return new Map(times.flatMap(([name, time]) => (typeof time === "string" ? [[name, time] as const] : [])));
}

/** The sun itself is not there: a test does not wait for the night. */
export async function setSun(home: HomeAssistant, state: "above_horizon" | "below_horizon"): Promise<void> {
  const { ok } = await fetch(`${home.url}/api/states/sun.sun`, {
    method: "POST",
    headers: { Authorization: `Bearer ${home.adminToken}`, "Content-Type": "application/json" },
    body: JSON.stringify({ state }),
  });
  expect(ok).toBe(true);
}
