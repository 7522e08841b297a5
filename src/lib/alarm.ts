import { monotonicMs, sleep } from "./clock.ts";

/** One appointment that can be moved nearer while somebody waits for it. */
export interface Alarm {
  /** Rings in `ms` milliseconds at the latest. */
  within(ms: number): void;
  /** Resolves when it rings, and forgets the appointment; also when the signal is aborted. */
  rung(signal: AbortSignal): Promise<void>;
}

export function createAlarm(): Alarm {
  let dueAt = Number.POSITIVE_INFINITY;
  let moved = (): void => {};
  return {
    within(ms) {
      dueAt = Math.min(dueAt, monotonicMs() + ms);
      moved();
    },
    async rung(signal) {
      const end = (): void => moved();
      signal.addEventListener("abort", end);
      while (!signal.aborted && monotonicMs() < dueAt) {
        const sooner = new AbortController();
        moved = () => sooner.abort();
        await sleep(Math.min(Math.max(dueAt - monotonicMs(), 0), LONGEST_TIMER_MS), sooner.signal);
      }
      signal.removeEventListener("abort", end);
      moved = () => {};
      dueAt = Number.POSITIVE_INFINITY;
    },
  };
}

/** A timer of Node's with a longer delay fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
