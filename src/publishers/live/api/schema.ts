/**
 * What the live API says, version 1: the shapes that HTTP and WebSocket share. Types, checks and both documents are made
 * from these schemas. JSON in snake case; times are ISO 8601 with offset, what is not known is null. Keys may be added
 * within a version, and are not changed or taken away.
 */
import { z } from "../../../lib/schema.ts";
import { ACTIVITY_TYPES } from "../../../model/activity.ts";
import { SCOPES } from "../../../tokens/token.ts";

export const SCHEMA_VERSION = 1;

/** What went wrong, for programs; the sentence beside it is for people. */
export const ERROR_CODES = [
  "invalid_json",
  "invalid_request",
  "unknown_type",
  "unauthorized",
  "forbidden",
  "forbidden_origin",
  "not_found",
  "unknown_device",
  "unknown_topic",
  "unknown_subscription",
  "too_many_subscriptions",
  "rate_limited",
  "too_large",
  "request_timeout",
  "not_acceptable",
  "method_not_allowed",
  "command_refused",
  "command_failed",
  "unavailable",
  "internal",
] as const;

export const errorCode = z.enum(ERROR_CODES).meta({ id: "ErrorCode", description: "What went wrong" });
export type ErrorCode = z.output<typeof errorCode>;

export const scope = z
  .enum(SCOPES)
  .meta({ id: "Scope", description: "read: may look; control: may send commands, too" });

const time = z.iso.datetime({ offset: true, error: "must be a time such as 2026-06-01T18:30:00+02:00" });
const optionalTime = time.nullable();

const deviceId = z.string().min(1).max(100).describe("The device, as in MQTT topics: `pettracer_14758`");

/** A value of a device's state. */
const stateValue = z.union([z.boolean(), z.number(), z.string(), z.null(), z.array(z.string()).readonly()]);

export const position = z
  .object({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    gps_accuracy: z.number().min(0).nullable().describe("Metres"),
    measured_at: optionalTime.describe("When it was measured, or since when the home station has heard the collar"),
    satellites: z.number().int().min(0).optional(),
    source: z.enum(["gps", "station"]),
  })
  .meta({ id: "Position", description: "Where a pet is shown, or where a home station stands" });
export type ApiPosition = z.output<typeof position>;

export const COMMANDS = ["live", "light", "buzzer", "find", "mode", "power_off"] as const;
const commandName = z.enum(COMMANDS).meta({ id: "CommandName", description: "What can be asked of a collar" });

const commandValue = z.union([z.boolean(), z.string().max(100)]);

const pendingCommand = z
  .object({
    command: z.enum(["mode", "light", "buzzer"]),
    value: commandValue,
    since: time,
    until: time.describe("When the collar should have taken it"),
    accepted: z.boolean().describe("Whether the cloud has accepted it"),
  })
  .meta({ id: "PendingCommand", description: "A command on its way: asked for, and not confirmed yet" });

const offeredCommand = z
  .object({
    command: commandName,
    values: z.array(commandValue).optional().describe("What it may be set to; left out where it takes no value"),
  })
  .meta({ id: "OfferedCommand", description: "A command that this device takes" });

const firmware = z
  .object({
    installed_version: z.string(),
    latest_version: z.string().optional(),
    title: z.string(),
    release_summary: z.string().optional(),
  })
  .meta({ id: "Firmware" });

