/** A TCP relay to a server on loopback, so that a test can cut or hold one client's connection and no other's. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Relay {
  readonly port: number;
  /** How many connections there have been. */
  readonly count: number;
  /** Ends the open connections without a word; returns how many there were. */
  cut(): number;
  /** Keeps what the server says from the client, which is not read any more; what the client says goes on. */
  hold(): void;
  release(): void;
  /** Where connections go from now on; open ones stay where they are. */
  redirect(targetPort: number): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startRelay(firstTargetPort: number): Promise<Relay> {
  const pairs = new Set<Pair>();
  let targetPort = firstTargetPort;
  let count = 0;
  let isHeld = false;
  const listener = createServer((client) => {
    const pair: Pair = { client, server: connect(targetPort, "127.0.0.1") };
    const end = (): void => {
      pairs.delete(pair);
      pair.client.destroy();
      pair.server.destroy();
    };
    count += 1;
    pairs.add(pair);
    client.on("data", (bytes) => pair.server.write(bytes));
    pair.server.on("data", (bytes) => client.write(bytes));
    if (isHeld) pair.server.pause();
    for (const socket of [client, pair.server]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the relay listens on no TCP port");

  const cut = (): number => {
    const open = [...pairs];
    for (const { client, server } of open) {
      client.destroy();
      server.destroy();
    }
    return open.length;
  };

  return {
    port: address.port,
    get count() {
      return count;
    },
    cut,
    hold() {
      isHeld = true;
      for (const { server } of pairs) server.pause();
    },
    release() {
      isHeld = false;
      for (const { server } of pairs) server.resume();
    },
    redirect(port) {
      targetPort = port;
    },
    async close() {
      const closed = once(listener, "close");
      listener.close();
      cut();
      await closed;
    },
  };
}
