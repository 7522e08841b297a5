/** One input of the program, and what must hold whatever comes in by it. */

export interface Target {
  readonly name: string;
  /** Words of the protocol, for the mutations. */
  readonly dictionary: readonly string[];
  /** How many mutations `npm test` tries. */
  readonly runs: number;
  open(): Promise<Trial>;
}

export interface Trial {
  /** Throws where something does not hold. */
  try(input: Buffer): Promise<void> | void;
  /** Ends it; throws unless the program still does its work. */
  close(): Promise<void>;
}

/** Who waits for longer waits for ever: a machine may be slow, ms. */
const LONGEST_MS = 30_000;

/**
 * Tries these inputs; each must be dealt with before the next one, and leave nothing behind: no error that nobody has
 * caught, and no warning of Node.js, which tells of timers that overflow and of listeners that pile up.
 * @param onFailure called with the input that has failed, or `undefined` for the end, and why
 */
export async function tryAll(
  target: Target,
  inputs: Iterable<Buffer>,
  onFailure: (input: Buffer | undefined, error: unknown) => void,
): Promise<number> {
  let current: Buffer | undefined;
  const escaped = (error: unknown): void => onFailure(current, error);
  const NAMES = ["uncaughtException", "unhandledRejection", "warning"] as const;
  for (const name of NAMES) process.on(name, escaped);
  let count = 0;
  try {
    const trial = await target.open();
    for (const input of inputs) {
      current = input;
      count += 1;
      await inTime(async () => await trial.try(input)).catch((error: unknown) => onFailure(input, error));
    }
    current = undefined;
    await inTime(() => trial.close()).catch((error: unknown) => onFailure(undefined, error));
    // What is told by the event loop alone is told by now.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const name of NAMES) process.off(name, escaped);
  }
  return count;
}

async function inTime(act: () => Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done after ${LONGEST_MS} ms`)), LONGEST_MS);
  try {
    await Promise.race([act(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function ensure(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}
