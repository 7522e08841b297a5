/** Accounts: their names, without personal data, by their place in the configuration; and their subscriptions. */

/** How the account at this position (from 0) is called; a single one needs no number. */
export function sourceName(position: number, count: number): string {
  return count === 1 ? "pettracer" : `pettracer ${position + 1}`;
}

/** The position that a name was made from. */
export function accountPosition(name: string): number {
  const [number] = /\d+$/.exec(name) ?? [];
  return number === undefined ? 0 : Number(number) - 1;
}

const DAY_MS = 86_400_000;

/** Whether a subscription with this last day is over at `at`, epoch ms: the cloud counts whole days. */
export function isSubscriptionOver(endsAt: number | undefined, at: number): boolean {
  return endsAt !== undefined && at > endsAt + DAY_MS;
}
