/** Where a command's data goes: standard output, or a file that is either written whole or not at all. */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describeError, UsageError } from "../lib/errors.ts";
import type { Terminal } from "./terminal.ts";

type Pieces = Iterable<string> | AsyncIterable<string>;

/**
 * Writes the pieces one after the other, none before there is room for it. Where making them fails, a file that was
 * there before stays as it was.
 * @param file undefined for standard output
 * @returns whether all was written: whoever reads standard output may have had enough, as `head` has
 * @throws UsageError when the file cannot be written
 */
export async function writeOutput(file: string | undefined, pieces: Pieces, { stdout }: Terminal): Promise<boolean> {
  if (file === undefined) return await writeTo(stdout, pieces);
  if (await isReplaceable(file)) await replaceFile(file, pieces);
  else await pipeline(pieces, (await openFile(file, "w", file)).createWriteStream());
  return true;
}

async function writeTo(stdout: NodeJS.WritableStream, pieces: Pieces): Promise<boolean> {
  try {
    await pipeline(pieces, stdout, { end: false });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return false;
    throw error;
  }
}

/** A device such as `/dev/stdout`, or a pipe, must not have a file put in its place. */
async function isReplaceable(file: string): Promise<boolean> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() === true) throw new UsageError(`--output: ${file} is a folder; name a file`);
  return there === undefined || there.isFile();
}

async function replaceFile(file: string, pieces: Pieces): Promise<void> {
  // A link goes on leading to the file.
  const target = await realpath(file).catch(() => file);
  const draft = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString("hex")}.tmp`);
  const handle = await openFile(draft, "wx", file);
  try {
    await pipeline(pieces, handle.createWriteStream({ flush: true }));
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function openFile(path: string, flags: "w" | "wx", named: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    throw new UsageError(`--output: ${named} cannot be written (${describeError(error)})`);
  }
}
