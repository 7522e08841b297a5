/** `npm run chaos`: a seeded random mix of all faults, and the judge. Exit code 1 when anything was lost or doubled. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runChaos } from "./run.ts";
import { createSchedule } from "./schedule.ts";
import { HOMES } from "./world.ts";

const USAGE = `npm run chaos -- [--seed NUMBER] [--minutes NUMBER] [--plan]
  --seed NUMBER     the same seed is the same schedule; without it a random one, which is printed
  --minutes NUMBER  how long the faults last; default 3. It takes some minutes more until all is quiet
  --plan            only print the schedule's faults
`;

interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly plan: boolean;
}

function readOptions(): Options | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({ options: { seed: text, minutes: text, plan: flag, help: flag } });
    const { seed = String(Math.floor(Math.random() * 1e6)), minutes = "3", plan, help } = values;
    const isGood = Number.isSafeInteger(Number(seed)) && Number(minutes) > 0;
    return help || !isGood ? undefined : { seed: Number(seed), minutes: Number(minutes), plan };
  } catch {
    return undefined;
  }
}

/** The same data, and a cloud that is not there. */
function deafConfig(folder: string, dataDir: string): string {
  const file = join(folder, "deaf.yaml");
  const pettracer = HOMES.map(({ login, password }) => ({
    username: login,
    password,
    portal_url: "http://127.0.0.1:9/api",
    stream_url: "ws://127.0.0.1:9/sc",
  }));
  writeFileSync(file, JSON.stringify({ pettracer, mqtt: { url: "mqtt://127.0.0.1:9" }, data_dir: dataDir }));
  return file;
}

async function main({ seed, minutes, plan }: Options): Promise<number> {
  const schedule = createSchedule(seed, minutes * 60_000);
  const [startedAt, pace] = [performance.now(), `--seed ${seed} --minutes ${minutes}`];
  const say = (text: string): void => console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s  ${text}`);
  console.log(`chaos ${pace}: ${schedule.faults.length} faults, ${schedule.steps.length} moves`);
  if (plan) {
    for (const { atMs, untilMs, lane, kind } of schedule.faults) console.log(`${atMs}-${untilMs}  ${lane}: ${kind}`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "pawline-chaos-"));
  const ends: (() => unknown)[] = [];
  let failures: readonly string[];
  try {
    const verdict = await runChaos(
      schedule,
      folder,
      (data) => deafConfig(folder, data),
      say,
      (end) => ends.unshift(end),
    );
    failures = verdict.failures;
    writeFileSync(join(folder, "daemon.log"), verdict.log);
    console.log(
      Object.entries(verdict.counts)
        .map(([name, count]) => `${count} ${name}`)
        .join(", "),
    );
  } catch (error) {
    failures = [`the run broke off: ${error instanceof Error ? error.stack : String(error)}`];
  }
  for (const end of ends) await Promise.resolve(end()).catch(() => {});
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
  for (const failure of failures.slice(0, 100)) console.log(`FAILED (seed ${seed}): ${failure}`);
  const outcome = failures.length === 0 ? "nothing lost, nothing doubled, states equal" : `${failures.length} failures`;
  console.log(
    `chaos ${pace}: ${outcome}${failures.length === 0 ? "" : `; the daemon's log and data are in ${folder}`}`,
  );
  return failures.length === 0 ? 0 : 1;
}

const options = readOptions();
if (options === undefined) process.stderr.write(USAGE);
process.exit(options === undefined ? 2 : await main(options));
