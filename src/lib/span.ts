const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];

/** How long something took, as people say it: "50 s", "12 min", "6 h", "3 days". */
export function spanOf(ms: number): string {
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return ms < 48 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} h` : `${Math.round(ms / (24 * HOUR_MS))} days`;
}
