/** All publishers, by the section of the configuration that they are made from. */

import type { Cursor } from "../discovery/teller.ts";
import type { View } from "../entities/entity.ts";
import { UsageError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
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
}

const NO_PUBLISHER =
  "nowhere to publish to: set mqtt.url to your broker's address, such as mqtt://homeassistant.local:1883 " +
  "(or PAWLINE_MQTT_URL), with mqtt.username and mqtt.password";

/** @throws UsageError when there is none: the program would have nothing to do */
export async function createPublishers(
  { mqtt }: { readonly mqtt?: MqttOptions | undefined },
  context: PublisherContext,
): Promise<Publisher[]> {
  if (mqtt === undefined) throw new UsageError(NO_PUBLISHER);
  const { createMqttPublisher } = await import("./mqtt/publisher.ts");
  return [createMqttPublisher(mqtt, { ...context, cursor: context.cursor("mqtt") })];
}
