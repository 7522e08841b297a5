/** The configuration of the MQTT publisher. */
import { discoveryOptions, topicOption } from "../../discovery/options.ts";
import { address, z } from "../../lib/schema.ts";

export const mqttOptions = z.strictObject({
  url: address("mqtt", "mqtts", "ws", "wss").describe("The broker: mqtt://host:1883, mqtts://, ws:// or wss://"),
  username: z.string().optional().describe("Name of the broker's user"),
  password: z.string().optional().meta({ secret: true }).describe("Password of the broker's user"),
  ca: z.string().optional().describe("File with the certificate authority of the broker's certificate (PEM)"),
  cert: z.string().optional().describe("File with our certificate, for brokers that ask for one (PEM)"),
  key: z.string().optional().describe("File with the key of our certificate (PEM)"),
  reject_unauthorized: z
    .boolean()
    .default(true)
    .describe("false accepts any certificate of the broker: for a trial only"),
  client_id: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("MQTT client id, one of its own for each program; default: pawline- and a random part, kept in data_dir"),
  protocol_version: z
    .union([z.literal(4), z.literal(5)], "must be 4 (MQTT 3.1.1) or 5")
    .default(4)
    .describe("4 (MQTT 3.1.1) or 5"),
  qos: z
    .union([z.literal(0), z.literal(1), z.literal(2)], "must be 0, 1 or 2")
    .default(1)
    .describe("Quality of service of states and positions; discovery and the bridge's state always use 1"),
  base_topic: topicOption.default("pawline").describe("First part of all our topics"),
  discovery: discoveryOptions.prefault({}).describe("Home Assistant's MQTT discovery"),
});

export type MqttOptions = z.output<typeof mqttOptions>;
