/** The folder for what has to survive a restart: small JSON files, readable by their owner alone. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface DataDir {
  /** The value kept under this name, the latest also where it is not written yet; undefined when none can be read. */
  read(name: string): unknown;
  /**
   * Keeps the value. A folder that cannot be written to is a warning: the program does its main job without, and writes
   * the latest value of each name as soon as it can.
   */
  write(name: string, value: unknown): void;
  /** The same for a value that is JSON already. */
  writeJson(name: string, json: string): void;
}

/** None of ours comes near it: what is larger was never written by us. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** One value of the folder. */
interface Keep {
  read(): unknown;
  write(value: unknown): void;
}

export const DISK_REMEDY = "make room on the disk, and let Pawline write to its data_dir";
/** What could not be written is tried again after this, ms. */
const RETRY_MS = 5_000;

export function keepIn(data: DataDir, name: string): Keep {
  return { read: () => data.read(name), write: (value) => data.write(name, value) };
}

/** @param onTrouble called with a sentence for the user when the folder cannot be written to, once until it can be */
export function openDataDir(folder: string, log: Logger, onTrouble: (sentence: string) => void = () => {}): DataDir {
  /** By name, the text that is not written yet. */
  const unwritten = new Map<string, string>();
  let retry: NodeJS.Timeout | undefined;
  let isTold = false;

  function writeAll(): void {
    clearTimeout(retry);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const [name, text] of unwritten) {
        replaceFile(join(folder, `${name}.json`), text);
        unwritten.delete(name);
      }
      if (isTold) log.info(`data_dir: ${folder} can be written to again`);
      isTold = false;
    } catch (error) {
      tell(`data_dir: ${folder} cannot be written to (${describeError(error)}): ${DISK_REMEDY}`);
      // Nothing waits for it: what is not written when the program ends is lost.
      retry = setTimeout(writeAll, RETRY_MS).unref();
    }
  }

  function tell(sentence: string): void {
    log[isTold ? "debug" : "warn"](sentence);
    if (!isTold) onTrouble(sentence);
    isTold = true;
  }

  function writeJson(name: string, json: string): void {
    unwritten.set(name, json);
    writeAll();
  }

  return {
    read(name) {
      try {
        const latest = unwritten.get(name);
        if (latest !== undefined) return JSON.parse(latest);
        const file = join(folder, `${name}.json`);
        return statSync(file).size > LARGEST_BYTES ? undefined : JSON.parse(readFileSync(file, "utf8"));
      } catch {
        return undefined;
      }
    },
    write: (name, value) => writeJson(name, JSON.stringify(value)),
    writeJson,
  };
}

/** Writes beside the file and renames: whoever reads sees the old text or the new one, never half of it. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.tmp`;
  // One that a crash has left, or a link, might be somebody else's to read.
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    renameSync(draft, file);
  } catch (error) {
    // Half a draft would take what little room there is.
    rmSync(draft, { force: true });
    throw error;
  }
}
