/** From a request to its answer: who asks, for which path, by which method; and what every answer has in common. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { describeError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { type Audience, refusal } from "./access.ts";
import type { LiveOptions } from "./options.ts";

export interface Answer {
  readonly status?: number;
  /** Media type. */
  readonly type: string;
  readonly body: string;
}

export interface Route {
  readonly audience: Audience;
  answer(request: IncomingMessage): Answer;
}

/**
 * A page is put together from our own files alone; nothing that a pet is called could run in it. Home Assistant shows
 * it in a frame, and from its own origin: nobody else may.
 */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** @param routes by their path, from the server's root */
export function createRouter(routes: ReadonlyMap<string, Route>, options: LiveOptions, log: Logger): RequestListener {
  return (request, response) => {
    try {
      const [path = ""] = (request.url ?? "").split("?");
      send(response, answerTo(request, routes.get(path), options));
    } catch (error) {
      log.error({ err: error }, "live: a request could not be answered (this is a defect; please report it)");
      send(response, text(500, `Something went wrong here: ${describeError(error)}.`));
    }
  };
}

function answerTo(request: IncomingMessage, route: Route | undefined, options: LiveOptions): Answer {
  const refused = refusal(request, options, route?.audience ?? "page");
  if (refused !== undefined) return text(403, refused);
  if (route === undefined) return text(404, "There is nothing here.");
  const isRead = request.method === "GET" || request.method === "HEAD";
  return isRead ? route.answer(request) : text(405, "This can only be read (GET or HEAD).");
}

function text(status: number, body: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}

/** Who is refused something need not stay on the line. */
function send(response: ServerResponse, { status = 200, type, body }: Answer): void {
  response.writeHead(status, {
    ...HEADERS,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    ...(status === 405 && { allow: "GET, HEAD" }),
    ...((status === 403 || status === 405) && { connection: "close" }),
  });
  response.end(body);
}
