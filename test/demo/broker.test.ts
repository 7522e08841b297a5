import type { EventEmitter } from "node:events";
import { once as nodeOnce } from "node:events";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, expect, test } from "vitest";
import { type Broker, type BrokerOptions, startBroker } from "../../src/demo/broker.ts";
import { within } from "./client.ts";

/** mqtt types its events too narrowly for `once`. */
const once = (emitter: unknown, event: string): Promise<unknown[]> => nodeOnce(emitter as EventEmitter, event);

const running: Broker[] = [];
const connected: MqttClient[] = [];

afterEach(async () => {
  for (const client of connected.splice(0)) client.end(true);
  await Promise.all(running.splice(0).map((broker) => broker.close()));
});

async function start(options?: BrokerOptions): Promise<Broker> {
  const broker = await startBroker(options);
  running.push(broker);
  return broker;
}

async function client(broker: Broker, options: object = {}): Promise<MqttClient> {
  const mqtt = await connectAsync(broker.url, { reconnectPeriod: 0, ...options });
  connected.push(mqtt);
  return mqtt;
}

test("a message finds its subscriber, a retained one also later", async () => {
  const broker = await start();
  const first = await client(broker, { clientId: "first" });
  expect(broker.clients).toEqual(["first"]);
  await first.publishAsync("a/b", "hello", { retain: true, qos: 1 });
  const second = await client(broker);
  const message = once(second, "message");
  await second.subscribeAsync("a/#");
  const [topic, payload] = (await within(message, 2000, "the message")) as [string, Buffer];
  expect([topic, payload.toString()]).toEqual(["a/b", "hello"]);
});

test("a taken port is replaced by a free one, or refused where that is wanted", async () => {
  const { port } = await start();
  expect((await start({ port })).port).not.toBe(port);
  await expect(startBroker({ port, fallback: false })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("only the right credentials are let in", async () => {
  const broker = await start({ authenticate: { username: "paw", password: "line" } });
  await expect(client(broker)).rejects.toMatchObject({ code: 4 });
  await expect(client(broker, { username: "paw", password: "wrong" })).rejects.toMatchObject({ code: 4 });
  await client(broker, { username: "paw", password: "line" });
});

test("clients can be cut off, and come back", async () => {
  const broker = await start();
  const mqtt = await client(broker);
  const closed = once(mqtt, "close");
  expect(broker.dropClients()).toBe(1);
  await within(closed, 2000, "the close");
  await client(broker);
});

test("the end cuts everybody off at once", async () => {
  const broker = await startBroker();
  const closed = once(await client(broker), "close");
  await within(broker.close(), 1000, "the end");
  await within(closed, 1000, "the close");
  expect(broker.clients).toEqual([]);
});
