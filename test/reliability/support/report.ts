/** One measured row for each cell of the matrix, kept where the table is made of them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../e2e/support/artifacts.ts";
import type { Fault, Place } from "../matrix.ts";

export interface Row {
  readonly where: Place;
  readonly fault: Fault;
  /** From the beginning of the fault until the first sign of it; null where there was none, and nothing to be told. */
  readonly noticedMs: number | null;
  /** From the end of the fault until news go all the way through again; null where they never stopped. */
  readonly wholeMs: number | null;
  /** From the beginning of the fault until then, as "2 logins, 3 listings". */
  readonly callsMeanwhile: string;
  /** What log, entities and topics said. */
  readonly userSees: string;
}

/** Rows, and the logs of the daemons they were measured with. */
export const REPORT_FOLDER = join(projectFolder, "build/reliability");

export function nameOf(where: Place, fault: Fault): string {
  return `${where} ${fault}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

export function report(row: Row): void {
  mkdirSync(REPORT_FOLDER, { recursive: true });
  writeFileSync(join(REPORT_FOLDER, `${nameOf(row.where, row.fault)}.json`), `${JSON.stringify(row, undefined, 2)}\n`);
}
