/** All publishers, by the section of the configuration that they are made from. */

import type { Cursor } from "../discovery/teller.ts";
import type { View } from "../entities/entity.ts";
import { UsageError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Metrics, Usage } from "../lib/metrics.ts";
import type { CounterTable } from "../model/counters.ts";
import type { LiveOptions } from "./live/options.ts";
import type { MqttOptions } from "./mqtt/options.ts";
import type { Publisher } from "./publisher.ts";

export interface PublisherContext {
  readonly log: Logger;
  readonly version: string;
  readonly clientId: string;
  readonly exclude: readonly string[];
  readonly preferredPosition: View["preferredPosition"];
  /** Up to where a publisher has told what happened, by the publisher's name; kept over restarts. */
  readonly cursor: (publisher: string) => Cursor;
  readonly metrics: Metrics<CounterTable>;
  /** What the process takes, now; left out where nobody knows. */
  readonly usage?: (() => Usage) | undefined;
}

interface Sections {
  readonly mqtt?: MqttOptions | undefined;
  readonly live?: LiveOptions | undefined;
}

const NO_PUBLISHER =
  "nowhere to publish to: set mqtt.url to your broker's address, such as mqtt://homeassistant.local:1883 " +
  "(or PAWLINE_MQTT_URL), with mqtt.username and mqtt.password; or write `live: {}` for a page on this computer alone";

/** @throws UsageError when there is none: the program would have nothing to do */
export async function createPublishers({ mqtt, live }: Sections, context: PublisherContext): Promise<Publisher[]> {
  if (mqtt === undefined && live === undefined) throw new UsageError(NO_PUBLISHER);
  return [
    ...(mqtt === undefined ? [] : [await mqttPublisher(mqtt, context)]),
    ...(live === undefined ? [] : [await livePublisher(live, context)]),
  ];
}

/** Each is loaded only where it is used. */
async function mqttPublisher(options: MqttOptions, context: PublisherContext): Promise<Publisher> {
  const { createMqttPublisher } = await import("./mqtt/publisher.ts");
  const published = context.metrics.cell("pawline_publishes_total", { publisher: "mqtt" });
  return createMqttPublisher(options, { ...context, cursor: context.cursor("mqtt"), published });
}

async function livePublisher(options: LiveOptions, context: PublisherContext): Promise<Publisher> {
  const { createLivePublisher } = await import("./live/publisher.ts");
  return createLivePublisher(options, context);
}
