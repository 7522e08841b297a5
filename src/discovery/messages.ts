/** What is known of a device, as messages: pure, so that every way into Home Assistant can share it. */
import { problemOf } from "../entities/account.ts";
import { pendingState } from "../entities/collar-controls.ts";
import { timestamp, type Value, type View } from "../entities/entity.ts";
import { positionOf } from "../entities/position.ts";
import { petsAtHome } from "../entities/station.ts";
import { withTable } from "../entities/tables.ts";
import type { Activity } from "../model/activity.ts";
import type { Account, Bridge, Collar, Component, Device, Entry } from "../model/device.ts";
import type { Topics } from "./topics.ts";

export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly retain: boolean;
  readonly qos: 0 | 1 | 2;
  /** What stands for the payload when two messages are compared; the payload itself, unless it is not text. */
  readonly version?: string;
}

/** What the bridge knows of Home Assistant. */
export interface HomeAssistantSeen {
  /** Its last word on its status topic. */
  readonly status: "online" | "offline" | null;
  /** When it was heard there last, epoch ms; null for never. */
  readonly seenAt: number | null;
}

/** The name of the entry in topics; undefined for an account that has not told its number yet. */
export function deviceKey(entry: Entry): string | undefined {
  return entry.kind === "account" ? entry.deviceKey : entry.key;
}

/** A collar's position, what people wait for; undefined until there is one. */
export function positionMessage(entry: Entry, view: View, topics: Topics, qos: 0 | 1 | 2): Message | undefined {
  const position = entry.kind === "collar" ? positionOf(entry, view) : undefined;
  return position && { topic: topics.position(entry.key), payload: JSON.stringify(position), retain: true, qos };
}

/**
 * All retained messages of a device or an account but its discovery and its position.
 * @param qos of states
 * @param largestPhotoBytes a picture that is larger is left out
 */
export function stateMessages(
  entry: Device | Account,
  view: View,
  topics: Topics,
  qos: 0 | 1 | 2,
  largestPhotoBytes = Number.POSITIVE_INFINITY,
): Message[] {
  const key = deviceKey(entry);
  if (key === undefined) return [];
  const state: Message = { topic: topics.state(key), payload: JSON.stringify(stateOf(entry, view)), retain: true, qos };
  if (entry.kind === "account") return [state];
  const availability: Message = {
    topic: topics.availability(key),
    payload: isAvailable(entry) ? "online" : "offline",
    retain: true,
    qos: 1,
  };
  return [state, availability, ...firmware(entry, topics), ...photo(entry, topics, largestPhotoBytes)];
}

/** Whether any of the accounts that list the device has been heard of lately. A collar that sleeps stays available. */
export function isAvailable(device: Device): boolean {
  return Object.values(device.accounts).includes(true);
}

/** These have topics of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set(["device_tracker", "event", "image", "update"]);

/** One flat object with a key for every entity, known or not: a template of Home Assistant must find its key. */
export function stateOf(entry: Device | Account, view: View): Record<string, Value> {
  const state = withTable(entry, (table, of) => {
    const values: Record<string, Value> = {};
    for (const { key, platform, value } of table) if (!ELSEWHERE.has(platform)) values[key] = value(of, view);
    return values;
  });
  return Object.assign(state, attributesOf(entry, view));
}

function attributesOf(entry: Device | Account, view: View): Record<string, Value> {
  switch (entry.kind) {
    case "collar":
      return { color: colorOf(entry), ...pendingState(entry) };
    case "homeStation":
      return { pets_at_home_names: petsAtHome(entry, view) };
    case "account":
      return { problem_message: problemOf(entry, view) };
  }
}

/** As in style sheets, `#24b8f8`; null without one. */
export function colorOf({ color }: Collar): string | null {
  return typeof color === "number" ? `#${color.toString(16).padStart(6, "0")}` : null;
}

function firmware(device: Device, topics: Topics): Message[] {
  const update = firmwareOf(device);
  return update ? [{ topic: topics.firmware(device.key), payload: JSON.stringify(update), retain: true, qos: 1 }] : [];
}

/** The firmware that a device has, and the newest there is. */
export interface FirmwareState {
  readonly installed_version: string;
  readonly latest_version?: string;
  readonly title: string;
  readonly release_summary?: string;
}

/**
 * Undefined where it is not known what the device has. Home Assistant drops the whole message for a null or a key that
 * it does not know: what is not known is left out.
 */
export function firmwareOf({ firmware: installed, latestFirmware, product }: Device): FirmwareState | undefined {
  if (installed === undefined) return undefined;
  return {
    installed_version: installed,
    ...(latestFirmware && { latest_version: latestFirmware.version }),
    title: `${product.manufacturer} ${product.model}`,
    ...(latestFirmware?.notes && { release_summary: latestFirmware.notes.slice(0, 255) }),
  };
}

function photo(device: Device, topics: Topics, largestBytes: number): Message[] {
  if (device.kind !== "collar" || !device.photo || device.photo.bytes.byteLength > largestBytes) return [];
  const { bytes, image } = device.photo;
  return [{ topic: topics.photo(device.key), payload: bytes, version: image, retain: true, qos: 1 }];
}

/** The message that tells what happened. */
export function activityMessage({ device, type, at, details }: Activity, topics: Topics): Message {
  const payload = JSON.stringify({ event_type: type, at: timestamp(at), ...details });
  return { topic: topics.event(device), payload, retain: false, qos: 1 };
}

/** The last activity that was told on a connection. */
export type ToldNote = Pick<Activity, "sequence" | "at">;

/** The message on `bridge/info`. */
export function bridgeInfo(bridge: Bridge, homeAssistant: HomeAssistantSeen, topics: Topics, note?: ToldNote): Message {
  const told = (role: Component["role"]): object[] =>
    bridge.components
      .filter((component) => component.role === role)
      .map(({ name, state, sinceAt, error, details }) => {
        return { name, state, since: timestamp(sinceAt), error: error ?? null, ...details };
      });
  const info = {
    version: bridge.version,
    started: timestamp(bridge.startedAt),
    log_level: bridge.logLevel,
    last_error: bridge.lastError?.slice(0, 250) ?? null,
    sources: told("source"),
    publishers: told("publisher"),
    home_assistant: { status: homeAssistant.status, seen: timestamp(homeAssistant.seenAt) },
    ...(note && { told: { sequence: note.sequence, at: timestamp(note.at) } }),
  };
  return { topic: topics.bridgeInfo, payload: JSON.stringify(info), retain: true, qos: 1 };
}
