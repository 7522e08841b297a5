/**
 * A WebSocket as the STOMP client wants one, with SockJS taken off on the way in and put on on the way out, over `ws`.
 * It opens when the server's `o` frame is there, hands on whole STOMP frames only, and says when bytes arrive.
 */
import type { IStompSocket } from "@stomp/stompjs";
import WebSocket, { type RawData } from "ws";
import { describeError } from "../../lib/errors.ts";
import { retryAfter } from "../../lib/http.ts";
import { certificateTrouble } from "../../lib/tls.ts";
import { createFramer, readWholeMessage } from "./framer.ts";
import { parseSockjsFrame, sockjsFrame } from "./sockjs.ts";

interface SocketEvents {
  /** Bytes of any kind have arrived. */
  readonly onActivity: () => void;
  /** The body of a message for one of our subscriptions. */
  readonly onMessage: (subscription: string, body: string) => void;
  /** Something that is no frame was passed over. */
  readonly onMalformed: (text: string) => void;
  /** The end, and why; once. */
  readonly onEnd: (reason: EndReason) => void;
}

export interface EndReason {
  readonly sentence: string;
  readonly cause: EndCause;
  /** The HTTP status of a refused handshake, and how long it asks us to wait, ms. */
  readonly httpStatus?: number;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Why a stream ended or did not open: nothing was heard any more, the other side closed it or reported an error, it did
 * not open in time, the network failed, or a request was answered with another HTTP status.
 */
export type EndCause = "silence" | "closed" | "error" | "timeout" | "network" | "http";

const HANDSHAKE_MS = 10_000;
const GOODBYE_MS = 1_000;
const LARGEST_BYTES = 8 * 1024 * 1024;
/** Of what the server says at its end, characters. */
const LONGEST_REASON = 200;
/** How the four states of a WebSocket are counted. */
const STATE = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;

export interface SockjsSocket extends IStompSocket {
  /** Makes the other side answer, below SockJS. */
  ping(): void;
}

export function openSocket(url: string, events: SocketEvents): SockjsSocket {
  const ws = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: LARGEST_BYTES,
  });
  const framer = createFramer();
  let state: number = STATE.connecting;
  let isGreeted = false;
  let reason: EndReason = { sentence: "the connection was closed", cause: "closed" };

  function end(
    because: EndReason,
    closeEvent: unknown = { code: 1006, reason: because.sentence, wasClean: false },
  ): void {
    if (state === STATE.closed) return;
    state = STATE.closed;
    closeSoon(ws);
    socket.onclose?.(closeEvent);
    events.onEnd(because);
  }

  function receive(text: string): void {
    const frame = parseSockjsFrame(text);
    switch (frame.type) {
      case "open":
        if (state === STATE.connecting) {
          state = STATE.open;
          socket.onopen?.({});
        }
        break;
      case "heartbeat":
        break;
      case "messages":
        if (frame.odd > 0) events.onMalformed(text);
        for (const message of frame.messages) deliver(message);
        break;
      case "close":
        end({
          sentence: `the server closed the session (${frame.code} ${frame.reason.slice(0, LONGEST_REASON)})`,
          cause: "closed",
        });
        break;
      case "malformed":
        events.onMalformed(text);
        break;
    }
  }

  function deliver(piece: string): void {
    const message = framer.isEmpty && state === STATE.open ? readWholeMessage(piece) : undefined;
    if (message !== undefined && OUR_SUBSCRIPTIONS.includes(message.subscription)) {
      events.onMessage(message.subscription, message.body);
      return;
    }
    const before = framer.malformed;
    for (const frame of framer.push(piece)) if (state === STATE.open) handOn(frame);
    if (framer.malformed > before) events.onMalformed(piece);
  }

  /**
   * What comes all the time goes straight to its reader: the STOMP client would take each frame, which is known to be
   * whole, apart once more byte by byte. And what it did not ask for it does not get: it looks up subscriptions and
   * receipts by their name in a plain object, where names of JavaScript's own would be found, too; and each greeting
   * would start timers of its own.
   */
  function handOn(frame: string): void {
    const subscription = OUR_MESSAGE.exec(frame)?.[1];
    if (subscription !== undefined) events.onMessage(subscription, bodyOf(frame));
    else if (frame.startsWith("MESSAGE") || frame.startsWith("RECEIPT")) events.onMalformed(frame);
    else if (frame.startsWith("CONNECTED")) greet(frame);
    else socket.onmessage?.({ data: frame });
  }

  function greet(frame: string): void {
    if (isGreeted) events.onMalformed(frame);
    else socket.onmessage?.({ data: withBoundedBeats(frame) });
    isGreeted = true;
  }

  const socket: SockjsSocket = {
    url: new URL(url).origin,
    binaryType: "arraybuffer",
    get readyState() {
      return state;
    },
    onopen: null,
    onclose: null,
    onerror: null,
    onmessage: null,
    send(data) {
      // The STOMP client sends text, unless it is told to send bytes.
      if (ws.readyState === WebSocket.OPEN && typeof data === "string") ws.send(sockjsFrame(data));
    },
    ping() {
      if (ws.readyState === WebSocket.OPEN) ws.ping();
    },
    close: () => end(reason),
    terminate: () => end(reason),
  };

  ws.on("message", (data, isBinary) => {
    events.onActivity();
    if (isBinary) events.onMalformed("(binary)");
    else receive(textOf(data));
  });
  ws.on("pong", events.onActivity);
  ws.on("ping", events.onActivity);
  ws.on("unexpected-response", (request, response) => {
    request.destroy();
    const httpStatus = response.statusCode ?? 0;
    const sentence = `the server refused the connection (HTTP ${httpStatus})`;
    reason = { sentence, cause: "http", httpStatus, retryAfterMs: retryAfter(response.headers) };
    end(reason);
  });
  ws.on("error", (error) => {
    reason = { sentence: certificateTrouble(error) ?? describeError(error), cause: "network" };
    end(reason);
  });
  ws.on("close", (code, text) => {
    const sentence = `the connection was closed (${code}${text.length > 0 ? ` ${text.toString("utf8")}` : ""})`;
    // 1006 is the code that stands for the lack of one: nobody said goodbye.
    end({ sentence, cause: code === 1006 ? "network" : "closed" });
  });
  return socket;
}

