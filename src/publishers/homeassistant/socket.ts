/**
 * A WebSocket to Home Assistant that is open and logged in, over `ws`: for certificates of one's own, with time limits,
 * and with a listener for errors that stays, since an error without one would end the process.
 * https://developers.home-assistant.io/docs/api/websocket#authentication-phase
 */
import type { HaWebSocket } from "home-assistant-js-websocket";
import WebSocket, { type RawData } from "ws";
import { RecoverableError } from "../../lib/errors.ts";
import { retryAfter } from "../../lib/http.ts";
import { z } from "../../lib/schema.ts";
import { certificateTrouble } from "../../lib/tls.ts";
import type { Endpoint } from "./endpoint.ts";

/** The token was refused: each further try would count towards Home Assistant's ban of our address. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

interface Attempt {
  readonly signal: AbortSignal;
  /** Why the socket has ended, told once, whenever that is. */
  readonly onEnd: (error: Error) => void;
}

const HANDSHAKE_MS = 10_000;
const GOODBYE_MS = 1_000;
const LARGEST_BYTES = 64 * 1024 * 1024;

const greeting = z.looseObject({ type: z.string(), ha_version: z.string().optional() });

export interface OpenSocket {
  readonly socket: HaWebSocket;
  /** How many bytes have come in; half a message counts. */
  readonly bytesRead: () => number;
}

/** Resolves when Home Assistant has accepted the token. @throws TokenRefused, RecoverableError with a sentence */
export function openSocket(endpoint: Endpoint, { signal, onEnd }: Attempt): Promise<OpenSocket> {
  const { name, socketUrl, token, tls } = endpoint;
  const ws = new WebSocket(socketUrl, {
    ...tls,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: LARGEST_BYTES,
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => end(unreachable("it did not answer in time")), 2 * HANDSHAKE_MS);
    const stop = (): void => end(new RecoverableError("stopped while connecting"));
    let hasEnded = false;
    let bytesRead = (): number => 0;
    signal.addEventListener("abort", stop, { once: true });

    function unreachable(reason: string, retryAfterMs?: number): RecoverableError {
      const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
      return new RecoverableError(`Home Assistant at ${name} cannot be reached: ${reason}`, wait);
    }

    function settle(): void {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      ws.off("message", greet);
    }

    function end(error: Error): void {
      if (hasEnded) return;
      hasEnded = true;
      settle();
      closeSoon(ws);
      reject(error);
      onEnd(error);
    }

    function greet(data: RawData): void {
      const message = greeting.safeParse(parse(data)).data;
      if (message?.type === "auth_required") ws.send(JSON.stringify({ type: "auth", access_token: token }));
      else if (message?.type === "auth_ok") {
        settle();
        resolve({ socket: asHomeAssistantSocket(ws, message.ha_version ?? "", onBroken), bytesRead });
      } else if (message?.type === "auth_invalid") end(new TokenRefused(`Home Assistant at ${name} refused the token`));
      else end(unreachable("what answers there is no Home Assistant"));
    }

    const onBroken = (): void => end(new RecoverableError(`Home Assistant at ${name} sent what is no JSON`));
    ws.on("message", greet);
    ws.on("upgrade", ({ socket }) => {
      bytesRead = () => socket.bytesRead;
    });
    ws.on("unexpected-response", (request, response) => {
      request.destroy();
      const { statusCode = 0, headers } = response;
      end(unreachable(`HTTP ${statusCode}${MEANING[statusCode] ?? ""}`, retryAfter(headers)));
    });
    ws.on("error", (error) => end(unreachable(reasonOf(error))));
    if (signal.aborted) stop();
    ws.on("close", (code) => end(new RecoverableError(`Home Assistant at ${name} closed the connection (${code})`)));
  });
}

const TRUST = { authority: "home_assistant.ca", url: "home_assistant.url" };

function reasonOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return certificateTrouble(error, TRUST) ?? (error.message || code || "no connection");
}

const MEANING: Readonly<Record<number, string>> = {
  200: ", a web page: is there a path missing in home_assistant.url?",
  301: ", it wants another address: is that http:// or https:// in home_assistant.url?",
  302: ", it wants another address: is that http:// or https:// in home_assistant.url?",
  308: ", it wants another address: is that http:// or https:// in home_assistant.url?",
  403: ", it has banned our address (ip_bans.yaml in its configuration folder)",
  404: ", there is no Home Assistant",
  429: ", too many requests",
  502: ", it is starting",
  503: ", it is starting",
};

function parse(data: RawData): unknown {
  try {
    return JSON.parse(textOf(data));
  } catch {
    return undefined;
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString("utf8");
}

/** Says goodbye where somebody listens; a peer that does not answer is not waited for. */
function closeSoon(ws: WebSocket): void {
  if (ws.readyState === WebSocket.OPEN) WebSocket.prototype.close.call(ws, 1000);
  else ws.terminate();
  setTimeout(() => ws.terminate(), GOODBYE_MS).unref();
}

/**
 * The socket as the library wants it. What its reader throws (at text that is no JSON) would end the process: here it
 * ends the connection.
 */
function asHomeAssistantSocket(ws: WebSocket, haVersion: string, onBroken: () => void): HaWebSocket {
  const add = ws.addEventListener.bind(ws);
  function guarded(listener: (event: object) => void): (event: object) => void {
    return (event) => {
      try {
        listener(event);
      } catch {
        onBroken();
      }
    };
  }
  const socket: unknown = Object.assign(ws, {
    haVersion,
    close: () => closeSoon(ws),
    addEventListener: (type: string, listener: (event: object) => void) =>
      type === "message" ? add("message", guarded(listener)) : add("close", listener),
  });
  if (!isHomeAssistantSocket(socket)) throw new TypeError("ws is no WebSocket any more");
  return socket;
}

function isHomeAssistantSocket(socket: unknown): socket is HaWebSocket {
  return socket instanceof WebSocket && "haVersion" in socket;
}
