/** The configuration: one schema gives the types, the defaults, the documentation and the environment's names. */
import { LOG_LEVELS } from "../lib/log.ts";
import { duration, durationOrNone, z } from "../lib/schema.ts";
import { homeAssistantOptions } from "../publishers/homeassistant/options.ts";
import { liveOptions } from "../publishers/live/options.ts";
import { mqttOptions } from "../publishers/mqtt/options.ts";
import { accountOptions } from "../sources/pettracer/options.ts";

const homeOptions = z.strictObject({
  prefer: z
    .enum(["station", "gps"])
    .default("station")
    .describe("What says where a cat is while its home station hears it: station or gps"),
  max_accuracy: z
    .number()
    .min(1)
    .max(100_000)
    .default(200)
    .describe("A fix that is less exact than this many metres does not move a cat that has a position"),
  flap_time: duration("0s", "1h")
    .prefault("60s")
    .describe("A cat that comes home and goes again (or the other way round) within this has done so once"),
});

const trackOptions = z.strictObject({
  retention: durationOrNone("1h", "3650d")
    .prefault("30d")
    .describe("How long the positions of each cat are kept in data_dir; 0 keeps none"),
});

const logOptions = z.strictObject({
  level: z.enum(LOG_LEVELS).default("info").describe("trace, debug, info, warn or error"),
  format: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("json (a line each), pretty (for people), or auto: pretty on a terminal"),
});

const entityOptions = z.strictObject({
  exclude: z
    .array(z.string().min(1))
    .default([])
    .describe("Entities that you do not want: keys (signal), or a device and a key (pettracer_14758/signal)"),
});

export const configSchema = z.strictObject({
  pettracer: z
    .array(accountOptions)
    .min(1, "must have at least one account")
    .describe("The PetTracer account, or a list of accounts"),
  mqtt: mqttOptions.optional().describe("The MQTT broker to publish to"),
  home_assistant: homeAssistantOptions.optional().describe("Home Assistant, reached by its own WebSocket API"),
  live: liveOptions.optional().describe("The live page and the live API, health and metrics, by HTTP"),
  home: homeOptions.prefault({}).describe("How positions at home are read"),
  entities: entityOptions.prefault({}).describe("Which entities are published"),
  track: trackOptions.prefault({}).describe("The way that each cat has gone, as it is kept here"),
  log: logOptions.prefault({}).describe("The log, on standard error"),
  data_dir: z.string().min(1).default("./data").describe("Folder for what has to survive a restart"),
});

/** The same as a file may have it: with one account, no list is needed. */
export const fileSchema = configSchema.extend({
  pettracer: z
    .union([accountOptions, configSchema.shape.pettracer])
    .describe("The PetTracer account, or a list of accounts"),
});

export type Config = z.output<typeof configSchema>;
