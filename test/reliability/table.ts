/** The table of `docs/reliability.md`: a row for each cell of the matrix, by what the tests have measured. */
import { type MatrixCell, matrixCells, PLACES } from "./matrix.ts";
import type { Row } from "./support/report.ts";

export const BEGIN = "<!-- measured: begin -->";
export const END = "<!-- measured: end -->";

const HEAD = [
  "| Fault | Noticed after | Whole again after | Calls meanwhile | What the user sees |",
  "| --- | --- | --- | --- | --- |",
];

/** @throws where a measured cell has no row */
export function tables(rows: readonly Row[], machine: string): string {
  const cells = matrixCells();
  const parts = PLACES.map((place) => {
    const lines = cells.filter(({ where }) => where === place).map((cell) => lineOf(cell, rows));
    return [`### At ${place}`, "", ...HEAD, ...lines, ""].join("\n");
  });
  return `\nMeasured on ${machine}.\n\n${parts.join("\n")}`;
}

function lineOf({ where, fault, none }: MatrixCell, rows: readonly Row[]): string {
  if (none !== undefined) return `| ${fault} | — | — | — | ${none} |`;
  const row = rows.find((one) => one.where === where && one.fault === fault);
  if (row === undefined) throw new Error(`${where}, ${fault}: not measured`);
  const cells = [seconds(row.noticedMs), seconds(row.wholeMs), row.callsMeanwhile, row.userSees];
  return `| ${fault} | ${cells.join(" | ")} |`;
}

function seconds(ms: number | null): string {
  if (ms === null) return "—";
  return ms < 100 ? "at once" : `${(ms / 1_000).toFixed(1)} s`;
}
