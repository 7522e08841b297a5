import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { projectFolder } from "./artifacts.ts";
import { StartedProcess, temporaryFolder } from "./processes.ts";

/** As an object, or as the text of the YAML file. */
export type Configuration = object | string;

export interface DaemonOptions {
  readonly config: Configuration;
  /** Behind `run --config FILE`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** That of an earlier daemon, to start again with what it has stored. */
  readonly folder?: string;
  /** The program, instead of the built one. */
  readonly main?: string;
}

const built = join(projectFolder, "dist/main.js");

/** A developer's own settings must not reach the daemon under test. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PAWLINE_"));
  return { ...Object.fromEntries(inherited), NO_COLOR: "1", ...extra };
}

export class Daemon {
  /** Its working folder, where it finds its configuration and what it has stored. */
  readonly folder: string;
  readonly #process: StartedProcess;

  constructor(folder: string, process: StartedProcess) {
    this.folder = folder;
    this.#process = process;
  }

  /** Its exit code. */
  get ended(): Promise<number> {
    return this.#process.ended;
  }

  /** Standard output and standard error together. */
  output(): string {
    return this.#process.output();
  }

  /** Looks at all output since `from`, an `output().length` taken earlier; fails at once when the daemon ends. */
  async waitForOutput(pattern: RegExp, ms: number, from = 0): Promise<RegExpMatchArray> {
    return await this.#process.waitForOutput(pattern, ms, from);
  }

  /** Changes the file only; SIGHUP makes a daemon read it. */
  configure(config: Configuration): void {
    writeConfiguration(this.folder, config);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.signal(name);
  }

  /** Its exit code; an error when it takes longer than 20 s. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    return await this.#process.stop(signal);
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }
}

function writeConfiguration(folder: string, config: Configuration): string {
  const file = join(folder, "pawline.yaml");
  writeFileSync(file, typeof config === "string" ? config : stringify(config), { mode: 0o600 });
  return file;
}

/** Does not wait for anything: `waitForOutput` does. */
export function startDaemon({ config, args = [], env = {}, folder, main = built }: DaemonOptions): Daemon {
  if (!existsSync(main)) throw new Error(`${main} is missing: build it first`);
  const cwd = folder ?? temporaryFolder("daemon");
  const command = [main, "run", "--config", writeConfiguration(cwd, config), ...args];
  return new Daemon(cwd, new StartedProcess(process.execPath, command, { cwd, env: environment(env) }));
}
