/** The folder for what has to survive a restart: small JSON files, readable by their owner alone. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface DataDir {
  /** The value kept under this name; undefined when there is none that can be read. */
  read(name: string): unknown;
  /** Keeps the value. A folder that cannot be written to is a warning: the program does its main job without. */
  write(name: string, value: unknown): void;
}

/** One value of the folder. */
interface Keep {
  read(): unknown;
  write(value: unknown): void;
}

export function keepIn(data: DataDir, name: string): Keep {
  return { read: () => data.read(name), write: (value) => data.write(name, value) };
}

export function openDataDir(folder: string, log: Logger): DataDir {
  let isTold = false;
  return {
    read(name) {
      try {
        return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
      } catch {
        return undefined;
      }
    },
    write(name, value) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        replaceFile(join(folder, `${name}.json`), JSON.stringify(value));
        isTold = false;
      } catch (error) {
        // It is tried again and again, and told once.
        log[isTold ? "debug" : "warn"](`data_dir: ${folder} cannot be written to (${describeError(error)})`);
        isTold = true;
      }
    },
  };
}

/** Writes beside the file and renames: whoever reads sees the old text or the new one, never half of it. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.tmp`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
