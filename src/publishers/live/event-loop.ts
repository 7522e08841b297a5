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
  end(): void;
}

/** Ten times a second is enough to see what users would feel, and lets a small machine sleep. */
const RESOLUTION_MS = 100;

export function createEventLoopWatch(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // What is measured is the time between two looks, in nanoseconds.
  const delayS = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
  return {
    take() {
      if (histogram.count === 0) return undefined;
      const { mean, max } = histogram;
      const taken = { mean: delayS(mean), p99: delayS(histogram.percentile(99)), max: delayS(max) };
      histogram.reset();
      return taken;
    },
    end: () => void histogram.disable(),
  };
}
