/** What stands in the documents' YAML: automations, blueprints and cards, and what is wrong with them. Pure. */
import { parse } from "yaml";
import { COLLAR_ENTITIES } from "../../src/entities/collar.ts";
import { slug } from "../../src/entities/name.ts";
import { ACTIVITY_TYPES } from "../../src/model/activity.ts";
import { codeBlocks } from "./markdown.ts";

export type Yaml = Readonly<Record<string, unknown>>;

/** Home Assistant's own tag, and what stands behind it: the input's name. */
const INPUT = { tag: "!input", resolve: (name: string) => ({ input: name }) };

export function readYaml(text: string): unknown {
  return parse(text, { customTags: [INPUT] });
}

export function isRecord(value: unknown): value is Yaml {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is to be pasted as an automation: as it is written, and as it is meant. */
export interface Automation {
  readonly text: string;
  readonly value: Yaml;
}

export function automationsIn(markdown: string): Automation[] {
  const blocks = codeBlocks(markdown).filter(({ language }) => language === "yaml");
  return blocks.flatMap(({ text }) => {
    const value = readYaml(text);
    const isAutomation = isRecord(value) && ["triggers", "actions", "use_blueprint"].some((key) => key in value);
    return isAutomation ? [{ text, value }] : [];
  });
}

/** Of an automation that is to be pasted: no name, nothing to do, a trigger that a restart of ours would fire. */
export function automationComplaints({ value }: Pick<Automation, "value">): string[] {
  const { alias, id, use_blueprint: blueprint } = value;
  const unnamed = typeof (alias ?? id) === "string" ? [] : ["it has no alias and no id"];
  if (blueprint !== undefined) return unnamed;
  return [...unnamed, ...bodyComplaints(value)];
}

/** The same for a blueprint, which has its name elsewhere. */
export function blueprintComplaints({ blueprint, ...body }: Yaml): string[] {
  const { name, domain, input } = isRecord(blueprint) ? blueprint : {};
  const inputs = Object.keys(isRecord(input) ? input : {});
  const used = [...JSON.stringify(body).matchAll(/\{"input":"(\w+)"\}/g)].map(([, one = ""]) => one);
  return [
    ...(typeof name === "string" && domain === "automation" ? [] : ["it is no blueprint of an automation"]),
    ...inputs.filter((one) => !used.includes(one)).map((one) => `nothing uses ${one}`),
    ...used.filter((one) => !inputs.includes(one)).map((one) => `there is no input ${one}`),
    ...bodyComplaints(body),
  ];
}

function bodyComplaints({ triggers, actions }: Yaml): string[] {
  const list = Array.isArray(triggers) ? triggers : [];
  const isIdle = Array.isArray(actions) ? actions.length === 0 : !isRecord(actions);
  return [
    ...(list.length === 0 ? ["it has no triggers"] : []),
    ...(isIdle ? ["it has no actions"] : []),
    ...list.flatMap((trigger) => triggerComplaints(isRecord(trigger) ? trigger : {})),
  ];
}

/** What has to be said of a trigger, so that it is quiet when entities come back from being unavailable. */
const QUIET: Readonly<Record<string, (trigger: Yaml) => boolean>> = {
  "event.received": ({ target, options }) => isRecord(target) && isRecord(options) && areTypes(options.event_type),
  "zone.entered": ({ target, options }) => isRecord(target) && isRecord(options) && isText(options.zone),
  "zone.left": ({ target, options }) => isRecord(target) && isRecord(options) && isText(options.zone),
  zone: ({ entity_id, zone, event }) => isText(entity_id) && isText(zone) && isText(event),
  state: ({ entity_id, from, to }) => isText(entity_id) && isKnownState(from) && isKnownState(to),
  event: ({ event_type, event_data }) =>
    event_type === "pawline_event" && isRecord(event_data) && areTypes(event_data.event_type),
  mqtt: ({ topic }) => isText(topic) && topic.endsWith("/event"),
  time: ({ at }) => isText(at),
};

function triggerComplaints(trigger: Yaml): string[] {
  const isQuiet = QUIET[String(trigger.trigger)]?.(trigger) ?? false;
  return isQuiet ? [] : [`this trigger may fire at a restart: ${JSON.stringify(trigger)}`];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function areTypes(value: unknown): boolean {
  const types = [value].flat();
  return types.length > 0 && types.every((type) => ACTIVITY_TYPES.some((one) => one === type));
}

function isKnownState(value: unknown): boolean {
  const states = [value].flat();
  return states.length > 0 && states.every((one) => isText(one) && one !== "unknown" && one !== "unavailable");
}

/** Cats of the examples; what else they name is the user's. */
const CATS = ["mochi", "biscuit", "juniper", "oreo"];
const ENTITY = new RegExp(
  `\\b(?!mobile_app\\b)((?:[a-z]+_)?[a-z]+)\\.(${CATS.join("|")})(?:_([a-z_]+))?\\b(?!\\.)`,
  "g",
);

/** All that a cat may have: by MQTT, and on the route mobile_app, where ids come from names and some are sensors. */
const KNOWN = new Set([
  "notify.",
  ...COLLAR_ENTITIES.flatMap(({ key, platform, name }) => [
    `${platform}.${key === "tracker" ? "" : key}`,
    `${platform}.${slug(name ?? key)}`,
    `sensor.${slug(name ?? key)}`,
    `binary_sensor.${slug(name ?? key)}`,
  ]),
]);

/** Entities of the examples' cats that there are not. */
export function strangers(text: string): string[] {
  return [...text.matchAll(ENTITY)]
    .filter(([, platform = "", , key = ""]) => !KNOWN.has(`${platform}.${key}`))
    .map(([id]) => id);
}
