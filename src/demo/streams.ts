/** The stream side's door: `/sc/{server}/{session}/websocket?access_token=…` becomes a session, or an HTTP refusal. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type AnswerMode, type FaultState, passage, streamModeOf } from "./fault-state.ts";
import { StreamSession } from "./session.ts";
import { SockJsLine } from "./sockjs.ts";
import { accountByToken, type World } from "./world.ts";

/** One attempt to open a stream. */
export interface Upgrade {
  /** Below `/sc`, without the query. */
  readonly path: string;
  /** 0 where it is not answered at all. */
  readonly status: number;
  /** Epoch ms. */
  readonly at: number;
  readonly login: string | undefined;
}

export interface Streams {
  readonly sessions: Set<StreamSession>;
  /** Sessions that have ended, oldest first. */
  readonly ended: StreamSession[];
  readonly upgrades: Upgrade[];
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const entriesKept = 1000;
const address = /^\/sc\/(\d{3})\/([a-z0-9]{8})\/websocket$/;

function keep<T>(entries: T[], entry: T): void {
  entries.push(entry);
  if (entries.length > entriesKept) entries.shift();
}

function refuse(socket: Duplex, status: number, headers = "", body = ""): void {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nDate: ${new Date().toUTCString()}\r\n${headers}`;
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}Connection: close\r\n${length}\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers as the fault says. */
function refuseAs(socket: Duplex, mode: Exclude<AnswerMode, "ok" | "hang">): void {
  if (mode === "refuse") refuse(socket, 401);
  else if (mode === "html") refuse(socket, 200, "Content-Type: text/html\r\n", WEB_PAGE);
  else refuse(socket, mode.status, mode.retryAfter === undefined ? "" : `Retry-After: ${mode.retryAfter}\r\n`);
}

const WEB_PAGE = "<!doctype html><title>Welcome</title>";

function statusOf(mode: Exclude<AnswerMode, "ok">): number {
  if (typeof mode === "object") return mode.status;
  return { refuse: 401, html: 200, hang: 0 }[mode];
}

/** What the address asks for, and how to answer: 404 for a wrong address, 401 for a wrong token, else 101. */
function readAddress(world: World, request: IncomingMessage) {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://cloud");
  const [, server, id] = address.exec(pathname) ?? [];
  const account = accountByToken(world, searchParams.get("access_token"));
  const path = pathname.replace(/^\/sc/, "");
  if (!server || !id) return { path, account, status: 404 };
  return account ? { path, account, status: 101, server, id } : { path, account, status: 401 };
}

export function createStreams(world: World, faults: FaultState): Streams {
  const webSocketServer = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  const sessions = new Set<StreamSession>();
  const ended: StreamSession[] = [];
  const upgrades: Upgrade[] = [];
  let messages = 0;
  const nextMessageNumber = () => ++messages;

  const serve = (session: StreamSession, webSocket: WebSocket): void => {
    sessions.add(session);
    webSocket.on("error", () => webSocket.terminate());
    webSocket.on("close", () => {
      sessions.delete(session);
      keep(ended, session);
      session.ended();
    });
    session.start();
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // A client that goes away while it waits is no event here; without a listener it would end the process.
    socket.on("error", () => socket.destroy());
    await passage(faults);
    if (!(socket instanceof Socket) || socket.destroyed) return;
    const { path, account, status, server, id } = readAddress(world, request);
    const mode = streamModeOf(faults);
    const told = mode === "ok" ? status : statusOf(mode);
    keep(upgrades, { path, status: told, at: Date.now(), login: account?.options.login });
    if (mode === "hang") return;
    if (mode !== "ok") return refuseAs(socket, mode);
    if (!account || !server || !id) return refuse(socket, status);
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      const line = new SockJsLine(webSocket, socket, faults);
      serve(new StreamSession({ world, account, line, server, id, nextMessageNumber }), webSocket);
    });
  };

  return {
    sessions,
    ended,
    upgrades,
    upgrade: (request, socket, head) => {
      upgrade(request, socket, head).catch(() => socket.destroy());
    },
  };
}
