/** STOMP frames in pieces, which are parted by the record separator. */
import { createFramer } from "../../../src/sources/pettracer/framer.ts";
import { ensure, type Target } from "../target.ts";

const GOOD = 'MESSAGE\nsubscription:sub-0\n\n{"id":1}\0';

export const stomp: Target = {
  name: "stomp",
  dictionary: [
    "MESSAGE\n",
    "CONNECTED\n",
    "RECEIPT\n",
    "ERROR\n",
    "\n\n",
    "\r\n\r\n",
    "\0",
    "\u001e",
    "subscription:sub-0\n",
    "content-length:0\n",
    "content-length:99999999\n",
    "content-length:-1\n",
    "heart-beat:0,0\n",
    "__proto__:x\n",
  ],
  runs: 400,
  open: () => Promise.resolve({ try: frame, close: () => Promise.resolve(frame(Buffer.from(GOOD))) }),
};

function frame(input: Buffer): void {
  const framer = createFramer();
  const frames = input
    .toString("utf8")
    .split("\u001e")
    .flatMap((piece) => framer.push(piece));
  for (const one of frames) ensure(one === "\n" || one.endsWith("\0"), `no whole frame: ${JSON.stringify(one)}`);
  ensure(framer.push(GOOD).at(-1) === GOOD, "a good frame in a piece of its own is lost");
}
