/** The command line as its users have it: a process of its own, with arguments, signals, output and an exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AtEnd } from "./temp.ts";

export interface Watch {
  /** Something happened: those who wait look again. */
  changed(): void;
  /** What `find` gives as soon as that is neither undefined nor false; `complaint` tells what was there instead. */
  until<T>(ms: number, find: () => T | undefined | false, complaint: () => string): Promise<T>;
}

/** Waiting that is woken by whatever may end it, and never longer than was said. */
export function createWatch(): Watch {
  const looks = new Set<() => void>();
  return {
    changed() {
      for (const look of looks) look();
    },
    async until<T>(ms: number, find: () => T | undefined | false, complaint: () => string): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const look = (): void => {
        try {
          const found = find();
          if (found !== undefined && found !== false) resolve(found);
        } catch (error) {
          reject(error);
        }
      };
      const timer = setTimeout(() => reject(new Error(`${complaint()}\n(waited ${ms} ms)`)), ms);
      looks.add(look);
      look();
      try {
        return await promise;
      } finally {
        looks.delete(look);
        clearTimeout(timer);
      }
    },
  };
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly atEnd: AtEnd;
}

/** How it ended. */
export interface CliResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly stdout: string;
  readonly stderr: string;
  signal(name: NodeJS.Signals): void;
  /** The first match in either output, from now or earlier; an error when it ends without one. */
  output(pattern: RegExp, ms: number): Promise<RegExpExecArray>;
  /** Its end; later than `ms` is an error. */
  ended(ms: number): Promise<CliResult>;
}

/** Starts `pawline ARGS`. Whatever is left of it when the test ends is killed. */
export function startCli(args: readonly string[], { cwd, env = {}, atEnd }: CliOptions): Cli {
  // No variable of whoever runs the tests may reach it.
  const environment = { PATH: process.env.PATH, NO_COLOR: "1", ...env };
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const watch = createWatch();
  const text = { stdout: "", stderr: "" };
  let result: CliResult | undefined;
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
      watch.changed();
    });
  }
  running.add(child);
  child.once("close", (code) => {
    running.delete(child);
    result = { code, ...text };
    watch.changed();
  });
  const all = (): string => `pawline ${args.join(" ")}\n--- stdout\n${text.stdout}\n--- stderr\n${text.stderr}`;
  const ended = (ms: number): Promise<CliResult> =>
    watch.until(
      ms,
      () => result,
      () => `still running: ${all()}`,
    );
  atEnd(async () => {
    child.kill("SIGKILL");
    await ended(5_000);
  });
  return {
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    signal: (name) => void child.kill(name),
    ended,
    output: (pattern, ms) =>
      watch.until(
        ms,
        () => {
          const match = pattern.exec(text.stdout) ?? pattern.exec(text.stderr);
          if (match === null && result !== undefined) throw new Error(`ended without ${pattern}: ${all()}`);
          return match ?? undefined;
        },
        () => `never said ${pattern}: ${all()}`,
      ),
  };
}

/** Runs `pawline ARGS` to its end. */
export function runCli(args: readonly string[], options: CliOptions, ms = 20_000): Promise<CliResult> {
  return startCli(args, options).ended(ms);
}
