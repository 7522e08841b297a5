/** Web pages of other origins that the configuration lets in: the browser wants to be told so. */
import type { IncomingMessage } from "node:http";
import { isListed } from "../access/origin.ts";
import type { LiveOptions } from "../options.ts";
import type { Answer } from "./answer.ts";

/** Empty for all who are not listed. */
export function corsHeaders({ headers }: IncomingMessage, { origins }: LiveOptions): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !isListed(origin, origins)) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "etag, retry-after, preference-applied, content-disposition",
    "cross-origin-resource-policy": "cross-origin",
    vary: "origin",
  };
}

/** What a browser asks before it asks; undefined where it is none of those, or nobody who is listed. */
export function preflightAnswer(request: IncomingMessage, options: LiveOptions): Answer | undefined {
  const allowed = corsHeaders(request, options);
  if (request.method !== "OPTIONS" || !("vary" in allowed)) return undefined;
  return {
    status: 204,
    headers: {
      ...allowed,
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": "authorization, content-type, if-none-match, prefer",
      "access-control-max-age": "600",
    },
  };
}
