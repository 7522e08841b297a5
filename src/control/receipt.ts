/** What becomes of a command, for whoever wants to wait for it. */
import type { Receipt } from "../publishers/publisher.ts";

/** The same, for the one who knows; only the first word on each counts. */
export interface OpenReceipt extends Receipt {
  accept(): void;
  finish(): void;
  fail(reason: Error): void;
}

export function openReceipt(): OpenReceipt {
  const accepted = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  return {
    ...ignorable(accepted.promise, done.promise),
    accept: () => accepted.resolve(),
    finish() {
      accepted.resolve();
      done.resolve();
    },
    fail(reason) {
      accepted.reject(reason);
      done.reject(reason);
    },
  };
}

/** One for several commands: accepted and done when all are; failed when one has. */
export function joined(receipts: readonly Receipt[]): Receipt {
  const all = (promises: readonly Promise<void>[]): Promise<void> => Promise.all(promises).then(() => {});
  return ignorable(all(receipts.map(({ accepted }) => accepted)), all(receipts.map(({ done }) => done)));
}

export function failed(reason: Error): Receipt {
  return ignorable(Promise.reject(reason), Promise.reject(reason));
}

/** Most people who ask do not wait. */
function ignorable(accepted: Promise<void>, done: Promise<void>): Receipt {
  accepted.catch(() => {});
  done.catch(() => {});
  return { accepted, done };
}
