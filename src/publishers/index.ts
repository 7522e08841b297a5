/** All publishers, by the section of the configuration that they are made from. */

import { UsageError } from "../lib/errors.ts";
import type { Metrics, Usage } from "../lib/metrics.ts";
import type { Scrubber } from "../lib/scrub.ts";
import { findBroker, type SupervisorAccess } from "../lib/supervisor.ts";
import type { CounterTable } from "../model/counters.ts";
import type { TokenKeeper } from "../tokens/keeper.ts";
import type { HomeAssistantOptions } from "./homeassistant/options.ts";
import type { LiveOptions } from "./live/options.ts";
import type { MqttOptions } from "./mqtt/options.ts";
import type { Cursor, Keep, Publisher, PublisherTools } from "./publisher.ts";

export interface PublisherContext extends PublisherTools {
  readonly clientId: string;
  /** Up to where a publisher has told what happened, by the publisher's name; kept over restarts. */
  readonly cursor: (publisher: string) => Cursor;
  /** A file of its own for each publisher, by the publisher's name. */
  readonly keep: (publisher: string) => Keep;
  readonly scrubber: Scrubber;
  /** Who may use the live API. */
  readonly tokens: TokenKeeper;
  /** Where the program runs as an app of Home Assistant. */
  readonly supervisor?: SupervisorAccess | undefined;
  readonly metrics: Metrics<CounterTable>;
  /** What the process takes, now; left out where nobody knows. */
  readonly usage?: (() => Usage) | undefined;
}

interface Sections {
  readonly mqtt?: MqttOptions | undefined;
  readonly home_assistant?: HomeAssistantOptions | undefined;
  readonly live?: LiveOptions | undefined;
}

const NO_PUBLISHER =
  "nowhere to publish to: set home_assistant.url to Home Assistant's address and home_assistant.token to a long-lived " +
  "access token; or mqtt.url to your broker's address, such as mqtt://homeassistant.local:1883 (or PAWLINE_MQTT_URL), " +
  "with mqtt.username and mqtt.password; or write `live: {}` for a page on this computer alone";

/** @throws UsageError when there is none: the program would have nothing to do */
export async function createPublishers(
  { mqtt, home_assistant: homeAssistant, live }: Sections,
  context: PublisherContext,
): Promise<Publisher[]> {
  const publishers = [
    ...(await mqttPublishers(mqtt, context)),
    ...(homeAssistant === undefined ? [] : [await homeAssistantPublisher(homeAssistant, mqtt, context)]),
    ...(live === undefined ? [] : [await livePublisher(live, context)]),
  ];
  if (publishers.length === 0) throw new UsageError(NO_PUBLISHER);
  return publishers;
}

/** Each is loaded only where it is used: together they are several megabytes. */
async function mqttPublishers(options: MqttOptions | undefined, context: PublisherContext): Promise<Publisher[]> {
  const { supervisor, scrubber, log } = context;
  if (options === undefined && supervisor === undefined) return [];
  const { createMqttPublisher } = await import("./mqtt/publisher.ts");
  const cursor = context.cursor("mqtt");
  const published = context.metrics.cell("pawline_publishes_total", { publisher: "mqtt" });
  const create = (chosen: MqttOptions): Publisher => createMqttPublisher(chosen, { ...context, cursor, published });
  if (options !== undefined) return [create(options)];
  if (supervisor === undefined) return [];
  const { createSupervisedPublisher } = await import("./mqtt/supervised.ts");
  return [createSupervisedPublisher({ supervisor, scrubber, create, log })];
}

async function homeAssistantPublisher(
  options: HomeAssistantOptions,
  mqtt: MqttOptions | undefined,
  context: PublisherContext,
): Promise<Publisher> {
  const { createHomeAssistantPublisher } = await import("./homeassistant/publisher.ts");
  const published = context.metrics.cell("pawline_publishes_total", { publisher: "homeassistant" });
  const own = { cursor: context.cursor("homeassistant"), keep: context.keep("homeassistant"), published };
  const hasBroker = (signal: AbortSignal): Promise<boolean> => isBrokerKnown(mqtt, context, signal);
  const clientId = mqtt?.client_id ?? context.clientId;
  return createHomeAssistantPublisher(options, { ...context, ...own, clientId, hasBroker });
}

/** Whether the pets have a way by a broker. */
async function isBrokerKnown(
  mqtt: MqttOptions | undefined,
  { supervisor }: PublisherContext,
  signal: AbortSignal,
): Promise<boolean> {
  if (mqtt !== undefined || supervisor === undefined) return mqtt !== undefined;
  return (await findBroker(supervisor, signal).catch(() => undefined)) !== undefined;
}

async function livePublisher(options: LiveOptions, context: PublisherContext): Promise<Publisher> {
  const { createLivePublisher } = await import("./live/publisher.ts");
  return createLivePublisher(options, context);
}
