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
  changes(signal: AbortSignal): AsyncIterable<Changes>;
}

export function createFeed(state: State): KeyFeed {
  const readers = new Set<Reader>();

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
    touch(key) {
      for (const reader of readers) {
        reader.touched.add(key);
        reader.wake();
      }
    },
  };
}
