/**
 * The track's file in `data_dir`, for as long as the program runs. Whatever happens to it, the program goes on: a file
 * that is broken is set aside and a new one begun, and a folder that cannot be written to is one warning.
 */
import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { monotonicMs } from "../lib/clock.ts";
import { DISK_REMEDY } from "../lib/data-dir.ts";
import { describeError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { isFileBroken, loadSqlite, openTrackDatabase, type Sqlite, type TrackDatabase } from "./database.ts";

export interface TrackFile {
  /** What `act` gives; undefined where nothing can be kept at the moment. The file is opened when it is needed. */
  use<T>(act: (database: TrackDatabase) => T): T | undefined;
  /** Deletes all that was kept. */
  remove(): void;
  /** Deletes what was set aside before `oldestAt`, epoch ms. */
  forget(oldestAt: number): void;
  close(): void;
}

/** What it is called in `data_dir`; SQLite puts files of its own beside it while it is in use. */
export function trackFileIn(folder: string): string {
  return join(folder, "positions.sqlite");
}

const BESIDE = ["-wal", "-shm"];
/** A file that could not be used is tried again after this, ms. */
const RETRY_MS = 5_000;
/** The same trouble is told again after this, ms. */
const TOLD_EVERY_MS = 3_600_000;

interface Context {
  readonly folder: string;
  readonly log: Logger;
  /** Called with a sentence for the user when no track can be kept, and not again before an hour has passed. */
  readonly onTrouble: (sentence: string) => void;
  /** Called when what was kept is gone, and another file is begun: nothing of before is known any more. */
  readonly onLost: () => void;
}

export async function createTrackFile({ folder, log, onTrouble, onLost }: Context): Promise<TrackFile> {
  const file = trackFileIn(folder);
  const aside = `${file}.broken`;
  let database: TrackDatabase | undefined;
  /** Which file it is, under this name. */
  let inode: number | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;
  const sqlite = await loadSqlite().catch((error: unknown) => {
    log.warn(`no track is kept: this Node.js has no SQLite (${describeError(error)})`);
    return undefined;
  });

  function open(): TrackDatabase | undefined {
    if (sqlite === undefined) return undefined;
    // SQLite would go on writing into a file that was deleted, and nobody would ever read it.
    const isGone = inode !== undefined && inodeOf(file) !== inode;
    if (isGone) close();
    if (database !== undefined) return database;
    const wasBroken = begin(sqlite);
    if (isGone || wasBroken) onLost();
    inode = inodeOf(file);
    return database;
  }

  /** @returns whether what was there had to be set aside */
  function begin(sqlite: Sqlite): boolean {
    try {
      database = openTrackDatabase(sqlite, file);
      return false;
    } catch (error) {
      if (!isFileBroken(error)) throw error;
      setAside(error);
      database = openTrackDatabase(sqlite, file);
      return true;
    }
  }

  function setAside(error: unknown): void {
    close();
    log.warn(
      `the track in ${file} cannot be read (${describeError(error)}): set aside as ${aside}, a new one is begun`,
    );
    renameSync(file, aside);
    // What belongs to the old file would be taken for the new one's.
    for (const end of BESIDE) rmSync(`${file}${end}`, { force: true });
  }

  function close(): void {
    try {
      database?.close();
    } catch (error) {
      log.debug(`the track could not be closed: ${describeError(error)}`);
    }
    database = undefined;
  }

  function fail(error: unknown): undefined {
    close();
    triedAt = monotonicMs();
    const sentence = `no track is kept at the moment: ${file} cannot be written (${describeError(error)}): ${DISK_REMEDY}`;
    if (triedAt - toldAt > TOLD_EVERY_MS) {
      toldAt = triedAt;
      log.warn(sentence);
      onTrouble(sentence);
    } else log.debug(sentence);
  }

  function tried<T>(act: (database: TrackDatabase) => T): T | undefined {
    const opened = open();
    return opened && act(opened);
  }

  return {
    close,
    use(act) {
      if (monotonicMs() - triedAt < RETRY_MS) return undefined;
      try {
        return tried(act);
      } catch (error) {
        if (!isFileBroken(error)) return fail(error);
        try {
          setAside(error);
          return tried(act);
        } catch (again) {
          return fail(again);
        }
      }
    },
    remove() {
      close();
      inode = undefined;
      for (const gone of [file, aside, ...BESIDE.map((end) => `${file}${end}`)]) removeFile(gone, log);
    },
    forget(oldestAt) {
      if (changedAt(aside) < oldestAt) removeFile(aside, log);
    },
  };
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** When the file was written last, epoch ms; never, where there is none that can be seen. */
function changedAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function removeFile(path: string, log: Logger): void {
  if (!existsSync(path)) return;
  try {
    rmSync(path, { force: true });
  } catch (error) {
    log.warn(`${path} cannot be deleted (${describeError(error)}); delete it yourself`);
  }
}
