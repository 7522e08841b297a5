/** The tokens as the daemon knows them: always those in the file, also when the command line has just changed it. */
import { statSync } from "node:fs";
import { sleep } from "../lib/clock.ts";
import type { DataDir } from "../lib/data-dir.ts";
import { describeError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { z } from "../lib/schema.ts";
import { readTokens, tokenFileIn } from "./file.ts";
import { type Token, tokenOf } from "./token.ts";

export interface TokenKeeper {
  /** Those that count now. */
  current(): readonly Token[];
  /** Whether none is needed, since none was ever made. A file that cannot be read is no reason to let everybody in. */
  isEmpty(): boolean;
  /** The token with this text. */
  find(secret: string): Token | undefined;
  /** Notes that it was used. */
  use(token: Token): void;
  /** Calls back within a second or two of each change, until the signal is aborted. */
  watch(changed: () => void, signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 1_000;
/** When a token was used is kept to the hour: nobody needs more, and a disk is not written to all day. */
const USED_EVERY_MS = 3_600_000;
const USES = "token-uses";
const usesInFile = z.record(z.string(), z.number()).catch({});

export function createTokenKeeper(folder: string, data: DataDir, log: Logger): TokenKeeper {
  const file = tokenFileIn(folder);
  let tokens: readonly Token[] = [];
  let isBroken = false;
  let seen = "never";
  let uses = readUses(data);

  function current(): readonly Token[] {
    const version = versionOf(file);
    if (version === seen) return tokens;
    seen = version;
    try {
      tokens = readTokens(folder);
      isBroken = false;
    } catch (error) {
      tokens = [];
      isBroken = true;
      log.error(`live: ${describeError(error)}. Until then no token counts.`);
    }
    return tokens;
  }

  return {
    current,
    isEmpty: () => current().length === 0 && !isBroken,
    find: (secret) => tokenOf(secret, current()),
    use({ id }) {
      if (Date.now() - (uses[id] ?? 0) < USED_EVERY_MS) return;
      const known = Object.entries(uses).filter(([one]) => tokens.some((token) => token.id === one));
      uses = { ...Object.fromEntries(known), [id]: Date.now() };
      data.write(USES, uses);
    },
    async watch(changed, signal) {
      current();
      for (let told = seen; !signal.aborted; ) {
        await sleep(LOOK_MS, signal);
        current();
        if (seen === told) continue;
        told = seen;
        changed();
      }
    },
  };
}

/** When each token was used last, epoch ms, to the hour; by its id. */
export function readUses(data: DataDir): Readonly<Record<string, number>> {
  return usesInFile.parse(data.read(USES));
}

/** Another file, or the same with something else in it. */
function versionOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false, bigint: true });
    return found === undefined ? "none" : `${found.ino} ${found.mtimeNs} ${found.size}`;
  } catch (error) {
    return describeError(error);
  }
}
