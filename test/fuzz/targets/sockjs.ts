/** Frames of SockJS: any text has an answer. */
import { parseSockjsFrame } from "../../../src/sources/pettracer/sockjs.ts";
import { ensure, type Target } from "../target.ts";

export const sockjs: Target = {
  name: "sockjs",
  dictionary: ["o", "h", "a[", 'a["', "m", "c[", 'c[3000,"', "]", '"]', ",", "\\n", "\\u0000", "\\ud83d"],
  runs: 1_000,
  open: () => Promise.resolve({ try: parse, close: () => Promise.resolve(parse(Buffer.from('a["last"]'))) }),
};

function parse(input: Buffer): void {
  const frame = parseSockjsFrame(input.toString("utf8"));
  if (frame.type !== "messages") return;
  ensure(
    frame.messages.every((message) => typeof message === "string"),
    "a message that is no text",
  );
}
