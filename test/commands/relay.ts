/** A stretch of network in front of a server, which can freeze: connections stay, and nothing gets through. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { AtEnd } from "../support/temp.ts";

export interface Relay {
  readonly port: number;
  /** From now on nothing gets through, on old connections and new ones. */
  freeze(): void;
  /** Cuts what is connected; who comes now gets to this port. */
  redirect(target: number): void;
}

export async function startRelay(firstTarget: number, atEnd: AtEnd): Promise<Relay> {
  let target = firstTarget;
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    return socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    if (isFrozen) return;
    const onward = keep(connect(target, "127.0.0.1"));
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  atEnd(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    port: address.port,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    redirect(next) {
      target = next;
      for (const socket of sockets) socket.destroy();
    },
  };
}
