/** Messages on their way from the cloud to the subscriber. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Flight {
  sent(id: number, nth: number): void;
  /** A later fix stands in for those that were sent before it. */
  arrived(id: number, nth: number): void;
  /** Messages on their way. */
  size(): number;
  sentInAll(): number;
  /** Position messages; fewer than were sent where one stands in for others. */
  arrivedInAll(): number;
  /** Collars whose last fix is on its way. */
  late(): number;
  /** Resolves when fewer are on their way, or at that time, by `performance.now()`. */
  below(size: number, deadline: number): Promise<void>;
}

interface Collar {
  sent: number;
  arrived: number;
}

export function createFlight(): Flight {
  const collars = new Map<number, Collar>();
  let [size, sentInAll, arrivedInAll] = [0, 0, 0];
  return {
    sent(id, nth) {
      const collar = collars.get(id);
      if (collar === undefined) collars.set(id, { sent: nth, arrived: 0 });
      else collar.sent = nth;
      size += 1;
      sentInAll += 1;
    },
    arrived(id, nth) {
      arrivedInAll += 1;
      const collar = collars.get(id);
      if (collar === undefined || nth <= collar.arrived) return;
      size -= nth - collar.arrived;
      collar.arrived = nth;
    },
    size: () => size,
    sentInAll: () => sentInAll,
    arrivedInAll: () => arrivedInAll,
    late: () => [...collars.values()].filter(({ sent, arrived }) => arrived < sent).length,
    async below(limit, deadline) {
      while (size >= limit && performance.now() < deadline) await sleep(1);
    },
  };
}
