/**
 * The way out of one stream connection: STOMP text is put into SockJS `a[…]` frames, and the faults of the wire are
 * done to it here (late, joined, cut).
 */
import type { WebSocket } from "ws";

/** The faults that change how bytes leave; shared by all connections of a cloud, read at each send. */
export interface WireFaults {
  latencyMs: number;
  pieces: number;
}

/** `text` in `count` strings of about the same length, never cut inside a surrogate pair. */
export function cut(text: string, count: number): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let piece = 1; piece <= count; piece++) {
    let end = Math.round((text.length * piece) / count);
    if (/[\udc00-\udfff]/.test(text.charAt(end))) end -= 1;
    if (end > start) pieces.push(text.slice(start, end));
    start = Math.max(start, end);
  }
  return pieces;
}

export class Outbox {
  readonly #socket: WebSocket;
  readonly #faults: WireFaults;
  readonly #late: string[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastDue = 0;
  #joined: string[] = [];
  #joinCount = 0;

  constructor(socket: WebSocket, faults: WireFaults) {
    this.#socket = socket;
    this.#faults = faults;
  }

  /** Sends one SockJS frame as it is. */
  raw(text: string): void {
    if (this.#faults.latencyMs === 0 && this.#late.length === 0) this.#socket.send(text);
    else this.#sendLate(text);
  }

  /** Sends one STOMP frame or heart-beat. */
  stomp(text: string): void {
    if (this.#faults.pieces > 1) this.#sendPieces(text);
    else this.raw(`a[${JSON.stringify(text)}]`);
  }

  /** Sends one MESSAGE: the only frames that `joinNext` joins. */
  message(text: string): void {
    if (this.#joinCount === 0) this.stomp(text);
    else this.#join(text);
  }

  /** Holds the next `count` messages back until they are complete, and sends them in one SockJS frame. */
  joinNext(count: number): void {
    this.#joinCount = count;
  }

  /** Forgets whatever is still to be sent. */
  discard(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#late.length = 0;
  }

  #join(text: string): void {
    this.#joined.push(text);
    if (this.#joined.length < this.#joinCount) return;
    this.raw(`a${JSON.stringify(this.#joined)}`);
    this.#joined = [];
    this.#joinCount = 0;
  }

  /** Each timer sends the oldest waiting frame, so that a smaller latency set meanwhile overtakes nothing. */
  #sendLate(text: string): void {
    const now = Date.now();
    this.#lastDue = Math.max(this.#lastDue, now + this.#faults.latencyMs);
    this.#late.push(text);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const oldest = this.#late.shift();
      if (oldest !== undefined) this.#socket.send(oldest);
    }, this.#lastDue - now);
    this.#timers.add(timer);
  }

  /** Two strings in each SockJS frame: both borders then occur, inside a frame and between frames. */
  #sendPieces(text: string): void {
    const pieces = cut(text, this.#faults.pieces);
    for (let at = 0; at < pieces.length; at += 2) this.raw(`a${JSON.stringify(pieces.slice(at, at + 2))}`);
  }
}
