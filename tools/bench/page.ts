/** The figures as tables in docs/performance.md, between two marks; what stands around them is written by hand. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Figures, type Results, type Section, sectionsOf, written } from "./report.ts";
import { verdictLine } from "./verdict.ts";

const PAGE = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));
const [BEGIN, END] = ["<!-- figures -->\n", "<!-- end of figures -->"];

export function writePage(results: Results): void {
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  if (from < BEGIN.length || to < from) throw new Error(`${PAGE} has lost its marks`);
  writeFileSync(PAGE, page.slice(0, from) + figures(results) + page.slice(to));
}

function figures(results: Results): string {
  const measured = { Measured: new Date().toISOString().slice(0, 10), ...results.about };
  return [
    "",
    ...Object.entries(measured).map(([name, text]) => `- ${name}: ${text}`),
    "",
    "### Goals",
    "",
    ...results.verdict.map((one) => `- ${verdictLine(one)}`),
    "",
    "### How cost grows",
    "",
    ...growthTable(results),
    "",
    ...sectionsOf(results).flatMap(sectionLines),
  ].join("\n");
}

function sectionLines({ title, rows }: Section): string[] {
  return [`### ${title}`, "", ...tableLines(["", "Pawline", "Floor", "Ratio"], rows), ""];
}

/** One line for each size: Pawline alone. */
function growthTable({ loads }: Figures): string[] {
  const [smallest] = loads;
  const rows = loads.map(({ collars, accounts, pawline }) => {
    const memory = pawline.settled?.rssMb ?? Number.NaN;
    const more = (memory - (smallest?.pawline.settled?.rssMb ?? Number.NaN)) * 1_000;
    return [
      collars.toLocaleString("en"),
      String(accounts),
      written(memory, 0),
      collars === smallest?.collars ? "" : written(more / (collars - (smallest?.collars ?? 0)), 0),
      written(pawline.idlePercent, 2),
      written(pawline.messagesPerSecond, 0),
      written(pawline.cpuMsPerThousand, 0),
      written(pawline.startSeconds, 1),
    ];
  });
  const head = [
    "Collars",
    "Accounts",
    "Memory, MB",
    "for each collar more, kB",
    "A core at idle, %",
    "Messages, /s",
    "CPU for 1,000, ms",
    "Start, s",
  ];
  return tableLines(head, rows);
}

function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [cells(head), cells(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(cells)];
}
