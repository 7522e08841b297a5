/** What a real broker holds of us, and what stands in a broker's place when it is none. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { connectAsync, type IClientOptions } from "mqtt";
import { expect } from "vitest";
import { BRIDGE_STATE, oreo, station } from "../../support/house.ts";
import { json } from "../../support/recorder.ts";
import type { Household } from "./household.ts";

/** So long nothing is told of what happened, behind a connection that was lost; then some seconds more, ms. */
const TOLD_MS = 40_000;

/** Something that happens in a fault, and is to be told once: neither lost nor twice. */
export function plugIn({ cloud }: Household): void {
  cloud.push(14758, { chg: 1 });
}

function happenings({ mqtt }: Household): string[] {
  return mqtt.of(oreo.event).map(({ payload }) => String(json(payload).event_type));
}

/** The broker retains what was said last on each topic, and news still come; what happened was told once. */
export async function expectInStep(house: Household, events: readonly string[] = ["charging_started"]): Promise<void> {
  await house.mqtt.waitUntil(() => happenings(house).length >= events.length, "what happened", TOLD_MS);
  house.cloud.push(14758, { bat: 3_900 });
  await house.mqtt.waitForJson(oreo.state, { battery_voltage: 3.9 });
  const retained = await retainedAt(house.broker.url, house.brokerLogin);
  expect(retained.get(BRIDGE_STATE)).toBe("online");
  for (const device of [oreo, station]) {
    expect(retained.get(device.availability)).toBe("online");
    expect(retained.get(device.config)).toContain('"components"');
  }
  for (const topic of [oreo.state, oreo.position, oreo.config, station.state]) {
    expect(retained.get(topic)).toBe(house.mqtt.latest(topic));
  }
  expect(happenings(house)).toEqual(events);
}

/** What a broker retains, by topic. */
async function retainedAt(url: string, login: IClientOptions): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const last = `reader/${Math.random()}`;
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  const reader = await connectAsync(url, { ...login, reconnectPeriod: 0 });
  reader.on("message", (topic, payload, { retain }) => {
    if (topic === last) resolve();
    else if (retain) found.set(topic, payload.toString("utf8"));
  });
  await reader.subscribeAsync("#");
  // What is retained goes out before what comes after the subscription.
  await reader.publishAsync(last, "here", { qos: 1 });
  await complete;
  await reader.endAsync(true);
  return found;
}

const CONNECT = 1;
const SUBSCRIBE = 8;
const OK = 0;

/** What answers in the broker's place. */
export interface Impostor {
  readonly port: number;
  close(): void;
}

type Answer = (packet: Buffer, type: number) => Buffer | string | undefined;

async function startImpostor(answer: Answer): Promise<Impostor> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (packet) => {
      const said = answer(packet, (packet[0] ?? 0) >> 4);
      if (said !== undefined) socket.write(said);
      if (typeof said === "string") socket.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A broker that answers each CONNECT with this code (MQTT 3.1.1, 3.2.2.3). */
export function refusing(code: number): Promise<Impostor> {
  return startImpostor((_, type) => (type === CONNECT ? Buffer.from([0x20, 2, 0, code]) : undefined));
}

/** A broker at which this user may subscribe to nothing: each filter is answered with 0x80. */
export function forbidding(): Promise<Impostor> {
  return startImpostor((packet, type) => {
    if (type === CONNECT) return Buffer.from([0x20, 2, 0, OK]);
    if (type !== SUBSCRIBE) return undefined;
    // Behind the length, which takes one byte or two.
    const at = (packet[1] ?? 0) < 0x80 ? 2 : 3;
    const filters = filtersIn(packet, at + 2);
    return Buffer.from([0x90, 2 + filters, packet[at] ?? 0, packet[at + 1] ?? 0, ...Array<number>(filters).fill(0x80)]);
  });
}

function filtersIn(packet: Buffer, from: number): number {
  let count = 0;
  for (let at = from; at + 2 < packet.length; at += 2 + packet.readUInt16BE(at) + 1) count += 1;
  return count;
}

/** Takes connections, and never says a word. */
export function silent(): Promise<Impostor> {
  return startImpostor(() => undefined);
}

/** A web server on the broker's port. */
export function webServer(): Promise<Impostor> {
  const page = "<html><body>400 Bad Request</body></html>";
  return startImpostor(() => `HTTP/1.1 400 Bad Request\r\nContent-Length: ${page.length}\r\n\r\n${page}`);
}
