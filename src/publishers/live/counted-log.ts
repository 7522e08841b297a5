/** One line in the log for many of a kind: whoever knocks at the door all day must not fill a disk with it. */
import { monotonicMs } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";

export interface CountedLog {
  /** @param what in the plural, from a list of our own: nothing of what was sent to us */
  note(what: string): void;
  /** Tells what was not told yet. */
  end(): void;
}

/** What comes together is told together. */
const GATHERED_MS = 1_000;
const EVERY_MS = 60_000;

export function createCountedLog(log: Logger): CountedLog {
  const counts = new Map<string, number>();
  let toldAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    clearTimeout(timer);
    timer = undefined;
    if (counts.size === 0) return;
    toldAt = monotonicMs();
    log.warn(`live: turned away ${[...counts].map(([what, count]) => `${count} ${what}`).join(", ")}`);
    counts.clear();
  }

  return {
    note(what) {
      counts.set(what, (counts.get(what) ?? 0) + 1);
      timer ??= setTimeout(tell, Math.max(GATHERED_MS, toldAt + EVERY_MS - monotonicMs())).unref();
    },
    end: tell,
  };
}
