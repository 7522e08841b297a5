/** The way from a request to a WebSocket: who may not have one gets an answer of HTTP, and the line is closed. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "../../lib/log.ts";
import type { Access, Refusal } from "./access.ts";
import type { CountedLog } from "./counted-log.ts";
import type { LiveCounts } from "./counts.ts";
import { RequestError, rawProblem } from "./http/problem.ts";
import type { Principal } from "./principal.ts";

/** Speaks WebSocket with whoever has passed. */
export type Admit = (request: IncomingMessage, socket: Duplex, head: Buffer, principal: Principal) => void;

interface Context {
  readonly access: Access;
  readonly counts: LiveCounts;
  readonly turnedAway: CountedLog;
  readonly log: Logger;
  /** Why this connection is one too many; undefined for those that are not. */
  readonly refusalOfConnection: (request: IncomingMessage) => RequestError | undefined;
}

const SOCKET_PATH = "/api/ws";

export function admitSockets(server: Server, context: Context, admit: Admit): void {
  const { counts, turnedAway, log } = context;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Whoever hangs up in the middle of it is no defect of ours.
    socket.on("error", () => socket.destroy());
    try {
      admit(request, socket, head, principalOf(request, context));
    } catch (error) {
      const isRefused = error instanceof RequestError;
      if (!isRefused) log.error({ err: error }, "live: a WebSocket failed (this is a defect; please report it)");
      counts.refused += 1;
      turnedAway.note("WebSockets of somebody who may not");
      socket.end(rawProblem(isRefused ? error : DEFECT), () => socket.destroy());
    }
  });
}

/** @throws RequestError for whoever may not have a WebSocket, or not here */
function principalOf(request: IncomingMessage, { access, refusalOfConnection }: Context): Principal {
  const refused = refusalOfConnection(request);
  if (refused !== undefined) throw refused;
  const [path] = (request.url ?? "").split("?");
  if (path !== SOCKET_PATH || request.headers.upgrade?.toLowerCase() !== "websocket") throw NOT_THERE;
  // First, or a page of somebody else's could use up the tries that its reader has.
  const refusal = access.refusalOfOrigin(request);
  if (refusal !== undefined) throw errorOf(refusal);
  const principal = access.principalOf(request);
  if ("status" in principal) throw errorOf(principal);
  return principal;
}

function errorOf({ status, code, sentence, ...details }: Refusal): RequestError {
  return new RequestError(status, code, sentence, details);
}

const NOT_THERE = new RequestError(404, "not_found", `There is no WebSocket here: it is at ${SOCKET_PATH}.`);
const DEFECT = new RequestError(500, "internal", "Something went wrong here; Pawline's log tells what.");
