/** Waiting that ends: for a condition, never for a time. */
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 5;
/** Far longer than anything takes, so that a slow machine is no failure. */
export const PATIENCE_MS = 20_000;

/** What `look` finds, as soon as that is neither undefined nor false; an error with `what` after `ms`. */
export async function until<T>(
  look: () => T | undefined | false,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await pause(LOOK_EVERY_MS);
  }
}
