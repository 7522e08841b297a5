/** What each library weighs: the memory and the time of a Node process that imports it, alone and among all others. */
import { fileURLToPath } from "node:url";
import { start } from "./child.ts";
import { median } from "./statistics.ts";

const RUNS = 5;
/** What the daemon imports; `fetch` is Node's own, and loaded at its first use. */
const PARTS = ["fetch", "commander", "yaml", "zod", "pino", "ws", "@stomp/stompjs", "mqtt"] as const;
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const WIDTHS = [28, 16, 26, 26, 16] as const;

interface Weight {
  readonly rssMb: number;
  readonly ms: number;
}

/** The table. What several have in common counts where one is alone, and not where it is among the others. */
export async function weighImports(): Promise<string> {
  const bare = await weigh([]);
  const all = await weigh(PARTS);
  const lines = [
    line("", "RSS alone, MB", "more than a bare Node, MB", "less without it, MB", "time alone, ms"),
    line("a bare Node", bare.rssMb.toFixed(1)),
  ];
  for (const part of PARTS) {
    const alone = await weigh([part]);
    const without = await weigh(PARTS.filter((other) => other !== part));
    const [more, less] = [alone.rssMb - bare.rssMb, all.rssMb - without.rssMb];
    lines.push(line(part, alone.rssMb.toFixed(1), more.toFixed(1), less.toFixed(1), alone.ms.toFixed(0)));
  }
  lines.push(line("all of them", all.rssMb.toFixed(1), (all.rssMb - bare.rssMb).toFixed(1), "", all.ms.toFixed(0)));
  return [...lines, ""].join("\n");
}

function line(label: string, ...cells: readonly string[]): string {
  return label.padEnd(WIDTHS[0]) + cells.map((cell, index) => cell.padStart(WIDTHS[index + 1] ?? 0)).join("");
}

/** Medians of some runs. */
async function weigh(parts: readonly string[]): Promise<Weight> {
  const runs: Weight[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const child = start(process.execPath, ["--input-type=module", "--eval", script(parts)]);
    runs.push(JSON.parse(await child.firstLine));
    await child.stop();
  }
  return { rssMb: median(runs.map(({ rssMb }) => rssMb)), ms: median(runs.map(({ ms }) => ms)) };
}

/** Runs in the project's folder, where the libraries are found. */
function script(parts: readonly string[]): string {
  const load = parts.map((part) =>
    // Nobody listens there; it is loaded all the same.
    part === "fetch" ? `await fetch("http://127.0.0.1:9").catch(() => {});` : `await import(${JSON.stringify(part)});`,
  );
  return `process.chdir(${JSON.stringify(PROJECT)});
    const from = performance.now();
    ${load.join("\n")}
    const ms = performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log(JSON.stringify({ rssMb: process.memoryUsage.rss() / 1e6, ms }));`;
}
