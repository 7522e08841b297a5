import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { eventually } from "./waiting.ts";

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function tryToConnect(port: number): Promise<true> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } finally {
    socket.destroy();
  }
}

export async function portAccepts(port: number, ms: number): Promise<void> {
  await eventually(ms, `A connection to port ${port}`, () => tryToConnect(port));
}
