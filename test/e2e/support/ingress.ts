/**
 * What Home Assistant's Supervisor does for an app's page: a path prefix that only the browser sees, the header that
 * names it, and an address of its own to come from. And a page around it, as Home Assistant's frontend is one.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
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

/** @param port of the program, on this computer */
export async function startIngress(port: number): Promise<Ingress> {
  const server = createServer((incoming, response) => {
    const { url = "/" } = incoming;
    if (ingress.isDown) incoming.socket.destroy();
    else if (url.startsWith(`${PREFIX}/`)) handOn(incoming, response, port, url.slice(PREFIX.length));
    else
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<iframe title="Pawline" src="${PREFIX}/"></iframe>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ingress: Ingress = {
    url: `${origin}${PREFIX}/`,
    frontend: `${origin}/`,
    isDown: false,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return ingress;
}

function handOn(incoming: IncomingMessage, response: ServerResponse, port: number, path: string): void {
  const headers = { ...incoming.headers, "x-ingress-path": PREFIX };
  const options = { host: "127.0.0.1", port, path, method: incoming.method, headers, localAddress: SUPERVISOR };
  const call = request({ ...options, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  call.on("error", () => response.writeHead(502).end());
  incoming.pipe(call);
}
