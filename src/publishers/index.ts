/** All publishers, by the section of the configuration that they are made from. */

import type { Cursor } from "../discovery/teller.ts";
import type { View } from "../entities/entity.ts";
import { UsageError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Metrics, Usage } from "../lib/metrics.ts";
import type { Scrubber } from "../lib/scrub.ts";
import type { SupervisorAccess } from "../lib/supervisor.ts";
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
  readonly scrubber: Scrubber;
  readonly metrics: Metrics<CounterTable>;
  /** What the process takes, now; left out where nobody knows. */
  readonly usage?: (() => Usage) | undefined;
  /** Where the program runs as an app of Home Assistant. */
  readonly supervisor?: SupervisorAccess | undefined;
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
  const publishers = [
    ...(await mqttPublishers(mqtt, context)),
    ...(live === undefined ? [] : [await livePublisher(live, context)]),
  ];
  if (publishers.length === 0) throw new UsageError(NO_PUBLISHER);
  return publishers;
}

/** Each is loaded only where it is used: together they are several megabytes. */
async function mqttPublishers(options: MqttOptions | undefined, context: PublisherContext): Promise<Publisher[]> {
  const { supervisor, scrubber } = context;
  if (options === undefined && supervisor === undefined) return [];
  const { createMqttPublisher } = await import("./mqtt/publisher.ts");
  const published = context.metrics.cell("pawline_publishes_total", { publisher: "mqtt" });
  const cursor = context.cursor("mqtt");
  const create = (chosen: MqttOptions): Publisher => createMqttPublisher(chosen, { ...context, cursor, published });
  if (options !== undefined) return [create(options)];
  if (supervisor === undefined) return [];
  const { createSupervisedPublisher } = await import("./mqtt/supervised.ts");
  // Another way to Home Assistant takes the place of a missing broker as `withoutBroker`.
  return [createSupervisedPublisher({ supervisor, scrubber, create })];
}

async function livePublisher(options: LiveOptions, context: PublisherContext): Promise<Publisher> {
  const { createLivePublisher } = await import("./live/publisher.ts");
  return createLivePublisher(options, context);
}
