/** What a running process holds. Only Linux tells it of others, in /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { memoryOf } from "../../tools/bench/child.ts";
import { until } from "../support/until.ts";

export interface Sample {
  /** Resident, megabytes. */
  readonly rssMb: number;
  /** JavaScript's objects after the garbage was collected, and what they hold outside, megabytes. */
  readonly heapMb: number;
  readonly externalMb: number;
  /** Open files and sockets, and threads. */
  readonly files: number;
  readonly threads: number;
  /** What keeps the event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

const SIGNAL = "SIGUSR2";

/** @param file where the process writes what it holds, when it is asked to */
export async function sample(pid: number, file: string): Promise<Sample> {
  const before = linesOf(file).length;
  process.kill(pid, SIGNAL);
  const line = await until(() => linesOf(file)[before], "what the daemon holds");
  const { heapUsed, external, resources } = JSON.parse(line);
  return {
    rssMb: memoryOf(pid)?.rssMb ?? Number.NaN,
    heapMb: heapUsed / 1e6,
    externalMb: external / 1e6,
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    resources,
  };
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}
