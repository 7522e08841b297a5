/** What comes in and is no HTTP, or not within the time: answered where an answer can still be heard. */
import type { Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CountedLog } from "../counted-log.ts";
import type { LiveCounts } from "../counts.ts";
import { send } from "./answer.ts";
import { problemAnswer, RequestError, rawProblem } from "./problem.ts";

export function answerMalformed(
  server: Server,
  { counts, turnedAway }: { readonly counts: LiveCounts; readonly turnedAway: CountedLog },
): void {
  server.on("clientError", (error: Error, socket: Duplex) => {
    const problem = problemOf("code" in error ? error.code : undefined);
    if (problem === undefined || !socket.writable) return void socket.destroy();
    if (!isSpare(socket)) {
      counts.malformed += 1;
      turnedAway.note(problem === TOO_SLOW ? "requests that were never finished" : "requests that made no sense");
    }
    socket.end(rawProblem(problem), () => socket.destroy());
  });
  server.on("checkExpectation", (request, response) => {
    counts.malformed += 1;
    void send(request, response, problemAnswer(EXPECTATION)).catch(() => response.destroy());
  });
}

/** Browsers open a connection more than they need: one that has said nothing is nobody's mistake. */
function isSpare(socket: Duplex): boolean {
  return socket instanceof Socket && socket.bytesRead === 0;
}

/** Undefined where nobody is there to hear of it. */
function problemOf(code: unknown): RequestError | undefined {
  switch (code) {
    case "ECONNRESET":
    case "EPIPE":
      return undefined;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return TOO_SLOW;
    case "HPE_HEADER_OVERFLOW":
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return TOO_MUCH;
    default:
      return NO_HTTP;
  }
}

const TOO_SLOW = new RequestError(
  408,
  "request_timeout",
  "The request did not come to its end in time: send it at once.",
);
const TOO_MUCH = new RequestError(431, "too_large", "The request's headers are too large: 16 kB are the most.");
const NO_HTTP = new RequestError(400, "invalid_request", "This is no HTTP that we understand: send HTTP/1.1.");
const EXPECTATION = new RequestError(417, "invalid_request", "Only “Expect: 100-continue” can be expected here.");
