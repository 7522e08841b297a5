// Prints what the changelog says of a version: `notes.mjs 1.2.3`.
import { readFileSync } from "node:fs";

const version = process.argv[2] ?? "";
const sections = readFileSync("CHANGELOG.md", "utf8").split(/^## /m);
const section = sections.find((text) => text.startsWith(`[${version}]`));
if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}`);
console.log(section.slice(section.indexOf("\n")).trim());
