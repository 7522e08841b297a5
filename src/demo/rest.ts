/** HTTP around the portal's REST calls: bodies, bearer tokens, faults, answers, and a record of every call. */
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { CommandDesk } from "./commands.ts";
import { type AnswerMode, answerModeOf, type FaultState, passage } from "./fault-state.ts";
import { isFields, parseJson } from "./json.ts";
import { type Answer, answerCall, login } from "./routes.ts";
import { cloudTime } from "./time.ts";
import { accountByToken, type World } from "./world.ts";

/** One REST call that reached the cloud. */
export interface Call {
  readonly method: string;
  /** Below `/api`, without the query: `/map/getccs`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The JSON body, or its text where it is no JSON, or undefined where there was none. */
  readonly body: unknown;
  /** Epoch ms at which the call was read. */
  readonly at: number;
  /** The account that the call named: by its token, or as a login. */
  readonly login: string | undefined;
  /** 0 until it is answered. */
  status: number;
  /** The connection ended before the call was answered. */
  abandoned: boolean;
}

const callsKept = 10_000;
const largestBodyBytes = 1024 * 1024;
const jsonType = "application/json;charset=UTF-8";

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > largestBodyBytes) throw new Error("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function sendAnswer(response: ServerResponse, path: string, answer: Answer): void {
  if ("json" in answer) send(response, 200, jsonType, JSON.stringify(answer.json));
  else if ("bytes" in answer) send(response, 200, answer.type, answer.bytes);
  else if (answer.status === 200) send(response, 200, jsonType, "");
  else sendRefusal(response, answer.status, path);
}

function sendRefusal(response: ServerResponse, status: number, path: string): void {
  const error = { timestamp: cloudTime(), status, error: STATUS_CODES[status] ?? "Error", path: `/api${path}` };
  send(response, status, jsonType, JSON.stringify(error));
}

/** Answers as the fault says; true where it did, so that nothing else may answer. */
function sendFault(response: ServerResponse, path: string, mode: AnswerMode): boolean {
  if (mode === "ok") return false;
  if (mode === "hang") return true;
  if (mode === "refuse") sendAnswer(response, path, { status: 401 });
  else if (mode === "html") send(response, 200, "text/html", "<!doctype html><title>Welcome</title>");
  else {
    if (mode.retryAfter !== undefined) response.setHeader("retry-after", mode.retryAfter);
    sendAnswer(response, path, { status: mode.status });
  }
  return true;
}

function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
}

export interface RestDependencies {
  readonly world: World;
  readonly desk: CommandDesk;
  readonly faults: FaultState;
  readonly calls: Call[];
}

function answerTo({ world, desk }: RestDependencies, call: Call, badJson: boolean): Answer {
  const body = isFields(call.body) ? call.body : {};
  if (call.method === "POST" && call.path === "/user/login") return badJson ? { status: 400 } : login(world, body);
  const account = accountByToken(world, bearerOf(call.headers));
  if (!account) return { status: 401 };
  return badJson ? { status: 400 } : answerCall(call.method, call.path, { world, desk, account }, body);
}

function loginOf(world: World, headers: IncomingHttpHeaders, body: unknown): string | undefined {
  if (isFields(body) && typeof body.login === "string") return body.login;
  return accountByToken(world, bearerOf(headers))?.options.login;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function record({ world, calls }: RestDependencies, request: IncomingMessage, path: string, body: unknown): Call {
  const { method = "GET", headers } = request;
  const caller = loginOf(world, headers, body);
  const call: Call = { method, path, headers, body, at: Date.now(), login: caller, status: 0, abandoned: false };
  calls.push(call);
  if (calls.length > callsKept) calls.splice(0, callsKept / 2);
  return call;
}

async function serve(deps: RestDependencies, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("date", new Date(Date.now() + deps.world.settings.clockAheadMs).toUTCString());
  const { pathname } = new URL(request.url ?? "/", "http://cloud");
  if (!pathname.startsWith("/api/")) return sendRefusal(response, 404, pathname);
  const text = await readBody(request);
  const json = parseJson(text);
  const path = decoded(pathname.slice("/api".length));
  const call = record(deps, request, path, json ?? (text === "" ? undefined : text));
  response.on("close", () => {
    call.abandoned = call.status === 0;
  });
  response.on("finish", () => {
    call.status = response.statusCode;
  });
  await passage(deps.faults);
  // Nobody waits for an answer any more, so a command must not take effect either.
  if (response.destroyed || sendFault(response, path, answerModeOf(deps.faults, path))) return;
  sendAnswer(response, path, answerTo(deps, call, text !== "" && json === undefined));
}

/** The listener for `node:http`. A request that breaks off, or is too large, ends with its connection. */
export function createRest(dependencies: RestDependencies): RequestListener {
  return (request, response) => {
    serve(dependencies, request, response).catch(() => response.destroy());
  };
}
