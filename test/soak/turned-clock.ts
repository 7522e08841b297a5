/** A clock that is turned by hand: timers ring and times are told as if it had gone by, and nothing waits. */

export interface TurnedClock {
  readonly now: number;
  /** Timers that are set and have not rung. */
  readonly pending: number;
  /** Turns the clock on; whatever becomes due rings in its order, and what follows from it is done. */
  pass(ms: number): Promise<void>;
  /** Puts the real clock back. */
  restore(): void;
}

interface Timer {
  readonly dueAt: number;
  readonly ring: () => void;
}

/** So often what follows from a timer may have to wait for something else that is real, such as a promise. */
const TURNS = 3;

/** Takes the place of the process's own clock and timers: for a process that does nothing else. */
export function turnClock(startAt: number): TurnedClock {
  const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
  const realNow = Date.now;
  const timers = new Map<object, Timer>();
  let now = startAt;

  function set(act: (...rest: unknown[]) => void, ms = 0, ...rest: unknown[]): object {
    const handle = { unref: () => handle, ref: () => handle };
    timers.set(handle, { dueAt: now + Math.max(ms, 0), ring: () => act(...rest) });
    return handle;
  }

  function next(untilAt: number): [object, Timer] | undefined {
    let found: [object, Timer] | undefined;
    for (const entry of timers)
      if (entry[1].dueAt <= untilAt && entry[1].dueAt < (found?.[1].dueAt ?? Infinity)) found = entry;
    return found;
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  Object.assign(globalThis, { setTimeout: set, clearTimeout: (handle: object) => void timers.delete(handle) });
  Date.now = () => Math.floor(now);
  performance.now = () => now - startAt;
  return {
    get now() {
      return now;
    },
    get pending() {
      return timers.size;
    },
    async pass(ms) {
      const untilAt = now + ms;
      await settle();
      for (let due = next(untilAt); due !== undefined; due = next(untilAt)) {
        const [handle, { dueAt, ring }] = due;
        timers.delete(handle);
        now = Math.max(now, dueAt);
        ring();
        await settle();
      }
      now = untilAt;
    },
    restore() {
      Object.assign(globalThis, { setTimeout: realSetTimeout, clearTimeout: realClearTimeout });
      Date.now = realNow;
      // Behind ours stands the real one, on the prototype.
      Reflect.deleteProperty(performance, "now");
    },
  };
}
