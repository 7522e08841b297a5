/** `pawline cleanup`: takes away everything that the program has ever published. */
import { createParts } from "../daemon.ts";
import { openDataDir } from "../lib/data-dir.ts";
import { UsageError } from "../lib/errors.ts";
import type { Traces } from "../publishers/publisher.ts";
import { openContext } from "./context.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface CleanupOptions extends GlobalOptions {
  /** Removes without a question. */
  readonly yes?: boolean;
}

/** @throws UsageError where it would have to ask and nobody can answer; FatalError, RecoverableError */
export async function cleanup(options: CleanupOptions, terminal: Terminal): Promise<ExitCode> {
  const context = await openContext(options, terminal, "warn");
  const { config, log } = context;
  const { publishers } = await createParts(config, openDataDir(config.data_dir, log), context);
  let exitCode: ExitCode = EXIT.fine;
  for (const publisher of publishers) {
    const traces = await publisher.traces?.(terminal.signal);
    try {
      if (traces && !(await cleanUp(traces, options.yes === true, terminal))) exitCode = EXIT.unexpected;
    } finally {
      await traces?.close();
    }
  }
  return exitCode;
}

/** False where something is left that was to go. */
async function cleanUp(traces: Traces, isAgreed: boolean, terminal: Terminal): Promise<boolean> {
  const { stdout, signal } = terminal;
  if (traces.topics.length === 0) {
    stdout.write("Nothing of Pawline stands at the broker.\n");
    return true;
  }
  stdout.write(`Published by Pawline:\n${traces.topics.map((topic) => `  ${topic}\n`).join("")}`);
  if (traces.isInUse) warnOfDaemon(isAgreed, terminal);
  if (!isAgreed && !(await isAnsweredYes(traces.topics.length, terminal))) {
    stdout.write("Nothing was removed.\n");
    return true;
  }
  return tell(traces.topics.length, await traces.remove(signal), terminal);
}

function warnOfDaemon(isAgreed: boolean, { stderr }: Terminal): void {
  const sentence = "Pawline is running at this broker and would publish again what is removed now";
  if (!isAgreed) throw new UsageError(`${sentence}: stop it first, or give --yes to remove it all the same`);
  stderr.write(`${sentence}.\n`);
}

async function isAnsweredYes(count: number, terminal: Terminal): Promise<boolean> {
  const answer = await terminal.ask(`Remove ${topics(count)}? [y/N] `);
  if (answer !== undefined) return /^y(es)?$/i.test(answer.trim());
  if (terminal.signal.aborted) return false;
  throw new UsageError("cleanup asks before it removes anything: run it on a terminal, or give --yes");
}

function tell(count: number, left: readonly string[], { stdout, stderr }: Terminal): boolean {
  stdout.write(`Removed ${topics(count - left.length)}.\n`);
  if (left.length === 0) return true;
  const list = left.map((topic) => `  ${topic}\n`).join("");
  stderr.write(
    `Still there, or there again:\n${list}Is Pawline still running, and may the broker's user write these topics?\n`,
  );
  return false;
}

function topics(count: number): string {
  return `${count} topic${count === 1 ? "" : "s"}`;
}
