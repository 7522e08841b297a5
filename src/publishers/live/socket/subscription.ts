/**
 * One subscription of one client. What cannot be sent at once, since the client is behind or has had its message for
 * this interval, is not queued: it is noted which topics have news, and their latest value goes out when it may.
 */
import { monotonicMs } from "../../../lib/clock.ts";
import type { LiveCounts } from "../counts.ts";
import type { Principal } from "../principal.ts";
import type { Sieve } from "./filter.ts";
import type { Topic } from "./topic.ts";
import type { Interest } from "./topics.ts";

/** Where it goes. */
export interface Outlet {
  readonly principal: Principal;
  readonly counts: LiveCounts;
  readonly isBehind: boolean;
  send(message: Buffer | string): void;
  sendTopic(topic: Topic, subscription: number): void;
  /** It has missed what cannot be made good. */
  giveUp(): void;
}

interface Wishes {
  readonly number: number;
  readonly interest: Interest;
  readonly sieve: Sieve;
  readonly intervalMs: number;
  /** The last event that the client has heard of, or has passed over. */
  readonly toldUpTo: number;
}

/** A timer for each topic would be many: what is due within this goes out together, ms. */
const TOGETHER_MS = 10;

export class Subscription {
  readonly number: number;
  readonly interest: Interest;
  readonly sieve: Sieve;
  readonly outlet: Outlet;
  toldUpTo: number;
  readonly #intervalMs: number;
  /** Topics with news that the client has not got. */
  readonly #late = new Set<Topic>();
  readonly #sentAt = new WeakMap<Topic, number>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(outlet: Outlet, { number, interest, sieve, intervalMs, toldUpTo }: Wishes) {
    this.outlet = outlet;
    this.number = number;
    this.interest = interest;
    this.sieve = sieve;
    this.toldUpTo = toldUpTo;
    this.#intervalMs = intervalMs;
  }

  wants({ kind, record }: Topic): boolean {
    const { devices, bridge, positions } = this.interest;
    if (record === undefined) return bridge;
    const isNamed = kind === "device" ? devices : positions === "all" || positions.has(record.id);
    return isNamed && this.sieve.takes(record);
  }

  /** This topic has news. */
  offer(topic: Topic): void {
    const { isBehind, counts } = this.outlet;
    const dueAt = this.#dueAt(topic);
    if (this.#late.has(topic)) counts.dropped += isBehind ? 1 : 0;
    else if (!isBehind && dueAt <= monotonicMs()) this.#send(topic);
    else {
      this.#late.add(topic);
      this.#wakeAt(dueAt);
    }
  }

  /** Sends what is due, as much as the client can take. */
  flush(): void {
    let nextAt = Number.POSITIVE_INFINITY;
    const now = monotonicMs();
    for (const topic of this.#late) {
      if (this.outlet.isBehind) return;
      const dueAt = this.#dueAt(topic);
      if (dueAt > now) nextAt = Math.min(nextAt, dueAt);
      else {
        this.#late.delete(topic);
        this.#send(topic);
      }
    }
    if (Number.isFinite(nextAt)) this.#wakeAt(nextAt);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#late.clear();
  }

  #dueAt(topic: Topic): number {
    return (this.#sentAt.get(topic) ?? Number.NEGATIVE_INFINITY) + this.#intervalMs;
  }

  #send(topic: Topic): void {
    if (this.#intervalMs > 0) this.#sentAt.set(topic, monotonicMs());
    this.outlet.sendTopic(topic, this.number);
  }

  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.flush();
      },
      Math.max(TOGETHER_MS, at - monotonicMs()),
    );
  }
}
