/**
 * The whole way of the stream: a hostile server on loopback that speaks to the real client. The input is what it sends,
 * parted by the record separator, after a good greeting; behind an exclamation mark in place of it.
 */
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { RecoverableError } from "../../../src/lib/errors.ts";
import { openStream } from "../../../src/sources/pettracer/stream.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { SECRET, watchedLog } from "../watched-log.ts";

const GREETING = 'a["CONNECTED\\nversion:1.1\\nheart-beat:10000,10000\\n\\n\\u0000"]';
const GOOD = 'a["MESSAGE\\nsubscription:sub-0\\n\\n{\\"id\\":1}\\u0000"]';
const END = 'c[3000,"end of the input"]';

export const stream: Target = {
  name: "stream",
  dictionary: [
    "o",
    "h",
    'a["',
    '"]',
    "c[3000,",
    "\u001e",
    "!",
    "MESSAGE\\n",
    "CONNECTED\\n",
    "ERROR\\n",
    "RECEIPT\\n",
    "\\n\\n",
    "\\u0000",
    "subscription:sub-0\\n",
    "heart-beat:99999999999,99999999999\\n",
    "version:1.2\\n",
  ],
  runs: 150,
  open,
};

async function open(): Promise<Trial> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const { log, look } = await watchedLog("pretty");
  let sends: readonly string[] = [];
  let isRude = false;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    const tell = (texts: readonly string[]): void => {
      for (const text of texts) if (socket.readyState === socket.OPEN) socket.send(text);
    };
    if (isRude) return tell([...sends, END]);
    socket.send("o");
    socket.once("message", () => tell([GREETING, ...sends, GOOD, END]));
  });

  async function connect(input: string): Promise<string[]> {
    isRude = input.startsWith("!");
    sends = input.replace(/^!/, "").split("\u001e");
    const bodies: string[] = [];
    const stop = new AbortController();
    const options = {
      url: `ws://127.0.0.1:${port}/sc`,
      token: SECRET,
      heartbeatMs: 10_000,
      log,
      signal: stop.signal,
      onMessage: (_: string, body: string) => void bodies.push(body),
      onActivity: () => {},
      onMalformed: (text: string) => log.warn({ text: text.slice(0, 200) }, "malformed"),
    };
    try {
      const opened = await openStream(options);
      const { sentence } = await opened.ended;
      log.warn(sentence);
      ensure(sentence.length < 1_000, "the sentence of the end is too long");
    } catch (error) {
      ensure(error instanceof RecoverableError, `no error of ours: ${String(error)}`);
      log.warn(error.message);
    } finally {
      stop.abort();
    }
    look();
    return bodies;
  }

  return {
    try: async (input) => void (await connect(input.toString("utf8"))),
    async close() {
      const bodies = await connect("h");
      for (const client of server.clients) client.terminate();
      server.close();
      ensure(bodies.join() === '{"id":1}', "a good message does not come through any more");
    },
  };
}
