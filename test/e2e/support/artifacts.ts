import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const projectFolder = fileURLToPath(new URL("../../..", import.meta.url));

/** A place for what a test leaves behind to be looked at: `file` is relative to `build/e2e`. */
export function artifact(file: string): string {
  const path = resolve(projectFolder, "build/e2e", file);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}
