/**
 * The command line in this process: for what a pipe cannot show, such as a terminal, an answer or a slow reader; and
 * because it is faster than a process for each test.
 */
import { join } from "node:path";
import { Writable } from "node:stream";
import { runProgram } from "../../src/commands/program.ts";
import type { ExitCode } from "../../src/commands/terminal.ts";
import { memoryStream } from "../support/stream.ts";
import type { Lab } from "./lab.ts";

interface HereOptions {
  /** What a person answers; without it nobody is there. */
  readonly answer?: (question: string) => Promise<string | undefined>;
  readonly isTerminal?: boolean;
  readonly stdout?: Writable;
  readonly signal?: AbortSignal;
}

interface Outcome {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runHere(args: readonly string[], options: HereOptions = {}): Promise<Outcome> {
  const { answer, isTerminal = false, signal = new AbortController().signal } = options;
  const [stdout, stderr] = [memoryStream(), Object.assign(memoryStream(), { isTTY: isTerminal })];
  const code = await runProgram(args, {
    environment: {},
    stdout: (options.stdout ?? stdout) as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    signal,
    ask: answer ?? (() => Promise.resolve(undefined)),
    usage: () => ({ residentBytes: 0, cpuS: 0 }),
    onReload: () => {},
    onDefect: () => {},
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** The same with a lab's configuration. */
export function runInLab(lab: Lab, args: readonly string[], options: HereOptions = {}): Promise<Outcome> {
  return runHere([...args, "--config", join(lab.folder, "pawline.yaml")], options);
}

/** Somebody who reads nothing until told to. */
export function sleepyReader(): Writable & { wake(): void; text(): string } {
  const { promise: awake, resolve: wake } = Promise.withResolvers<void>();
  const chunks: string[] = [];
  const stream = new Writable({
    highWaterMark: 64,
    async write(chunk: Buffer, _encoding, done) {
      await awake;
      chunks.push(chunk.toString());
      done();
    },
  });
  return Object.assign(stream, { wake, text: () => chunks.join("") });
}
