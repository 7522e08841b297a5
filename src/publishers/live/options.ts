/** The configuration of the status page, of health and metrics. */
import { isLoopback } from "../../lib/loopback.ts";
import { z } from "../../lib/schema.ts";

const PORT = "must be a port number, 1 to 65535";

export const liveOptions = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .default("127.0.0.1")
      .describe("Address to listen at; another one than this computer's own 127.0.0.1 only together with ingress"),
    port: z
      .number()
      .refine((port) => Number.isInteger(port) && port >= 1 && port <= 65_535, PORT)
      .default(8099)
      .describe("Port to listen at"),
    ingress: z
      .boolean()
      .default(false)
      .describe(
        "true serves Home Assistant's Supervisor alone (Ingress); health and metrics also this computer itself",
      ),
  })
  .refine(({ host, ingress }) => ingress || isLoopback(host), {
    path: ["host"],
    message:
      "must be 127.0.0.1, ::1 or localhost: at another address the page would be open to everybody in your network " +
      "(only with live.ingress: true, which serves Home Assistant's Supervisor alone, it may be another one)",
  });

export type LiveOptions = z.output<typeof liveOptions>;
