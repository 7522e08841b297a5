/** Why a request was not served, as RFC 9457 has it: for programs a code, for people a sentence with the remedy. */
import { STATUS_CODES } from "node:http";
import type { ErrorCode, Problem } from "../api/schema.ts";
import type { Answer } from "./answer.ts";

interface Details {
  /** How long to wait before it is worth another try, ms. */
  readonly retryAfterMs?: number;
  /** What is wrong with each part of the request. */
  readonly errors?: Problem["errors"];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown wherever it is found out; the router makes an answer of it. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(status: number, code: ErrorCode, sentence: string, details: Details = {}) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export function problemAnswer({ status, code, message, details }: RequestError): Answer {
  const { retryAfterMs, errors, headers } = details;
  const retryAfterS = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const problem: Problem = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: message,
    code,
    ...(retryAfterS !== undefined && { retry_after_s: retryAfterS }),
    ...(errors && { errors }),
  };
  return {
    status,
    type: "application/problem+json; charset=utf-8",
    body: `${JSON.stringify(problem)}\n`,
    headers: {
      ...headers,
      ...(status === 401 && { "www-authenticate": 'Bearer realm="Pawline"' }),
      ...(retryAfterS !== undefined && { "retry-after": String(retryAfterS) }),
    },
  };
}

/** The same for a connection that never became a request. */
export function rawProblem(error: RequestError): string {
  const { body, type, headers = {} } = problemAnswer(error);
  const text = typeof body === "string" ? body : "";
  const lines = Object.entries({
    ...headers,
    "content-type": type ?? "",
    "content-length": String(Buffer.byteLength(text)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}\r\n${lines.join("")}\r\n${text}`;
}
