/**
 * The file of the track store: fixes by device and time, and the spans of time that are known to be whole.
 *
 * Write-ahead logging, so that `pawline track` reads while the daemon writes and neither waits for the other. With
 * `synchronous = NORMAL` nothing waits for the disk; a killed process loses nothing that was written, a power cut the
 * last moments at most, and fixes and what is known to be whole go together. What is deleted is overwritten: where a
 * cat was is nobody's business after the time that its owner has set.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { DatedFix } from "../model/device.ts";
import type { Span } from "../model/span.ts";
import { checkedFix, type OwnedFix } from "./fix.ts";
import { union } from "./spans.ts";

/** A span in which every fix of the device is known. */
export interface OwnedSpan {
  readonly device: string;
  readonly span: Span;
}

export interface TrackDatabase {
  /** Keeps all of it or, where it throws, nothing. Of two fixes with the same time the more exact one stays. */
  save(fixes: readonly OwnedFix[], covered: readonly OwnedSpan[]): void;
  /** The oldest fixes of the span, the oldest first, `most` of them at most. */
  fixes(device: string, span: Span, most: number): DatedFix[];
  /** The spans in which every fix of the device is known. */
  covered(device: string): Span[];
  /** When something of the device was kept for the first time, epoch ms. */
  firstSeenAt(device: string): number | undefined;
  /** Forgets what is older, a part of it at a time. @returns whether there is more to forget */
  forget(oldestAt: number): boolean;
  close(): void;
}

export type Sqlite = typeof import("node:sqlite");

/** The module is not there in every build of Node.js, and only those who keep a track need it. */
export async function loadSqlite(): Promise<Sqlite> {
  return await import("node:sqlite");
}

const VERSION = 1;
/** A gigabyte of pages of 4 KB: whatever comes in, a disk must not fill up. */
const MOST_PAGES = 262_144;
/** The write-ahead log grows while somebody reads for long; afterwards it is cut back to this, bytes. */
const LARGEST_LOG = 8 * 1024 * 1024;
/** Of a device's spans the latest are kept; those that are forgotten are asked for once more at worst. */
const MOST_SPANS = 1_000;
const FORGOTTEN_AT_ONCE = 2_000;

const SETTINGS = `
  PRAGMA busy_timeout = 250;
  PRAGMA synchronous = NORMAL;
  PRAGMA secure_delete = ON;
  PRAGMA max_page_count = ${MOST_PAGES};
  PRAGMA journal_size_limit = ${LARGEST_LOG};
`;
const TABLES = `
  CREATE TABLE device (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, first_seen_at INTEGER NOT NULL) STRICT;
  CREATE TABLE fix (
    device INTEGER NOT NULL, measured_at INTEGER NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    accuracy REAL, satellites INTEGER, PRIMARY KEY (device, measured_at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE covered (
    device INTEGER NOT NULL, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, PRIMARY KEY (device, from_at)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** Rows are compared as a whole, so that the one that stays does not depend on the order in which they came. */
const SAVE_FIX = `
  INSERT INTO fix (device, measured_at, latitude, longitude, accuracy, satellites) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (device, measured_at) DO UPDATE SET
    latitude = excluded.latitude, longitude = excluded.longitude,
    accuracy = excluded.accuracy, satellites = excluded.satellites
  WHERE (ifnull(excluded.accuracy, 9e999), -ifnull(excluded.satellites, -1), excluded.latitude, excluded.longitude)
    < (ifnull(accuracy, 9e999), -ifnull(satellites, -1), latitude, longitude)
