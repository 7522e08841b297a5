/** What a request shows for itself: a token in a header, in a WebSocket's subprotocols, or a session's cookie. */
import type { IncomingHttpHeaders } from "node:http";

export const SESSION_COOKIE = "pawline_session";
const SUBPROTOCOL = "pawline.token.";

/** Undefined where none is shown. */
export function tokenShown({ authorization, ...headers }: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^bearer +([^\s]+) *$/i.exec(authorization ?? "") ?? [];
  if (bearer !== undefined) return bearer;
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  return offered.find((name) => name.startsWith(SUBPROTOCOL))?.slice(SUBPROTOCOL.length);
}

/** The value of the session's cookie; undefined without one. Of two with the same name the first one counts (RFC 6265). */
export function sessionShown({ cookie = "" }: IncomingHttpHeaders): string | undefined {
  for (const pair of cookie.split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === SESSION_COOKIE && value !== undefined && value !== "") return value.replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

const QUERY_NAMES = new Set(["token", "access_token", "api_key", "authorization", "auth"]);

/** Whether somebody wrote a token into the address, where logs, histories and proxies would keep it. */
export function isTokenInAddress(url: string): boolean {
  const query = url.split("?").slice(1).join("?");
  if (query === "") return false;
  return [...new URLSearchParams(query)].some(
    ([name, value]) => QUERY_NAMES.has(name.toLowerCase()) || /^pawline_[\w-]{43}$/.test(value),
  );
}
