/** Disks as small and as stubborn as a test wants them, by what the machine that runs it allows. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SIZE = "2m";
const CHUNK = Buffer.alloc(4_096, "x");

/** A disk of two megabytes in the place of a folder. */
export interface SmallDisk {
  /** Leaves no room for another byte. */
  fill(): void;
  clear(): void;
  /** Nobody may have a file open for writing. */
  protect(): void;
  unprotect(): void;
  remove(): void;
}

/** Undefined where one may not mount: containers without that right, and everybody but root. */
export function mountSmallDisk(folder: string): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  const mount = (...args: string[]): void => void execFileSync("mount", args, { stdio: "pipe" });
  try {
    mount("-t", "tmpfs", "-o", `size=${SIZE},mode=0700`, "tmpfs", folder);
  } catch {
    return undefined;
  }
  const unmount = (): void => void execFileSync("umount", ["-l", folder], { stdio: "pipe" });
  process.once("exit", unmount);
  const filler = join(folder, "filler");
  return {
    fill() {
      try {
        for (;;) writeFileSync(filler, CHUNK, { flag: "a" });
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    },
    clear: () => rmSync(filler, { force: true }),
    protect: () => mount("-o", "remount,ro", folder),
    unprotect: () => mount("-o", "remount,rw", folder),
    remove() {
      process.off("exit", unmount);
      unmount();
    },
  };
}

export const NO_MOUNT = "this machine lets us mount no disk: run it as root, outside of a container";

/** The value of each JSON file; one that is torn is an error that names it. */
export function jsonFiles(folder: string): Map<string, unknown> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  return new Map(
    names.map((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      try {
        return [name, JSON.parse(text)] as const;
      } catch (cause) {
        throw new Error(`${name} is torn: ${text.slice(0, 200)}`, { cause });
      }
    }),
  );
}

const TRACK = "positions.sqlite";

/** What SQLite says of the track, of a copy as it was left: `ok`, or what is wrong; undefined where there is none. */
export function integrityOf(folder: string): unknown {
  if (!existsSync(join(folder, TRACK))) return undefined;
  const copy = mkdtempSync(join(tmpdir(), "pawline-track-"));
  try {
    for (const end of ["", "-wal", "-shm"]) {
      if (existsSync(join(folder, TRACK + end))) copyFileSync(join(folder, TRACK + end), join(copy, TRACK + end));
    }
    const database = new DatabaseSync(join(copy, TRACK));
    const answer = database.prepare("PRAGMA integrity_check").get()?.integrity_check;
    database.close();
    return answer;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** How many positions the track holds, as another process reads it. */
export function fixesIn(folder: string): number {
  if (!existsSync(join(folder, TRACK))) return 0;
  const database = new DatabaseSync(join(folder, TRACK), { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    // A file that was begun this moment has no table yet.
    const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'fix'").get() !== undefined;
    return hasTable ? Number(database.prepare("SELECT count(*) AS count FROM fix").get()?.count) : 0;
  } finally {
    database.close();
  }
}
