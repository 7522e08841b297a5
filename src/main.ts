#!/usr/bin/env node
/** The command line: arguments, signals and exit codes. The only file that touches `process`. */

import { spareMemory } from "./lib/v8.ts";

// It has to be said before anything else is loaded.
spareMemory();

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`Pawline needs Node.js 22.13 or newer; this is ${process.versions.node}.\n`);
  process.exit(2);
}

// Node.js calls its SQLite an experiment, which is nothing that our users could do something about.
const emitWarning = process.emitWarning.bind(process);
process.emitWarning = (warning: string | Error, ...rest: never[]): void => {
  if (!String(warning).startsWith("SQLite is an experimental feature")) emitWarning(warning, ...rest);
};

// Only now: what is imported needs that version.
const { runProgram } = await import("./commands/program.ts");

const stop = new AbortController();
const reloads = new EventTarget();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // A second signal ends at once.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  });
}
// Who read our output has gone, as `head` does: the program has nobody left to talk to.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => stop.abort());
process.on("SIGHUP", () => reloads.dispatchEvent(new Event("reload")));

/** On standard error: standard output is for data. */
async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: stop.signal });
  } catch {
    return undefined;
  } finally {
    lines.close();
  }
}

const exitCode = await runProgram(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  ask,
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { residentBytes: process.memoryUsage.rss(), cpuS: (user + system) / 1e6 };
  },
  onReload: (action) => reloads.addEventListener("reload", action),
  onDefect: (action) => {
    process.on("uncaughtException", action);
    process.on("unhandledRejection", action);
  },
});
// What is still on its way to a pipe must not be lost.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit(exitCode);
