/**
 * What time it is in truth. How old the cloud's times are is judged by the cloud's clock: ours may be wrong, or be set
 * while the program runs, and no cat is lost for that. Between two words of the cloud it goes on as if nobody had
 * touched our clock.
 */

/** Clocks that differ by less are held to be the same, ms. */
const TOLERANCE_MS = 60_000;

export interface TrueClock {
  /** Our clock was set: it went so much further than time did, ms. */
  jumped(ms: number): void;
  /** Our clock is so far ahead of the cloud's, ms. */
  measured(aheadMs: number): void;
  /** In truth, when our clock shows `at`, epoch ms. */
  at(at: number): number;
}

export function createTrueClock(): TrueClock {
  let aheadMs = 0;
  return {
    jumped(ms) {
      aheadMs += ms;
    },
    measured(ms) {
      aheadMs = ms;
    },
    at: (at) => (Math.abs(aheadMs) < TOLERANCE_MS ? at : at - aheadMs),
  };
}
