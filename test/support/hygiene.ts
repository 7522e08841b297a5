/** What must hold for everything that the daemon ever publishes, whatever a test is about. */
import { ACTIVITY_TYPES } from "../../src/model/activity.ts";
import type { Json, Message } from "./recorder.ts";
import { json } from "./recorder.ts";

/** The keys of a collar's state message; every one of them stands in every message. */
const COLLAR_KEYS = [
  "accuracy",
  "at_home",
  "battery",
  "battery_voltage",
  "battery_warning",
  "birth",
  "bluetooth",
  "boot_loader_version",
  "buzzer",
  "charging",
  "color",
  "developer_mode",
  "distance",
  "find",
  "firmware_version",
  "flags",
  "hardware_version",
  "home_since",
  "last_contact",
  "last_fix",
  "light",
  "live",
  "live_remaining",
  "mode",
  "nearest_station",
  "owner",
  "pending",
  "pending_command",
  "pending_since",
  "pending_until",
  "power_off",
  "safety_zone",
  "satellites",
  "search",
  "signal",
  "signal_quality",
  "station_status",
  "status",
  "telegram_number",
  "time_outside",
];
const STATION_KEYS = ["last_contact", "online", "pets_at_home", "pets_at_home_names", "signal", "wifi"];
const ACCOUNT_KEYS = ["problem", "problem_message", "stream", "subscription_ends"];

const OFFSET_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/;
const TIMES = ["home_since", "last_contact", "last_fix", "pending_since", "pending_until", "subscription_ends"];
const BOOLEANS = ["at_home", "buzzer", "charging", "light", "live", "online", "pending", "problem", "search", "stream"];
const NUMBERS = ["accuracy", "battery", "distance", "live_remaining", "pets_at_home", "signal", "time_outside"];

interface Names {
  readonly base: string;
  readonly prefix: string;
}

/** A sentence for each message that Home Assistant would complain about, or that the contract does not know. */
export function complaints(messages: readonly Message[], { base, prefix }: Names): string[] {
  const found = strayParents(messages, prefix);
  for (const { topic, payload } of messages) {
    if (payload === "") continue;
    const what = topic.startsWith(`${base}/`)
      ? own(topic.slice(base.length + 1), payload)
      : discovery(topic, prefix, payload);
    for (const sentence of what) found.push(`${topic}: ${sentence}: ${payload.slice(0, 300)}`);
  }
  return [...new Set(found)];
}

function own(path: string, payload: string): string[] {
  const [device = "", kind = "", ...more] = path.split("/");
  // What the tests themselves say.
  if ((more.length === 1 && more[0] === "set") || (device === "bridge" && kind === "request")) return [];
  if (device === "bridge" && kind === "response" && more.length === 1) return response(json(payload));
  if (more.length > 0) return ["no topic of ours"];
  if (kind === "event") return event(device, json(payload));
  if (kind === "firmware") return typeof json(payload).installed_version === "string" ? [] : ["no installed_version"];
  if (kind === "photo") return [];
  if (device === "bridge" && kind === "info") return payload.startsWith("{") ? [] : ["no JSON object"];
  if (kind === "availability" || (device === "bridge" && kind === "state")) {
    return payload === "online" || payload === "offline" ? [] : ["neither online nor offline"];
  }
  if (kind === "state") return state(device, json(payload));
  return kind === "position" ? position(json(payload)) : ["no topic of ours"];
}

function response({ status, error }: Json): string[] {
  const isSound = status === "ok" || (status === "error" && typeof error === "string");
  return isSound ? [] : ["neither ok nor an error with its sentence"];
}

function event(device: string, { event_type, type, at }: Json): string[] {
  const found: string[] = [];
  const isKnown = device === "bridge" ? typeof type === "string" : ACTIVITY_TYPES.some((one) => one === event_type);
  if (!isKnown) found.push("no type of event that was agreed");
  if (typeof at !== "string" || !OFFSET_TIME.test(at)) found.push("at is no time");
  return found;
}

function state(device: string, values: Json): string[] {
  const found: string[] = [];
  const others = device.startsWith("pettracer_hs_") ? STATION_KEYS : ACCOUNT_KEYS;
  const wanted = /^pettracer_\d/.test(device) ? COLLAR_KEYS : others;
  if (JSON.stringify(Object.keys(values).toSorted()) !== JSON.stringify(wanted)) found.push("other keys than agreed");
  for (const [key, value] of Object.entries(values)) {
    if (value === null) continue;
    if (TIMES.includes(key) && !(typeof value === "string" && OFFSET_TIME.test(value))) found.push(`${key} is no time`);
    if (BOOLEANS.includes(key) && typeof value !== "boolean") found.push(`${key} is no boolean`);
    if (NUMBERS.includes(key) && typeof value !== "number") found.push(`${key} is no number`);
  }
  return found;
}

