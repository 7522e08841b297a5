// Fails unless the tag (`v1.2.3`), the package, the app and both changelogs speak of one version.
import { readFileSync } from "node:fs";

const tag = process.argv[2] ?? "";
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const app = /^version: "(.*)"$/m.exec(readFileSync("addon/config.yaml", "utf8"))?.[1];

const complaints = [
  tag === `v${version}` || `the tag is ${tag}, package.json says ${version}`,
  app === version || `addon/config.yaml says ${app}, package.json says ${version}`,
  readFileSync("addon/CHANGELOG.md", "utf8").includes(`## ${version}\n`) || `addon/CHANGELOG.md lacks ${version}`,
  // A section that says "unreleased" has no date yet.
  new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m").test(
    readFileSync("CHANGELOG.md", "utf8"),
  ) || `CHANGELOG.md has no section "## [${version}] - <date>"`,
].filter((complaint) => complaint !== true);

for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
