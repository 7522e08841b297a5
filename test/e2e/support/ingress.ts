/**
 * What Home Assistant's Supervisor does for an app's page: a path prefix that only the browser sees, the header that
 * names it, and an address of its own to come from. And a page around it, as Home Assistant's frontend is one.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestOptions, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";

const SUPERVISOR = "172.30.32.2";
/** Another app in the Supervisor's network. */
export const NEIGHBOUR = "172.30.32.9";
const PREFIX = "/api/hassio_ingress/c0ffee";

export interface Ingress {
  /** Where the browser finds the page. */
  readonly url: string;
  /** A page that shows it in a frame. */
  readonly frontend: string;
  /** While true, nothing gets through. */
  isDown: boolean;
  close(): Promise<void>;
}

const run = promisify(execFile);

/**
 * Gives this computer the addresses of the Supervisor's network, for a while; answers how to take them back.
 * @throws where the user may not do that
 */
export async function borrowAddresses(): Promise<() => Promise<void>> {
  const borrowed: string[] = [];
  const giveBack = async (): Promise<void> => {
    for (const address of borrowed.splice(0)) await run("ip", ["addr", "del", `${address}/32`, "dev", "lo"]);
  };
  for (const address of [SUPERVISOR, NEIGHBOUR]) {
    try {
      await run("ip", ["addr", "add", `${address}/32`, "dev", "lo"]);
      borrowed.push(address);
    } catch (error) {
      // Somebody else's stays.
      if (/File exists|already assigned/.test(String(error))) continue;
      await giveBack();
      throw error;
    }
  }
  return giveBack;
}

/**
 * @param port of the program, on this computer
 * @param way the Supervisor's unless another proxy is meant: its prefix, and the address that it comes from
 */
export async function startIngress(
  port: number,
  way: Way = { prefix: PREFIX, from: SUPERVISOR, isSupervisor: true },
): Promise<Ingress> {
  const open = new Set<Duplex>();
  const server = createServer((incoming, response) => {
    const { url = "/" } = incoming;
    if (ingress.isDown) incoming.socket.destroy();
    else if (url.startsWith(`${way.prefix}/`)) handOn(incoming, response, port, way);
    else
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<iframe title="Pawline" src="${way.prefix}/"></iframe>`);
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex) => {
    open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
    if (ingress.isDown) socket.destroy();
    else upgrade(incoming, socket, port, way);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let isDown = false;
  const ingress: Ingress = {
    url: `${origin}${way.prefix}/`,
    frontend: `${origin}/`,
    get isDown() {
      return isDown;
    },
    set isDown(next) {
      isDown = next;
      if (isDown) for (const socket of open) socket.destroy();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
  return ingress;
}

interface Way {
  readonly prefix: string;
  readonly from: string;
  /** Whether it tells of itself in headers. */
  readonly isSupervisor: boolean;
}

function callOf(incoming: IncomingMessage, port: number, { prefix, from, isSupervisor }: Way): RequestOptions {
  const told = isSupervisor ? { "x-ingress-path": prefix, "x-forwarded-host": incoming.headers.host } : {};
  const headers = { ...incoming.headers, ...told };
  const path = incoming.url?.slice(prefix.length);
  return { host: "127.0.0.1", port, path, method: incoming.method, headers, localAddress: from, agent: false };
}

function handOn(incoming: IncomingMessage, response: ServerResponse, port: number, way: Way): void {
  const call = request(callOf(incoming, port, way), (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  call.on("error", () => response.writeHead(502).end());
  incoming.pipe(call);
}

/** A WebSocket: the two sides speak with each other, and end together. */
function upgrade(incoming: IncomingMessage, socket: Duplex, port: number, way: Way): void {
  const call = request(callOf(incoming, port, way));
  call.on("error", () => socket.destroy());
  call.on("response", (answer) => {
    socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
    answer.resume();
  });
  call.on("upgrade", (answer, line, head) => {
    const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join("\r\n")}\r\n\r\n`);
    socket.write(head);
    line.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("close", () => line.destroy());
    line.pipe(socket).pipe(line);
  });
  call.end();
}