function position(values: Json): string[] {
  const found: string[] = [];
  const { latitude, longitude, gps_accuracy, measured_at, satellites, source, ...more } = values;
  for (const number of [latitude, longitude, gps_accuracy]) {
    if (typeof number !== "number") found.push("a coordinate or its accuracy is no number");
  }
  if (typeof measured_at !== "string" || !OFFSET_TIME.test(measured_at)) found.push("measured_at is no time");
  if (satellites !== undefined && typeof satellites !== "number") found.push("satellites is no number");
  if (source !== "gps" && source !== "station") found.push("source is neither gps nor station");
  if (Object.keys(more).length > 0) found.push("other keys than agreed");
  return found;
}

/** What Home Assistant is told when a device moves from one kind of discovery to the other. */
const MOVING = '{"migrate_discovery": true}';

const OURS = /^(?:bridge$|pettracer_)/;

function discovery(topic: string, prefix: string, payload: string): string[] {
  if (payload === MOVING) return [];
  const [platform = "", device = "", key = "", ...more] = levelsOf(topic, prefix);
  if (platform === "device") return deviceDiscovery(json(payload));
  // Other programs' need not follow our rules.
  if (key === "" || more.length > 0 || !OURS.test(device)) return [];
  return entityDiscovery(platform, device, key, json(payload));
}

/** Between the prefix and `config`. */
function levelsOf(topic: string, prefix: string): string[] {
  const isDiscovery = topic.startsWith(`${prefix}/`) && topic.endsWith("/config");
  return isDiscovery ? topic.slice(prefix.length + 1, -"/config".length).split("/") : [];
}

interface Discovery extends Json {
  readonly device?: Json;
  readonly origin?: Json;
  readonly components?: Readonly<Record<string, Json>>;
}

function deviceDiscovery({ device, origin, components }: Discovery): string[] {
  const found = root(device, origin);
  for (const [key, config] of Object.entries(components ?? {})) {
    const isRemoval = Object.keys(config).length === 1 && typeof config.platform === "string";
    if (isRemoval) continue;
    if (typeof config.platform !== "string" || typeof config.unique_id !== "string") {
      found.push(`${key} has no platform or no unique_id`);
    } else found.push(...entity(key, config.platform, config));
  }
  return found;
}

function entityDiscovery(platform: string, name: string, key: string, config: Discovery): string[] {
  const found = [...root(config.device, config.origin), ...entity(key, platform, config)];
  if (config.unique_id !== `${name}_${key}`) found.push("another unique_id than the topic says");
  for (const field of ["manufacturer", "model"]) {
    // PetTracer names these only once the account has been heard of.
    const isTold = typeof config.device?.[field] === "string" || name.includes("account");
    if (!isTold) found.push(`no device.${field}`);
  }
  const isAlone = name === "bridge" || Array.isArray(config.availability);
  if (!isAlone) found.push("no availability of its own");
  for (const field of ["platform", "components"]) if (field in config) found.push(`${field} is not for an entity`);
  return found;
}

function root(device: Json | undefined, origin: Json | undefined): string[] {
  const found: string[] = [];
  if (!Array.isArray(device?.identifiers)) found.push("no device.identifiers");
  if (typeof origin?.name !== "string") found.push("no origin.name");
  return found;
}

const PLATFORMS = "binary_sensor button device_tracker event image select sensor switch update".split(" ");
/** Where an entity of each platform is read or obeyed. */
const TOPICS = ["state_topic", "command_topic", "json_attributes_topic", "image_topic"];

/** What hubs besides Home Assistant read, too: a template is no more than a value's name. */
function entity(key: string, platform: string, config: Json): string[] {
  const found: string[] = [];
  if (!PLATFORMS.includes(platform)) found.push(`${key} is of no platform of ours`);
  const { default_entity_id: id } = config;
  // What the tests leave behind as an older version may have none.
  if (typeof id === "string" && !id.startsWith(`${platform}.`)) found.push(`${key} has an id of another platform`);
  const { value_template: template } = config;
  if (template !== undefined && template !== `{{ value_json.${key} }}`) found.push(`${key} has no plain template`);
  if (!TOPICS.some((topic) => typeof config[topic] === "string")) found.push(`${key} has no topic`);
  return found;
}

/** Descriptions that name a parent which has none itself: Home Assistant would make a stub of it. */
function strayParents(messages: readonly Message[], prefix: string): string[] {
  const described = new Set<string>();
  return messages.flatMap(({ topic, payload }) => {
    const [platform = "", ...names] = levelsOf(topic, prefix);
    const name = names[0];
    // A device that moves from one kind of topics to the other is known meanwhile.
    if (name === undefined || payload === MOVING || names.length > 2) return [];
    if (platform !== "device" && !OURS.test(name)) return [];
    if (payload !== "") described.add(name);
    else if (platform === "device") described.delete(name);
    const { device } = (payload === "" ? {} : json(payload)) as Discovery;
    const parent = device?.via_device;
    return typeof parent === "string" && !described.has(parent)
      ? [`${topic}: via_device ${parent} is not described`]
      : [];
  });
}
