/**
 * What is known of the discovery messages that stand at the broker: ours, from this run and from earlier ones. The
 * broker itself is the program's memory: a device that left the account while the program was down is found there.
 */
import { type Components, type DiscoveryMode, ORIGIN } from "./config.ts";
import type { HomeAssistantSeen, ToldNote } from "./messages.ts";
import { MOVING } from "./migration.ts";
import type { Discovered, Topics } from "./topics.ts";

export interface DiscoveryMemory {
  /** The components that were published of each device. */
  readonly components: Map<string, Components>;
  /** What each device's last discovery was made from, and when we sent it by a clock that does not jump, ms. */
  readonly sent: Map<string, { readonly signature: string; readonly at: number }>;
  /** The topics of another mode on which a device still stands. */
  readonly outdated: Map<string, ReadonlySet<string>>;
  /** Topics that an earlier run left in the middle of a move. They say nothing of whose they are: ours if the device is. */
  readonly halfMoved: Map<string, ReadonlySet<string>>;
  /** Devices, and entities as `device/key`, that the user deleted in Home Assistant: away until the next start. */
  readonly deleted: Set<string>;
  homeAssistant: HomeAssistantSeen;
  /** Whether there was a connection before: then Home Assistant may have lost its own together with ours. */
  wasConnected: boolean;
  /** Whether all accounts were listed once, or were waited for long enough. */
  settled: boolean;
}

export function createMemory(): DiscoveryMemory {
  return {
    components: new Map(),
    sent: new Map(),
    outdated: new Map(),
    halfMoved: new Map(),
    deleted: new Set(),
    homeAssistant: { status: null, seenAt: null },
    wasConnected: false,
    settled: false,
  };
}

/** Such a message says nothing of its sender: another program's, of which there may be any number, are noted, too. */
const MOST_HALF_MOVED = 1_000;

interface Place {
  readonly memory: DiscoveryMemory;
  readonly topics: Topics;
  readonly mode: DiscoveryMode;
}

/** Notes a message that stands at the broker on a discovery topic; false for another program's. */
export function recall(topic: string, about: Discovered, payload: string, { memory, topics, mode }: Place): boolean {
  const { device } = about;
  if (isMoving(payload)) {
    if (memory.halfMoved.size >= MOST_HALF_MOVED) return true;
    memory.halfMoved.set(device, new Set([...(memory.halfMoved.get(device) ?? []), topic]));
    return true;
  }
  const components = ownComponents(payload, about, topics);
  if (components === undefined) return false;
  remember(device, components, memory);
  if (modeOf(about) !== mode) outdate(device, [topic], memory);
  return true;
}

/** The topics of another mode on which the device stands, now that it is known to be ours. */
export function outdatedTopics(device: string, { memory, topics, mode }: Place): ReadonlySet<string> {
  for (const topic of memory.halfMoved.get(device) ?? []) {
    const about = topics.discovered(topic);
    if (about?.entity) remember(device, new Map([[about.entity.key, about.entity.platform]]), memory);
    if (about && modeOf(about) !== mode) outdate(device, [topic], memory);
  }
  memory.halfMoved.delete(device);
  return memory.outdated.get(device) ?? new Set();
}

/** All discovery topics on which the device stands. */
export function standingOn(device: string, place: Place): string[] {
  const { memory, topics, mode } = place;
  const outdated = outdatedTopics(device, place);
  if (mode === "device") return [topics.discovery(device), ...outdated];
  if (mode === "off") return [...outdated];
  const components = [...(memory.components.get(device) ?? [])];
  return [...components.map(([key, platform]) => topics.entityDiscovery(device, platform, key)), ...outdated];
}

/**
 * Notes that the user deleted a device, or one of its entities, in Home Assistant.
 * @returns its name, the device's if this was the last of its entities; undefined for what was not announced
 */
