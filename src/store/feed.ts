/** Tells readers what changed, conflated: a set of touched keys per reader, never a queue of states. */
import type { State } from "../model/device.ts";

export interface Changes {
  /** What is known now, all of it. */
  readonly state: State;
  /** The keys that were touched since the last time; a key that is not in the state any more is gone. */
  readonly changed: ReadonlySet<string>;
}

interface Reader {
  touched: Set<string>;
  wake: () => void;
}

export interface KeyFeed {
  touch(key: string): void;
  /** Calls the listener with each key in the moment in which it is touched, until the signal is aborted. */
  onTouch(listener: (key: string) => void, signal: AbortSignal): void;
  changes(signal: AbortSignal): AsyncIterable<Changes>;
}

export function createFeed(state: State): KeyFeed {
  const readers = new Set<Reader>();
  const listeners = new Set<(key: string) => void>();

  async function* changes(signal: AbortSignal): AsyncGenerator<Changes> {
    const reader: Reader = { touched: new Set(state.keys()), wake: () => {} };
    const wake = (): void => reader.wake();
    readers.add(reader);
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        if (reader.touched.size > 0) {
          const changed = reader.touched;
          reader.touched = new Set();
          yield { state, changed };
        } else {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener("abort", wake);
      readers.delete(reader);
    }
  }

  return {
    changes,
    onTouch(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
    touch(key) {
      for (const listener of listeners) listener(key);
      for (const reader of readers) {
        reader.touched.add(key);
        reader.wake();
      }
    },
  };
}
