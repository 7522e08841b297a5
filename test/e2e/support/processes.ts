/**
 * Child processes and folders that do not outlive the test run. A test file ends what it started; what it leaves
 * behind because it failed, or was interrupted, is ended here, when this process ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./waiting.ts";

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();

function endEverything(): void {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) removeFolder(folder);
}

/** All that happens at an exit, and the end: the test runner does not let its workers call `process.exit`. */
function leave(): void {
  process.emit("exit", 1);
  process.kill(process.pid, "SIGKILL");
}

process.once("exit", endEverything);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
// The channel to the test runner closes when the runner was killed: nobody is left to ask for an end.
process.once("disconnect", leave);

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    // A process killed a moment ago may still be writing; what is left is in the system's temporary folder.
  }
}

/** Removed when this process ends, not earlier: a program may be started in it again. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `pawline-${name}-`));
  folders.add(folder);
  // A program that gives up its rights must still be able to read its configuration.
  chmodSync(folder, 0o755);
  return folder;
}

/** As a shell tells it: 128 and the signal's number, when a signal ended the process. */
function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

export class StartedProcess {
  /** Its exit code, once it has ended and all its output is read. */
  readonly ended: Promise<number>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #onChange = new Set<() => void>();
  #output = "";
  #ended = false;

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    this.#name = command;
    this.#child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.#child);
    this.#collect();
    this.ended = this.#end();
  }

  #collect(): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#changed(text));
    }
    this.#child.on("error", (error) => this.#changed(`${this.#name}: ${error.message}\n`));
  }

  #end(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#child.once("close", (code, signal) => {
      running.delete(this.#child);
      this.#ended = true;
      this.#changed("");
      resolve(exitCode(code, signal));
    });
    return promise;
  }

  #changed(text: string): void {
    this.#output += text;
    for (const look of this.#onChange) look();
  }

  /** Its number; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Standard output and standard error, in the order in which they came. */
  output(): string {
    return this.#output;
  }

  /** Looks at what came since `from` (an `output().length` taken earlier), then at what comes. */
  async waitForOutput(pattern: RegExp, ms: number, from = 0): Promise<RegExpMatchArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
    const look = (): void => {
      const match = this.#output.slice(from).match(pattern);
      if (match) resolve(match);
      else if (this.#ended) reject(new Error(`${this.#name} ended without ${pattern}:\n${this.lastLines()}`));
    };
    this.#onChange.add(look);
    look();
    try {
      return await within(ms, promise, () => `${this.#name} did not say ${pattern}:\n${this.lastLines()}\n`);
    } finally {
      this.#onChange.delete(look);
    }
  }

  lastLines(): string {
    return this.#output.trimEnd().split("\n").slice(-40).join("\n");
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Its exit code; one that does not obey within `ms` is killed, and that is an error. */
  async stop(signal: NodeJS.Signals = "SIGTERM", ms = 20_000): Promise<number> {
    this.signal(signal);
    // A frozen process would not see the signal.
    this.signal("SIGCONT");
    try {
      return await within(ms, this.ended, () => `${this.#name} did not obey ${signal}:\n${this.lastLines()}\n`);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async kill(): Promise<number> {
    return await this.stop("SIGKILL", 5_000);
  }
}
