/**
 * One HTTP request, bounded in time and size. By Node's own client: `fetch` would take 12 MB of memory for a request
 * every few minutes.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { describeError, RecoverableError } from "./errors.ts";
import type { TlsOptions } from "./tls.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** How long the other side asks us to wait, ms. */
  readonly retryAfterMs: number | undefined;
}

interface Request {
  readonly signal: AbortSignal;
  readonly token?: string;
  /** Sent as JSON by POST. */
  readonly body?: object;
  /** By default POST with a body, and GET without one. */
  readonly method?: "DELETE";
  /** Called when a connection is there: from then on the other side may have heard of the request. */
  readonly onConnect?: () => void;
  /** Whom an https address has to prove itself to. */
  readonly tls?: TlsOptions;
}

const TIMEOUT_MS = 15_000;
const LARGEST_BYTES = 16 * 1024 * 1024;

/**
 * Any answer, whatever its status; a redirect is an answer, too: the password must not follow it.
 * @throws RecoverableError when the other side cannot be reached or says too much
 */
export async function request(url: string, options: Request): Promise<HttpAnswer> {
  const { host } = new URL(url);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  try {
    const response = await send(url, options, AbortSignal.any([options.signal, timeout.signal]));
    const bytes = await readBody(response, host);
    return { status: response.statusCode ?? 0, bytes, retryAfterMs: retryAfter(response) };
  } catch (cause) {
    if (cause instanceof RecoverableError) throw cause;
    if (timeout.signal.aborted) throw new RecoverableError(`${host} did not answer within ${TIMEOUT_MS / 1000} s`);
    throw new RecoverableError(`${host} cannot be reached: ${describeError(cause)}`);
  } finally {
    clearTimeout(timer);
  }
}

function send(
  url: string,
  { token, body, method, onConnect, tls }: Request,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    ...(text !== undefined && { "content-length": Buffer.byteLength(text) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    // A connection of its own: one that was kept may have died in the minutes since the last request.
    const how = {
      method: method ?? (text === undefined ? "GET" : "POST"),
      headers,
      agent: false,
      signal,
      ...tls,
    } as const;
    const call = start(url, how, resolve);
    if (onConnect) call.on("socket", (socket) => socket.once("connect", onConnect));
    call.on("error", reject);
    call.end(text);
  });
}

async function readBody(response: IncomingMessage, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.byteLength;
    if (bytes > LARGEST_BYTES) throw new RecoverableError(`${host} sent more than 16 MB`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

/** `Retry-After` in seconds or as a date, at most an hour. */
function retryAfter({ headers }: IncomingMessage): number | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 3_600_000) : undefined;
}

/** The answer itself. @throws RecoverableError with a sentence when its status is no success */
export function succeeded(answer: HttpAnswer, what: string): HttpAnswer {
  const { status, retryAfterMs } = answer;
  if (status >= 200 && status <= 299) return answer;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new RecoverableError(`${what} was an error (HTTP ${status}${MEANING[status] ?? ""})`, wait);
}

/** The body as JSON. @throws RecoverableError with a sentence when the status is no success, or the body no JSON */
export function readJson(answer: HttpAnswer, what: string): unknown {
  const body = answer.bytes.toString("utf8");
  succeeded(answer, what);
  try {
    return JSON.parse(body);
  } catch {
    // What it is instead may hold anything: it is not repeated.
    const kind = body.trimStart().startsWith("<") ? "a web page" : `${body.length} characters of something else`;
    throw new RecoverableError(`${what} was no JSON, but ${kind}`);
  }
}

const MEANING: Readonly<Record<number, string>> = {
  401: ", the token was refused",
  429: ", too many requests",
  500: ", the cloud has a problem",
  503: ", the cloud is out of service",
};
