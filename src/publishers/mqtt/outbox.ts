/**
 * What the broker has not confirmed yet. It bounds our memory when the broker is slow, and how old news are when they
 * arrive: all that was sent before stands in a queue before them. So what may be on its way grows while confirmations
 * come about as quickly as the quickest did, and shrinks when they don't, as TCP Vegas has it.
 * https://datatracker.ietf.org/doc/html/rfc6297#section-2.1
 */
import type { MqttClient } from "mqtt";
import type { Message } from "../../discovery/messages.ts";
import { monotonicMs } from "../../lib/clock.ts";
import { RecoverableError } from "../../lib/errors.ts";

/** The next message waits while so many are on their way. */
const MOST_MESSAGES = 500;
/** So many bytes may be on their way at least, and at most. */
const BYTES = { least: 8_192, most: 1_048_576 };
/** A confirmation is late when it took so much longer than twice the quickest one, ms. */
const LATE_MS = 100;
/** A broker that confirms nothing at all for so long, while somebody waits for it, is of no use, ms. */
const CONFIRM_MS = 60_000;

export interface Outbox {
  /** Sends it, if there is room. */
  tryPublish(message: Message): boolean;
  /** Resolves when it is sent; what was waiting before goes first. @throws RecoverableError when nothing more is confirmed */
  publish(message: Message): Promise<void>;
  /** The same for what is made when there is room for it; nothing is sent for undefined. */
  publishLatest(make: () => Message | undefined): Promise<void>;
  /** Resolves when all is confirmed that was published so far. @throws RecoverableError when nothing more is */
  flush(): Promise<void>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

interface Queued extends Waiter {
  readonly make: () => Message | undefined;
}

interface Flush extends Waiter {
  /** The number of the last message that it waits for. */
  readonly upTo: number;
}

interface Sent {
  /** About; text is counted by its characters. */
  readonly bytes: number;
  readonly at: number;
}

/** Hears of each message that the broker has answered, but did not take: MQTT 5 tells. */
export type OnRefused = (topic: string, error: Error) => void;

/** Who waits is let down when the connection is lost; a race against its loss for each message would never be forgotten. */
export function createOutbox(client: MqttClient, lost: Promise<never>, onRefused: OnRefused = () => {}): Outbox {
  let [count, confirmed] = [0, 0];
  /** By their numbers, the oldest first. */
  const pending = new Map<number, Sent>();
  const room = createRoom();
  const queue: Queued[] = [];
  let flushes: Flush[] = [];
  let failure: { readonly reason: unknown } | undefined;
  let watching: NodeJS.Timeout | undefined;

  lost.catch((reason: unknown) => {
    failure = { reason };
    letDown(reason);
  });

  function letDown(reason: unknown): void {
    clearTimeout(watching);
    for (const { reject } of [...queue, ...flushes]) reject(reason);
    queue.length = 0;
    flushes = [];
  }

  /** One timer for all who wait: they are many, and nearly always for a moment. */
  function watch(): void {
    const before = confirmed;
    watching ??= setTimeout(() => {
      watching = undefined;
      if (queue.length === 0 && flushes.length === 0) return;
      if (before !== confirmed) watch();
      else letDown(new RecoverableError(`the broker has not confirmed a message within ${CONFIRM_MS / 1000} s`));
    }, CONFIRM_MS).unref();
  }

  function hasRoom(): boolean {
    return pending.size < MOST_MESSAGES && room.isFree();
  }

  function send({ topic, payload, retain, qos }: Message): void {
    count += 1;
    const number = count;
    const sent = { bytes: topic.length + payload.length, at: monotonicMs() };
    pending.set(number, sent);
    room.take(sent.bytes);
    // A failed publish shows as the loss of the connection.
    client.publish(topic, bufferOf(payload), { retain, qos }, (error) => {
      if (!isAnswer(error)) return;
      // The next try would be refused as well, and all that can be said would be held up by it.
      if (error) onRefused(topic, error);
      confirm(number, sent);
    });
  }

  function sendMade(make: () => Message | undefined): void {
    const message = make();
    if (message) send(message);
  }

  function confirm(number: number, { bytes, at }: Sent): void {
    if (!pending.delete(number)) return;
    confirmed += 1;
    room.give(bytes, monotonicMs() - at);
    while (hasRoom()) {
      const next = queue.shift();
      if (next === undefined) break;
      sendMade(next.make);
      next.resolve();
    }
    if (flushes.length === 0) return;
    for (const { upTo, resolve } of flushes) if (isConfirmed(upTo)) resolve();
    flushes = flushes.filter(({ upTo }) => !isConfirmed(upTo));
  }

  function isConfirmed(upTo: number): boolean {
    const [oldest = Number.POSITIVE_INFINITY] = pending.keys();
    return oldest > upTo;
  }

  function isFree(): boolean {
    return !failure && queue.length === 0 && hasRoom();
  }

  function tryPublish(message: Message): boolean {
    if (!isFree()) return false;
    send(message);
    return true;
  }

  function publishLatest(make: () => Message | undefined): Promise<void> {
    if (!isFree()) return wait({ push: (waiter) => queue.push({ ...waiter, make }) });
    sendMade(make);
    return DONE;
  }

  function wait(list: { push(waiter: Waiter): void }): Promise<void> {
    if (failure) return Promise.reject(failure.reason);
    watch();
    return new Promise((resolve, reject) => list.push({ resolve, reject }));
  }

  return {
    tryPublish,
    publish: (message) => publishLatest(() => message),
    publishLatest,
    flush() {
      const upTo = count;
      return !failure && isConfirmed(upTo) ? DONE : wait({ push: (waiter) => flushes.push({ ...waiter, upTo }) });
    },
  };
}

/** The client library ends what is pending with an error before it tells that the connection is lost: that is no answer. */
function isAnswer(error: Error | null | undefined): boolean {
  return error === undefined || error === null || "code" in error;
}

/** How many bytes may be on their way. */
function createRoom() {
  let taken = 0;
  let size = BYTES.least;
  let quickestMs = Number.POSITIVE_INFINITY;
  return {
    isFree: () => taken < size,
    take(bytes: number) {
      taken += bytes;
    },
    /** Those were confirmed after so long. */
    give(bytes: number, tookMs: number) {
      taken -= bytes;
      quickestMs = Math.min(quickestMs, tookMs);
      const isLate = tookMs > 2 * quickestMs + LATE_MS;
      size = isLate ? Math.max(BYTES.least, size / 2) : Math.min(BYTES.most, size + bytes);
    },
  };
}

/** One for all: nobody has to wait. */
const DONE = Promise.resolve();

/** Text as it is, bytes as the client library wants them: not copied. */
export function bufferOf(payload: Message["payload"]): string | Buffer {
  return typeof payload === "string" ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
