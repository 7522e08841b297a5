/** The inputs that are kept, a file each: `test/fuzz/corpus/<target>/<name>`. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "corpus");

export interface Kept {
  readonly name: string;
  readonly bytes: Buffer;
}

export function readCorpus(target: string): Kept[] {
  const folder = join(FOLDER, target);
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** Keeps an input that has found something. @returns its path */
export function keepFinding(target: string, bytes: Buffer): string {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  mkdirSync(join(FOLDER, target), { recursive: true });
  const file = join(FOLDER, target, `found-${hash}`);
  writeFileSync(file, bytes);
  return file;
}
