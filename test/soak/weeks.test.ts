/** Days in seconds: what must not grow with time. How much memory that is, `npm run soak` shows. */
import { afterEach, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temp.ts";
import { type Held, liveThroughWeeks } from "./weeks.ts";

const [COLLARS, RETENTION_DAYS, DAYS] = [4, 1, 5];
const FIXES_A_DAY = 144;
const realNow = Date.now;

afterEach(() => {
  // A test that broke off must not leave the turned clock to others.
  expect(Date.now).toBe(realNow);
});

test("after days with outages and commands as much is held as after the first ones", { timeout: 120_000 }, async () => {
  const { path: folder } = temporaryFolder(onTestFinished);
  const looks: Held[] = [];
  await liveThroughWeeks(
    { days: DAYS, collars: COLLARS, retentionDays: RETENTION_DAYS, folder, lookEveryDays: 1 },
    (held) => looks.push(held),
  );
  const [, second, ...later] = looks;
  expect(later).toHaveLength(DAYS - 2);
  for (const held of later) {
    // A command more or less may be on its way.
    expect(Math.abs(held.timers - (second?.timers ?? 0))).toBeLessThanOrEqual(3);
    expect(held.entries).toBe(second?.entries);
    expect(held.topics).toBe(second?.topics);
    expect(held.journal).toBeLessThanOrEqual(500);
    // An hour's worth may wait to be forgotten.
    expect(held.fixes).toBeLessThanOrEqual(COLLARS * (RETENTION_DAYS * FIXES_A_DAY + 12));
    expect(held.fixes).toBeGreaterThan(COLLARS * (RETENTION_DAYS * FIXES_A_DAY - 12));
    expect(held.spans).toBeLessThanOrEqual(2 * COLLARS);
  }
  const last = later.at(-1);
  expect(last?.messages).toBeGreaterThan(2 * (second?.messages ?? Number.NaN) - 200);
  expect(last?.commands).toBeGreaterThan(100);
  expect(last?.happened).toBeGreaterThan(50);
});
