/** Before one route is taken, what the other one has left is taken away, or everything would be there twice. */

import type { Logger } from "../../lib/log.ts";
import type { Feed, Traces } from "../publisher.ts";
import type { MobileApp } from "./mobile-app/mobile-app.ts";
import type { MqttRoute } from "./mqtt/mqtt-route.ts";
import { isKnownAs, listDevices } from "./registry.ts";
import { mqttStateOf, type RouteName } from "./route.ts";
import { bridgeSerial, brokerCondition } from "./second-way.ts";
import type { Session } from "./situation.ts";

export interface Routes {
  readonly mqtt: MqttRoute;
  readonly mobile_app: MobileApp;
}

/**
 * Answers what our token may not remove, as sentences that say what to delete.
 * @param instance the serial number of our bridge on the route mqtt
 */
export function createTidying(
  routes: Routes,
  instance: string,
  log: Logger,
): (next: RouteName, feed: Feed, session: Session) => Promise<readonly string[]> {
  return async (next, feed, session) => {
    if (next === "mqtt") return await routes.mobile_app.leave(session, new Set(feed.state.keys()));
    if (mqttStateOf(session.entries) !== "loaded") return [];
    // Where a broker of our own publishes, what stands there may be its work.
    const isOurs = session.user.isAdmin && brokerCondition(feed.state) === undefined;
    if (!isOurs) return await devicesThroughMqtt(feed, session);
    const traces = await routes.mqtt.traces(session);
    if (traces.names.length === 0) return [];
    // Another Pawline may be at work there.
    const isOwn = !traces.isInUse || (await bridgeSerial(session)) === instance;
    return isOwn ? await removeTopics(traces, log) : await devicesThroughMqtt(feed, session);
  };
}

async function removeTopics(traces: Traces, log: Logger): Promise<string[]> {
  log.info(`${traces.names.length} topics of the route mqtt are removed`);
  const left = await traces.remove(AbortSignal.timeout(60_000));
  return left.length === 0 ? [] : [`These topics could not be removed from the broker: ${left.join(", ")}.`];
}

async function devicesThroughMqtt({ state }: Feed, { ha }: Session): Promise<string[]> {
  const isOurs = (id: string): boolean => id === "pawline_bridge" || state.has(id);
  const doubled = (await listDevices(ha)).filter((device) => isKnownAs(device, "mqtt", isOurs));
  const names = doubled.map(({ name, name_by_user: own }) => own ?? name ?? "a device without a name");
  if (names.length === 0) return [];
  return [
    `These devices are in Home Assistant twice: ${names.join(", ")}. Delete them under Settings > Devices & services > ` +
      "MQTT, or set home_assistant.token to an administrator's.",
  ];
}
