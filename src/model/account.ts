/** The names of accounts: without personal data, by their place in the configuration. */

/** How the account at this position (from 0) is called; a single one needs no number. */
export function sourceName(position: number, count: number): string {
  return count === 1 ? "pettracer" : `pettracer ${position + 1}`;
}

/** The position that a name was made from. */
export function accountPosition(name: string): number {
  const [number] = /\d+$/.exec(name) ?? [];
  return number === undefined ? 0 : Number(number) - 1;
}
