/** An answer, and how it goes out: with what every answer has in common, and only where the reader has it not yet. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Answer {
  readonly status?: number;
  /** Media type. */
  readonly type?: string;
  /** As a whole, or in pieces, none of which is made before there is room for it. */
  readonly body?: string | Uint8Array | Iterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
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
/** Who is refused something need not stay on the line. */
const LAST_WORDS: ReadonlySet<number> = new Set([400, 401, 403, 405, 408, 413, 415, 429, 431]);

export function json(value: object, status = 200): Answer {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

/** Resolves when the reader has it all; rejects when it could not be made, or was not taken. */
export async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status = 200, type, body = "", headers = {} } = answer;
  const all: Record<string, string | number> = { ...HEADERS, ...(type && { "content-type": type }), ...headers };
  if (LAST_WORDS.has(status)) all.connection = "close";
  if (!isWhole(body)) return await stream(request, response.writeHead(status, all), body);
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (status === 200 && isRead) {
    all.etag ??= entityTag(body);
    if (isKnown(request.headers["if-none-match"], String(all.etag))) return notModified(response, all);
  }
  if (status !== 204) all["content-length"] = Buffer.byteLength(body);
  response.writeHead(status, all).end(body);
}

function notModified(response: ServerResponse, headers: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(headers)) if (name !== "content-type") response.setHeader(name, value);
  response.writeHead(304).end();
}

async function stream(request: IncomingMessage, response: ServerResponse, body: Iterable<string>): Promise<void> {
  if (request.method === "HEAD") return void response.end();
  await pipeline(Readable.from(body, { objectMode: false }), response);
}

function isWhole(body: NonNullable<Answer["body"]>): body is string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array;
}

export function entityTag(body: string | Uint8Array): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
}

/** Whether `If-None-Match` names this one (RFC 9110): by the weak comparison, or by a star. */
export function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  const plain = (one: string): string => one.replace(/^W\//, "");
  return [...header.matchAll(/(?:W\/)?"[^"]*"/g)].some(([one]) => plain(one) === plain(tag));
}
