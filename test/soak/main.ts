/** `npm run soak`: weeks by a clock that is turned, then hours on real sockets with a clock that goes faster. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { soakSockets } from "./sockets.ts";
import { header, row } from "./table.ts";
import { liveThroughWeeks } from "./weeks.ts";

const USAGE = `npm run soak -- [--weeks NUMBER] [--minutes NUMBER]
  --weeks NUMBER    simulated weeks without sockets; default 8, 0 leaves them out
  --minutes NUMBER  minutes on real sockets; default 10, 0 leaves them out
`;
const SPEED = 20;
const SAMPLES = 12;
const [COLLARS, RETENTION_DAYS, LOOK_EVERY_DAYS] = [20, 30, 4];
const COLUMNS = [
  "day",
  "timers",
  "entries",
  "journal",
  "fixes",
  "spans",
  "topics",
  "messages",
  "commands",
  "happened",
] as const;

function readOptions(): { readonly weeks: number; readonly minutes: number } | undefined {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({ options: { weeks: text, minutes: text } });
    const [weeks, minutes] = [Number(values.weeks ?? 8), Number(values.minutes ?? 10)];
    return weeks >= 0 && minutes >= 0 ? { weeks, minutes } : undefined;
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const say = (line: string): void => console.log(line);
if (options.weeks > 0) await soakWeeks(options.weeks);
if (options.minutes > 0) {
  say(`Real sockets: 20 accounts, the daemon's clock ${SPEED} times as fast, ${options.minutes} min`);
  await soakSockets({ minutes: options.minutes, speed: SPEED, sampleEveryS: (options.minutes * 60) / SAMPLES }, say);
}
process.exit(0);

async function soakWeeks(weeks: number): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const folder = mkdtempSync(join(tmpdir(), "pawline-soak-"));
  say(`A clock that is turned: ${COLLARS} collars, ${weeks} weeks, a track of ${RETENTION_DAYS} days`);
  say(header([...COLUMNS, "heap MB", "RSS MB"]));
  const plan = {
    days: weeks * 7,
    collars: COLLARS,
    retentionDays: RETENTION_DAYS,
    folder,
    lookEveryDays: LOOK_EVERY_DAYS,
  };
  await liveThroughWeeks(plan, (held) => {
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    say(row([...COLUMNS.map((name) => held[name]), (heapUsed / 1e6).toFixed(2), rss / 1e6]));
  });
  rmSync(folder, { recursive: true, force: true });
}
