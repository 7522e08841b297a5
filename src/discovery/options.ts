/** The configuration of MQTT discovery, the same for every way to the broker. */
import { z } from "../lib/schema.ts";

export const topicOption = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) => !/[#+\p{Cc}]|^\/|\/$/u.test(text),
    "must be a topic without # and +, and no slash at its start or end",
  );

export const discoveryOptions = z.strictObject({
  mode: z
    .enum(["device", "component", "off"])
    .default("device")
    .describe(
      "How entities are announced: device (one message per device), component (one per entity, for hubs that do not " +
        "know the former), or off for those who read the topics by hand",
    ),
  prefix: topicOption.default("homeassistant").describe("Discovery prefix, as set in Home Assistant's MQTT options"),
  status_topic: topicOption
    .default("homeassistant/status")
    .describe("Where Home Assistant says that it has started (its birth message)"),
});
