/** The MQTT broker inside the process: for `pawline demo`, which needs none installed, and for tests. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type Client } from "aedes";

export interface BrokerOptions {
  readonly host?: string;
  /** The preferred port; 0 (default) takes any free one. */
  readonly port?: number;
  /** Whether any free port will do where the preferred one is taken; default true. */
  readonly fallback?: boolean;
  /** The only credentials that are let in; without them everybody is. */
  readonly authenticate?: { readonly username: string; readonly password: string };
}

export interface Broker {
  readonly port: number;
  /** `mqtt://127.0.0.1:PORT` */
  readonly url: string;
  /** The ids of the clients that are connected now. */
  readonly clients: readonly string[];
  /** Cuts every client's connection and stays up; returns how many there were. */
  dropClients(): number;
  /** Cuts every connection and ends. */
  close(): Promise<void>;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the broker listens on no TCP port");
  return address.port;
}

async function listenSomewhere(server: Server, host: string, port: number, fallback: boolean): Promise<number> {
  try {
    return await listen(server, host, port);
  } catch (error) {
    if (!fallback || !isTaken(error)) throw error;
    return await listen(server, host, 0);
  }
}

function checkCredentials(aedes: Aedes, wanted: { readonly username: string; readonly password: string }): void {
  aedes.authenticate = (_client, username, password, done) => {
    if (username === wanted.username && password?.toString() === wanted.password) done(null, true);
    // 4: bad user name or password.
    else done(Object.assign(new Error("bad user name or password"), { returnCode: 4 }), false);
  };
}

/** Clients and not their ids: one that takes over another's id comes before that other has gone. */
function followClients(aedes: Aedes): ReadonlySet<Client> {
  const clients = new Set<Client>();
  aedes.on("client", (client) => clients.add(client));
  aedes.on("clientDisconnect", (client) => clients.delete(client));
  return clients;
}

function dropAll(sockets: ReadonlySet<Socket>): number {
  for (const socket of sockets) socket.destroy();
  return sockets.size;
}

/** Starts a broker on loopback. Rejects where the port is taken and `fallback` is false. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { host = "127.0.0.1", port: preferred = 0, fallback = true, authenticate } = options;
  const aedes = await Aedes.createBroker();
  if (authenticate) checkCredentials(aedes, authenticate);
  const clients = followClients(aedes);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const end = (): Promise<void> => new Promise((resolve) => aedes.close(() => resolve()));
  const port = await listenSomewhere(server, host, preferred, fallback).catch(async (error: unknown) => {
    await end();
    throw error;
  });

  return {
    port,
    url: `mqtt://${host}:${port}`,
    get clients() {
      return [...clients].map((client) => client.id);
    },
    dropClients: () => dropAll(sockets),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropAll(sockets);
      await end();
      await closed;
    },
  };
}
