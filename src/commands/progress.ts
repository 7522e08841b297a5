/** How far a long work has come, on a line of standard error that is written over and over, and removed at its end. */
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** @param done a part of 1 */
  at(done: number, note: string): void;
  end(): void;
}

const WIDTH = 24;
const CLEAR_LINE = "\r\u001b[K";

/** Where nobody watches there is none. */
export function createProgress({ stderr }: Terminal, isWanted: boolean): Progress {
  if (!isWanted || !stderr.isTTY) return { at() {}, end() {} };
  return {
    at(done, note) {
      const full = Math.round(done * WIDTH);
      const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
      stderr.write(`${CLEAR_LINE}${bar} ${String(Math.floor(done * 100)).padStart(3)} %  ${note}`);
    },
    end: () => void stderr.write(CLEAR_LINE),
  };
}
