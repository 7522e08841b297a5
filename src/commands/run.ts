/** `pawline run`: the daemon. */
import { type Daemon, startDaemon } from "../daemon.ts";
import { VERSION } from "../lib/about.ts";
import { describeError } from "../lib/errors.ts";
import { type CommandContext, hideSecrets, openContext, readConfig } from "./context.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

export async function run(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const context = await openContext(options, terminal);
  const { log, scrubber, config, loaded, supervisor } = context;
  terminal.onDefect((error) => log.error({ err: error }, "an unexpected error; please report it"));
  log.info(`Pawline ${VERSION}, configuration from ${loaded.file ?? "the environment"}`);
  const { signal, usage } = terminal;
  const daemon = await startDaemon(config, { log, scrubber, supervisor, signal, usage });
  // One after the other: two at once would each put its own new parts in the old ones' place.
  let reloaded = Promise.resolve();
  terminal.onReload(() => {
    reloaded = reloaded.then(() => reload(daemon, context, options, terminal));
  });
  await daemon.ended;
  log.info("stopped");
  return EXIT.fine;
}

/** A configuration with errors is refused, and the old one stays in force. */
async function reload(
  daemon: Daemon,
  { log, scrubber }: CommandContext,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<void> {
  try {
    const { config } = readConfig(options, terminal);
    hideSecrets(config, scrubber);
    await daemon.reload(config);
    log.level = config.log.level;
    log.info("the configuration was read again");
  } catch (error) {
    log.error(`the configuration is refused, the old one stays in force: ${describeError(error)}`);
  }
}
