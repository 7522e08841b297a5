/**
 * A stream as a Spring message broker behind a SockJS server speaks it: the package `sockjs` for the envelopes, STOMP
 * frames written by hand. Independent of the simulated cloud, and of the client.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import sockjs, { type Connection } from "sockjs";
import { until } from "./until.ts";

/** One frame of the client, or a heart-beat (its command is then a line feed). */
interface ClientFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly text: string;
  readonly at: number;
}

interface Session {
  /** Path and query. */
  readonly url: string;
  readonly frames: readonly ClientFrame[];
  readonly isOpen: boolean;
  /** One SockJS message. */
  say(text: string): void;
  close(code: number, reason: string): void;
  /** All frames of this command, as soon as there are `count`. */
  frame(command: string, count?: number): Promise<readonly ClientFrame[]>;
}

export interface Spring {
  readonly url: string;
  readonly sessions: readonly Session[];
  /** The session of this index, as soon as it has sent its devices. */
  session(index?: number): Promise<Session>;
  close(): Promise<void>;
}

/** What the server answers to CONNECT; undefined for nothing. */
export type Greeting = (connect: ClientFrame) => string | undefined;

const CONNECTED = "CONNECTED\nversion:1.1\nheart-beat:10000,10000\nuser-name:cat@example.com\n\n\0";

export async function startSpring(greet: Greeting = () => CONNECTED): Promise<Spring> {
  const sessions: Session[] = [];
  const server = createServer();
  const open = new Set<Connection>();
  const socks = sockjs.createServer({ log: () => {} });
  socks.on("connection", (connection) => {
    open.add(connection);
    connection.on("close", () => open.delete(connection));
    sessions.push(serve(connection, greet, () => open.has(connection)));
  });
  socks.installHandlers(server, { prefix: "/sc" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no TCP port");
  return {
    url: `ws://127.0.0.1:${address.port}/sc`,
    sessions,
    async session(index = 0) {
      const session = await until(() => sessions[index], `session ${index}`);
      await session.frame("SEND");
      return session;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      for (const connection of open) connection.close();
      await closed;
    },
  };
}

function serve(connection: Connection, greet: Greeting, isOpen: () => boolean): Session {
  const frames: ClientFrame[] = [];
  connection.on("data", (text) => {
    const frame = parse(text);
    frames.push(frame);
    const greeting = frame.command === "CONNECT" ? greet(frame) : undefined;
    if (greeting !== undefined) connection.write(greeting);
  });
  return {
    url: connection.url,
    frames,
    get isOpen() {
      return isOpen();
    },
    say: (text) => void connection.write(text),
    close: (code, reason) => void connection.close(code, reason),
    frame: (command, count = 1) =>
      until(() => {
        const found = frames.filter((frame) => frame.command === command);
        return found.length >= count && found;
      }, `${count} ${command}`),
  };
}

function parse(text: string): ClientFrame {
  const at = performance.now();
  if (text === "\n") return { command: "\n", headers: {}, body: "", text, at };
  const headEnd = text.indexOf("\n\n");
  const [command = "", ...lines] = text.slice(0, headEnd).split("\n");
  const headers = lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]);
  return { command, headers: Object.fromEntries(headers), body: text.slice(headEnd + 2), text, at };
}

const HEAD = "destination:/user/queue/messages\ncontent-type:application/json;charset=UTF-8\nsubscription:sub-0";

/** A MESSAGE with the headers of the protocol's first description, in its order. */
export function springMessage(body: object, number = 5241): string {
  return `MESSAGE\n${HEAD}\nmessage-id:sxnk11xh-${number}\n\n${JSON.stringify(body)}\0`;
}

/** The same with its length in bytes. */
export function springMessageWithLength(body: object, number = 5241): string {
  const text = JSON.stringify(body);
  return `MESSAGE\n${HEAD}\nmessage-id:sxnk11xh-${number}\ncontent-length:${Buffer.byteLength(text)}\n\n${text}\0`;
}
