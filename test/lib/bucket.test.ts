import fc from "fast-check";
import { expect, test } from "vitest";
import { createBucket } from "../../src/lib/bucket.ts";

test("a burst at once, then as many as the time allows", () => {
  let at = 0;
  const bucket = createBucket({ perSecond: 2, burst: 3 }, () => at);
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0]);
  expect(bucket.take()).toBe(500);
  at += 400;
  expect(bucket.take()).toBe(100);
  at += 100;
  expect(bucket.take()).toBe(0);
  expect(bucket.take()).toBe(500);
});

test("whoever waits as long as he was told gets one, and in any time never more than the burst and the rate", () => {
  const arbitrary = fc.record({
    perSecond: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 20 }),
    pausesMs: fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ perSecond, burst, pausesMs }) => {
      let at = 0;
      let taken = 0;
      const bucket = createBucket({ perSecond, burst }, () => at);
      for (const pauseMs of pausesMs) {
        at += pauseMs;
        const waitMs = bucket.take();
        if (waitMs === 0) taken += 1;
        else {
          at += waitMs;
          expect(bucket.take()).toBe(0);
          taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(burst + (at / 1_000) * perSecond + 1e-6);
      }
    }),
  );
});
