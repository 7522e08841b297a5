/** What we want to be true, and whether it was, in this run. */
import type { Figures, Load } from "./report.ts";

export interface Verdict {
  readonly goal: string;
  readonly unit: "×" | "MB" | "%";
  readonly limit: number;
  /** NaN where it could not be measured. */
  readonly value: number;
  readonly met: boolean;
  /** How much better than the limit, or worse, in percent of the limit. */
  readonly marginPercent: number;
}

const MOST_LATENCY = 1.3;
const LEAST_THROUGHPUT = 0.7;
const MOST_MEMORY_MB = 90;
const MOST_IDLE_PERCENT = 0.5;
/** The size at which throughput is judged. */
const MANY = 1_000;

export function judge({ latency, idle, loads }: Figures): Verdict[] {
  const many = loads.find(({ collars }) => collars === MANY);
  const throughput = many && many.pawline.messagesPerSecond / many.floor.messagesPerSecond;
  return [
    atMost("median latency, of the floor's", "×", MOST_LATENCY, latency.pawline.medianMs / latency.floor.medianMs),
    atLeast("throughput with 1,000 collars, of the floor's", "×", LEAST_THROUGHPUT, throughput ?? Number.NaN),
    atMost("memory with 5 collars", "MB", MOST_MEMORY_MB, idle.pawline.memory?.rssMb ?? Number.NaN),
    atMost("a core at idle with 5 collars", "%", MOST_IDLE_PERCENT, idle.pawline.percent),
    ...growth(loads),
  ];
}

/** From the smallest size to each larger one the memory may grow by no more than the collars do, measured at the last. */
function growth(loads: readonly Load[]): Verdict[] {
  const [smallest, ...others] = loads;
  const [before, last] = others.slice(-2);
  if (smallest === undefined || before === undefined || last === undefined) return [];
  const more = (load: Load): number => (settled(load) - settled(smallest)) / (load.collars - smallest.collars);
  const goal = `memory for each collar more, ${written(last.collars)} beside ${written(before.collars)}`;
  return [atMost(goal, "×", 1, more(last) / more(before))];
}

function settled({ pawline }: Load): number {
  return pawline.settled?.rssMb ?? Number.NaN;
}

function written(collars: number): string {
  return collars.toLocaleString("en");
}

function atMost(goal: string, unit: Verdict["unit"], limit: number, value: number): Verdict {
  return { goal, unit, limit, value, met: value <= limit, marginPercent: (Math.abs(limit - value) / limit) * 100 };
}

function atLeast(goal: string, unit: Verdict["unit"], limit: number, value: number): Verdict {
  return { ...atMost(goal, unit, limit, value), met: value >= limit };
}

export function verdictLine({ goal, unit, limit, value, met, marginPercent }: Verdict): string {
  if (Number.isNaN(value)) return `–  ${goal}: could not be measured here`;
  const side = value <= limit ? "below" : "above";
  const figures = `${valueText(value, unit)} is ${marginPercent.toFixed(0)} % ${side} ${valueText(limit, unit)}`;
  return `${met ? "✓" : "✗"}  ${goal}: ${figures}`;
}

function valueText(value: number, unit: Verdict["unit"]): string {
  if (unit === "×") return `${value.toFixed(2)}×`;
  return unit === "MB" ? `${value.toFixed(0)} MB` : `${value.toFixed(2)} %`;
}
