/** What answers in the place of a broker or a Home Assistant, and is none. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Relay } from "../../support/relay.ts";
import type { Household } from "./household.ts";

const CONNECT = 1;
const SUBSCRIBE = 8;
const OK = 0;

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

/** A web server that answers whatever it is asked with this status and a page. */
export function webServer(status = "400 Bad Request", header = "X-Powered-By: milk"): Promise<Impostor> {
  const page = `<html><body>${status}</body></html>`;
  const head = `HTTP/1.1 ${status}\r\n${header}\r\nContent-Type: text/html\r\nContent-Length: ${page.length}`;
  return startImpostor(() => `${head}\r\nConnection: close\r\n\r\n${page}`);
}

/** Somebody in the place of whoever is behind a line, from the moment on at which the fault begins, until it ends. */
export function inThePlaceOf(
  line: (house: Household) => Relay,
  port: (house: Household) => number,
  start: () => Promise<Impostor>,
) {
  const impostors = new Map<Household, Impostor>();
  return {
    async strike(house: Household): Promise<void> {
      const impostor = await start();
      impostors.set(house, impostor);
      line(house).redirect(impostor.port);
      line(house).cut();
    },
    heal(house: Household): void {
      impostors.get(house)?.close();
      line(house).redirect(port(house));
    },
  };
}
