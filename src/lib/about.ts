import { readFileSync } from "node:fs";

/** Put in place by `tools/bundle.mjs`: a single file has no package beside it. */
declare const BUNDLED_VERSION: string | undefined;

/** The program's version, from its package. */
export const VERSION: string = typeof BUNDLED_VERSION === "string" ? BUNDLED_VERSION : readVersion();

function readVersion(): string {
  const about: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof about === "object" && about !== null && "version" in about ? String(about.version) : "unknown";
}
