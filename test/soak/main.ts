/** `npm run soak`: weeks by a clock that is turned, then hours on real sockets with a clock that goes faster. */
import { parseArgs } from "node:util";
import { soakSockets } from "./sockets.ts";

const USAGE = `npm run soak -- [--weeks NUMBER] [--minutes NUMBER]
  --weeks NUMBER    simulated weeks without sockets; default 8, 0 leaves them out
  --minutes NUMBER  minutes on real sockets; default 10, 0 leaves them out
`;
const SPEED = 20;
const SAMPLES = 12;

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
if (options.minutes > 0) {
  say(`Real sockets: 20 accounts, the daemon's clock ${SPEED} times as fast, ${options.minutes} min`);
  await soakSockets({ minutes: options.minutes, speed: SPEED, sampleEveryS: (options.minutes * 60) / SAMPLES }, say);
}
process.exit(0);
