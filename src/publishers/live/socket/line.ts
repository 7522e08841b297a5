/**
 * What goes out to one client. It is known how far the client has read, because it answers our pings in their place
 * among the messages: so one that reads slowly is noticed while little is on its way, and not when the network is full.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { monotonicMs } from "../../../lib/clock.ts";
import type { LiveCounts } from "../counts.ts";
import type { Limits } from "./limits.ts";

interface Ping {
  readonly number: number;
  /** How many bytes went out before it. */
  readonly bytes: number;
  readonly at: number;
}

export class Line {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #limits: Limits;
  readonly #counts: LiveCounts;
  readonly #onCaughtUp: () => void;
  /** Those that were not answered yet, the oldest first. */
  #pings: Ping[] = [];
  #lastPing: Ping = { number: 0, bytes: 0, at: monotonicMs() };
  #sentBytes = 0;
  #readBytes = 0;
  #behindSince: number | undefined;
  #isHeld = false;

  constructor(ws: WebSocket, socket: Duplex, limits: Limits, counts: LiveCounts, onCaughtUp: () => void) {
    this.#ws = ws;
    this.#socket = socket;
    this.#limits = limits;
    this.#counts = counts;
    this.#onCaughtUp = onCaughtUp;
    ws.on("pong", (payload) => this.#hear(Number(payload.toString("latin1"))));
    socket.on("drain", () => this.#mayHaveCaughtUp());
  }

  /** Whether it has so much to read that nothing more should be sent. */
  get isBehind(): boolean {
    return this.#behindSince !== undefined;
  }

  send(message: Buffer | string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#hold();
    this.#ws.send(message, { binary: false });
    this.#counts.messagesOut += 1;
    this.#sentBytes += message.length;
    if (this.#sentBytes - this.#lastPing.bytes >= this.#limits.pingBytes) this.#ping();
    if (this.#isTooMuch()) this.#behindSince ??= monotonicMs();
  }

  /** Pings who was quiet. @returns why the client is to be put out, if it is */
  look(now: number): "silent" | "slow" | undefined {
    const [oldest] = this.#pings;
    if (oldest !== undefined && now - oldest.at > this.#limits.silenceMs) return "silent";
    if (this.#behindSince !== undefined && now - this.#behindSince > this.#limits.slowMs) return "slow";
    if (now - this.#lastPing.at >= this.#limits.heartbeatMs) this.#ping();
    return undefined;
  }

  /** What is sent in one go leaves in one piece. */
  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#socket.cork();
    queueMicrotask(() => {
      this.#isHeld = false;
      this.#socket.uncork();
    });
  }

  #ping(): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#lastPing = { number: this.#lastPing.number + 1, bytes: this.#sentBytes, at: monotonicMs() };
    this.#pings.push(this.#lastPing);
    this.#ws.ping(String(this.#lastPing.number));
  }

  #hear(number: number): void {
    const answered = this.#pings.find((ping) => ping.number === number);
    if (answered === undefined) return;
    this.#readBytes = answered.bytes;
    this.#pings = this.#pings.filter((ping) => ping.number > number);
    this.#mayHaveCaughtUp();
  }

  #isTooMuch(): boolean {
    const { windowBytes } = this.#limits;
    return this.#sentBytes - this.#readBytes > windowBytes || this.#ws.bufferedAmount > windowBytes;
  }

  #mayHaveCaughtUp(): void {
    if (this.#behindSince === undefined || this.#isTooMuch()) return;
    this.#behindSince = undefined;
    this.#onCaughtUp();
  }
}
