/** What is known of a device, as messages: pure, so that every way into Home Assistant can share it. */
import { COLLAR_ENTITIES } from "../entities/collar.ts";
import { timestamp, type Value, type View } from "../entities/entity.ts";
import { positionOf } from "../entities/position.ts";
import { STATION_ENTITIES } from "../entities/station.ts";
import type { Bridge, Collar, Component, Device, HomeStation } from "../model/device.ts";
import type { Topics } from "./topics.ts";

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: 0 | 1 | 2;
}

/** What the bridge knows of Home Assistant. */
export interface HomeAssistantSeen {
  /** Its last word on its status topic. */
  readonly status: "online" | "offline" | null;
  /** When it was heard there last, epoch ms; null for never. */
  readonly seenAt: number | null;
}

/**
 * The retained messages of a collar or a home station: the position first, since it is what people wait for.
 * @param qos of states and positions
 */
export function deviceMessages(device: Device, view: View, topics: Topics, qos: 0 | 1 | 2): Message[] {
  const position = device.kind === "collar" ? positionOf(device, view) : undefined;
  const message = (topic: string, payload: string): Message => ({ topic, payload, retain: true, qos });
  return [
    ...(position ? [message(topics.position(device.key), JSON.stringify(position))] : []),
    message(topics.state(device.key), JSON.stringify(stateOf(device, view))),
    { ...message(topics.availability(device.key), isAvailable(device) ? "online" : "offline"), qos: 1 },
  ];
}

/** Whether any of the accounts that list the device has been heard of lately. A collar that sleeps stays available. */
function isAvailable(device: Device): boolean {
  return Object.values(device.accounts).includes(true);
}

/** One flat object with a key for every entity, known or not: a template of Home Assistant must find its key. */
function stateOf(device: Device, view: View): Record<string, Value> {
  return device.kind === "collar" ? collarState(device, view) : stationState(device, view);
}

function collarState(collar: Collar, view: View): Record<string, Value> {
  const state: Record<string, Value> = {};
  for (const { key, platform, value } of COLLAR_ENTITIES)
    if (platform !== "device_tracker") state[key] = value(collar, view);
  return { ...state, color: colorOf(collar), pending_command: null, pending_since: null, pending_until: null };
}

function stationState(station: HomeStation, view: View): Record<string, Value> {
  return Object.fromEntries(STATION_ENTITIES.map(({ key, value }) => [key, value(station, view)]));
}

/** As in style sheets, `#24b8f8`; null without one. */
function colorOf({ color }: Collar): string | null {
  return typeof color === "number" ? `#${color.toString(16).padStart(6, "0")}` : null;
}

/** The message on `bridge/info`. */
export function bridgeInfo(bridge: Bridge, homeAssistant: HomeAssistantSeen, topics: Topics): Message {
  const told = (role: Component["role"]): object[] =>
    bridge.components
      .filter((component) => component.role === role)
      .map(({ name, state, sinceAt, error }) => ({ name, state, since: timestamp(sinceAt), error: error ?? null }));
  const info = {
    version: bridge.version,
    started: timestamp(bridge.startedAt),
    sources: told("source"),
    publishers: told("publisher"),
    home_assistant: { status: homeAssistant.status, seen: timestamp(homeAssistant.seenAt) },
  };
  return { topic: topics.bridgeInfo, payload: JSON.stringify(info), retain: true, qos: 1 };
}
