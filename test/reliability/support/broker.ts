/** What a real broker holds of us. */
import { connectAsync, type IClientOptions } from "mqtt";
import { expect } from "vitest";
import { BRIDGE_STATE, oreo, station } from "../../support/house.ts";
import { json } from "../../support/recorder.ts";
import type { Household } from "./household.ts";

/** So long nothing is told of what happened, behind a connection that was lost; then some seconds more, ms. */
const TOLD_MS = 40_000;

/** Something that happens in a fault, and is to be told once: neither lost nor twice. */
export function plugIn({ cloud }: Household): void {
  cloud.push(14758, { chg: 1 });
}

function happenings({ mqtt }: Household): string[] {
  return mqtt.of(oreo.event).map(({ payload }) => String(json(payload).event_type));
}

/** The broker retains what was said last on each topic, and news still come; what happened was told once. */
export async function expectInStep(house: Household, events: readonly string[] = ["charging_started"]): Promise<void> {
  await house.mqtt.waitUntil(() => happenings(house).length >= events.length, "what happened", TOLD_MS);
  house.cloud.push(14758, { bat: 3_900 });
  await house.mqtt.waitForJson(oreo.state, { battery_voltage: 3.9 });
  const retained = await retainedAt(house.broker.url, house.brokerLogin);
  expect(retained.get(BRIDGE_STATE)).toBe("online");
  for (const device of [oreo, station]) {
    expect(retained.get(device.availability)).toBe("online");
    expect(retained.get(device.config)).toContain('"components"');
  }
  for (const topic of [oreo.state, oreo.position, oreo.config, station.state]) {
    expect(retained.get(topic)).toBe(house.mqtt.latest(topic));
  }
  expect(happenings(house)).toEqual(events);
}

/** What a broker retains, by topic. */
async function retainedAt(url: string, login: IClientOptions): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const last = `reader/${Math.random()}`;
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  const reader = await connectAsync(url, { ...login, reconnectPeriod: 0 });
  reader.on("message", (topic, payload, { retain }) => {
    if (topic === last) resolve();
    else if (retain) found.set(topic, payload.toString("utf8"));
  });
  await reader.subscribeAsync("#");
  // What is retained goes out before what comes after the subscription.
  await reader.publishAsync(last, "here", { qos: 1 });
  await complete;
  await reader.endAsync(true);
  return found;
}