export function forgetDeleted({ device, entity }: Discovered, memory: DiscoveryMemory): string | undefined {
  const components = memory.components.get(device);
  if (components === undefined || (entity && components.get(entity.key) !== entity.platform)) return undefined;
  if (entity) memory.deleted.add(`${device}/${entity.key}`);
  const left = new Map([...components].filter(([key]) => entity !== undefined && key !== entity.key));
  if (entity && left.size > 0) {
    memory.components.set(device, left);
    return `${device}/${entity.key}`;
  }
  memory.components.delete(device);
  memory.deleted.add(device);
  return device;
}

/** The mode in which such a topic is used. */
export function modeOf({ entity }: Discovered): DiscoveryMode {
  return entity === undefined ? "device" : "component";
}

function remember(device: string, components: Components, memory: DiscoveryMemory): void {
  memory.components.set(device, new Map([...(memory.components.get(device) ?? []), ...components]));
}

function outdate(device: string, topics: readonly string[], memory: DiscoveryMemory): void {
  memory.outdated.set(device, new Set([...(memory.outdated.get(device) ?? []), ...topics]));
}

/** Whether it tells Home Assistant that what is announced here moves to another topic. */
export function isMoving(payload: string): boolean {
  // Other messages are longer, and not worth parsing for that.
  return payload.length < 2 * MOVING.length && parseObject(payload)?.migrate_discovery === true;
}

/** The components that a discovery message of ours describes; undefined for another program's, or none at all. */
export function ownComponents(payload: string, about: Discovered, topics: Topics): Components | undefined {
  return about.entity ? ownEntity(payload, about.device, about.entity, topics) : ownDevice(payload, topics);
}

function ownDevice(payload: string, topics: Topics): Components | undefined {
  // Most messages here are other programs': only what names our topic is worth parsing.
  if (!payload.includes(`"${topics.bridgeState}"`)) return undefined;
  const components = parseObject(payload)?.components;
  if (!isObject(components)) return undefined;
  const named = Object.entries(components).map(([key, config]) => [key, platformOf(config)] as const);
  return new Map(named.filter(([key, platform]) => isOurName(key) && isOurName(platform)));
}

/** What we give a component for a name; anything else would be no part of a topic that we may write to. */
function isOurName(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,63}$/.test(name);
}

function platformOf(config: unknown): string {
  return isObject(config) && typeof config.platform === "string" ? config.platform : "sensor";
}

function ownEntity(
  payload: string,
  device: string,
  { platform, key }: NonNullable<Discovered["entity"]>,
  topics: Topics,
): Components | undefined {
  if (!payload.includes(`"${ORIGIN}"`)) return undefined;
  const config = parseObject(payload) ?? {};
  const isOurs =
    isObject(config.origin) &&
    config.origin.name === ORIGIN &&
    config.unique_id === `${device}_${key}` &&
    // Another Pawline has another first part of its topics.
    Object.entries(config).some(
      ([name, value]) => name.endsWith("topic") && typeof value === "string" && topics.isOwn(value),
    );
  return isOurs ? new Map([[key, platform]]) : undefined;
}

/** What an earlier run noted of Home Assistant in `bridge/info`; nothing where it says nothing. */
export function readSeen(payload: string): HomeAssistantSeen {
  const noted = parseObject(payload)?.home_assistant;
  if (!isObject(noted)) return { status: null, seenAt: null };
  const at = typeof noted.seen === "string" ? Date.parse(noted.seen) : Number.NaN;
  const status = noted.status === "online" || noted.status === "offline" ? noted.status : null;
  return { status, seenAt: Number.isNaN(at) ? null : at };
}

/** What was told last on an earlier connection, as `bridge/info` has it; undefined where it says nothing. */
export function readTold(payload: string): ToldNote | undefined {
  const told = parseObject(payload)?.told;
  if (!isObject(told) || typeof told.sequence !== "number" || typeof told.at !== "string") return undefined;
  return { sequence: told.sequence, at: Date.parse(told.at) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
