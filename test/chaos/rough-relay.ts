/** A TCP relay on loopback with the faults of a network. What it does to bytes holds for all connections through it. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface RoughRelay {
  readonly port: number;
  /** Nobody listens any more; open connections stay. */
  refuse(): void;
  /** Ends the open connections by a reset, or in order. */
  reset(): void;
  close(): void;
  /** Nothing passes in either direction, and nothing ends: new connections are taken. */
  freeze(): void;
  /** From now on each connection is reset when it has brought the client so many bytes, in the middle of whatever. */
  cutAfter(bytes: number): void;
  /** Each piece of data is held up for so long. */
  slow(latencyMs: number): void;
  /** No more than this many bytes pass in a second, in either direction of a connection. */
  throttle(bytesPerS: number): void;
  /** Ends refusal, freeze and cuts. */
  mend(): Promise<void>;
  /** Ends latency and throttle. */
  hurry(): void;
  end(): void;
}

interface Weather {
  frozen: PromiseWithResolvers<void> | undefined;
  latencyMs: number;
  bytesPerS: number;
  cutAfterBytes: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  bytesToClient: number;
}

/** A throttled connection passes on this often. */
const SLICES_PER_S = 20;

export async function startRoughRelay(targetPort: number): Promise<RoughRelay> {
  const weather: Weather = {
    frozen: undefined,
    latencyMs: 0,
    bytesPerS: Number.POSITIVE_INFINITY,
    cutAfterBytes: Number.POSITIVE_INFINITY,
  };
  const pairs = new Set<Pair>();
  const listener = createServer({ allowHalfOpen: true }, (client) => join(client, targetPort, weather, pairs));
  const port = await listen(listener, 0);
  const all = (act: (pair: Pair) => void): void => {
    for (const pair of pairs) act(pair);
  };
  const thaw = (): void => {
    weather.frozen?.resolve();
    weather.frozen = undefined;
  };
  return {
    port,
    refuse: () => void listener.close(),
    reset: () => all(resetPair),
    close: () => all(({ client, server }) => [client, server].map((socket) => socket.end())),
    freeze: () => {
      weather.frozen ??= Promise.withResolvers();
    },
    cutAfter: (bytes) => {
      all((pair) => {
        pair.bytesToClient = 0;
      });
      weather.cutAfterBytes = bytes;
    },
    slow: (ms) => {
      weather.latencyMs = ms;
    },
    throttle: (rate) => {
      weather.bytesPerS = rate;
    },
    hurry: () => Object.assign(weather, { latencyMs: 0, bytesPerS: Number.POSITIVE_INFINITY }),
    async mend() {
      thaw();
      weather.cutAfterBytes = Number.POSITIVE_INFINITY;
      if (!listener.listening) await listen(listener, port);
    },
    end() {
      thaw();
      all(resetPair);
      if (listener.listening) listener.close();
    },
  };
}

async function listen(listener: Server, port: number): Promise<number> {
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the relay listens on no TCP port");
  return address.port;
}

function join(client: Socket, targetPort: number, weather: Weather, pairs: Set<Pair>): void {
  const pair: Pair = {
    client,
    server: connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true }),
    bytesToClient: 0,
  };
  pairs.add(pair);
  for (const socket of [client, pair.server]) {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => pairs.delete(pair));
  }
  carry(pair, client, pair.server, weather).catch(() => resetPair(pair));
  carry(pair, pair.server, client, weather).catch(() => resetPair(pair));
}

function resetPair({ client, server }: Pair): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

/** One piece after the other, so that nothing overtakes; who sends faster waits. */
async function carry(pair: Pair, from: Socket, to: Socket, weather: Weather): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (const piece of slicesOf(chunk, weather)) {
      await passage(weather, piece.length);
      if (to === pair.client && isCutIn(pair, piece, weather)) return resetPair(pair);
      if (!to.write(piece)) await Promise.race([once(to, "drain"), once(to, "close")]);
    }
  }
  while (weather.frozen) await weather.frozen.promise;
  to.end();
}

function* slicesOf(chunk: Buffer, { bytesPerS }: Weather): Generator<Buffer> {
  const size = Math.max(1, Math.floor(Math.min(bytesPerS / SLICES_PER_S, chunk.length)));
  for (let from = 0; from < chunk.length; from += size) yield chunk.subarray(from, from + size);
}

async function passage(weather: Weather, bytes: number): Promise<void> {
  const throttledMs = Number.isFinite(weather.bytesPerS) ? (bytes * 1_000) / weather.bytesPerS : 0;
  const waitMs = weather.latencyMs + throttledMs;
  if (waitMs > 0) await pause(waitMs);
  while (weather.frozen) await weather.frozen.promise;
}

/** Passes on what is left before the cut. */
function isCutIn(pair: Pair, piece: Buffer, { cutAfterBytes }: Weather): boolean {
  const left = cutAfterBytes - pair.bytesToClient;
  pair.bytesToClient += piece.length;
  if (piece.length < left) return false;
  if (left > 0) pair.client.write(piece.subarray(0, left));
  return true;
}
