/**
 * Who shows wrong tokens has to wait, longer each time: by address, since that is all that is known of them. A token
 * that has been right from there before is let in all the same, or one program with an old token would shut out the
 * others of its computer.
 */
import { monotonicMs } from "../../../lib/clock.ts";

export interface Attempts {
  /** How long this address has to wait, ms; 0 where it need not. */
  waitMs(address: string): number;
  fail(address: string): void;
  succeed(address: string, tokenId: string): void;
  hasSucceeded(address: string, tokenId: string): boolean;
}

interface Failures {
  readonly count: number;
  readonly untilAt: number;
}

const FREE = 5;
const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** More than any house has; who comes from more has more addresses than we could remember anyway. */
const MOST = 1_000;

export function createAttempts(now: () => number = monotonicMs): Attempts {
  const failures = new Map<string, Failures>();
  const successes = new Map<string, ReadonlySet<string>>();

  function failuresOf(address: string): Failures | undefined {
    const known = failures.get(networkOf(address));
    return known && now() - known.untilAt < LONGEST_MS ? known : undefined;
  }

  return {
    waitMs: (address) => Math.max(0, (failuresOf(address)?.untilAt ?? 0) - now()),
    fail(address) {
      const count = (failuresOf(address)?.count ?? 0) + 1;
      const waitMs = count < FREE ? 0 : Math.min(FIRST_MS * 2 ** (count - FREE), LONGEST_MS);
      put(failures, networkOf(address), { count, untilAt: now() + waitMs });
    },
    succeed(address, tokenId) {
      const known = successes.get(networkOf(address));
      put(successes, networkOf(address), new Set([...(known ?? []), tokenId].slice(-MOST)));
    },
    hasSucceeded: (address, tokenId) => successes.get(networkOf(address))?.has(tokenId) === true,
  };
}

/** As the last one, at the cost of the first. */
function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MOST) break;
    map.delete(oldest);
  }
}

/** Of IPv6 everybody has 2^64 addresses: what they have in common is the first half. */
function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").filter((group) => group !== "").length;
  return [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ?? "").split(":")]
    .slice(0, 4)
    .join(":");
}
