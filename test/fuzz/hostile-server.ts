/** A WebSocket server on loopback that says what an input has it say. */
import { once } from "node:events";
import { type WebSocket, WebSocketServer } from "ws";

export interface HostileServer {
  readonly port: number;
  /** What the next connection hears: texts that are parted by the record separator; behind an exclamation mark at once. */
  load(input: string): void;
  close(): void;
}

export interface Guest {
  readonly socket: WebSocket;
  /** The texts of the input. */
  readonly texts: readonly string[];
  /** Whether there is to be no greeting. */
  readonly isRude: boolean;
  readonly tell: (texts: readonly string[]) => void;
}

export async function openHostileServer(receive: (guest: Guest) => void): Promise<HostileServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  let input = "";
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    const tell = (texts: readonly string[]): void => {
      for (const text of texts) if (socket.readyState === socket.OPEN) socket.send(text);
    };
    receive({ socket, texts: input.replace(/^!/, "").split("\u001e"), isRude: input.startsWith("!"), tell });
  });
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    load(next) {
      input = next;
    },
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
