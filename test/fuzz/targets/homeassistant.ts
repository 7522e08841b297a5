/**
 * What Home Assistant says over its WebSocket, parted by the record separator, after a good login; behind an
 * exclamation mark in place of it.
 */
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { FatalError, RecoverableError } from "../../../src/lib/errors.ts";
import { z } from "../../../src/lib/schema.ts";
import { CallRefused, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { TokenRefused } from "../../../src/publishers/homeassistant/socket.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { SECRET, watchedLog } from "../watched-log.ts";

const REQUIRED = '{"type":"auth_required","ha_version":"2026.11.0"}';
const ACCEPTED = '{"type":"auth_ok","ha_version":"2026.11.0"}';

export const homeassistant: Target = {
  name: "homeassistant",
  dictionary: [
    "\u001e",
    "!",
    REQUIRED,
    ACCEPTED,
    '{"type":"auth_invalid"}',
    '{"id":1,"type":"result","success":true,"result":',
    '"id":',
    '"type":"event","event":',
    '"success":false,"error":',
    '"code":"unauthorized"',
    '"message":',
    '"pong"',
  ],
  runs: 150,
  open,
};

async function open(): Promise<Trial> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const endpoint = await endpointOf(homeAssistantOptions.parse({ url, token: SECRET }));
  const { log, look } = await watchedLog("pretty");
  let sends: readonly string[] = [];
  let isRude = false;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    const tell = (texts: readonly string[]): void => {
      for (const text of texts) if (socket.readyState === socket.OPEN) socket.send(text);
    };
    if (isRude) {
      tell(sends);
      return socket.close();
    }
    socket.send(REQUIRED);
    let heard = 0;
    socket.on("message", () => {
      heard += 1;
      if (heard === 1) tell([ACCEPTED]);
      // What the client library says of itself, the subscription, and the call.
      if (heard !== 3) return;
      tell(sends);
      socket.close();
    });
  });

  /** @returns what the call was answered with */
  async function connect(input: string): Promise<unknown> {
    isRude = input.startsWith("!");
    sends = input.replace(/^!/, "").split("\u001e");
    try {
      const connection = await openConnection(endpoint, new AbortController().signal);
      connection.subscribe({ type: "subscribe" }, z.looseObject({ a: z.string() }), () => {}).catch(() => {});
      const answer = await Promise.race([connection.call({ type: "ask" }, z.unknown()), connection.lost]);
      await connection.lost.catch(() => {});
      connection.close();
      return answer;
    } catch (error) {
      const isOurs = [RecoverableError, FatalError, CallRefused, TokenRefused].some((kind) => error instanceof kind);
      ensure(isOurs, `no error of ours: ${String(error)}`);
      log.warn(String(error));
      return undefined;
    } finally {
      look();
    }
  }

  return {
    try: async (input) => void (await connect(input.toString("utf8"))),
    async close() {
      const results = [1, 2, 3, 4, 5].map((id) => `{"id":${id},"type":"result","success":true,"result":"well"}`);
      const answer = await connect(results.join("\u001e"));
      for (const client of server.clients) client.terminate();
      server.close();
      ensure(answer === "well", "a good answer does not come through any more");
    },
  };
}
