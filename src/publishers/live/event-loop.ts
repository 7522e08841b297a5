/** How late the event loop is: what a frame may have to wait before anybody looks at it. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Seconds. */
interface EventLoopDelay {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

export interface EventLoopWatch {
  /** Since the last time it was asked for; undefined while nothing was measured. */
  take(): EventLoopDelay | undefined;
  /** The same, and goes on measuring. */
  look(): EventLoopDelay | undefined;
  end(): void;
}

/** Ten times a second is enough to see what users would feel, and lets a small machine sleep. */
const RESOLUTION_MS = 100;

export function createEventLoopWatch(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // What is measured is the time between two looks, in nanoseconds.
  const delayS = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
  function look(): EventLoopDelay | undefined {
    if (histogram.count === 0) return undefined;
    const { mean, max } = histogram;
    return { mean: delayS(mean), p99: delayS(histogram.percentile(99)), max: delayS(max) };
  }

  return {
    look,
    take() {
      const taken = look();
      // Begun anew before it has anything, it would never have.
      if (taken !== undefined) histogram.reset();
      return taken;
    },
    end: () => void histogram.disable(),
  };
}
