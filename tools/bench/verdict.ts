/** What we want to be true, and whether it was, in this run. */
import type { Pair } from "./contestant.ts";
import type { Latency } from "./latency.ts";
import type { Throughput } from "./throughput.ts";

export interface Verdict {
  readonly goal: string;
  readonly unit: "×" | "MB";
  readonly limit: number;
  /** NaN where it could not be measured. */
  readonly value: number;
  readonly met: boolean;
  /** How much better than the limit, or worse, in percent of the limit. */
  readonly marginPercent: number;
}

const MOST_LATENCY = 1.5;
const LEAST_THROUGHPUT = 0.5;
const MOST_MEMORY_MB = 110;

export function judge(latency: Pair<Latency>, throughput: Pair<Throughput>): Verdict[] {
  const { pawline, floor } = throughput;
  return [
    atMost("median latency, of the floor's", "×", MOST_LATENCY, latency.pawline.medianMs / latency.floor.medianMs),
    atLeast("throughput, of the floor's", "×", LEAST_THROUGHPUT, pawline.messagesPerSecond / floor.messagesPerSecond),
    atMost("memory with 1,000 collars", "MB", MOST_MEMORY_MB, pawline.settled?.rssMb ?? Number.NaN),
  ];
}

function atMost(goal: string, unit: Verdict["unit"], limit: number, value: number): Verdict {
  return { goal, unit, limit, value, met: value <= limit, marginPercent: (Math.abs(limit - value) / limit) * 100 };
}

function atLeast(goal: string, unit: Verdict["unit"], limit: number, value: number): Verdict {
  return { ...atMost(goal, unit, limit, value), met: value >= limit };
}

export function verdictLine({ goal, unit, limit, value, met, marginPercent }: Verdict): string {
  if (Number.isNaN(value)) return `n/a     ${goal}: could not be measured here`;
  const side = value <= limit ? "below" : "above";
  const figures = `${written(value, unit)} is ${marginPercent.toFixed(0)} % ${side} ${written(limit, unit)}`;
  return `${met ? "met   " : "MISSED"}  ${goal}: ${figures}`;
}

function written(value: number, unit: Verdict["unit"]): string {
  return unit === "×" ? `${value.toFixed(2)}×` : `${value.toFixed(0)} MB`;
}
