/** What most commands begin with: the configuration and a log that keeps its secrets. */
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { keepIn, openDataDir } from "../lib/data-dir.ts";
import { createLog, type Logger } from "../lib/log.ts";
import { createScrubber, type Scrubber } from "../lib/scrub.ts";
import { type SupervisorAccess, supervisorOf } from "../lib/supervisor.ts";
import type { GlobalOptions, Terminal } from "./terminal.ts";

export interface CommandContext {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly log: Logger;
  readonly scrubber: Scrubber;
  readonly supervisor: SupervisorAccess | undefined;
  /** How the last logins went: a command's login counts like the daemon's. */
  readonly logins: ReturnType<typeof keepIn>;
  /** A person waits for what the command does; the daemon is not asked for anything. */
  readonly isAsked: true;
}

/**
 * @param usualLevel how much is logged unless the flag tells; default what the configuration tells
 * @throws UsageError with all that is wrong with the configuration
 */
export async function openContext(
  options: GlobalOptions,
  terminal: Terminal,
  usualLevel?: Config["log"]["level"],
): Promise<CommandContext> {
  const loaded = readConfig(options, terminal);
  const scrubber = createScrubber();
  hideSecrets(loaded.config, scrubber);
  const supervisor = supervisorOf(terminal.environment);
  if (supervisor !== undefined) scrubber.add(supervisor.token);
  const level = options.logLevel === undefined && usualLevel !== undefined ? usualLevel : loaded.config.log.level;
  const log = await createLog({ ...loaded.config.log, level, scrubber, output: terminal.stderr });
  for (const warning of loaded.warnings) log.warn(warning);
  const logins = keepIn(openDataDir(loaded.config.data_dir, log), "logins");
  return { loaded, config: loaded.config, log, scrubber, supervisor, logins, isAsked: true };
}

/** The configuration as it stands now. */
export function readConfig(options: GlobalOptions, { environment }: Terminal): LoadedConfig {
  return loadConfig({ file: options.config, environment, flags: { "log.level": options.logLevel } });
}

export function hideSecrets({ pettracer, mqtt, home_assistant }: Config, scrubber: Scrubber): void {
  for (const { password } of pettracer) scrubber.add(password);
  if (mqtt?.password !== undefined) scrubber.add(mqtt.password);
  if (home_assistant !== undefined) scrubber.add(home_assistant.token);
  const urls = pettracer.flatMap(({ portal_url, stream_url }) => [portal_url, stream_url]);
  for (const url of [mqtt?.url, home_assistant?.url, ...urls]) {
    for (const password of passwordsIn(url)) scrubber.add(password);
  }
}

/** The password that stands in an address, as it is written there and as it is meant. */
function passwordsIn(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
