/** The scripts of a release: one version everywhere, and the changelog's words for it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { temporaryFolder } from "../support/temp.ts";

/** A copy of what speaks of a version, with this one in it. */
function release(version: string) {
  const { path } = temporaryFolder(onTestFinished);
  mkdirSync(join(path, "addon"));
  for (const file of ["package.json", "addon/config.yaml", "addon/CHANGELOG.md", "CHANGELOG.md"])
    cpSync(join(ROOT, file), join(path, file));
  const edit = (file: string, change: (text: string) => string): void =>
    writeFileSync(join(path, file), change(readFileSync(join(path, file), "utf8")));
  edit("package.json", (text) => text.replace(/"version": ".*"/, `"version": "${version}"`));
  edit("addon/config.yaml", (text) => text.replace(/^version: .*/m, `version: "${version}"`));
  edit("addon/CHANGELOG.md", (text) => text.replace(/^## .*/m, `## ${version}`));
  edit("CHANGELOG.md", (text) => text.replace(/^## .*/m, `## [${version}] - 2026-12-01`));
  const run = (script: string, argument: string) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "tools/release", script), argument], {
      cwd: path,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  return { edit, run };
}

test("a tag that all agree on is fine", () => {
  expect(release("1.2.3").run("versions.mjs", "v1.2.3")).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("whoever disagrees is named", () => {
  const { edit, run } = release("1.2.3");
  edit("addon/config.yaml", (text) => text.replace("1.2.3", "1.2.2"));
  edit("CHANGELOG.md", (text) => text.replace("2026-12-01", "unreleased"));
  const { status, stderr } = run("versions.mjs", "v1.2.4");
  expect(status).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([
    "the tag is v1.2.4, package.json says 1.2.3",
    "addon/config.yaml says 1.2.2, package.json says 1.2.3",
    'CHANGELOG.md has no section "## [1.2.3] - <date>"',
  ]);
});

test("the notes are the changelog's section", () => {
  const { status, stdout } = release("1.2.3").run("notes.mjs", "1.2.3");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^The first version: /);
  expect(stdout).not.toMatch(/^## /m);
  expect(release("1.2.3").run("notes.mjs", "9.9.9").status).toBe(1);
});
