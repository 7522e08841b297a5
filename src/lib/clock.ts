/** Time as the program uses it: wall clock for what users see, monotonic for every interval. */

/** Resolves after `ms` milliseconds, or at once when the signal is aborted: the caller looks at the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Resolves when the event loop has been round: what has arrived meanwhile is dealt with first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Milliseconds that never jump, for intervals; the origin is arbitrary. */
export function monotonicMs(): number {
  return performance.now();
}

/** Resolves when the signal is aborted; at once if it already is. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * The promise's value, or a rejection with `onTimeout()`'s error after `ms` milliseconds.
 * The promise itself is not cancelled; its late failure is swallowed.
 */
export async function within<T>(ms: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  const stop = new AbortController();
  const timeout = sleep(ms, stop.signal).then((): never => {
    throw onTimeout();
  });
  timeout.catch(() => {});
  promise.catch(() => {});
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    // The race is over: the timer must not keep the process alive.
    stop.abort();
  }
}
