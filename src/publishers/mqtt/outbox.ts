/**
 * What the broker has not confirmed yet: it bounds our memory when the broker is slow, and how old news are when they
 * arrive over a way that is slow, since all that was sent before stands in a queue before them.
 */
import type { MqttClient } from "mqtt";
import type { Message } from "../../discovery/messages.ts";
import { within } from "../../lib/clock.ts";
import { RecoverableError } from "../../lib/errors.ts";

/** The next message waits while so many are on their way, or so much. */
const MOST_MESSAGES = 200;
const MOST_BYTES = 8_192;
/** A broker that confirms nothing at all for so long, and has something to confirm, is of no use, ms. */
const CONFIRM_MS = 60_000;

export interface Outbox {
  /** Resolves when there is room for the next one. */
  publish(message: Message): Promise<void>;
  /** Resolves when all is confirmed. @throws RecoverableError when nothing more is */
  flush(): Promise<void>;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Who waits is let down when the connection is lost; a race against its loss for each message would never be forgotten. */
export function createOutbox(client: MqttClient, lost: Promise<never>): Outbox {
  let [messages, bytes, confirmed] = [0, 0, 0];
  let waiting: Waiter[] = [];
  let failure: { readonly reason: unknown } | undefined;
  const hasRoom = (): boolean => messages < MOST_MESSAGES && bytes < MOST_BYTES;
  const isEmpty = (): boolean => messages === 0;

  lost.catch((reason: unknown) => {
    failure = { reason };
    for (const { reject } of waiting) reject(reason);
    waiting = [];
  });

  function confirm(size: number): void {
    messages -= 1;
    bytes -= size;
    confirmed += 1;
    if (waiting.length === 0) return;
    for (const { isMet, resolve } of waiting) if (isMet()) resolve();
    waiting = waiting.filter(({ isMet }) => !isMet());
  }

  function when(isMet: () => boolean): Promise<void> {
    if (failure) return Promise.reject(failure.reason);
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => waiting.push({ isMet, resolve, reject }));
  }

  return {
    async publish({ topic, payload, retain, qos }) {
      if (!hasRoom() || failure) await when(hasRoom);
      const size = topic.length + Buffer.byteLength(payload);
      messages += 1;
      bytes += size;
      // A failed publish shows as the loss of the connection.
      client.publish(topic, bufferOf(payload), { retain, qos }, () => confirm(size));
    },
    async flush() {
      const late = new RecoverableError(`the broker has not confirmed a message within ${CONFIRM_MS / 1000} s`);
      const empty = when(isEmpty);
      for (let before = -1; ; ) {
        before = confirmed;
        try {
          return await within(CONFIRM_MS, empty, () => late);
        } catch (error) {
          if (error !== late || before === confirmed) throw error;
        }
      }
    },
  };
}

/** Text as it is, bytes as the client library wants them: not copied. */
export function bufferOf(payload: Message["payload"]): string | Buffer {
  return typeof payload === "string" ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
