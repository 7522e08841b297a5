/** How often something may be done that costs somebody else: some times at once, then at a distance, never too often. */

export interface Pace {
  /** What was done longer ago does not count, ms. */
  readonly windowMs: number;
  /** In any such window at most. */
  readonly most: number;
  /** So many times at once; then there are `spacingMs` between two. */
  readonly burst: number;
  readonly spacingMs: number;
}

/** Those that still count. @param past when it was done, the oldest first; times in the future are a clock's mistake */
export function counted(past: readonly number[], now: number, { windowMs, most }: Pace): number[] {
  return past.filter((at) => at <= now && at > now - windowMs).slice(-most);
}

/** How long to wait until it may be done again, ms; 0 where it may be done now. */
export function waitMs(past: readonly number[], now: number, pace: Pace): number {
  const recent = counted(past, now, pace);
  const ceilingAt = recent.length < pace.most ? 0 : (recent[0] ?? 0) + pace.windowMs;
  const spacedAt = recent.length < pace.burst ? 0 : (recent.at(-1) ?? 0) + pace.spacingMs;
  return Math.max(ceilingAt - now, spacedAt - now, 0);
}
