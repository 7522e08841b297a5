/**
 * SockJS over one WebSocket, the server's half: `o` opens, `h` shows that the line is alive, `a["…"]` carries
 * strings, `c[code,"reason"]` ends. The client sends JSON arrays of strings, or a single JSON string.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { FaultState } from "./fault-state.ts";
import { isText, parseJson } from "./json.ts";
import { Outbox } from "./outbox.ts";

/** A client that does not answer our close is cut off after this time. */
const closeGraceMs = 1000;

/** The strings of a client's frame, or undefined where it is none. */
function clientStrings(text: string): string[] | undefined {
  const value = parseJson(text);
  if (isText(value)) return [value];
  return Array.isArray(value) && value.every(isText) ? value : undefined;
}

export class SockJsLine {
  readonly outbox: Outbox;
  /** True once either side began to close. */
  closing = false;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #faults: FaultState;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(webSocket: WebSocket, socket: Socket, faults: FaultState) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#faults = faults;
    this.outbox = new Outbox(webSocket, faults);
  }

  /** Says `o`, and hands the strings of each client frame to `take` until the line closes. */
  open(heartbeatMs: number, take: (strings: readonly string[]) => void): void {
    this.outbox.raw("o");
    this.every(heartbeatMs, () => this.outbox.raw("h"));
    this.#webSocket.on("message", (data, isBinary) => {
      if (this.closing) return;
      const strings = !isBinary && Buffer.isBuffer(data) ? clientStrings(data.toString()) : undefined;
      if (strings) take(strings);
      else this.close(1007, "Broken data");
    });
  }

  /** Runs `act` until the line ends; rests while everything is frozen. 0 means never. */
  every(intervalMs: number, act: () => void): void {
    if (intervalMs <= 0) return;
    const rested = (): void => {
      if (!this.#faults.frozen) act();
    };
    this.#timers.push(setInterval(rested, intervalMs));
  }

  /** SockJS says goodbye, then the WebSocket closes, with the same code where WebSocket allows it. */
  goodbye(code: number, reason: string): void {
    this.outbox.raw(`c${JSON.stringify([code, reason])}`);
    this.close(code >= 3000 && code <= 4999 ? code : 1000, reason);
  }

  /** Closes the WebSocket in order, behind whatever is still on its way out. */
  close(code: number, reason: string): void {
    this.closing = true;
    setTimeout(() => this.#webSocket.close(code, reason), this.#faults.latencyMs);
    setTimeout(() => this.#webSocket.terminate(), this.#faults.latencyMs + closeGraceMs).unref();
  }

  /** Ends the connection by a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Stops reading, and keeps what is written from the network. What comes in stays in the kernel until the thaw. */
  freeze(): void {
    this.#webSocket.pause();
    this.#socket.cork();
  }

  thaw(): void {
    this.#socket.uncork();
    this.#webSocket.resume();
  }

  /** To be called when the socket is gone. */
  ended(): void {
    this.closing = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.outbox.discard();
  }
}
