/** What HTTP asks for and answers, besides the shapes that it shares with the WebSocket. */

import { z } from "../../../lib/schema.ts";
import { LATEST_TIME, parseTime } from "../../../lib/time.ts";
import { ACTIVITY_TYPES } from "../../../model/activity.ts";
import { COMMANDS, device, event, scope } from "./schema.ts";

const name = z.string().min(1).max(100).optional();

export const devicesQuery = z.strictObject({
  account: name.describe("Only devices of this account, by its device id"),
  source: name.describe("Only devices of this source, by its name in the configuration"),
  kind: z.enum(["collar", "home_station", "account"]).optional(),
});

export const devicesAnswer = z.object({ devices: z.array(device) }).meta({ id: "Devices" });

const WHOLE = "must be a whole number";
const count = (most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, WHOLE)
    .transform(Number)
    .pipe(z.int(WHOLE).min(0).max(most, `must be ${most} at most`));

const MOST_EVENTS = 500;
export const eventsQuery = z.strictObject({
  after: count(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("The last event that was heard of: those after it are told"),
  device: name.describe("Only what happened to this device"),
  type: z.enum(ACTIVITY_TYPES).optional(),
  limit: count(MOST_EVENTS).optional().describe("So many at most; without `after` the latest ones"),
});

export const eventsAnswer = z
  .object({
    events: z.array(event).describe("The oldest first"),
    last: z.number().int().min(0).describe("The number of the last event that there is, whoever may see it"),
    missed: z.boolean().describe("Whether some after `after` are not kept any more"),
  })
  .meta({ id: "Events" });

/** In an address a plus is a blank, unless somebody has taken care. */
const time = z
  .string()
  .max(100)
  .transform((text, context) => {
    const at = /^-?\d{1,16}$/.test(text) ? Number(text) : parseTime(text.replace(/ (\d{2}:?\d{2})$/, "+$1"));
    if (at !== undefined && Math.abs(at) <= LATEST_TIME) return at;
    context.addIssue({ code: "custom", message: "must be a time such as 2026-06-01T18:30:00Z, or epoch milliseconds" });
    return z.NEVER;
  });

const TRACK_FORMATS = ["json", "geojson", "gpx"] as const;
export const trackQuery = z.strictObject({
  from: time.optional().describe("The beginning, ISO 8601 or epoch milliseconds; a day before the end without it"),
  to: time.optional().describe("The end; now without it"),
  format: z.enum(TRACK_FORMATS).default("json"),
});

export const commandAnswer = z
  .object({
    status: z.enum(["pending", "done"]).describe("done: the cloud has confirmed it"),
    device: z.string(),
    command: z.enum(COMMANDS),
    value: z.union([z.boolean(), z.string()]).nullable(),
    accepted: z.boolean().describe("Whether the cloud has accepted it; the collar has still to take it"),
    until: z.iso.datetime({ offset: true }).nullable().describe("When the collar should have taken it"),
  })
  .meta({ id: "CommandStatus", description: "What has become of a command" });
export type CommandAnswer = z.output<typeof commandAnswer>;

export const sessionBody = z.strictObject({ token: z.string().min(1).max(200) }).meta({ id: "LogIn" });

export const sessionAnswer = z
  .object({
    kind: z.enum(["ingress", "this_computer", "token", "session"]),
    name: z.string(),
    scopes: z.array(scope),
    devices: z.array(z.string()).nullable().describe("The only devices that it may see; null for all"),
  })
  .meta({ id: "Session", description: "Who is asking, and what they may" });
export type SessionAnswer = z.output<typeof sessionAnswer>;

/** RFC 7946: a point for each fix. */
export const featureCollection = z
  .object({
    type: z.literal("FeatureCollection"),
    features: z.array(
      z.object({
        type: z.literal("Feature"),
        geometry: z.object({ type: z.literal("Point"), coordinates: z.array(z.number()).length(2) }),
        properties: z.object({
          measured_at: z.iso.datetime({ offset: true }),
          accuracy: z.number().nullable(),
          satellites: z.number().int().nullable(),
        }),
      }),
    ),
  })
  .meta({ id: "FeatureCollection" });

export const health = z.object({ status: z.literal("ok") }).meta({ id: "Health" });
export const readiness = z
  .object({
    ready: z.boolean(),
    missing: z.array(z.object({ role: z.enum(["source", "publisher"]), name: z.string(), reason: z.string() })),
  })
  .meta({ id: "Readiness" });
