/**
 * Has V8 spare memory where speed is of no use: in a program that starts once and then has next to nothing to do.
 *
 * The young generation of its heap would grow to tens of megabytes at the first rush, which is the start, more than all
 * that the program remembers. Under load it is worth some room, since what dies young need not be copied: while the
 * event loop is busy it may grow to a limit.
 *
 * The optimizing compiler would work on what runs at the start and never again, and keep the memory that it took for
 * that (6 MB, by `npm run bench`). It begins when the start is over.
 */
import { performance } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** How busy the event loop is looked at this often, ms; and how far it has grown while it may, since it does so quickly. */
const [LOOK_MS, WATCH_MS] = [1_000, 5];
/** Of its time; a household's bridge takes less than a hundredth. */
const BUSY = 0.7;
/** The start is over when the event loop is not busy, or after so many looks. */
const LONGEST_START = 15;
/** The young generation may double as long as it is smaller. */
const LIMIT_BYTES = 24_000_000;

/** To be called before anything large is loaded. Keeps no process alive. */
export function spareMemory(): void {
  letGrow(false);
  optimize(false);
  let before = performance.eventLoopUtilization();
  let [looks, isStarted] = [0, false];
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(now, before).utilization > BUSY;
    before = now;
    if (isStarted) {
      if (isBusy && isBelowLimit()) growForAWhile();
      return;
    }
    looks += 1;
    isStarted = !isBusy || looks === LONGEST_START;
    if (isStarted) optimize(true);
  }, LOOK_MS).unref();
}

function growForAWhile(): void {
  letGrow(true);
  const endsAt = performance.now() + LOOK_MS / 2;
  const watch = setInterval(() => {
    if (isBelowLimit() && performance.now() < endsAt) return;
    letGrow(false);
    clearInterval(watch);
  }, WATCH_MS).unref();
}

function isBelowLimit(): boolean {
  return (getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0) < LIMIT_BYTES;
}

/** By which factor it grows at a time; 1 is not at all. */
function letGrow(may: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
}

function optimize(may: boolean): void {
  setFlagsFromString(may ? "--opt" : "--no-opt");
}