export const device = z
  .object({
    id: deviceId,
    kind: z.enum(["collar", "home_station", "account"]),
    name: z.string(),
    accounts: z.array(z.string()).describe("The accounts that list it, by their names in the configuration"),
    available: z.boolean().describe("Whether what is told is likely to be true: one of its accounts can be reached"),
    state: z
      .record(z.string(), stateValue)
      .describe("A key for each entity, the same as on the MQTT topic `pawline/<device>/state`; null for unknown"),
    position: position.nullable(),
    color: z
      .string()
      .regex(/^#[0-9a-f]{6}$/)
      .nullable(),
    photo: z.string().nullable().describe("The picture's address, relative to `/api/`"),
    home_station: z.string().nullable().describe("The home station that a collar belongs to, by its id"),
    firmware: firmware.nullable(),
    pending: z.array(pendingCommand),
    commands: z.array(offeredCommand),
  })
  .meta({ id: "Device", description: "A collar with its pet, a home station, or an account" });
export type ApiDevice = z.output<typeof device>;

const component = z
  .object({
    role: z.enum(["source", "publisher"]),
    name: z.string(),
    state: z.enum(["starting", "running", "waiting", "parked"]),
    since: optionalTime,
    error: z.string().nullable().describe("Why it does not run, in a sentence"),
    details: z.record(z.string(), z.string()),
  })
  .meta({ id: "Component", description: "A part of Pawline" });

export const bridge = z
  .object({
    version: z.string(),
    schema: z.literal(SCHEMA_VERSION),
    started: optionalTime,
    healthy: z.boolean().describe("Whether every part does its work"),
    last_error: z.string().nullable(),
    components: z.array(component),
  })
  .meta({ id: "Bridge", description: "Pawline itself" });
export type ApiBridge = z.output<typeof bridge>;

export const event = z
  .object({
    sequence: z.number().int().min(1).describe("Counts up by one, also over restarts"),
    device: deviceId,
    name: z.string().nullable().describe("The pet's name; null when the device is gone"),
    type: z.enum(ACTIVITY_TYPES),
    at: optionalTime,
  })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .meta({ id: "Event", description: "What happened; with what belongs to it, such as `battery` or `reason`" });
export type ApiEvent = z.output<typeof event>;

/** A command as it is asked for. */
export const commandBody = z
  .strictObject({
    command: commandName,
    value: commandValue.optional().describe("true or false for a switch, a name for the mode; nothing for a button"),
  })
  .meta({ id: "Command" });
export type CommandBody = z.output<typeof commandBody>;

export const stats = z
  .object({
    uptime_s: z.number().min(0),
    connections: z.object({
      open: z.number().int().describe("All that are open, HTTP and WebSocket"),
      websocket: z.number().int(),
      most: z.number().int().describe("live.max_connections"),
      refused: z.number().int().describe("Since the start, for being too many"),
    }),
    requests: z.object({
      answered: z.number().int(),
      refused: z.number().int().describe("For want of a token, a scope, or a fitting origin"),
      rate_limited: z.number().int(),
      malformed: z.number().int().describe("What was no HTTP, no JSON, or no request that we know"),
    }),
    websocket: z.object({
      subscriptions: z.number().int(),
      messages_in: z.number().int(),
      messages_out: z.number().int(),
      dropped: z.number().int().describe("Messages that a newer one replaced before a slow reader took them"),
      slow_readers: z.number().int().describe("Put out with close code 1013"),
    }),
    components: z.array(component),
    event_loop: z
      .object({ mean_s: z.number(), p99_s: z.number(), max_s: z.number() })
      .nullable()
      .describe("How late the event loop was, since the start"),
    memory: z.object({ resident_bytes: z.number().int() }).nullable(),
  })
  .meta({ id: "Stats", description: "What the live API has done, and what it takes" });
export type ApiStats = z.output<typeof stats>;

const gap = z.object({ from: time, to: time }).meta({ id: "Gap", description: "A time in which fixes may be missing" });

const fix = z
  .object({
    latitude: z.number(),
    longitude: z.number(),
    gps_accuracy: z.number().nullable().describe("Metres"),
    satellites: z.number().int().nullable(),
    measured_at: time,
  })
  .meta({ id: "Fix" });
export type ApiFix = z.output<typeof fix>;

export const track = z
  .object({
    device: deviceId,
    name: z.string(),
    from: time,
    to: time,
    gaps: z.array(gap),
    fixes: z.array(fix).describe("The oldest first"),
  })
  .meta({ id: "Track", description: "The way that a pet has gone" });
export type ApiTrack = z.output<typeof track>;

/** RFC 9457. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe("A sentence with the remedy"),
    code: errorCode,
    retry_after_s: z.number().min(0).optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "Why a request was not served (RFC 9457)" });
export type Problem = z.output<typeof problem>;
