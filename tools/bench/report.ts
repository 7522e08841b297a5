/** The table. */
import type { Pair } from "./contestant.ts";
import { LATENCY_COLLARS, LATENCY_INTERVAL_MS, type Latency } from "./latency.ts";
import { FEW_COLLARS, type Startup } from "./startup.ts";
import { MANY_COLLARS, type Throughput } from "./throughput.ts";
import { type Verdict, verdictLine } from "./verdict.ts";

export interface Results {
  /** Where it was measured. */
  readonly about: { readonly [name: string]: string };
  readonly latency: Pair<Latency>;
  readonly throughput: Pair<Throughput>;
  readonly startup: Pair<Startup>;
  readonly verdict: readonly Verdict[];
}

const MANY = MANY_COLLARS.toLocaleString("en");
const LABEL_WIDTH = 58;
const COLUMN_WIDTH = 12;

export function table({ about, latency, throughput, startup, verdict }: Results): string {
  return [
    ...Object.entries(about).map(([name, text]) => `${name}: ${text}`),
    "",
    line("", "Pawline", "floor", "ratio"),
    ...latencyLines(latency),
    ...throughputLines(throughput),
    ...memoryLines(throughput, startup),
    ...startupLines(startup),
    "",
    "Goals",
    ...verdict.map((one) => `  ${verdictLine(one)}`),
    "",
  ].join("\n");
}

function latencyLines(latency: Pair<Latency>): string[] {
  return [
    `Latency, cloud to subscriber: ${LATENCY_COLLARS} collars, a message every ${LATENCY_INTERVAL_MS} ms`,
    row("least, ms", latency, (of) => of.leastMs, 2),
    row("median, ms", latency, (of) => of.medianMs, 2),
    row("p90, ms", latency, (of) => of.p90Ms, 2),
    row("p99, ms", latency, (of) => of.p99Ms, 2),
    row("samples", latency, (of) => of.samples, 0),
    ...lostLines(latency),
  ];
}

function throughputLines(throughput: Pair<Throughput>): string[] {
  return [
    `Throughput: ${MANY} collars, as fast as they are taken`,
    row("messages of the cloud taken, /s", throughput, (of) => of.messagesPerSecond, 0),
    row("position messages published, /s", throughput, (of) => of.positions / of.seconds, 0),
    row("CPU for 1,000 messages of the cloud, ms", throughput, (of) => of.cpuMsPerThousand, 0),
    row("CPU in all, s", throughput, (of) => of.cpuSeconds, 1),
    row("wall clock in all, s", throughput, (of) => of.seconds, 1),
    row("cores busy with cloud, broker and subscriber", throughput, (of) => of.otherCores, 2),
    row("memory behind it, MB", throughput, (of) => of.loaded?.rssMb, 0),
    row("memory at the most, MB", throughput, (of) => of.loaded?.peakMb, 0),
    ...lostLines(throughput),
  ];
}

function memoryLines(throughput: Pair<Throughput>, startup: Pair<Startup>): string[] {
  return [
    "Memory (resident), settled some seconds after the start",
    row(`${MANY} collars, MB`, throughput, (of) => of.settled?.rssMb, 0),
    row(`${MANY} collars, at the most until then, MB`, throughput, (of) => of.settled?.peakMb, 0),
    row(`${FEW_COLLARS} collars, MB`, startup, (of) => of.memory?.rssMb, 0),
    row(`${FEW_COLLARS} collars, at the most until then, MB`, startup, (of) => of.memory?.peakMb, 0),
  ];
}

function startupLines(startup: Pair<Startup>): string[] {
  return [
    `Start of the process to …, with ${FEW_COLLARS} collars, median of ${startup.pawline.runs}`,
    row("the login at the cloud, ms", startup, (of) => of.loginMs, 0),
    row("the call for devices at the cloud, ms", startup, (of) => of.devicesMs, 0),
    row("the first discovery (of the floor: position) message, ms", startup, (of) => of.firstMessageMs, 0),
    row("the same without the cloud's login, ms", startup, (of) => of.firstMessageMs - (of.devicesMs - of.loginMs), 0),
  ];
}

function lostLines(pair: Pair<{ readonly lost: number }>): string[] {
  return pair.pawline.lost + pair.floor.lost === 0 ? [] : [row("lost", pair, ({ lost }) => lost, 0)];
}

function row<T>(label: string, pair: Pair<T>, read: (of: T) => number | null | undefined, digits: number): string {
  const [pawline, floor] = [read(pair.pawline) ?? Number.NaN, read(pair.floor) ?? Number.NaN];
  return line(`  ${label}`, written(pawline, digits), written(floor, digits), written(pawline / floor, 2, "×"));
}

function line(label: string, ...cells: readonly string[]): string {
  return (label.padEnd(LABEL_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("")).trimEnd();
}

function written(value: number, digits: number, unit = ""): string {
  if (!Number.isFinite(value)) return "n/a";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) + unit;
}
