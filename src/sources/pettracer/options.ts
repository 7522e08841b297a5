/** The configuration of a PetTracer account. */
import { address, duration, z } from "../../lib/schema.ts";

const deviceList = z.array(z.union([z.string().min(1), z.number().int()], "must be a device's number or a pet's name"));

export const accountOptions = z.strictObject({
  username: z.string().min(1).describe("E-mail address of the PetTracer account"),
  password: z.string().min(1).meta({ secret: true }).describe("Password of the PetTracer account"),
  portal_url: address("https", "http")
    .default("https://portal.pettracer.com/api")
    .describe("Address of PetTracer's REST service"),
  stream_url: address("wss", "ws").default("wss://pt.pettracer.com/sc").describe("Address of PetTracer's live stream"),
  include: deviceList.default([]).describe("Device numbers or pet names to take; empty = all"),
  exclude: deviceList.default([]).describe("Device numbers or pet names to leave out"),
  refresh: duration("1s", "24h")
    .prefault("15m")
    .describe("How often everything is asked for once more; the live stream brings the news"),
  live_minutes: z
    .number()
    .min(0)
    .max(24 * 60)
    .default(15)
    .describe("Live tracking that was switched on here ends after so many minutes; 0 = never"),
  find_minutes: z
    .number()
    .min(1)
    .max(60)
    .default(3)
    .describe("Find my cat (live, light and buzzer) ends after so many minutes"),
  allow_power_off: z
    .boolean()
    .default(false)
    .describe("true offers a button that switches a collar off: only its charger wakes it again"),
  off_code: z
    .union([z.literal(0), z.literal(2)], "must be 2 or 0")
    .default(2)
    .describe("The number that switches light and buzzer off; `pawline check --commands` finds out which it is"),
  firmware_url: z
    .union([z.literal("off"), address("https", "http")])
    .optional()
    .describe("The maker's list of the newest firmware, or off; asked for once a day"),
});

export type AccountOptions = z.output<typeof accountOptions>;
