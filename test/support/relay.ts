/**
 * A stretch of network in front of a server on loopback, and everything that can be wrong with it: a test can break one
 * client's way and no other's. TLS, where it is asked for, ends here: the server behind speaks plainly.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from "node:tls";

/** PEM texts. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

interface Pace {
  /** So much later everything arrives, each way, ms. */
  readonly latencyMs?: number;
  /** So much goes through in a second, each way. */
  readonly bytesPerS?: number;
}

export interface Relay {
  readonly port: number;
  /** How many connections there have been. */
  readonly count: number;
  /** Ends the open connections without a word; returns how many there were. */
  cut(): number;
  /** Ends the open connections by a TCP reset; the same. */
  reset(): number;
  /** Ends the open connections in order, behind what is still on its way; the same. */
  hangUp(): number;
  /** Lets so many more bytes of the server through to each client that has some coming, and then cuts it off. */
  cutAfter(bytes: number): void;
  /** Keeps what the server says from the client, which is not read any more; what the client says goes on. */
  hold(): void;
  /** Nothing gets through any more, either way, on old connections and new ones, and none of them ends. */
  freeze(): void;
  /** The open connections have no way any more, for ever, and neither side hears of it; new ones have. */
  strand(): void;
  /** Ends `hold` and `freeze`: what was held back arrives now. */
  release(): void;
  /** New connections find nobody listening, or are reset as soon as they are there; open ones stay. */
  refuse(how?: "closed" | "reset"): void;
  /** Takes connections again, on the same port. */
  accept(): Promise<void>;
  /** From now on; nothing said means as fast as it goes. */
  pace(pace: Pace): void;
  /** Another certificate for the connections that come. */
  identify(identity: Identity): void;
  /** Where connections go from now on; open ones stay where they are. */
  redirect(targetPort: number): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isStranded: boolean;
}

/** What is wrong with the network at the moment. */
interface Weather {
  pace: Pace;
  /** Settled when the way is free again; undefined while it is. */
  heldUp: Promise<void> | undefined;
  heldDown: Promise<void> | undefined;
  /** Bytes of the server that may still pass, of each connection. */
  budget: number | undefined;
  refusing: boolean;
}

const SLICES_PER_S = 10;

/** One way through: bytes and the end come in order, each when the weather lets it. */
function carry(pair: Pair, weather: Weather, way: "heldUp" | "heldDown", onSpent: () => void): void {
  const [from, to] = way === "heldUp" ? [pair.client, pair.server] : [pair.server, pair.client];
  let tail = Promise.resolve();
  let spent = 0;
  const then = (act: () => Promise<void> | void): void => {
    tail = tail.then(async () => {
      while (weather[way] !== undefined) await weather[way];
      if (!pair.isStranded) await act();
    });
  };
  async function pass(bytes: Buffer): Promise<void> {
    const { bytesPerS } = weather.pace;
    if (bytesPerS === undefined) return void to.write(bytes);
    const size = Math.max(1, Math.floor(bytesPerS / SLICES_PER_S));
    for (let at = 0; at < bytes.length; at += size) {
      await pause(1_000 / SLICES_PER_S);
      to.write(bytes.subarray(at, at + size));
    }
  }
  from.on("data", (bytes) => {
    const { latencyMs = 0 } = weather.pace;
    const dueAt = performance.now() + latencyMs;
    then(async () => {
      if (latencyMs > 0) await pause(Math.max(0, dueAt - performance.now()));
      if (way === "heldUp" || weather.budget === undefined) return await pass(bytes);
      const allowed = bytes.subarray(0, Math.max(0, weather.budget - spent));
      spent += allowed.length;
      await pass(allowed);
      if (allowed.length < bytes.length) onSpent();
    });
  });
  from.on("end", () => then(() => void to.end()));
}

export async function startRelay(firstTargetPort: number, identity?: Identity): Promise<Relay> {
  const pairs = new Set<Pair>();
  const weather: Weather = { pace: {}, heldUp: undefined, heldDown: undefined, budget: undefined, refusing: false };
  let targetPort = firstTargetPort;
  let count = 0;
  let release = (): void => {};

  function take(client: Socket): void {
    count += 1;
    if (weather.refusing) {
      resetSocket(client.on("error", () => {}));
      return;
    }
    const server = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair: Pair = { client, server, isStranded: false };
    const isFrozen = (): boolean => weather.heldUp !== undefined;
    const end = (): void => {
      // In a network that swallows everything the other side hears of no end.
      if (pair.isStranded) return;
      if (isFrozen()) return void weather.heldUp?.then(end);
      pairs.delete(pair);
      pair.client.destroy();
      pair.server.destroy();
    };
    pairs.add(pair);
    carry(pair, weather, "heldUp", () => {});
    carry(pair, weather, "heldDown", end);
    if (weather.heldDown) pair.server.pause();
    for (const socket of [pair.client, pair.server]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
  }

  const secure = identity && createTlsServer({ ...identity, allowHalfOpen: true }, take);
  const listener: Server | TlsServer = secure ?? createServer({ allowHalfOpen: true }, take);
  // A client that does not trust us, and says so.
  secure?.on("tlsClientError", (_, socket) => {
    count += 1;
    socket.destroy();
  });
  // Below TLS, too: a connection whose handshake failed is in no pair.
  const sockets = new Set<Socket>();
  listener.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(listener, 0);

  const each = (act: (pair: Pair) => void): number => {
    const open = [...pairs];
    for (const pair of open) act(pair);
    return open.length;
  };
  const cut = (): number =>
    each(({ client, server }) => {
      client.destroy();
      server.destroy();
    });
  const block = (...ways: ("heldUp" | "heldDown")[]): void => {
    const free = Promise.withResolvers<void>();
    const before = release;
    for (const way of ways) weather[way] = free.promise;
    release = () => {
      before();
      free.resolve();
    };
    each(({ server }) => server.pause());
  };

  return {
    port,
    get count() {
      return count;
    },
    cut,
    reset: () =>
      each(({ client, server }) => {
        resetSocket(client);
        server.destroy();
      }),
    hangUp: () => each(({ client }) => client.end()),
    cutAfter(bytes) {
      weather.budget = bytes;
    },
    hold: () => block("heldDown"),
    freeze: () => block("heldUp", "heldDown"),
    strand() {
      each((pair) => {
        pair.isStranded = true;
      });
    },
    release() {
      Object.assign(weather, { heldUp: undefined, heldDown: undefined });
      release();
      release = () => {};
      each(({ server }) => server.resume());
    },
    refuse(how = "closed") {
      weather.refusing = how === "reset";
      if (how === "closed" && listener.listening) listener.close();
    },
    async accept() {
      Object.assign(weather, { refusing: false, budget: undefined });
      if (!listener.listening) await listen(listener, port);
    },
    pace(pace) {
      weather.pace = pace;
    },
    identify: (next) => secure?.setSecureContext({ ...next }),
    redirect(to) {
      targetPort = to;
    },
    async close() {
      release();
      Object.assign(weather, { heldUp: undefined, heldDown: undefined });
      const closed = listener.listening ? once(listener, "close") : undefined;
      if (listener.listening) listener.close();
      cut();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Inside TLS there is no reset: there it is an end without a word. */
function resetSocket(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** The port that it is; 0 asks for any. */
async function listen(server: Server | TlsServer, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay listens on no TCP port");
  return address.port;
}