const OUR_SUBSCRIPTIONS = ["sub-0", "sub-1"];
const OUR_MESSAGE = /^MESSAGE\r?\n(?:[^\n]+\n)*?subscription:(sub-[01])\r?\n/;
const HEAD_END = /\r?\n\r?\n/;

const HEART_BEAT = /^[ \t]*heart-beat[ \t]*:([^\r\n]*)/gim;
const LONGEST_BEAT_MS = 600_000;

/** A timer of Node's with a delay that is too long, or no number, would fire a thousand times a second. */
function withBoundedBeats(frame: string): string {
  return frame.replace(HEART_BEAT, (_, value: string) => {
    const [ours = 0, theirs = 0] = value.split(",").map((text) => {
      const ms = Number.parseInt(text, 10);
      return ms > 0 ? Math.min(ms, LONGEST_BEAT_MS) : 0;
    });
    return `heart-beat:${ours},${theirs}`;
  });
}

/** What stands between the head of a whole frame and its NUL. */
function bodyOf(frame: string): string {
  const end = HEAD_END.exec(frame);
  return end === null ? "" : frame.slice(end.index + end[0].length, -1);
}

/** Says goodbye where somebody listens; a peer that does not answer is not waited for. */
function closeSoon(ws: WebSocket): void {
  if (ws.readyState === WebSocket.OPEN) ws.close(1000);
  else ws.terminate();
  setTimeout(() => ws.terminate(), GOODBYE_MS).unref();
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString("utf8");
}