`;

/** Opens the file, or begins it, readable by its owner alone. @throws whatever SQLite or the file system say */
export function openTrackDatabase({ DatabaseSync }: Sqlite, file: string): TrackDatabase {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file);
  try {
    const { user_version: version } = database.prepare("PRAGMA user_version").get() ?? {};
    // They hold for files that are begun, and change nothing in others.
    if (version === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
    database.exec(SETTINGS);
    if (version === 0) inTransaction(database, () => database.exec(TABLES));
    else if (version !== VERSION) throw new UnknownFormat("a newer version of Pawline has written it");
    return new SqliteTrack(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The same for another process that only reads; nothing is created or changed.
 * @throws whatever SQLite says, also where there is no file
 */
export function readTrackDatabase({ DatabaseSync }: Sqlite, file: string): TrackDatabase {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 2000;");
    return new SqliteTrack(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

class UnknownFormat extends Error {}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether the file itself is the reason, so that no other try will help. */
export function isFileBroken(error: unknown): boolean {
  if (error instanceof UnknownFormat) return true;
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return false;
  // The lower byte is the kind of the error.
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(error.errcode & 0xff);
}

function inTransaction(database: DatabaseSync, act: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    act();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

class SqliteTrack implements TrackDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** The numbers of devices that are known to be there. */
  readonly #ids = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    // A file of something else is found out here, and not at the first write.
    this.#idOf("");
  }

  save(fixes: readonly OwnedFix[], covered: readonly OwnedSpan[]): void {
    inTransaction(this.#database, () => {
      const save = this.#prepare(SAVE_FIX);
      for (const { device, fix } of fixes) {
        const { measuredAt, latitude, longitude, accuracyM = null, satellites = null } = fix;
        save.run(this.#madeIdOf(device), measuredAt, latitude, longitude, accuracyM, satellites);
      }
      for (const { device, span } of covered) this.#cover(this.#madeIdOf(device), span);
    });
  }

  fixes(device: string, { fromAt, toAt }: Span, most: number): DatedFix[] {
    const select = this.#prepare(
      `SELECT measured_at AS measuredAt, latitude, longitude, accuracy AS accuracyM, satellites FROM fix
       WHERE device = ? AND measured_at BETWEEN ? AND ? ORDER BY measured_at LIMIT ?`,
    );
    const rows = select.all(this.#idOf(device), Math.ceil(fromAt), Math.floor(toAt), most);
    return rows.map(checkedFix).filter((fix) => fix !== undefined);
  }

  covered(device: string): Span[] {
    const select = this.#prepare("SELECT from_at, to_at FROM covered WHERE device = ? ORDER BY from_at");
    return union(select.all(this.#idOf(device)).map(spanOf));
  }

  firstSeenAt(device: string): number | undefined {
    const row = this.#prepare("SELECT first_seen_at FROM device WHERE key = ?").get(device);
    return row && numberOf(row.first_seen_at);
  }

  forget(oldestAt: number): boolean {
    let isMore = false;
    this.#ids.clear();
    inTransaction(this.#database, () => {
      for (const row of this.#prepare("SELECT id FROM device").all()) {
        const id = numberOf(row.id);
        isMore = this.#forgetFixes(id, oldestAt) >= FORGOTTEN_AT_ONCE || isMore;
        this.#forgetSpans(id, oldestAt);
      }
      this.#database.exec(
        `DELETE FROM device WHERE NOT EXISTS (SELECT 1 FROM fix WHERE fix.device = device.id)
           AND NOT EXISTS (SELECT 1 FROM covered WHERE covered.device = device.id)`,
      );
    });
    this.#database.exec(`PRAGMA incremental_vacuum(${FORGOTTEN_AT_ONCE})`);
    return isMore;
  }

  /** @returns how many went */
  #forgetFixes(id: number, oldestAt: number): number {
    const last = this.#prepare(
      "SELECT measured_at FROM fix WHERE device = ? AND measured_at < ? ORDER BY measured_at LIMIT 1 OFFSET ?",
    ).get(id, oldestAt, FORGOTTEN_AT_ONCE - 1);
    const beforeAt = last === undefined ? oldestAt : numberOf(last.measured_at) + 1;
    const { changes } = this.#prepare("DELETE FROM fix WHERE device = ? AND measured_at < ?").run(id, beforeAt);
    return Number(changes);
  }

  #forgetSpans(id: number, oldestAt: number): void {
    this.#prepare("DELETE FROM covered WHERE device = ? AND to_at < ?").run(id, oldestAt);
    this.#prepare("UPDATE covered SET from_at = ? WHERE device = ? AND from_at < ?").run(oldestAt, id, oldestAt);
    const tooMany = this.#prepare(
      "SELECT from_at FROM covered WHERE device = ? ORDER BY from_at DESC LIMIT 1 OFFSET ?",
    ).get(id, MOST_SPANS);
    if (tooMany === undefined) return;
    this.#prepare("DELETE FROM covered WHERE device = ? AND from_at <= ?").run(id, numberOf(tooMany.from_at));
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** No device has the number 0. */
  #idOf(device: string): number {
    return numberOf(this.#prepare("SELECT id FROM device WHERE key = ?").get(device)?.id);
  }

  #madeIdOf(device: string): number {
    const known = this.#ids.get(device) ?? this.#idOf(device);
    const id = known === 0 ? this.#begin(device) : known;
    this.#ids.set(device, id);
    return id;
  }

  #begin(device: string): number {
    const insert = this.#prepare("INSERT INTO device (key, first_seen_at) VALUES (?, ?)");
    return Number(insert.run(device, Date.now()).lastInsertRowid);
  }

  /** Joined with those that it overlaps or touches. */
  #cover(id: number, { fromAt, toAt }: Span): void {
    const select = this.#prepare(
      "SELECT from_at, to_at FROM covered WHERE device = ? AND from_at <= ? AND to_at >= ? ORDER BY from_at",
    );
    const touched = select.all(id, toAt + 1, fromAt - 1).map(spanOf);
    const [joined] = union([...touched, { fromAt, toAt }]);
    const [first] = touched;
    if (joined === undefined || (first?.fromAt === joined.fromAt && first.toAt === joined.toAt)) return;
    for (const gone of touched) {
      this.#prepare("DELETE FROM covered WHERE device = ? AND from_at = ?").run(id, gone.fromAt);
    }
    this.#prepare("INSERT INTO covered (device, from_at, to_at) VALUES (?, ?, ?)").run(id, joined.fromAt, joined.toAt);
  }
}

function spanOf(row: Record<string, SQLOutputValue>): Span {
  return { fromAt: numberOf(row.from_at), toAt: numberOf(row.to_at) };
}

function numberOf(value: SQLOutputValue | undefined): number {
  return typeof value === "number" ? value : 0;
}
