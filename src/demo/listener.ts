/** The TCP side of the cloud's one server: where it listens, whom it turns away, and how it ends at once. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { FaultState } from "./fault-state.ts";

export interface Listener {
  readonly port: number;
  /** Turns new connections away: reset as soon as they are accepted, or by not listening at all. */
  refuse(how: "reset" | "closed"): void;
  /** Takes connections again, on the same port. */
  accept(): Promise<void>;
  /** Ends every connection now, also those that hang or are frozen. */
  close(): Promise<void>;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server listens on no TCP port");
  return address.port;
}

/** Listens on `port` (0: any free one). Rejects where the port is taken. */
export async function createListener(server: Server, host: string, port: number, faults: FaultState) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    if (faults.refusing) socket.resetAndDestroy();
    socket.on("close", () => sockets.delete(socket));
  });
  // Idle clients keep their connection: a server that hangs up on them is a fault of its own, and a racy one.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  const boundPort = await listen(server, host, port);
  const listener: Listener = {
    port: boundPort,
    refuse(how) {
      faults.refusing = how === "reset";
      if (how === "closed" && server.listening) server.close();
      server.closeAllConnections();
    },
    async accept() {
      faults.refusing = false;
      if (!server.listening) await listen(server, host, boundPort);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return listener;
}
