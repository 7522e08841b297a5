/**
 * What Home Assistant says over its WebSocket, parted by the record separator, after a good login; behind an
 * exclamation mark in place of it.
 */
import { FatalError, RecoverableError } from "../../../src/lib/errors.ts";
import { z } from "../../../src/lib/schema.ts";
import { CallRefused, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { TokenRefused } from "../../../src/publishers/homeassistant/socket.ts";
import { type Guest, openHostileServer } from "../hostile-server.ts";
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

function greet({ socket, texts, isRude, tell }: Guest): void {
  if (isRude) {
    tell(texts);
    socket.close();
    return;
  }
  socket.send(REQUIRED);
  let heard = 0;
  socket.on("message", () => {
    heard += 1;
    if (heard === 1) tell([ACCEPTED]);
    // What the client library says of itself, the subscription, and the call.
    if (heard !== 3) return;
    tell(texts);
    socket.close();
  });
}

async function open(): Promise<Trial> {
  const server = await openHostileServer(greet);
  const url = `http://127.0.0.1:${server.port}`;
  const endpoint = await endpointOf(homeAssistantOptions.parse({ url, token: SECRET }));
  const { log, look } = await watchedLog("pretty");

  /** @returns what the call was answered with */
  async function connect(input: string): Promise<unknown> {
    server.load(input);
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
      server.close();
      ensure(answer === "well", "a good answer does not come through any more");
    },
  };
}
