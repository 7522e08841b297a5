/** How often a collar in each mode asks the cloud for commands, in seconds. 0: it never asks (switched off). */
const pollSeconds: ReadonlyMap<number, number> = new Map([
  [1, 60],
  [2, 180],
  [3, 900],
  [4, 180],
  [5, 10],
  [6, 60],
  [7, 180],
  [8, 60],
  [9, 60],
  [10, 3600],
  [11, 21],
  [12, 0],
  [14, 60],
  [16, 15],
  [17, 30],
  [18, 10],
  [19, 5],
]);

/** Switched off: only the charger wakes such a collar. */
export const offMode = 12;

/** Live search: the one mode that ends by itself and switches `search` on. */
export const liveMode = 11;

export function isMode(value: unknown): value is number {
  return typeof value === "number" && pollSeconds.has(value);
}

/** Milliseconds between two polls in this mode, or undefined where it never polls (off, unknown). */
export function pollIntervalMs(mode: unknown): number | undefined {
  const seconds = typeof mode === "number" ? pollSeconds.get(mode) : undefined;
  return seconds ? seconds * 1000 : undefined;
}
