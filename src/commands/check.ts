/** `pawline check`: tries each part and prints a line for it. */
import { clientIdOf } from "../daemon.ts";
import { VERSION } from "../lib/about.ts";
import { openDataDir } from "../lib/data-dir.ts";
import type { Finding } from "../lib/finding.ts";
import { createPublishers } from "../publishers/index.ts";
import { createSources } from "../sources/index.ts";
import { openContext } from "./context.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

const MARK: Readonly<Record<Finding["result"], string>> = { works: "✓", hint: "•", refused: "✗", unreachable: "✗" };
const EXIT_OF: Readonly<Record<Finding["result"], ExitCode>> = {
  works: EXIT.fine,
  hint: EXIT.fine,
  refused: EXIT.refused,
  unreachable: EXIT.unreachable,
};

/** The exit code tells of the first part that failed. */
export async function check(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { config, loaded, log, scrubber } = await openContext(options, terminal, "error");
  const write = ({ result, part, sentence }: Finding): void => {
    terminal.stdout.write(scrubber.scrub(`${MARK[result]} ${part}: ${sentence}\n`));
  };
  write({ part: "Configuration", result: "works", sentence: `read from ${loaded.file ?? "the environment"}` });
  for (const warning of loaded.warnings) write({ part: "Configuration", result: "hint", sentence: warning });
  const clientId = clientIdOf(openDataDir(config.data_dir, log));
  const about = { log, version: VERSION, clientId, exclude: [], preferredPosition: config.home.prefer };
  const sources = await createSources(config.pettracer, { log, scrubber });
  const publishers = await createPublishers(config, about);
  let exitCode: ExitCode = EXIT.fine;
  for (const part of [...sources, ...publishers]) {
    for await (const finding of part.probe(terminal.signal)) {
      write(finding);
      if (exitCode === EXIT.fine) exitCode = EXIT_OF[finding.result];
    }
  }
  return exitCode;
}
