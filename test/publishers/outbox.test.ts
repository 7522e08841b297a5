/** How much is on its way to a broker, on ways that are quick, far or narrow. */
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Message } from "../../src/discovery/messages.ts";
import { createOutbox } from "../../src/publishers/mqtt/outbox.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const KILOBYTE = 1_000;
const NEVER_LOST = new Promise<never>(() => {});

/** A way to a broker that takes so long there and back, and carries so many bytes a second. */
function openWay({ delayMs, bytesPerS }: { delayMs: number; bytesPerS: number }) {
  const [sent, confirmed]: [string[], string[]] = [[], []];
  let [freeAt, onTheWay, most, longestMs] = [0, 0, 0, 0];
  const client = {
    publish(topic: string, payload: string, _: object, done: () => void) {
      const [at, bytes] = [performance.now(), topic.length + payload.length];
      sent.push(topic);
      onTheWay += bytes;
      most = Math.max(most, onTheWay);
      freeAt = Math.max(freeAt, at) + (bytes / bytesPerS) * 1_000;
      setTimeout(
        () => {
          onTheWay -= bytes;
          longestMs = Math.max(longestMs, performance.now() - at);
          confirmed.push(topic);
          done();
        },
        freeAt - at + delayMs,
      );
    },
  };
  const outbox = createOutbox(client as unknown as MqttClient, NEVER_LOST);
  return { outbox, sent, confirmed, look: () => ({ onTheWay, most, longestMs }) };
}

function message(number: number): Message {
  return { topic: String(number), payload: "x".repeat(KILOBYTE), retain: true, qos: 1 };
}

/** @returns how many were confirmed, when so many were there to be sent from the start */
async function pour(way: ReturnType<typeof openWay>, messages: number, ms: number): Promise<number> {
  for (let number = 0; number < messages; number += 1) void way.outbox.publish(message(number));
  await vi.advanceTimersByTimeAsync(ms);
  return way.confirmed.length;
}

test("over a narrow way no more is on its way than it carries in seconds: news stay news", async () => {
  const way = openWay({ delayMs: 200, bytesPerS: 2 * KILOBYTE });
  await pour(way, 1_000, 60_000);
  expect(way.look().most).toBeLessThan(25 * KILOBYTE);
  expect(way.look().longestMs).toBeLessThan(15_000);
});

test("over a way that is only far, more and more is on its way", async () => {
  const way = openWay({ delayMs: 2_000, bytesPerS: 10_000 * KILOBYTE });
  expect(await pour(way, 2_000, 30_000)).toBe(2_000);
});

test("over a quick way nobody waits for long", async () => {
  const way = openWay({ delayMs: 1, bytesPerS: 100_000 * KILOBYTE });
  expect(await pour(way, 2_000, 100)).toBe(2_000);
});

test("what waits goes in its order, before what comes later", async () => {
  const way = openWay({ delayMs: 50, bytesPerS: 20 * KILOBYTE });
  for (let number = 0; number < 30; number += 1) void way.outbox.publish(message(number));
  expect(way.outbox.tryPublish(message(99))).toBe(false);
  const last = way.outbox.publish(message(30));
  const all = way.outbox.flush();
  await vi.advanceTimersByTimeAsync(20_000);
  await Promise.all([last, all]);
  expect(way.sent).toEqual(Array.from({ length: 31 }, (_, number) => String(number)));
});

test("what is made when there is room is the latest, has its turn like the others, and may be nothing", async () => {
  const way = openWay({ delayMs: 50, bytesPerS: 20 * KILOBYTE });
  for (let number = 0; number < 20; number += 1) void way.outbox.publish(message(number));
  let latest = 90;
  const made = way.outbox.publishLatest(() => message(latest));
  const nothing = way.outbox.publishLatest(() => undefined);
  const behind = way.outbox.publish(message(20));
  latest = 91;
  await vi.advanceTimersByTimeAsync(20_000);
  await Promise.all([made, nothing, behind]);
  expect(way.sent.slice(18)).toEqual(["18", "19", "91", "20"]);
  await way.outbox.publishLatest(() => message(92));
  expect(way.sent.at(-1)).toBe("92");
});

/** A broker that answers to pings alone. */
function openSilence() {
  const confirm: (() => void)[] = [];
  const client = { publish: (_: string, __: string, ___: object, done: () => void) => void confirm.push(done) };
  return { outbox: createOutbox(client as unknown as MqttClient, NEVER_LOST), confirm };
}

const SECOND = 1_000;
const outcomeOf = (promise: Promise<void>): Promise<string> => promise.then(() => "sent", String);

test("a broker that confirms nothing more does not make anybody wait for ever", async () => {
  const { outbox } = openSilence();
  for (let number = 0; number < 9; number += 1) expect(outbox.tryPublish(message(number))).toBe(true);
  const outcomes = [outbox.publish(message(9)), outbox.publish(message(10)), outbox.flush()].map(outcomeOf);
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  const sentence = "RecoverableError: the broker has not confirmed a message within 60 s";
  expect(await Promise.all(outcomes)).toEqual([sentence, sentence, sentence]);
});

test("one that confirms one message a minute is waited for", async () => {
  const { outbox, confirm } = openSilence();
  for (let number = 0; number < 8; number += 1) outbox.tryPublish(message(number));
  const all = outbox.flush();
  const outcome = outcomeOf(all);
  for (let number = 0; number < 8; number += 1) {
    await vi.advanceTimersByTimeAsync(59 * SECOND);
    confirm.shift()?.();
  }
  expect(await outcome).toBe("sent");
});

test("a message that is larger than all that may be on its way goes when nothing else is", async () => {
  const { outbox, confirm } = openSilence();
  const large = { ...message(1), payload: "x".repeat(2_000 * KILOBYTE) };
  expect(outbox.tryPublish(message(0))).toBe(true);
  expect(outbox.tryPublish(large)).toBe(true);
  expect(outbox.tryPublish(message(2))).toBe(false);
  const outcome = outcomeOf(outbox.publish(large));
  for (const done of confirm.splice(0)) done();
  expect(await outcome).toBe("sent");
});

test("what fails without the broker's word is not confirmed", async () => {
  const publish = (_: string, __: string, ___: object, done: (error?: Error) => void): void =>
    done(new Error("Connection closed"));
  const outbox = createOutbox({ publish } as unknown as MqttClient, NEVER_LOST);
  expect(outbox.tryPublish(message(1))).toBe(true);
  const outcome = outcomeOf(outbox.flush());
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  expect(await outcome).toMatch(/has not confirmed/);
});

test("what the broker refuses holds nothing up, and is told", async () => {
  const refused = Object.assign(new Error("Publish error: Not authorized"), { code: 135 });
  const publish = (_: string, __: string, ___: object, done: (error?: Error) => void): void => done(refused);
  const told: string[] = [];
  const onRefused = (topic: string, error: Error): void => void told.push(`${topic}: ${error.message}`);
  const outbox = createOutbox({ publish } as unknown as MqttClient, NEVER_LOST, onRefused);
  await outbox.publish(message(1));
  await outbox.flush();
  expect(told).toEqual(["1: Publish error: Not authorized"]);
});
