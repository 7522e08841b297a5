/** The stream side's door: `/sc/{server}/{session}/websocket?access_token=…` becomes a session, or an HTTP refusal. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type FaultState, passage } from "./fault-state.ts";
import { StreamSession } from "./session.ts";
import { SockJsLine } from "./sockjs.ts";
import { accountByToken, type World } from "./world.ts";

/** One attempt to open a stream. */
export interface Upgrade {
  /** Below `/sc`, without the query. */
  readonly path: string;
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

function refuse(socket: Duplex, status: number): void {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`;
  socket.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
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
    keep(upgrades, { path, status, at: Date.now(), login: account?.options.login });
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
