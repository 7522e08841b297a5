import { randomUUID } from "node:crypto";
import { connectAsync, type MqttClient } from "mqtt";
import type { HomeAssistantApi } from "./home-assistant-api.ts";
import type { MqttBroker } from "./home-assistant-onboarding.ts";
import { within } from "./waiting.ts";

async function hears(api: HomeAssistantApi, client: MqttClient): Promise<void> {
  const topic = `pawline-tests/${randomUUID()}`;
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  await client.publishAsync(topic, "heard", { retain: true, qos: 1 });
  const unsubscribe = await api.subscribe({ type: "mqtt/subscribe", topic }, () => resolve());
  await heard;
  await unsubscribe();
  await client.publishAsync(topic, "", { retain: true, qos: 1 });
}

/**
 * Waits until Home Assistant hears what its broker has: nothing in its API tells whether it is connected. A retained
 * message reaches it whenever its subscription does, be that now or after it has found back to the broker.
 */
export async function brokerHeard(api: HomeAssistantApi, broker: MqttBroker, ms: number): Promise<void> {
  const client = await connectAsync({ ...broker, protocol: "mqtt", reconnectPeriod: 0, connectTimeout: ms });
  try {
    await within(ms, hears(api, client), () => "Home Assistant does not hear its broker");
  } finally {
    await client.endAsync(true);
  }
}
