/**
 * Whether these cats come into this Home Assistant by a broker already: then each would be there twice. It is seen by
 * the device "Pawline" there, whose serial number says by which way it came, and by its connection.
 */
import { createAlarm } from "../../lib/alarm.ts";
import { sleep } from "../../lib/clock.ts";
import { z } from "../../lib/schema.ts";
import type { State } from "../../model/device.ts";
import { isKnownAs, listDevices, listEntities, type RegistryDevice } from "./registry.ts";
import type { Session } from "./situation.ts";

const states = z.array(z.looseObject({ entity_id: z.string(), state: z.string() }));

/** The entity that says whether the bridge is there; who has disabled or excluded it leaves that open. */
const CONNECTION = "bridge_connection";
/** A broker of ours is up by then, and a Home Assistant behind it shows what it was told. */
const BROKER_MS = { longest: 15_000, shows: 3_000, look: 250 } as const;
const LOOK_AGAIN_MS = 60_000;
const SETTLED_MS = 2_000;

/** How the publisher to a broker does; undefined where there is none. */
export function brokerCondition(state: State): "running" | "down" | undefined {
  const bridge = state.get("bridge");
  const components = bridge?.kind === "bridge" ? bridge.components : [];
  const broker = components.find(({ role, name }) => role === "publisher" && name === "mqtt");
  return broker && (broker.state === "running" ? "running" : "down");
}

/** @param clientId the name by which the broker knows this program: the bridge's serial number on that way */
export async function isServedByBroker(state: State, session: Session, clientId: string): Promise<boolean> {
  return brokerCondition(state) !== undefined && (await hasBridgeOf(clientId, session));
}

/** Whether the bridge of a publisher to a broker, known there by this name, is in this Home Assistant and alive. */
export async function hasBridgeOf(clientId: string, { ha }: Pick<Session, "ha">): Promise<boolean> {
  const bridges = await bridgesByMqtt(ha);
  const bridge = bridges.find(({ serial_number: serial }) => serial === clientId);
  return bridge !== undefined && (await isConnected(bridge.id, { ha }));
}

/** By which way the bridge came into this Home Assistant, if it came by MQTT. */
export async function bridgeSerial({ ha }: Pick<Session, "ha">): Promise<string | undefined> {
  const [bridge] = await bridgesByMqtt(ha);
  return bridge?.serial_number ?? undefined;
}

async function bridgesByMqtt(ha: Session["ha"]): Promise<RegistryDevice[]> {
  const devices = await listDevices(ha);
  return devices.filter((device) => isKnownAs(device, "mqtt", (id) => id === "pawline_bridge"));
}

/** What an earlier configuration has left at a broker says that it is not. */
async function isConnected(device: string, { ha }: Pick<Session, "ha">): Promise<boolean> {
  const entities = await listEntities(ha);
  const entity = entities.find(({ unique_id: id, device_id }) => id === CONNECTION && device_id === device);
  if (entity === undefined || entity.disabled_by) return true;
  const shown = await ha.call({ type: "get_states" }, states);
  const connection = shown.find(({ entity_id }) => entity_id === entity.entity_id);
  return connection === undefined || connection.state === "on";
}

/** Waits until it can be seen whether a broker of ours serves a Home Assistant; not for long if that is down. */
export async function brokerSettled(state: State, signal: AbortSignal): Promise<void> {
  if (brokerCondition(state) === undefined) return;
  const enough = AbortSignal.any([signal, AbortSignal.timeout(BROKER_MS.longest)]);
  while (!enough.aborted && brokerCondition(state) !== "running") await sleep(BROKER_MS.look, enough);
  await sleep(BROKER_MS.shows, signal);
}

/** Resolves when the broker serves this Home Assistant, or the signal is aborted. */
export async function servedByBroker(
  state: State,
  session: Session,
  clientId: string,
  signal: AbortSignal,
): Promise<void> {
  const changed = createAlarm();
  // Whenever a device comes or changes; a burst of that is one.
  const command = { type: "subscribe_events", event_type: "device_registry_updated" };
  if (brokerCondition(state) !== undefined) {
    await session.ha.subscribe(command, z.unknown(), () => changed.within(SETTLED_MS));
  }
  while (!signal.aborted) {
    changed.within(LOOK_AGAIN_MS);
    await changed.rung(signal);
    if (!signal.aborted && (await isServedByBroker(state, session, clientId))) return;
  }
}
