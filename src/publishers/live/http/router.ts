/** From a request to its answer: who asks, for which path, by which method, and how often. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createBuckets } from "../../../lib/bucket.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Scope } from "../../../tokens/token.ts";
import { clientOf } from "../access/where.ts";
import type { Access, Refusal } from "../access.ts";
import type { CountedLog } from "../counted-log.ts";
import type { LiveCounts } from "../counts.ts";
import type { LiveOptions } from "../options.ts";
import type { Principal } from "../principal.ts";
import { type Answer, send } from "./answer.ts";
import { corsHeaders, preflightAnswer } from "./cors.ts";
import { createMatcher, type Endpoint, type Match } from "./endpoint.ts";
import { problemAnswer, RequestError } from "./problem.ts";

interface Context {
  readonly options: LiveOptions;
  readonly access: Access;
  readonly counts: LiveCounts;
  readonly turnedAway: CountedLog;
  readonly log: Logger;
  /** Why this connection is one too many; undefined for those that are not. */
  readonly refusalOfConnection: (request: IncomingMessage) => RequestError | undefined;
}

/** The page of a house with two hundred cats asks for all their pictures at once. */
const RATE = { perSecond: 50, burst: 500 };
const MOST_NAMES = 2_000;

export function createRouter(endpoints: readonly Endpoint[], context: Context): RequestListener {
  const { options, access, counts, turnedAway, log } = context;
  const match = createMatcher(endpoints);
  const bucketOf = createBuckets(RATE, MOST_NAMES);

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const refused = context.refusalOfConnection(request);
    if (refused !== undefined) throw refused;
    if (request.headers.host === undefined && request.httpVersion === "1.1") throw NO_HOST;
    const [path = ""] = (request.url ?? "").split("?");
    const found = match(path);
    if (found === undefined) refuse(access.refusalOfPlace(request));
    return preflightAnswer(request, options) ?? (await answerAt(request, found ?? NOTHING));
  }

  async function answerAt(request: IncomingMessage, { endpoints: here, params }: Match): Promise<Answer> {
    const endpoint = here.find(({ method }) => method === (request.method === "HEAD" ? "GET" : request.method));
    // Who may not come in is not told what there would be.
    const guard = endpoint ?? here[0];
    const principal = guard && admit(guard, request);
    // Or a program that asks too much would make us look sick.
    if (guard?.needs !== "watch") limit(principal, request);
    if (here.length === 0) throw NOT_THERE;
    if (endpoint === undefined) throw methodNotAllowed(here);
    if (endpoint.method !== "GET") refuse(access.refusalOfOrigin(request));
    if (!isGuarded(endpoint)) return await endpoint.answer({ request, params });
    if (principal === undefined) throw new TypeError("an endpoint with a guard has no principal");
    return await endpoint.answer({ request, params, principal });
  }

  /** @returns who it is, where that matters */
  function admit(endpoint: Endpoint, request: IncomingMessage): Principal | undefined {
    const isWatcher = access.mayWatch(request);
    if (endpoint.needs === "watch" && (isWatcher || !options.ingress)) return undefined;
    if (endpoint.needs === "metrics" && isWatcher) return undefined;
    if (!isGuarded(endpoint) && endpoint.needs !== "metrics") return refuse(access.refusalOfPlace(request));
    return allowed(access.principalOf(request), endpoint.needs);
  }

  function limit(principal: Principal | undefined, request: IncomingMessage): void {
    const name = principal?.tokenId ?? clientOf(request);
    const retryAfterMs = bucketOf(name).take();
    if (retryAfterMs > 0) throw tooMany(retryAfterMs);
  }

  function note({ status, code }: RequestError): void {
    if (status === 429) {
      counts.rateLimited += 1;
      turnedAway.note("requests that came too fast");
    } else if (status === 401 || status === 403) {
      counts.refused += 1;
      turnedAway.note(REFUSED[code] ?? "requests of somebody who may not");
    } else if (MALFORMED.has(status)) {
      counts.malformed += 1;
      turnedAway.note("requests that made no sense");
    }
  }

  /** @throws what went wrong where nobody is there to hear of it */
  function answerFor(error: unknown, request: IncomingMessage): Answer {
    if (error instanceof RequestError) {
      note(error);
      return problemAnswer(error);
    }
    // Whoever hangs up in the middle of it is no defect of ours.
    if (request.destroyed && !request.complete) throw error;
    log.error({ err: error }, "live: a request could not be answered (this is a defect; please report it)");
    return problemAnswer(DEFECT);
  }

  return (request, response) => {
    counts.answered += 1;
    void respond(request, response);
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await answerTo(request).catch((error: unknown) => answerFor(error, request));
      await send(request, response, { ...answer, headers: { ...answer.headers, ...corsHeaders(request, options) } });
    } catch (error) {
      // Half of an answer is out, or its reader has gone.
      log.debug({ err: error }, "live: an answer could not be sent to its end");
      response.destroy();
    }
  }
}

const NOTHING: Match = { endpoints: [], params: {} };

function isGuarded(endpoint: Endpoint): endpoint is Extract<Endpoint, { needs: "known" | Scope }> {
  return endpoint.needs === "known" || endpoint.needs === "read" || endpoint.needs === "control";
}

function allowed(asking: Principal | Refusal, needs: Endpoint["needs"]): Principal {
  if ("status" in asking) throw errorOf(asking);
  const scope = needs === "metrics" ? "read" : needs;
  if ((scope === "read" || scope === "control") && !asking.scopes.has(scope)) throw missingScope(scope);
  return asking;
}

function refuse(refusal: Refusal | undefined): undefined {
  if (refusal !== undefined) throw errorOf(refusal);
}

function errorOf({ status, code, sentence, ...details }: Refusal): RequestError {
  return new RequestError(status, code, sentence, details);
}

function methodNotAllowed(here: readonly Endpoint[]): RequestError {
  const methods = here.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const sentence = `This can be asked for by ${methods.join(", ")} alone.`;
  return new RequestError(405, "method_not_allowed", sentence, { headers: { allow: methods.join(", ") } });
}

function missingScope(scope: Scope): RequestError {
  const sentence = `This token may not do that: it has not the scope ${scope}. Make one with “pawline token create --scope ${scope}”.`;
  return new RequestError(403, "forbidden", sentence);
}

function tooMany(retryAfterMs: number): RequestError {
  const sentence = "There were too many requests: wait as long as Retry-After says.";
  return new RequestError(429, "rate_limited", sentence, { retryAfterMs });
}

/** Those that are no proper requests at all. */
const MALFORMED: ReadonlySet<number> = new Set([400, 405, 408, 413, 415, 417, 431]);
const REFUSED: Readonly<Record<string, string>> = {
  unauthorized: "requests without a right token",
  forbidden_origin: "requests of pages of another origin",
};
const NO_HOST = new RequestError(400, "invalid_request", "The request has no Host header: send one.");
const NOT_THERE = new RequestError(404, "not_found", "There is nothing here: /api/openapi.json tells what there is.");
const DEFECT = new RequestError(500, "internal", "Something went wrong here; Pawline's log tells what.");
