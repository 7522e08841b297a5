/** What ends by itself, by device: kept over restarts. */
import { z } from "../lib/schema.ts";

/** Live tracking that was switched on here. */
export interface LiveTimer {
  /** When it ends, or its end is tried again, epoch ms. */
  readonly untilAt: number;
  /** How often its end has been tried. */
  readonly tries: number;
}

/** Find my cat, and what to put back after it. */
export interface FindTimer extends LiveTimer {
  /** Whether it switched live tracking on. */
  readonly startedLive: boolean;
  /** Whether light and buzzer were on before. */
  readonly light: boolean;
  readonly buzzer: boolean;
}

export interface Timer {
  readonly live?: LiveTimer | undefined;
  readonly find?: FindTimer | undefined;
}

export type Timers = Readonly<Record<string, Timer>>;

const live = { untilAt: z.number(), tries: z.number() };
const find = { ...live, startedLive: z.boolean(), light: z.boolean(), buzzer: z.boolean() };
const timer = z.object({
  live: z.object(live).optional().catch(undefined),
  find: z.object(find).optional().catch(undefined),
});

/** The timers of a file; what cannot be read is left out. */
export function readTimers(kept: unknown): Timers {
  return z
    .record(z.string(), timer.catch({}))
    .catch({})
    .parse(kept ?? {});
}
