/**
 * The WebSocket API. A connection is handed over when it is known who is asking; from then on it greets, answers, and
 * tells what changes, until one of both sides closes.
 */
import { randomBytes } from "node:crypto";
import { type ServerOptions, WebSocketServer } from "ws";
import type { View } from "../../../entities/entity.ts";
import { monotonicMs, sleep } from "../../../lib/clock.ts";
import type { Feed } from "../../publisher.ts";
import { RequestError, rawProblem } from "../http/problem.ts";
import type { Admit } from "../upgrade.ts";
import { Client } from "./client.ts";
import { Hub } from "./hub.ts";
import { CLOSE, LIMITS, type Limits } from "./limits.ts";
import type { Services } from "./services.ts";

export interface SocketServer {
  readonly admit: Admit;
  /** Rejects when it can tell no longer what changes; its clients were told. */
  readonly failed: Promise<never>;
  /** Says goodbye to everybody, and returns when they have gone. */
  close(): Promise<void>;
}

interface Context extends Pick<Services, "counts" | "turnedAway" | "log" | "access" | "stats"> {
  readonly feed: Feed;
  readonly preferredPosition: View["preferredPosition"];
  readonly limits?: Limits;
}

/** For the life of the program: the numbers of events go on when the configuration is read again. */
const INSTANCE = randomBytes(8).toString("hex");

/** The protocol that is spoken; a token may be offered beside it, and is never given back. */
const PROTOCOL = "pawline.v1";

export function createSocketServer({ feed, preferredPosition, limits = LIMITS, ...shared }: Context): SocketServer {
  const hub = new Hub(feed, preferredPosition);
  const bridge = feed.state.get("bridge");
  const services: Services = {
    ...shared,
    hub,
    limits,
    request: (device, request) => feed.request(device, request),
    instance: INSTANCE,
    startedAt: bridge?.kind === "bridge" ? bridge.startedAt : Date.now(),
  };
  const clients = new Set<Client>();
  const server = openServer(limits);
  server.on("wsClientError", (_, socket) => {
    services.counts.malformed += 1;
    services.turnedAway.note("handshakes that were no WebSocket's");
    socket.end(rawProblem(NO_HANDSHAKE), () => socket.destroy());
  });
  const stop = new AbortController();
  services.access.onChange(() => {
    for (const client of clients) client.checkToken();
  }, stop.signal);
  const looking = setInterval(() => {
    const now = monotonicMs();
    for (const client of clients) client.look(now);
  }, limits.lookMs);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  hub.run(stop.signal).catch((error: unknown) => {
    for (const client of clients) client.end(CLOSE.failed, "something went wrong in Pawline");
    reject(error);
  });

  return {
    failed,
    admit(request, socket, head, principal) {
      server.handleUpgrade(request, socket, head, (ws) => {
        const client = new Client(ws, socket, principal, services);
        clients.add(client);
        services.counts.openSockets += 1;
        ws.on("close", () => {
          clients.delete(client);
          services.counts.openSockets -= 1;
        });
      });
    },
    async close() {
      stop.abort();
      clearInterval(looking);
      for (const client of clients) client.end(CLOSE.restart, "Pawline is going away, or starting again");
      await haveGone(clients, limits.lastGoodbyeMs);
    },
  };
}

const NO_HANDSHAKE = new RequestError(
  400,
  "invalid_request",
  "This is no handshake of a WebSocket: send GET with a Sec-WebSocket-Key, and Sec-WebSocket-Version: 13.",
  { headers: { "sec-websocket-version": "13" } },
);

/** Compressed for those that offer it, in little memory: each message by itself, and only what is worth it. */
function openServer({ messageBytes, goodbyeMs }: Limits): WebSocketServer {
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    // Ours counts them.
    autoPong: false,
    maxPayload: messageBytes,
    maxFragments: 64,
    closeTimeout: goodbyeMs,
    handleProtocols: (offered) => offered.has(PROTOCOL) && PROTOCOL,
    perMessageDeflate: {
      threshold: 1_024,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 12,
      zlibDeflateOptions: { memLevel: 5, level: 3 },
      concurrencyLimit: 4,
    },
  };
  return new WebSocketServer(options);
}

/** Those who do not answer the goodbye are cut off. */
async function haveGone(clients: ReadonlySet<Client>, patienceMs: number): Promise<void> {
  await areGone(clients, patienceMs);
  for (const client of clients) client.cut();
  await areGone(clients, patienceMs);
}

/** A goodbye takes a moment; nobody waits longer for it than this, ms. */
const LOOK_MS = 5;

async function areGone(clients: ReadonlySet<Client>, patienceMs: number): Promise<void> {
  const endAt = monotonicMs() + patienceMs;
  while (clients.size > 0 && monotonicMs() < endAt) await sleep(LOOK_MS);
}
