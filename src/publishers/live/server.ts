/** The HTTP server: opened with a sentence for whatever fails, bounded in time, closed at once. */
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { describeError, RecoverableError } from "../../lib/errors.ts";
import { createServer } from "../../lib/node-http.ts";
import type { LiveOptions } from "./options.ts";

export interface OpenServer {
  /** Rejects when it can serve no longer. */
  readonly failed: Promise<never>;
  /** Closes every connection and frees the port. */
  close(): Promise<void>;
}

const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  // One without it is answered like all the others that make no sense.
  requireHostHeader: false,
  // Who would like HTTP/2 gets HTTP/1.1, as if they had not asked; a Node.js before 24.9 refuses them.
  shouldUpgradeCallback: (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === "websocket",
};
/** So many connections may wait to be taken; Node's own number. */
const USUAL_BACKLOG = 511;
/** A reader that takes nothing for so long is given up, ms. */
export const IDLE_MS = 30_000;

/**
 * @param attach makes it answer
 * @throws RecoverableError with a sentence when it cannot listen there
 */
export async function openServer(options: LiveOptions, attach: (server: Server) => void): Promise<OpenServer> {
  const server = createServer(LIMITS);
  server.setTimeout(IDLE_MS);
  attach(server);
  // After our restart all of them come back at once.
  server.listen({ host: options.host, port: options.port, backlog: Math.max(USUAL_BACKLOG, options.max_connections) });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new RecoverableError(sentenceOf(cause, options));
  }
  return { failed: failureOf(server), close: () => close(server) };
}

/** `http://127.0.0.1:8099` */
export function addressOf({ host, port }: LiveOptions): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function failureOf(server: Server): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    server.on("error", (cause) => reject(new RecoverableError("the live page can be served no longer", { cause })));
  });
  failed.catch(() => {});
  return failed;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function sentenceOf(error: unknown, { host, port }: LiveOptions): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return `port ${port} at ${host} is in use by another program: end that one, or set live.port to another number`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `this computer has no address ${host}: correct live.host`;
    case "EACCES":
      return `port ${port} is not for ordinary users: set live.port to a number above 1023`;
    default:
      return `nothing can be served at ${host}, port ${port} (${describeError(error)}): check live.host and live.port`;
  }
}
