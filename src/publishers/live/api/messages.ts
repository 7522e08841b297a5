/** The messages of the WebSocket, version 1: what a client may send, and what it is sent. */
import { z } from "../../../lib/schema.ts";
import { bridge, commandBody, device, errorCode, event, position, SCHEMA_VERSION, scope, stats } from "./schema.ts";

export const requestId = z
  .union([z.int(), z.string().min(1).max(64)], "must be a whole number, or a text of 1 to 64 characters")
  .meta({ id: "RequestId", description: "Chosen by the client; the answer bears it" });
export type RequestId = z.output<typeof requestId>;

const names = z.array(z.string().min(1).max(100)).max(1_000);

const filter = z
  .strictObject({
    devices: names.optional().describe("Only these devices, by id"),
    accounts: names.optional().describe("Only devices of these accounts, by their device ids"),
    sources: names.optional().describe("Only devices of these sources, by their names in the configuration"),
    interval_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .optional()
      .describe("At most one message of each device and topic in this time; the latest wins; events are told all"),
  })
  .meta({ id: "Filter" });
export type Filter = z.output<typeof filter>;

export const subscribe = z
  .strictObject({
    type: z.literal("subscribe"),
    id: requestId,
    topics: z
      .array(z.string().min(1).max(200))
      .min(1)
      .max(100)
      .describe("Patterns; `+` or `*` is one level, `#` the rest"),
    filter: filter.optional(),
    after: z.int().min(0).optional().describe("The last event that was heard of: those after it are told"),
    instance: z.string().max(64).optional().describe("The welcome's `instance` when that event was heard of"),
  })
  .meta({ id: "Subscribe" });

export const unsubscribe = z
  .strictObject({ type: z.literal("unsubscribe"), id: requestId, subscription: z.int() })
  .meta({ id: "Unsubscribe" });

export const command = commandBody
  .extend({ type: z.literal("command"), id: requestId, device: z.string().min(1).max(100) })
  .meta({ id: "SendCommand" });

export const ping = z.strictObject({ type: z.literal("ping"), id: requestId }).meta({ id: "Ping" });
export const askStats = z.strictObject({ type: z.literal("stats"), id: requestId }).meta({ id: "AskStats" });

export const clientMessage = z
  .discriminatedUnion("type", [subscribe, unsubscribe, command, ping, askStats])
  .meta({ id: "ClientMessage" });
export type ClientMessage = z.output<typeof clientMessage>;

const eventNumber = z.number().int().min(0).describe("The number of the last event");

export const welcome = z
  .object({
    type: z.literal("welcome"),
    schema: z.literal(SCHEMA_VERSION),
    version: z.string(),
    instance: z.string().describe("Another one after each start of Pawline"),
    scopes: z.array(scope),
    devices: z.array(z.string()).nullable().describe("The devices that the token is for; null for all"),
    event: eventNumber,
    heartbeat_ms: z.number().int(),
    limits: z.object({
      message_bytes: z.number().int(),
      subscriptions: z.number().int(),
      messages_per_second: z.number(),
      burst: z.number().int(),
    }),
    compression: z.boolean(),
  })
  .meta({ id: "Welcome" });

const snapshot = z
  .object({
    devices: z.array(device).optional(),
    positions: z.record(z.string(), position.nullable()).optional(),
    bridge: bridge.optional(),
  })
  .meta({ id: "Snapshot", description: "What is known now, of what was subscribed to" });

export const subscribed = z
  .object({
    type: z.literal("subscribed"),
    id: requestId,
    subscription: z.number().int(),
    topics: z.array(z.string()),
    snapshot,
    event: eventNumber,
    resumed: z.boolean().optional().describe("Whether `events` holds all that were missed"),
    events: z.array(event).optional(),
  })
  .meta({ id: "Subscribed" });

export const unsubscribed = z
  .object({ type: z.literal("unsubscribed"), id: requestId, subscription: z.number().int() })
  .meta({ id: "Unsubscribed" });

export const pending = z
  .object({
    type: z.literal("pending"),
    id: requestId,
    accepted: z.boolean().describe("Whether the cloud has accepted it"),
    until: z.iso.datetime({ offset: true }).nullable().optional().describe("When the collar should have taken it"),
  })
  .meta({ id: "Pending" });

export const result = z
  .object({ type: z.literal("result"), id: requestId, status: z.literal("done").optional(), stats: stats.optional() })
  .meta({ id: "Result" });

export const failure = z
  .object({
    type: z.literal("error"),
    id: requestId.nullable(),
    code: errorCode,
    message: z.string().describe("A sentence with the remedy"),
    retry_after_ms: z.number().int().optional(),
  })
  .meta({ id: "Error" });

export const pong = z
  .object({ type: z.literal("pong"), id: requestId, at: z.iso.datetime({ offset: true }) })
  .meta({ id: "Pong" });

const deviceChange = z.union([z.object({ device }), z.object({ removed: z.string() })]).meta({ id: "DeviceChange" });

export const message = z
  .object({
    type: z.literal("message"),
    subscription: z.number().int(),
    topic: z.string(),
    data: z.union([deviceChange, position, event, bridge, z.null()]),
  })
  .meta({ id: "Message", description: "News of a topic" });

export const serverMessage = z
  .discriminatedUnion("type", [welcome, subscribed, unsubscribed, pending, result, failure, pong, message])
  .meta({ id: "ServerMessage" });
export type ServerMessage = z.output<typeof serverMessage>;
