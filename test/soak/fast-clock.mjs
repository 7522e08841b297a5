/**
 * Loaded into the daemon before anything else (`node --import`): its time goes SOAK_SPEED times as fast. Timers and clocks
 * agree with each other, so that it behaves as it would in as much time; sockets are as fast as they are. At SIGUSR2 it
 * collects its garbage and writes what it holds into SOAK_FILE, a line each time.
 */
import { appendFileSync } from "node:fs";

const speed = Number(process.env.SOAK_SPEED);
const file = String(process.env.SOAK_FILE);
const { setTimeout: laterIn, setInterval: everyIn } = globalThis;
const [startedAt, startedMs] = [Date.now(), performance.now()];
const realNow = performance.now.bind(performance);

globalThis.setTimeout = Object.assign((act, ms = 0, ...rest) => laterIn(act, ms / speed, ...rest), laterIn);
globalThis.setInterval = Object.assign((act, ms = 0, ...rest) => everyIn(act, ms / speed, ...rest), everyIn);
performance.now = () => startedMs + (realNow() - startedMs) * speed;
const RealDate = Date;
const nowAt = () => Math.floor(startedAt + (realNow() - startedMs) * speed);
globalThis.Date = class FastDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(nowAt());
    else super(...parts);
  }
  static now() {
    return nowAt();
  }
};

process.on("SIGUSR2", () => {
  globalThis.gc?.();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const { heapUsed, external } = process.memoryUsage();
  appendFileSync(file, `${JSON.stringify({ heapUsed, external, resources })}\n`);
});
