/** Child processes: their start, their end, and what they cost. Only Linux tells the cost of others, in /proc. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Child {
  readonly pid: number;
  /** The first line on standard output. */
  readonly firstLine: Promise<string>;
  /** Rejects with its last words when it has ended, or could not be started. */
  readonly ended: Promise<never>;
  /** SIGTERM, and SIGKILL for one that does not obey within five seconds. */
  stop(): Promise<void>;
}

const GRACE_MS = 5_000;
const LAST_WORDS = 4_000;
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** A developer's own settings must not reach what is measured. */
function environment(): NodeJS.ProcessEnv {
  const foreign = (name: string): boolean => name.startsWith("PAWLINE_") || name.startsWith("NODE_");
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
}

export function start(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = endOf(child);
  // Whoever waits for it hears of its end; nobody has to.
  ended.catch(() => running.delete(child));
  const firstLine = Promise.race([firstLineOf(child), ended]);
  firstLine.catch(() => {});
  return { pid: child.pid ?? 0, firstLine, ended, stop: () => stop(child, ended) };
}

function endOf(child: ChildProcess): Promise<never> {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  return new Promise((_, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${child.spawnfile} has ended: ${words}`)));
  });
}

function firstLineOf(child: ChildProcess): Promise<string> {
  let output = "";
  return new Promise((resolve) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(0, LAST_WORDS);
      if (output.includes("\n")) resolve(output.slice(0, output.indexOf("\n")));
    });
  });
}

async function stop(child: ChildProcess, ended: Promise<never>): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await ended.catch(() => {});
  clearTimeout(timer);
}

/** What Linux shows to programs is in hundredths of a second, whatever the kernel counts in. */
const TICKS_PER_SECOND = 100;
/** Behind the name in parentheses, counted from the process's state. */
const [USER_TICKS, SYSTEM_TICKS] = [11, 12];

/** User and system seconds since its start; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  const text = readProc(pid, "stat") ?? "";
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

export interface Memory {
  /** Resident now, megabytes (10⁶ bytes). */
  readonly rssMb: number;
  /** The most that was ever resident, megabytes. */
  readonly peakMb: number;
}

/** Null where the system does not tell. */
export function memoryOf(pid: number): Memory | null {
  const status = readProc(pid, "status");
  if (status === undefined) return null;
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1_024) / 1e6;
  return { rssMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
