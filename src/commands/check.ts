/** `pawline check`: tries each part and prints a line for it. */
import { createParts } from "../daemon.ts";
import { openDataDir } from "../lib/data-dir.ts";
import type { Finding } from "../lib/finding.ts";
import { checkCommands } from "./check-commands.ts";
import { openContext } from "./context.ts";
import { exitCodeOf } from "./findings.ts";
import type { ExitCode, GlobalOptions, Terminal } from "./terminal.ts";

const MARK: Readonly<Record<Finding["result"], string>> = { works: "✓", hint: "•", refused: "✗", unreachable: "✗" };

interface CheckOptions extends GlobalOptions {
  /** A collar to try commands on. */
  readonly commands?: string;
}

/** The exit code tells of the first part that failed. */
export async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const context = await openContext(options, terminal, "error");
  if (options.commands !== undefined) return await checkCommands(options.commands, context, terminal);
  const { config, loaded, log, scrubber } = context;
  const write = ({ result, part, sentence }: Finding): void => {
    terminal.stdout.write(scrubber.scrub(`${MARK[result]} ${part}: ${sentence}\n`));
  };
  write({ part: "Configuration", result: "works", sentence: `read from ${loaded.file ?? "the environment"}` });
  for (const warning of loaded.warnings) write({ part: "Configuration", result: "hint", sentence: warning });
  const { sources, publishers } = await createParts(config, openDataDir(config.data_dir, log), context);
  const findings: Finding[] = [];
  for (const part of [...sources, ...publishers]) {
    for await (const finding of part.probe(terminal.signal)) {
      write(finding);
      findings.push(finding);
    }
  }
  return exitCodeOf(findings);
}
