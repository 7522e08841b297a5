/** How many connections are held: in all, and from each address. One too many is told so, and closed. */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { isLoopback } from "../../../lib/loopback.ts";
import type { CountedLog } from "../counted-log.ts";
import type { LiveCounts } from "../counts.ts";
import type { LiveOptions } from "../options.ts";
import { RequestError } from "./problem.ts";

/** So many that are too many are told so at the same time; those beyond are closed without a word. */
const TOLD_AT_ONCE = 32;
/** One that says nothing is closed after this, ms. */
const TOLD_WITHIN_MS = 2_000;

export interface Connections {
  /** Why this connection is one too many; undefined for those that are not. */
  readonly refusalOf: (request: IncomingMessage) => RequestError | undefined;
}

export function watchConnections(
  server: Server,
  { max_connections: most, max_connections_per_address: mostPerAddress, ingress }: LiveOptions,
  { counts, turnedAway }: { readonly counts: LiveCounts; readonly turnedAway: CountedLog },
): Connections {
  const byAddress = new Map<string, number>();
  const refused = new WeakMap<Socket, RequestError>();
  server.maxConnections = most + TOLD_AT_ONCE;

  function refusal(address: string): RequestError | undefined {
    if (counts.openConnections >= most) return TOO_MANY;
    // Behind Ingress, or a proxy on this computer, everybody has one address.
    if (ingress || isLoopback(address)) return undefined;
    return (byAddress.get(address) ?? 0) >= mostPerAddress ? TOO_MANY_FROM_THERE : undefined;
  }

  function hold(socket: Socket, address: string): void {
    counts.openConnections += 1;
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    socket.once("close", () => {
      counts.openConnections -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    });
  }

  server.on("connection", (socket) => {
    const address = (socket.remoteAddress ?? "").replace(/^::ffff:/i, "");
    const error = refusal(address);
    if (error === undefined) return hold(socket, address);
    refused.set(socket, error);
    counts.refusedConnections += 1;
    turnedAway.note("connections beyond the limit");
    socket.setTimeout(TOLD_WITHIN_MS, () => socket.destroy());
  });
  server.on("drop", () => {
    counts.refusedConnections += 1;
    turnedAway.note("connections beyond the limit");
  });
  return { refusalOf: ({ socket }) => refused.get(socket) };
}

const RETRY_AFTER_MS = 10_000;
const TOO_MANY = new RequestError(
  503,
  "unavailable",
  "There are too many connections (live.max_connections): close some, or wait as long as Retry-After says.",
  { retryAfterMs: RETRY_AFTER_MS, headers: { connection: "close" } },
);
const TOO_MANY_FROM_THERE = new RequestError(
  429,
  "rate_limited",
  "There are too many connections from this address (live.max_connections_per_address): close some.",
  { retryAfterMs: RETRY_AFTER_MS },
);
