/**
 * What time it is in truth. How old the cloud's times are is judged by the cloud's clock: ours may be wrong, or be set
 * while the program runs, and no cat is lost for that. Between two words of the cloud it goes on as if nobody had
 * touched our clock.
 */

/** Clocks that differ by less are held to be the same, ms. */
const TOLERANCE_MS = 60_000;

/** The times of two clocks are told one after the other, ms. */
const MOMENT_MS = 1_000;

interface Passed {
  /** What our clock shows now, epoch ms. */
  readonly at: number;
  /** For how long, by a clock that never jumps; and how much further ours went meanwhile, ms. */
  readonly elapsedMs: number;
  readonly jumpMs?: number;
}

export interface TrueClock {
  /** Time went by; our clock may have been set meanwhile. */
  passed(passed: Passed): void;
  /** Our clock, which shows `at`, is so far ahead of the cloud's, ms. */
  measured(aheadMs: number, at: number): void;
  /** In truth, when our clock shows `at`, epoch ms. */
  at(at: number): number;
}

export function createTrueClock(): TrueClock {
  let aheadMs = 0;
  /** When it was measured, if that was since time went by last. */
  let measuredAt: number | undefined;
  return {
    passed({ at, elapsedMs, jumpMs = 0 }) {
      const sinceMs = at - (measuredAt ?? Number.POSITIVE_INFINITY);
      measuredAt = undefined;
      // What was measured after our clock was set has the jump in it.
      if (sinceMs < 0 || sinceMs > elapsedMs + MOMENT_MS) aheadMs += jumpMs;
    },
    measured(ms, at) {
      aheadMs = ms;
      measuredAt = at;
    },
    at: (at) => (Math.abs(aheadMs) < TOLERANCE_MS ? at : at - aheadMs),
  };
}
