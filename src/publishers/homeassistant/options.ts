/** The configuration of the way through Home Assistant's own WebSocket API. */
import { discoveryOptions, topicOption } from "../../discovery/options.ts";
import { address, z } from "../../lib/schema.ts";

export const homeAssistantOptions = z.strictObject({
  url: address("http", "https").describe(
    "Home Assistant's address as in your browser: http://homeassistant.local:8123",
  ),
  token: z
    .string()
    .min(1, "must be a long-lived access token: make one in Home Assistant, at the end of your profile's page Security")
    .meta({ secret: true })
    .describe("Long-lived access token; an administrator's, if Pawline is to use Home Assistant's MQTT"),
  route: z
    .enum(["auto", "mqtt", "mobile_app"])
    .default("auto")
    .describe("Through Home Assistant's MQTT integration (mqtt), as mobile apps (mobile_app), or what is best (auto)"),
  controls: z
    .boolean()
    .default(false)
    .describe(
      "On the route mobile_app: make template helpers that control the collars; needs an administrator's token",
    ),
  ca: z.string().optional().describe("File with the certificate authority of Home Assistant's certificate (PEM)"),
  reject_unauthorized: z
    .boolean()
    .default(true)
    .describe("false accepts any certificate of Home Assistant: for a trial only"),
  // Home Assistant stores 32 KiB of each message, and a description names its topics many times.
  base_topic: topicOption.max(64).default("pawline").describe("On the route mqtt: first part of all our topics"),
  discovery: discoveryOptions.prefault({}).describe("On the route mqtt: Home Assistant's MQTT discovery"),
});

export type HomeAssistantOptions = z.output<typeof homeAssistantOptions>;
