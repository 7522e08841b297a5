/**
 * All that the page knows: the latest of each device, the events, and Pawline itself. A snapshot replaces everything, so
 * that nothing stale outlives a connection; between snapshots each message lays one thing over another.
 */
import type { ServerMessage } from "../../publishers/live/api/messages.ts";
import type { ApiBridge, ApiDevice, ApiEvent, ApiPosition } from "../../publishers/live/api/schema.ts";

export type Subscribed = Extract<ServerMessage, { type: "subscribed" }>;
type News = Extract<ServerMessage, { type: "message" }>;

export interface Household {
  readonly devices: ReadonlyMap<string, ApiDevice>;
  readonly bridge: ApiBridge | undefined;
  /** The newest first. */
  readonly events: readonly ApiEvent[];
}

/** What a message has changed. */
export type Change =
  | { readonly kind: "device"; readonly id: string }
  | { readonly kind: "devices" }
  | { readonly kind: "events" }
  | { readonly kind: "bridge" };

export const NOBODY: Household = { devices: new Map(), bridge: undefined, events: [] };

const MOST_EVENTS = 200;
const POSITION = "position/";

/** What is known by a snapshot alone; events are kept, they do not grow old. */
export function fromSnapshot({ events }: Household, { snapshot }: Subscribed): Household {
  const positions = snapshot.positions ?? {};
  const devices = (snapshot.devices ?? []).map((device) => [device.id, placed(device, positions[device.id])] as const);
  return { devices: new Map(devices), bridge: snapshot.bridge, events };
}

export function withEvents(household: Household, more: readonly ApiEvent[]): Household {
  const all = new Map([...household.events, ...more].map((event) => [event.sequence, event]));
  const events = [...all.values()].toSorted((a, b) => b.sequence - a.sequence).slice(0, MOST_EVENTS);
  return { ...household, events };
}

/** Lays a message over what is known; undefined where it is of no use here. */
export function fold(household: Household, message: News): { household: Household; change: Change } | undefined {
  const { topic, data } = message;
  if (topic.startsWith(POSITION)) return foldPosition(household, topic.slice(POSITION.length), data);
  if (data === null) return undefined;
  if ("sequence" in data) return { household: withEvents(household, [data]), change: { kind: "events" } };
  if ("components" in data) return { household: { ...household, bridge: data }, change: { kind: "bridge" } };
  if ("removed" in data) return { household: without(household, data.removed), change: { kind: "devices" } };
  if ("device" in data && typeof data.device === "object") return foldDevice(household, data.device);
  return undefined;
}

function foldDevice(household: Household, device: ApiDevice): { household: Household; change: Change } {
  const known = household.devices.get(device.id);
  // Where it stands in the list is no longer known.
  const isMoved = known === undefined || known.name !== device.name || known.accounts.join() !== device.accounts.join();
  const change: Change = isMoved ? { kind: "devices" } : { kind: "device", id: device.id };
  return { household: withDevice(household, device), change };
}

function foldPosition(household: Household, id: string, data: News["data"]): ReturnType<typeof fold> {
  const device = household.devices.get(id);
  const position = data === null || ("latitude" in data && !("sequence" in data)) ? data : undefined;
  if (device === undefined || position === undefined) return undefined;
  return { household: withDevice(household, { ...device, position }), change: { kind: "device", id } };
}

function placed(device: ApiDevice, position: ApiPosition | null | undefined): ApiDevice {
  return position === undefined ? device : { ...device, position };
}

function withDevice(household: Household, device: ApiDevice): Household {
  return { ...household, devices: new Map(household.devices).set(device.id, device) };
}

function without(household: Household, id: string): Household {
  const devices = new Map(household.devices);
  devices.delete(id);
  return { ...household, devices };
}
