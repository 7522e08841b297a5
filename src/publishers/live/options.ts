/** The configuration of the live page and the live API, of health and metrics. */
import { isLoopback } from "../../lib/loopback.ts";
import { address, z } from "../../lib/schema.ts";

const PORT = "must be a port number, 1 to 65535";
const ORIGIN = "must be an origin without a path, such as https://cats.example.com";

const tiles = z.strictObject({
  allowed: z
    .boolean()
    .default(true)
    .describe("false takes the switch for map tiles off the page; they are off anyway until a user wants them"),
  url: address("https", "http")
    .refine((url) => ["{z}", "{x}", "{y}"].every((part) => url.includes(part)), "must contain {z}, {x} and {y}")
    .default("https://tile.openstreetmap.org/{z}/{x}/{y}.png")
    .describe("Where map tiles come from, once a user has switched them on"),
  attribution: z
    .string()
    .max(500)
    .default("© OpenStreetMap contributors")
    .describe("Whom the map names as the source of its tiles"),
});

export const liveOptions = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .default("127.0.0.1")
    .describe("Address to listen at; at another one than this computer's own 127.0.0.1 a token is needed"),
  port: z
    .number()
    .refine((port) => Number.isInteger(port) && port >= 1 && port <= 65_535, PORT)
    .default(8099)
    .describe("Port to listen at"),
  ingress: z
    .boolean()
    .default(false)
    .describe("true serves Home Assistant's Supervisor alone (Ingress); health and metrics also this computer itself"),
  origins: z
    .array(z.string().refine(isOrigin, ORIGIN))
    .default([])
    .describe("Origins of other web pages that may use the API, and names under which a proxy serves it"),
  max_connections: z
    .number()
    .int()
    .min(10)
    .max(10_000)
    .default(1_100)
    .describe("So many connections are held at once, HTTP and WebSocket together"),
  max_connections_per_address: z
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(100)
    .describe("So many of them from one address; this computer and Ingress have as many as there are"),
  tiles: tiles.prefault({}).describe("The map behind the cats"),
});

export type LiveOptions = z.output<typeof liveOptions>;

/** Whether nobody but this computer can get there. */
export function isPrivate({ host }: LiveOptions): boolean {
  return isLoopback(host);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && ["https:", "http:"].includes(new URL(text).protocol) && new URL(text).origin === text;
}
