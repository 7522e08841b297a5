/** All commands and their options, by commander; each is loaded only when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { FORMATS } from "../entities/track-formats.ts";
import { VERSION } from "../lib/about.ts";
import { describeError, FatalError, printable, RecoverableError, UsageError } from "../lib/errors.ts";
import { LOG_LEVELS } from "../lib/log.ts";
import { createScrubber } from "../lib/scrub.ts";
import { SCOPES, type Scope } from "../tokens/token.ts";
import type { CommandHelp } from "./help.ts";
import * as help from "./help.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

/** Runs the command line and answers the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine;
  try {
    const program = createProgram(args, terminal, (code) => {
      exitCode = code;
    });
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

function createProgram(args: readonly string[], terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command("pawline")
    .description(help.PROGRAM_HELP.description)
    .version(VERSION)
    .addHelpText("after", help.PROGRAM_HELP.after)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(printable(text)),
    });

  /** The command itself, to which a page of help and its own options belong. */
  function command(
    name: string,
    { summary, description, after }: CommandHelp,
    { isDefault = false, of = program }: { readonly isDefault?: boolean; readonly of?: Command } = {},
  ): Command {
    return withGlobals(of.command(name, { isDefault }))
      .summary(summary)
      .description(description)
      .addHelpText("after", after);
  }

  function action<Options>(load: () => Promise<Run<Options>>) {
    return async (options: Options & GlobalOptions, { parent }: Command): Promise<void> => {
      const run = await load();
      finish(await run({ ...globalsAbove(parent), ...options }, terminal));
    };
  }

  function actionFor<Options>(load: () => Promise<RunFor<Options>>) {
    return async (argument: string, options: Options & GlobalOptions, { parent }: Command): Promise<void> => {
      const run = await load();
      finish(await run(argument, { ...globalsAbove(parent), ...options }, terminal));
    };
  }

  /** They may stand before the command, too; those that stand nearer to its end win. */
  function globalsAbove(above: Command | null): GlobalOptions {
    return { ...program.opts<GlobalOptions>(), ...above?.opts<GlobalOptions>() };
  }

  withGlobals(program);
  // A default command would take a misspelt one for its argument, so that there is one only where none is named.
  const isBare = program.parseOptions([...args]).operands.length === 0;
  command("run", help.RUN_HELP, { isDefault: isBare }).action(action(async () => (await import("./run.ts")).run));
  command("demo", help.DEMO_HELP)
    .option("--port <number>", "port of the embedded broker; 0 is any that is free", "18830")
    .action(action(async () => (await import("./demo.ts")).demo));
  command("check", help.CHECK_HELP)
    .option("--commands <device>", "try commands on a collar, and find out its off_code; asks before it sends")
    .action(action(async () => (await import("./check.ts")).check));
  command("devices", help.DEVICES_HELP)
    .option("--json", "as JSON")
    .option("--watch", "follow their changes until stopped")
    .action(action(async () => (await import("./devices.ts")).devices));
  command("config", help.CONFIG_HELP)
    .option("--schema", "print the JSON Schema of the configuration file")
    .action(action(async () => (await import("./config.ts")).config));
  command("track <device>", help.TRACK_HELP)
    .option("--from <time>", "the beginning: a time, or how long ago (default: 24h)")
    .option("--to <time>", "the end: a time, or how long ago (default: now)")
    .addOption(
      new Option("--format <format>", "how it is written (default: as the file's name ends, else gpx)").choices(
        FORMATS,
      ),
    )
    .option("--output <file>", "write to this file, whole or not at all, and not to standard output")
    .action(actionFor(async () => (await import("./track.ts")).track));
  const token = command("token", help.TOKEN_HELP);
  command("create", help.TOKEN_CREATE_HELP, { of: token })
    .requiredOption("--name <name>", "what it is for, such as the name of its program")
    .addOption(
      new Option("--scope <scope>", "what it may do, read or control; may be repeated (default: read)").argParser(
        scopes,
      ),
    )
    .addOption(
      new Option("--device <device>", "only for this device; may be repeated (default: all)").argParser(gathered),
    )
    .option("--json", "as JSON")
    .action(action(async () => (await import("./token.ts")).createToken));
  command("list", help.TOKEN_LIST_HELP, { of: token })
    .option("--json", "as JSON")
    .action(action(async () => (await import("./token.ts")).listTokens));
  command("revoke <token>", help.TOKEN_REVOKE_HELP, { of: token }).action(
    actionFor(async () => (await import("./token.ts")).revokeToken),
  );
  command("cleanup", help.CLEANUP_HELP)
    .option("-y, --yes", "remove without a question")
    .action(action(async () => (await import("./cleanup.ts")).cleanup));
  command("diagnostics", help.DIAGNOSTICS_HELP)
    .option("--output <file>", "write to this file, and not to standard output")
    .action(action(async () => (await import("./diagnostics.ts")).diagnostics));
  return program;
}

/** The values of an option that may be repeated. */
function gathered(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function scopes(value: string, before: readonly Scope[] = []): Scope[] {
  const scope = SCOPES.find((name) => name === value);
  if (scope === undefined) throw new InvalidArgumentError(`Allowed choices are ${SCOPES.join(", ")}.`);
  return [...before, scope];
}

/** Everywhere, so that they may stand before the command or behind it. */
function withGlobals(command: Command): Command {
  return command
    .option("--config <file>", "configuration file, in YAML or JSON (default: see Files)")
    .addOption(
      new Option("--log-level <level>", "how much is logged, over log.level of the configuration").choices(LOG_LEVELS),
    )
    .allowExcessArguments(false);
}
