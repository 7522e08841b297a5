/** The program's log as a target's trial has it: whatever is said in it has to be harmless, short and without secrets. */
import { Writable } from "node:stream";
import { createLog, type Logger } from "../../src/lib/log.ts";
import { createScrubber, type Scrubber } from "../../src/lib/scrub.ts";
import { ensure } from "./target.ts";

/** Longer than any line of ours. */
const LONGEST = 25_000;
/** What a terminal would obey. */
const RAW = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;
export const SECRET = "s3cret-of-this-fuzzer";

export interface WatchedLog {
  readonly log: Logger;
  readonly scrubber: Scrubber;
  /** Throws for what was wrong in it since the last look. */
  readonly look: () => void;
}

export async function watchedLog(format: "json" | "pretty"): Promise<WatchedLog> {
  let text = "";
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const scrubber = createScrubber();
  scrubber.add(SECRET);
  const log = await createLog({ level: "trace", format, scrubber, output });
  return {
    log,
    scrubber,
    look() {
      const said = text;
      text = "";
      ensure(!said.includes(SECRET), "a secret stands in the log");
      ensure(!said.includes("this is a defect"), `a defect: ${said.slice(0, 2_000)}`);
      for (const line of said.split("\n")) {
        ensure(line.length <= LONGEST, `a line of the log has ${line.length} characters`);
        ensure(!RAW.test(line), `a control character stands in the log: ${JSON.stringify(line.slice(0, 500))}`);
      }
    },
  };
}
