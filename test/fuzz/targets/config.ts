/** The text of the configuration file. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { ensure, type Target, type Trial } from "../target.ts";

const GOOD = "pettracer: {username: a, password: b}\nmqtt: {url: mqtt://localhost}\n";

export const config: Target = {
  name: "config",
  dictionary: [
    "pettracer:",
    "mqtt:",
    "url:",
    "password:",
    "include:",
    "live:",
    "log:",
    "home_assistant:",
    "\n  ",
    "- ",
    ": ",
    "&a ",
    "*a",
    "!!set",
    "|",
    ">",
    "---\n",
    "%YAML 1.1\n",
    "<<: ",
    "? ",
    "{",
    "[",
    "\t",
    ".inf",
    "~",
  ],
  runs: 100,
  open: () => Promise.resolve(open()),
};

function open(): Trial {
  const folder = mkdtempSync(join(tmpdir(), "pawline-fuzz-"));
  const file = join(folder, "pawline.yaml");

  function load(bytes: Buffer): boolean {
    writeFileSync(file, bytes);
    return isLoaded({ file, environment: {}, flags: {} });
  }

  return {
    try: (input) => void load(input),
    close() {
      const isGood = load(Buffer.from(GOOD));
      rmSync(folder, { recursive: true });
      ensure(isGood, "a good configuration is not read any more");
      return Promise.resolve();
    },
  };
}

/** Whether it is a configuration; throws for what is neither one nor a sentence for the user. */
export function isLoaded(sources: Parameters<typeof loadConfig>[0]): boolean {
  try {
    loadConfig(sources);
    return true;
  } catch (error) {
    ensure(error instanceof UsageError, `no error of ours: ${String(error)}`);
    ensure(error.message.length < 50_000, `an error of ${error.message.length} characters`);
    ensure(
      !/[^\P{Cc}\n\t]/u.test(error.message),
      `control characters in ${JSON.stringify(error.message.slice(0, 300))}`,
    );
    return false;
  }
}
