/** One connection: what is read of it, how much it may ask, and how it ends. */
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { VERSION } from "../../../lib/about.ts";
import { createBucket } from "../../../lib/bucket.ts";
import type { ClientMessage, ServerMessage } from "../api/messages.ts";
import { SCHEMA_VERSION } from "../api/schema.ts";
import type { LiveCounts } from "../counts.ts";
import type { Principal } from "../principal.ts";
import { answer } from "./conversation.ts";
import { CLOSE } from "./limits.ts";
import { Line } from "./line.ts";
import { type Fault, readRequest } from "./read-request.ts";
import type { Services } from "./services.ts";
import type { Outlet, Subscription } from "./subscription.ts";
import type { Topic } from "./topic.ts";

export class Client implements Outlet {
  readonly principal: Principal;
  readonly services: Services;
  /** By their numbers, which count from 1. */
  readonly subscriptions = new Map<number, Subscription>();
  /** Commands whose end is not known yet. */
  openCommands = 0;
  readonly #ws: WebSocket;
  readonly #line: Line;
  readonly #rate;
  readonly #patience;
  /** Requests with large answers, while the client is behind. */
  #waiting: ClientMessage[] = [];
  #hasEnded = false;
  #lastSubscription = 0;

  constructor(ws: WebSocket, socket: Duplex, principal: Principal, services: Services) {
    const { limits, counts } = services;
    this.principal = principal;
    this.services = services;
    this.#ws = ws;
    this.#line = new Line(ws, socket, limits, counts, () => this.#catchUp());
    this.#rate = createBucket({ perSecond: limits.messagesPerSecond, burst: limits.burst });
    this.#patience = createBucket(limits.faults);
    ws.on("message", (data, isBinary) => this.#guarded(() => this.#receive(textOf(data), isBinary)));
    ws.on("ping", (payload) => this.#guarded(() => this.#pong(payload)));
    ws.on("error", (error) => this.#broken(error));
    ws.on("close", () => this.#leave());
    this.#greet();
  }

  get counts(): LiveCounts {
    return this.services.counts;
  }

  get isBehind(): boolean {
    return this.#line.isBehind;
  }

  send(message: Buffer | string): void {
    if (!this.#hasEnded) this.#line.send(message);
  }

  sendTopic(topic: Topic, subscription: number): void {
    this.send(this.services.hub.board.frameFor(topic, this.principal, subscription));
  }

  nextSubscription(): number {
    this.#lastSubscription += 1;
    return this.#lastSubscription;
  }

  say(message: ServerMessage): void {
    this.send(JSON.stringify(message));
  }

  /** Answers with an error; whoever makes too many is put out. */
  refuse({ id, code, message }: Fault, retryAfterMs?: number): void {
    this.say({ type: "error", id, code, message, ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }) });
    if (this.#patience.take() === 0) return;
    this.services.turnedAway.note("WebSocket clients for too many requests that were no good");
    this.end(CLOSE.refused, "too many requests that were no good, or more than allowed");
  }

  giveUp(): void {
    this.counts.slowReaders += 1;
    this.end(CLOSE.slow, "you read too slowly: connect again later");
  }

  /** Puts out whose token does not count any more. @returns whether it may go on */
  checkToken(): boolean {
    if (this.services.access.isValid(this.principal)) return true;
    if (this.#hasEnded) return false;
    this.services.turnedAway.note("WebSocket clients whose token was revoked");
    this.end(CLOSE.refused, "the token was revoked");
    return false;
  }

  /** Looks whether it still reads. */
  look(now: number): void {
    if (this.#hasEnded) return;
    const reason = this.#line.look(now);
    if (reason === "slow") this.services.turnedAway.note("WebSocket clients that read too slowly");
    if (reason !== undefined) this.giveUp();
  }

  /** Says goodbye; nothing is sent after it. */
  end(code: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#leave();
    this.#ws.close(code, reason);
  }

  /** Without a goodbye. */
  cut(): void {
    this.#ws.terminate();
  }

  #greet(): void {
    const { limits, hub, instance } = this.services;
    this.say({
      type: "welcome",
      schema: SCHEMA_VERSION,
      version: VERSION,
      instance,
      scopes: [...this.principal.scopes],
      devices: this.principal.devices ? [...this.principal.devices] : null,
      event: hub.lastEvent,
      heartbeat_ms: limits.heartbeatMs,
      limits: {
        message_bytes: limits.messageBytes,
        subscriptions: limits.subscriptions,
        messages_per_second: limits.messagesPerSecond,
        burst: limits.burst,
      },
      compression: this.#ws.extensions.includes("permessage-deflate"),
    });
  }

  #receive(text: string, isBinary: boolean): void {
    if (this.#hasEnded) return;
    this.counts.messagesIn += 1;
    if (!this.checkToken()) return;
    if (isBinary) this.#refuseBinary();
    else this.#read(text);
  }

  #read(text: string): void {
    const request = readRequest(text);
    const waitMs = this.#rate.take();
    if (waitMs > 0) this.#slowDown(request.id, waitMs);
    else if ("code" in request) {
      this.counts.malformed += 1;
      this.refuse(request);
    } else this.#take(request);
  }

  /** What has a large answer waits until the client has read the last one. */
  #take(request: ClientMessage): void {
    const isLarge = request.type === "subscribe" || request.type === "stats";
    if (!isLarge || !this.isBehind) answer(request, this);
    else if (this.#waiting.length < this.services.limits.burst) this.#waiting.push(request);
    else this.#slowDown(request.id, this.services.limits.slowMs);
  }

  #catchUp(): void {
    this.#guarded(() => {
      for (const subscription of this.subscriptions.values()) {
        this.services.hub.tellEvents(subscription);
        subscription.flush();
      }
      while (!this.isBehind) {
        const request = this.#waiting.shift();
        if (request === undefined) return;
        answer(request, this);
      }
    });
  }

  #slowDown(id: Fault["id"], waitMs: number): void {
    this.counts.rateLimited += 1;
    const message = `Too many requests: try this one again in ${waitMs} ms.`;
    this.refuse({ id, code: "rate_limited", message }, waitMs);
  }

  #refuseBinary(): void {
    this.counts.malformed += 1;
    this.services.turnedAway.note("binary messages");
    this.say({ type: "error", id: null, code: "invalid_request", message: "Messages are JSON in text frames." });
    this.end(CLOSE.refused, "messages are JSON in text frames, not binary");
  }

  /** A ping costs us an answer: it counts like a request. */
  #pong(payload: Buffer): void {
    if (this.#hasEnded) return;
    const waitMs = this.#rate.take();
    if (waitMs > 0) this.#slowDown(null, waitMs);
    else this.#ws.pong(payload);
  }

  /** It was no WebSocket any more, or too large: the library has said goodbye already, with the code for it. */
  #broken(error: Error): void {
    const isTooLarge = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
    this.counts.malformed += 1;
    this.services.turnedAway.note(isTooLarge ? "messages that were too large" : "messages that were no WebSocket's");
    this.#leave();
  }

  #leave(): void {
    this.#hasEnded = true;
    for (const subscription of this.subscriptions.values()) {
      this.services.hub.leave(subscription);
      subscription.end();
      this.counts.subscriptions -= 1;
    }
    this.subscriptions.clear();
    this.#waiting = [];
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.services.log.error({ err: error }, "live: a WebSocket failed (this is a defect; please report it)");
      this.end(CLOSE.failed, "something went wrong in Pawline");
    }
  }
}

/** By default the library makes one buffer of a message; its type allows for more. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString("utf8") : "";
}
