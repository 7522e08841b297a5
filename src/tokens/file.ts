/**
 * The tokens as they are kept in `data_dir`, read by the daemon and changed by the command line. When each was used is
 * kept apart, by the daemon: or it could bring back what was revoked meanwhile.
 */
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../lib/clock.ts";
import { replaceFile } from "../lib/data-dir.ts";
import { describeError, UsageError } from "../lib/errors.ts";
import { z } from "../lib/schema.ts";
import { SCOPES, type Token } from "./token.ts";

const tokensInFile = z.array(
  z.object({
    id: z.string().min(1),
    name: z.string(),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    scopes: z.array(z.enum(SCOPES)),
    devices: z.array(z.string()).optional(),
    createdAt: z.number(),
  }),
);

export function tokenFileIn(folder: string): string {
  return join(folder, "tokens.json");
}

/** @throws UsageError for a file that is there and cannot be read: it must not count as one without tokens */
export function readTokens(folder: string): Token[] {
  const file = tokenFileIn(folder);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new UsageError(`${file} cannot be read (${describeError(error)}): it has to belong to the user of Pawline`);
  }
  const { data } = tokensInFile.safeParse(parsed(text));
  if (data === undefined) throw new UsageError(`${file} is damaged: delete it, and make new tokens`);
  return data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const LOCKED_MS = 2_000;
const LOOK_MS = 50;
/** Whoever has held the lock for so long has died with it. */
const STALE_MS = 10_000;

/**
 * Changes what is kept, one process at a time.
 * @throws UsageError when the folder cannot be written to
 */
export async function changeTokens<T>(folder: string, change: (tokens: Token[]) => [Token[], T]): Promise<T> {
  const lock = `${tokenFileIn(folder)}.lock`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await take(lock);
  } catch (error) {
    throw new UsageError(`data_dir: ${folder} cannot be written to (${describeError(error)})`);
  }
  try {
    const [tokens, result] = change(readTokens(folder));
    write(folder, tokens);
    return result;
  } finally {
    rmSync(lock, { force: true });
  }
}

async function take(lock: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    try {
      return closeSync(openSync(lock, "wx", 0o600));
    } catch (error) {
      const { mtimeMs = 0 } = statSync(lock, { throwIfNoEntry: false }) ?? {};
      if (mtimeMs === 0 || waitedMs > LOCKED_MS) throw error;
      if (Date.now() - mtimeMs > STALE_MS) rmSync(lock, { force: true });
      await sleep(LOOK_MS);
    }
  }
}

function write(folder: string, tokens: readonly Token[]): void {
  const file = tokenFileIn(folder);
  try {
    replaceFile(file, JSON.stringify(tokens));
  } catch (error) {
    throw new UsageError(`data_dir: ${file} cannot be written (${describeError(error)})`);
  }
  // Made by root, as with `docker exec`, it would be closed to the daemon.
  const { uid, gid } = statSync(folder);
  if (statSync(file).uid !== uid) chownSync(file, uid, gid);
}
