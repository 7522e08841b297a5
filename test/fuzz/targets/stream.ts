/**
 * The whole way of the stream: a hostile server on loopback that speaks to the real client. The input is what it sends,
 * parted by the record separator, after a good greeting; behind an exclamation mark in place of it.
 */
import { RecoverableError } from "../../../src/lib/errors.ts";
import { openStream } from "../../../src/sources/pettracer/stream.ts";
import { type Guest, openHostileServer } from "../hostile-server.ts";
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

function greet({ socket, texts, isRude, tell }: Guest): void {
  if (isRude) {
    tell([...texts, END]);
    return;
  }
  socket.send("o");
  socket.once("message", () => tell([GREETING, ...texts, GOOD, END]));
}

async function open(): Promise<Trial> {
  const server = await openHostileServer(greet);
  const { log, look } = await watchedLog("pretty");

  async function connect(input: string): Promise<string[]> {
    server.load(input);
    const bodies: string[] = [];
    const stop = new AbortController();
    const options = {
      url: `ws://127.0.0.1:${server.port}/sc`,
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
      server.close();
      ensure(bodies.join() === '{"id":1}', "a good message does not come through any more");
    },
  };
}
