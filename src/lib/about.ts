import { readFileSync } from "node:fs";

/** The program's version, from its package. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const about: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof about === "object" && about !== null && "version" in about ? String(about.version) : "unknown";
}
