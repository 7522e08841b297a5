/**
 * `npm run bench`: what Pawline costs, beside the least that a bridge can cost, measured in one run on this machine.
 * It judges and never fails: figures depend on the machine, and the ratio to the floor much less so.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { arch, cpus, loadavg, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCloud } from "../../src/demo/cloud.ts";
import { type BenchBroker, startBenchBroker } from "./broker.ts";
import type { Site } from "./contestant.ts";
import { measureIdle } from "./idle.ts";
import { weighImports } from "./imports.ts";
import { type LatencyPlan, measureLatency } from "./latency.ts";
import { FULL_LIVE, liveTable, measureLive } from "./live.ts";
import { writePage } from "./page.ts";
import { type Load, type Results, table } from "./report.ts";
import { measureStartup } from "./startup.ts";
import { measureThroughput, type Size, type ThroughputPlan } from "./throughput.ts";
import { judge } from "./verdict.ts";

const USAGE = `npm run bench -- [--quick] [--json] [--write] [--imports] [--live] [--profile FOLDER]
  --quick            a short run of about a minute, in which the programs hardly get warm
  --json             the figures as JSON
  --write            put the figures into docs/performance.md
  --imports          only what each library weighs
  --live             only the live API: a thousand clients while a thousand collars report
  --profile FOLDER   write a CPU profile of the daemon under load there
`;

interface Plan {
  readonly latency: LatencyPlan;
  readonly throughput: Omit<ThroughputPlan, "nodeOptions">;
  readonly sizes: readonly Size[];
  readonly startups: number;
  readonly idleMs: number;
}

const FULL: Plan = {
  latency: { samples: 2_000, warmup: 400 },
  throughput: { turns: 3, turnMs: 3_000, warmupMs: 3_000, idleMs: 15_000 },
  sizes: [
    { collars: 1, accounts: 1 },
    { collars: 100, accounts: 1 },
    { collars: 1_000, accounts: 10 },
    { collars: 10_000, accounts: 100 },
  ],
  startups: 5,
  idleMs: 60_000,
};
const QUICK: Plan = {
  latency: { samples: 200, warmup: 200 },
  throughput: { turns: 1, turnMs: 1_500, warmupMs: 1_000, idleMs: 2_000 },
  sizes: [
    { collars: 1, accounts: 1 },
    { collars: 1_000, accounts: 10 },
  ],
  startups: 1,
  idleMs: 10_000,
};

function readOptions() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    const flags = { quick: flag, json: flag, write: flag, imports: flag, live: flag, help: flag };
    return parseArgs({ options: { ...flags, profile: text } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

async function measure(
  { latency, throughput, sizes, startups, idleMs }: Plan,
  nodeOptions: readonly string[],
): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), "pawline-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const broker = await startBenchBroker(folder);
  const cloud = await startCloud({ positionsKept: 10 });
  const site: Site = { cloud, brokerUrl: broker.url, brokerPid: broker.child.pid, folder };
  const about = describe(broker);
  const started = await measureStartup(site, startups);
  const delays = await measureLatency(site, latency);
  const idle = await measureIdle(site, idleMs);
  const loads: Load[] = [];
  for (const size of sizes)
    loads.push({ ...size, ...(await measureThroughput(site, size, { ...throughput, nodeOptions })) });
  await Promise.all([cloud.close(), broker.child.stop()]);
  const figures = { latency: delays, idle, loads, startup: started };
  return { about, ...figures, verdict: judge(figures) };
}

function describe({ kind }: BenchBroker): Results["about"] {
  const broker = kind === "mosquitto" ? "mosquitto" : "the demo's (mosquitto was not found)";
  return {
    Machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${platform()} ${arch()}, Node ${process.versions.node}`,
    "Load before": `${loadavg()[0]?.toFixed(1)} (others' work on this machine makes all figures worse)`,
    Broker: `${broker}, in a process of its own`,
  };
}

const options = readOptions();
if (options.help) process.stdout.write(USAGE);
else if (options.imports) process.stdout.write(await weighImports());
else if (options.live) process.stdout.write(liveTable(await measureLive(FULL_LIVE)));
else {
  const profiler = options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`];
  const results = await measure(options.quick ? QUICK : FULL, profiler);
  if (options.write) writePage(results);
  process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : table(results));
}
