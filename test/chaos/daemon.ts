/** The daemon as a child process, again and again on the same `data_dir`, and all that it ever said. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cli, startCli } from "../support/cli.ts";
import type { AtEnd } from "../support/temp.ts";

export interface LastingDaemon {
  readonly file: string;
  /** Standard error of all its lives. */
  readonly log: string;
  /** How often it has ended without having been told to, and with which exit codes it obeyed. */
  readonly misdeeds: readonly string[];
  start(): void;
  /** At once. */
  kill(): Promise<void>;
  /** In order. */
  terminate(): Promise<void>;
  stop(): void;
  go(): void;
  reload(config: object): void;
}

const ENDS_MS = 20_000;

export function createDaemon(folder: string, config: object, atEnd: AtEnd): LastingDaemon {
  const file = join(folder, "pawline.yaml");
  const misdeeds: string[] = [];
  let earlierLog = "";
  let cli: Cli | undefined;
  write(config);

  function write(next: object): void {
    writeFileSync(file, JSON.stringify(next), { mode: 0o600 });
  }

  function start(): void {
    const started = startCli(["run", "--config", file], { cwd: folder, atEnd });
    cli = started;
    started
      .ended(2 ** 31 - 1)
      .then(({ code }) => {
        if (cli === started) misdeeds.push(`the daemon ended by itself with exit code ${code}`);
      })
      .catch(() => {});
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const ending = cli;
    cli = undefined;
    ending?.signal(signal);
    const result = await ending?.ended(ENDS_MS);
    earlierLog += ending?.stderr ?? "";
    return result?.code ?? null;
  }

  return {
    file,
    misdeeds,
    get log() {
      return earlierLog + (cli?.stderr ?? "");
    },
    start,
    async kill() {
      await end("SIGKILL");
    },
    async terminate() {
      const code = await end("SIGTERM");
      if (code !== 0) misdeeds.push(`the daemon was told to end, and did so with exit code ${code}`);
    },
    stop: () => cli?.signal("SIGSTOP"),
    go: () => cli?.signal("SIGCONT"),
    reload(next) {
      write(next);
      cli?.signal("SIGHUP");
    },
  };
}
