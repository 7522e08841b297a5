/**
 * One HTTP request, bounded in time and size. No compression is offered, and none is undone: what arrives is as large as
 * what it holds. By Node's own client: `fetch` would take 12 MB of memory for a request
 * every few minutes.
 */
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { describeError, RecoverableError } from "./errors.ts";
import { request as httpRequest } from "./node-http.ts";
import { certificateTrouble, type TlsOptions } from "./tls.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** How far our clock is ahead of the other side's, ms, to the second; undefined where it does not tell the time. */
  readonly aheadMs?: number | undefined;
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
  /** How long the other side may say nothing, ms. */
  readonly timeoutMs?: number;
  /** The largest body that is taken; default 16 MB. */
  readonly largestBytes?: number;
  /** Whom an https address has to prove itself to. */
  readonly tls?: TlsOptions;
}

/** Without a byte; a line that is slow takes longer for all of an answer, ms. */
const TIMEOUT_MS = 15_000;
const LONGEST_MS = 180_000;
const MEGABYTE = 1024 * 1024;
const LARGEST_BYTES = 16 * MEGABYTE;

/** There was no answer: the network may be away. */
export class Unreachable extends RecoverableError {}

/**
 * Any answer, whatever its status; a redirect is an answer, too: the password must not follow it.
 * @throws RecoverableError when the other side says too much; Unreachable when it cannot be reached
 */
export async function request(url: string, options: Request): Promise<HttpAnswer> {
  const { host } = new URL(url);
  const patience = createPatience(options.timeoutMs);
  try {
    const response = await send(url, options, AbortSignal.any([options.signal, patience.signal]));
    const at = dateOf(response.headers);
    const aheadMs = at === undefined ? undefined : Date.now() - at;
    const largestBytes = options.largestBytes ?? LARGEST_BYTES;
    const bytes = await readBody(response, host, largestBytes, () => patience.goOn());
    const { statusCode: status = 0, headers } = response;
    return { status, bytes, aheadMs, retryAfterMs: retryAfter(headers) };
  } catch (cause) {
    if (cause instanceof RecoverableError) throw cause;
    const sentence = patience.over();
    if (sentence !== undefined) throw new Unreachable(`${host} ${sentence}`);
    throw new Unreachable(`${host} cannot be reached: ${certificateTrouble(cause) ?? describeError(cause)}`);
  } finally {
    patience.end();
  }
}

/** Is over when nothing has come for too long, or when all of it takes too long. */
function createPatience(silenceMs = TIMEOUT_MS) {
  const over = new AbortController();
  let why: string | undefined;
  const giveUp = (sentence: string): void => {
    why ??= sentence;
    over.abort();
  };
  const silent = (): void => giveUp(`did not answer within ${silenceMs / 1000} s`);
  const longest = setTimeout(() => giveUp(`needed more than ${LONGEST_MS / 60_000} min for an answer`), LONGEST_MS);
  let timer = setTimeout(silent, silenceMs);
  return {
    signal: over.signal,
    /** Why it is over, where it is. */
    over: () => why,
    /** Something has come. */
    goOn() {
      clearTimeout(timer);
      timer = setTimeout(silent, silenceMs);
    },
    end() {
      clearTimeout(timer);
      clearTimeout(longest);
    },
  };
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

async function readBody(
  response: IncomingMessage,
  host: string,
  largestBytes: number,
  onBytes: () => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    onBytes();
    const part = Buffer.from(chunk);
    bytes += part.byteLength;
    if (bytes > largestBytes) throw new RecoverableError(`${host} sent more than ${largestBytes / MEGABYTE} MB`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

/** `Retry-After` in seconds, or as a date by the other side's own clock; ms, at most an hour. */
export function retryAfter(headers: IncomingMessage["headers"]): number | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - (dateOf(headers) ?? Date.now());
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 3_600_000) : undefined;
}

function dateOf(headers: IncomingMessage["headers"]): number | undefined {
  return Date.parse(headers.date ?? "") || undefined;
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
  403: ", it is not allowed",
  429: ", too many requests",
  500: ", the cloud has a problem",
  503: ", the cloud is out of service",
};
