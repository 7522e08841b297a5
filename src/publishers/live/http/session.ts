/** `/api/session`: a browser shows its token once, and is known by a cookie from then on. */
import type { IncomingMessage } from "node:http";
import { SESSION_COOKIE } from "../access/credentials.ts";
import type { Access } from "../access.ts";
import { type SessionAnswer, sessionBody } from "../api/requests.ts";
import type { Principal } from "../principal.ts";
import { type Answer, json } from "./answer.ts";
import { readBody } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { RequestError } from "./problem.ts";

const PATH = "/api/session";

export function sessionEndpoints(access: Access): Endpoint[] {
  return [
    { method: "GET", path: PATH, needs: "known", answer: ({ principal }) => json(sessionOf(principal)) },
    { method: "POST", path: PATH, needs: "public", answer: ({ request }) => logIn(request, access) },
    {
      method: "DELETE",
      path: PATH,
      needs: "public",
      answer({ request }) {
        access.logOut(request);
        return { status: 204, headers: { "set-cookie": cookie("", request, 0) } };
      },
    },
  ];
}

async function logIn(request: IncomingMessage, access: Access): Promise<Answer> {
  const { token } = await readBody(request, sessionBody);
  const opened = access.logIn(request, token);
  if ("status" in opened) {
    const { status, code, sentence, ...details } = opened;
    throw new RequestError(status, code, sentence, details);
  }
  return { ...json(sessionOf(opened.principal)), headers: { "set-cookie": cookie(opened.session, request) } };
}

function sessionOf({ kind, name, scopes, devices }: Principal): SessionAnswer {
  return { kind, name, scopes: [...scopes], devices: devices ? [...devices] : null };
}

/** No script can read it, and no other site can have it sent; over plain HTTP, too, since many houses have no TLS. */
function cookie(session: string, { headers }: IncomingMessage, maxAgeS?: number): string {
  const isSecure = headers["x-forwarded-proto"] === "https";
  const parts = [`${SESSION_COOKIE}=${session}`, "Path=/", "HttpOnly", "SameSite=Strict"];
  return [...parts, ...(isSecure ? ["Secure"] : []), ...(maxAgeS === undefined ? [] : [`Max-Age=${maxAgeS}`])].join(
    "; ",
  );
}
