/**
 * A token bucket: so many at once, then so many a second. What is not used is not saved up beyond the burst, so that a
 * client that was quiet all night cannot flood us in the morning.
 */
import { monotonicMs } from "./clock.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  /** Takes one, if there is one: 0; else how long to wait for the next, ms, and nothing is taken. */
  take(): number;
}

/** @param now a clock that never jumps, ms */
export function createBucket({ perSecond, burst }: Rate, now: () => number = monotonicMs): Bucket {
  // What is in it is time, ms: whole numbers stay whole.
  const costMs = 1_000 / perSecond;
  let filledMs = burst * costMs;
  let filledAt = now();
  return {
    take() {
      const at = now();
      filledMs = Math.min(burst * costMs, filledMs + at - filledAt);
      filledAt = at;
      if (filledMs < costMs) return Math.ceil(costMs - filledMs);
      filledMs -= costMs;
      return 0;
    },
  };
}

/** One for each name; of those that were not used for longest, the buckets are full again. */
export function createBuckets(rate: Rate, most: number, now: () => number = monotonicMs): (name: string) => Bucket {
  const buckets = new Map<string, Bucket>();
  return (name) => {
    const bucket = buckets.get(name) ?? createBucket(rate, now);
    // The last in the map is the one that was used last.
    buckets.delete(name);
    buckets.set(name, bucket);
    for (const oldest of buckets.keys()) {
      if (buckets.size <= most) break;
      buckets.delete(oldest);
    }
    return bucket;
  };
}
