/** All commands and their options, by commander; each is loaded only when it is called. */
import { Command, CommanderError, Option } from "commander";
import { VERSION } from "../lib/about.ts";
import { describeError, FatalError, RecoverableError, UsageError } from "../lib/errors.ts";
import { LOG_LEVELS } from "../lib/log.ts";
import { createScrubber } from "../lib/scrub.ts";
import { CLEANUP_HELP, DIAGNOSTICS_HELP, TRACK_HELP } from "./help.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";
import { FORMATS } from "./track-formats.ts";

/** Runs the command line and answers the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine;
  const program = createProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return tell(error, terminal);
  }
}

function tell(error: unknown, { stderr }: Terminal): ExitCode {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  stderr.write(`${createScrubber().scrub(describeError(error))}\n`);
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof FatalError) return EXIT.refused;
  return error instanceof RecoverableError ? EXIT.unreachable : EXIT.unexpected;
}

type Run<Options> = (options: Options & GlobalOptions, terminal: Terminal) => Promise<ExitCode>;
/** The same for a command with an argument. */
type RunFor<Options> = (argument: string, options: Options & GlobalOptions, terminal: Terminal) => Promise<ExitCode>;

function createProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command("pawline")
    .description("Brings live pet trackers into Home Assistant.")
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });

  function add<Options>(
    name: string,
    description: string,
    load: () => Promise<Run<Options>>,
    isDefault = false,
  ): Command {
    return withGlobals(program.command(name, { isDefault }))
      .description(description)
      .action(async (options: Options & GlobalOptions) => {
        const run = await load();
        finish(await run({ ...program.opts<GlobalOptions>(), ...options }, terminal));
      });
  }

  function addFor<Options>(name: string, description: string, load: () => Promise<RunFor<Options>>): Command {
    return withGlobals(program.command(name))
      .description(description)
      .action(async (argument: string, options: Options & GlobalOptions) => {
        const run = await load();
        finish(await run(argument, { ...program.opts<GlobalOptions>(), ...options }, terminal));
      });
  }

  withGlobals(program);
  add(
    "run",
    "the daemon: from PetTracer to Home Assistant, until it is stopped",
    async () => (await import("./run.ts")).run,
    true,
  );
  add(
    "demo",
    "the daemon against a simulated PetTracer cloud and an embedded broker",
    async () => (await import("./demo.ts")).demo,
  ).option("--port <number>", "port of the embedded broker", "18830");
  add(
    "check",
    "try each part and say what is wrong, with the remedy",
    async () => (await import("./check.ts")).check,
  ).option("--commands <device>", "try commands on a collar, and find out its off_code; asks before it sends");
  add("devices", "the account's devices as a table", async () => (await import("./devices.ts")).devices)
    .option("--json", "as JSON")
    .option("--watch", "follow their changes until stopped");
  add(
    "config",
    "the configuration in force, and where each value comes from",
    async () => (await import("./config.ts")).config,
  ).option("--schema", "print the JSON Schema of the configuration file");
  addFor("track <device>", TRACK_HELP.description, async () => (await import("./track.ts")).track)
    .summary("a collar's stored positions as GPX, GeoJSON or CSV")
    .option("--from <time>", "the beginning: a time, or how long ago (default: 24h)")
    .option("--to <time>", "the end: a time, or how long ago (default: now)")
    .addOption(
      new Option("--format <format>", "how it is written (default: as the file's name ends, else gpx)").choices(
        FORMATS,
      ),
    )
    .option("--output <file>", "write to this file, whole or not at all, and not to standard output")
    .addHelpText("after", TRACK_HELP.after);
  add("cleanup", CLEANUP_HELP.description, async () => (await import("./cleanup.ts")).cleanup)
    .summary("remove from the broker everything that was ever published")
    .option("-y, --yes", "remove without a question")
    .addHelpText("after", CLEANUP_HELP.after);
  add("diagnostics", DIAGNOSTICS_HELP.description, async () => (await import("./diagnostics.ts")).diagnostics)
    .summary("a report for a bug report, with nothing personal in it")
    .option("--output <file>", "write to this file, and not to standard output")
    .addHelpText("after", DIAGNOSTICS_HELP.after);
  return program;
}

/** Everywhere, so that they may stand before the command or behind it. */
function withGlobals(command: Command): Command {
  return command
    .option("--config <file>", "configuration file")
    .addOption(new Option("--log-level <level>", "how much is logged").choices(LOG_LEVELS))
    .allowExcessArguments(false);
}
