// Installs the dependencies when they are missing or no longer what the lockfile says, so that every npm script
// works on a fresh clone. Plain JavaScript for the system's own Node.js, which may be older than ours.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const marker = "node_modules/.pawline-setup";
const wanted = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");

function installed() {
  try {
    return readFileSync(marker, "utf8");
  } catch {
    return "";
  }
}

if (installed() !== wanted) {
  console.error("Installing the dependencies (once) …");
  const result = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    console.error("`npm ci` failed; the lines above say why.");
    process.exit(result.status ?? 1);
  }
  writeFileSync(marker, wanted);
}
