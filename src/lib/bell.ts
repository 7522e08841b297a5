/** A bell that any number of listeners hear, each as long as its own signal is not aborted. */
export interface Bell {
  readonly ring: () => void;
  readonly onRing: (listener: () => void, signal: AbortSignal) => void;
}

export function createBell(): Bell {
  const listeners = new Set<() => void>();
  return {
    ring() {
      for (const listener of listeners) listener();
    },
    onRing(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}
