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
  const { names, words } = traces;
  if (names.length === 0) {
    stdout.write(`Nothing of Pawline stands ${words.place}.\n`);
    return true;
  }
  stdout.write(`Published by Pawline:\n${list(names)}`);
  if (traces.isInUse) warnOfDaemon(words, isAgreed, terminal);
  if (!isAgreed && !(await isAnsweredYes(counted(names.length, words), terminal))) {
    stdout.write("Nothing was removed.\n");
    return true;
  }
  return tell(traces, await traces.remove(signal), terminal);
}

function warnOfDaemon({ place }: Traces["words"], isAgreed: boolean, { stderr }: Terminal): void {
  const sentence = `Pawline is running ${place} and would publish again what is removed now`;
  if (!isAgreed) throw new UsageError(`${sentence}: stop it first, or give --yes to remove it all the same`);
  stderr.write(`${sentence}.\n`);
}

async function isAnsweredYes(what: string, terminal: Terminal): Promise<boolean> {
  const answer = await terminal.ask(`Remove ${what}? [y/N] `);
  if (answer !== undefined) return /^y(es)?$/i.test(answer.trim());
  if (terminal.signal.aborted) return false;
  throw new UsageError("cleanup asks before it removes anything: run it on a terminal, or give --yes");
}

function tell({ names, words }: Traces, left: readonly string[], { stdout, stderr }: Terminal): boolean {
  stdout.write(`Removed ${counted(names.length - left.length, words)}.\n`);
  if (left.length > 0) stderr.write(`Still there, or there again:\n${list(left)}${words.advice}\n`);
  return left.length === 0;
}

function list(names: readonly string[]): string {
  return names.map((name) => `  ${name}\n`).join("");
}

function counted(count: number, { one }: Traces["words"]): string {
  const many = one.endsWith("y") ? `${one.slice(0, -1)}ies` : `${one}s`;
  return `${count} ${count === 1 ? one : many}`;
}
