/**
 * Writes what the reliability tests have measured into docs/reliability.md; with `--forget` it takes away what earlier
 * runs have left instead, so that nothing old gets into the table.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { REPORT_FOLDER, type Row } from "../test/reliability/support/report.ts";
import { BEGIN, END, tables } from "../test/reliability/table.ts";

const DOCUMENT = join(import.meta.dirname, "../docs/reliability.md");

function rows(): Row[] {
  const files = existsSync(REPORT_FOLDER) ? readdirSync(REPORT_FOLDER) : [];
  const measured = files.filter((file) => file.endsWith(".json"));
  return measured.map((file) => JSON.parse(readFileSync(join(REPORT_FOLDER, file), "utf8")) as Row);
}

function write(): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [head = "", rest = ""] = text.split(BEGIN);
  const [, tail = ""] = rest.split(END);
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${process.platform} with ${cpus().length} cores and Node.js ${process.versions.node}, ${day}`;
  writeFileSync(DOCUMENT, `${head}${BEGIN}\n${tables(rows(), machine)}\n${END}${tail}`);
}

if (process.argv.includes("--forget")) rmSync(REPORT_FOLDER, { recursive: true, force: true });
else write();
