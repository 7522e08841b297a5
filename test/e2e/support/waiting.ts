import { setTimeout as pause } from "node:timers/promises";

const RETRY_MS = 50;

/** What `work` gives, or an error made of `complaint()` when that takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>, complaint: () => string): Promise<T> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${complaint()} (waited ${ms} ms)`)), ms);
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries again until `attempt` neither throws nor gives undefined; the last refusal is the error's cause. */
export async function eventually<T>(ms: number, what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + ms;
  let cause: unknown;
  do {
    try {
      const found = await attempt();
      if (found !== undefined) return found;
    } catch (error) {
      cause = error;
    }
    await pause(RETRY_MS);
  } while (Date.now() < deadline);
  throw new Error(`${what} did not happen within ${ms} ms`, { cause });
}
