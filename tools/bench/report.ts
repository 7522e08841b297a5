/** The table. */
import type { Pair } from "./contestant.ts";
import type { Idle } from "./idle.ts";
import { LATENCY_COLLARS, LATENCY_INTERVAL_MS, type Latency } from "./latency.ts";
import { FEW_COLLARS, type Startup } from "./startup.ts";
import type { Size, Throughput } from "./throughput.ts";
import { type Verdict, verdictLine } from "./verdict.ts";

/** What was measured at one size. */
export type Load = Size & Pair<Throughput>;

export interface Figures {
  readonly latency: Pair<Latency>;
  readonly idle: Pair<Idle>;
  /** From the smallest size to the largest. */
  readonly loads: readonly Load[];
  readonly startup: Pair<Startup>;
}

export interface Results extends Figures {
  /** Where it was measured. */
  readonly about: { readonly [name: string]: string };
  readonly verdict: readonly Verdict[];
}

const LABEL_WIDTH = 58;
const COLUMN_WIDTH = 12;

export function table(results: Results): string {
  return [
    ...Object.entries(results.about).map(([name, text]) => `${name}: ${text}`),
    "",
    ...sectionsOf(results).flatMap(({ title, rows }) => [
      line(title, "Pawline", "floor", "ratio"),
      ...rows.map(([label, ...cells]) => line(`  ${label}`, ...cells)),
    ]),
    "",
    "Goals",
    ...results.verdict.map((one) => `  ${verdictLine(one)}`),
    "",
  ].join("\n");
}

/** A label, Pawline's value, the floor's, and how they compare. */
type Row = readonly [label: string, pawline: string, floor: string, ratio: string];

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export function sectionsOf({ latency, idle, loads, startup }: Figures): Section[] {
  return [latencySection(latency), ...loads.map(loadSection), idleSection(idle), startupSection(startup)];
}

function latencySection(latency: Pair<Latency>): Section {
  return {
    title: `Latency, cloud to subscriber: ${LATENCY_COLLARS} collars, a message every ${LATENCY_INTERVAL_MS} ms`,
    rows: [
      row("least, ms", latency, (of) => of.leastMs, 2),
      row("median, ms", latency, (of) => of.medianMs, 2),
      row("p90, ms", latency, (of) => of.p90Ms, 2),
      row("p99, ms", latency, (of) => of.p99Ms, 2),
      row("samples", latency, (of) => of.samples, 0),
      ...lostRows(latency),
    ],
  };
}

function loadSection(load: Load): Section {
  const accounts = load.accounts === 1 ? "1 account" : `${load.accounts} accounts`;
  return {
    title: `${collarsText(load.collars)} in ${accounts}`,
    rows: [
      row("messages of the cloud taken, /s", load, (of) => of.messagesPerSecond, 0),
      row("position messages published, /s", load, (of) => of.positions / of.seconds, 0),
      row("CPU for 1,000 messages of the cloud, ms", load, (of) => of.cpuMsPerThousand, 0),
      row("cores busy under this load", load, (of) => of.cpuSeconds / of.seconds, 2),
      row("cores busy with cloud, broker and subscriber", load, (of) => of.otherCores, 2),
      row("memory before it, MB", load, (of) => of.settled?.rssMb, 0),
      row("memory behind it, MB", load, (of) => of.loaded?.rssMb, 0),
      row("a core at idle, %", load, (of) => of.idlePercent, 2),
      row("start until all collars are followed, s", load, (of) => of.startSeconds, 1),
      ...lostRows(load),
    ],
  };
}

function collarsText(collars: number): string {
  return collars === 1 ? "1 collar" : `${collars.toLocaleString("en")} collars`;
}

function idleSection(idle: Pair<Idle>): Section {
  return {
    title: `Idle for ${idle.pawline.seconds} s with ${FEW_COLLARS} collars`,
    rows: [
      row("a core, %", idle, (of) => of.percent, 2),
      row("memory, MB", idle, (of) => of.memory?.rssMb, 0),
      row("memory at the most until then, MB", idle, (of) => of.memory?.peakMb, 0),
    ],
  };
}

function startupSection(startup: Pair<Startup>): Section {
  return {
    title: `Start of the process to …, with ${FEW_COLLARS} collars, median of ${startup.pawline.runs}`,
    rows: [
      row("the login at the cloud, ms", startup, (of) => of.loginMs, 0),
      row("the call for devices at the cloud, ms", startup, (of) => of.devicesMs, 0),
      row("the first discovery (of the floor: position) message, ms", startup, (of) => of.firstMessageMs, 0),
      row("`online` on the bridge's topic, ms", startup, (of) => of.onlineMs, 0),
    ],
  };
}

function lostRows(pair: Pair<{ readonly lost: number }>): Row[] {
  return pair.pawline.lost + pair.floor.lost === 0 ? [] : [row("lost", pair, ({ lost }) => lost, 0)];
}

function row<T>(label: string, pair: Pair<T>, read: (of: T) => number | null | undefined, digits: number): Row {
  const [pawline, floor] = [read(pair.pawline) ?? Number.NaN, read(pair.floor) ?? Number.NaN];
  return [label, written(pawline, digits), written(floor, digits), written(pawline / floor, 2, "×")];
}

function line(label: string, ...cells: readonly string[]): string {
  return (label.padEnd(LABEL_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("")).trimEnd();
}

export function written(value: number, digits: number, unit = ""): string {
  if (!Number.isFinite(value)) return "n/a";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) + unit;
}
