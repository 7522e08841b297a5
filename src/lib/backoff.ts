/**
 * The schedules of retries, never longer than a minute. Where nothing answers, it is for a quarter of a minute so short that
 * whatever was away is back within five seconds of its return. What works and is lost again and again is spared sooner.
 */

const AWAY_MS = [1_000, 2_000, 3_000, 3_000, 3_000, 3_000, 10_000, 20_000, 40_000, 55_000];
const LOST_MS = [1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 55_000];
const JITTER = 0.15;

/**
 * The delay before retry number `attempt` (from 0), in milliseconds, spread by ±15 % so that many installations
 * do not come back to a recovering server in the same second.
 * @param random a number from 0 to 1
 * @param hasWorked whether it had worked before it failed
 */
export function retryDelayMs(attempt: number, random: number = Math.random(), hasWorked = false): number {
  const delaysMs = hasWorked ? LOST_MS : AWAY_MS;
  const base = delaysMs[Math.min(attempt, delaysMs.length - 1)] ?? 55_000;
  return Math.round(base * (1 + JITTER * (2 * random - 1)));
}
