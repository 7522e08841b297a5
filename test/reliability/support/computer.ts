/** The computer that a daemon runs on, as far as a test can change it: see `shim.ts`, which runs in the daemon. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NUMBER_LENGTH = 16;
const NAMES_LENGTH = 512;

export interface Computer {
  /** What a process needs to run on it. */
  readonly env: Readonly<Record<string, string>>;
  /** The clock on the wall is so far from the right time from now on, ms; clocks for intervals are not touched. */
  setClock(offsetMs: number): void;
  /** The clock for intervals has stood still for so long, as it does while a computer sleeps, ms. */
  holdIntervals(ms: number): void;
  /** These hosts have no address any more; `*.test` is this machine otherwise. */
  forget(...names: readonly string[]): void;
  close(): void;
}

/** @param folder for the file in which it is written down */
export function createComputer(folder: string): Computer {
  const file = join(folder, "computer");
  const handle = openSync(file, "w");
  const write = (text: string, length: number, at: number): void => void writeSync(handle, text.padEnd(length), at);
  write("0", NUMBER_LENGTH, 0);
  write("0", NUMBER_LENGTH, NUMBER_LENGTH);
  write("", NAMES_LENGTH, 2 * NUMBER_LENGTH);
  return {
    env: {
      TEST_COMPUTER: file,
      NODE_OPTIONS: `--import=${fileURLToPath(new URL("shim.ts", import.meta.url))}`,
    },
    setClock: (offsetMs) => write(String(offsetMs), NUMBER_LENGTH, 0),
    holdIntervals: (ms) => write(String(ms), NUMBER_LENGTH, NUMBER_LENGTH),
    forget: (...names) => write(names.join(" "), NAMES_LENGTH, 2 * NUMBER_LENGTH),
    close: () => closeSync(handle),
  };
}
