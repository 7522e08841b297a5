import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batteryPercent, shownPercent } from "../../src/store/battery.ts";

test.each([
  [3000, 0],
  [3599, 0],
  [3600, 17],
  [3680, 26],
  [3760, 34],
  [3800, 42],
  [3840, 50],
  [3870, 59],
  [3900, 67],
  [3950, 75],
  [4000, 83],
  [4075, 92],
  [4150, 100],
  [4207, 100],
])("%d mV is %d %", (millivolts, percent) => {
  expect(batteryPercent(millivolts)).toBe(percent);
});

test("more voltage is never less charge, and it stays within 0 and 100", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 100 }), (millivolts, more) => {
      const [low, high] = [batteryPercent(millivolts), batteryPercent(millivolts + more)];
      expect(low).toBeLessThanOrEqual(high);
      expect(low >= 0 && high <= 100).toBe(true);
    }),
  );
});

describe("what is shown", () => {
  const show = (percents: readonly number[], charging: boolean): (number | undefined)[] => {
    let shown: number | undefined;
    return percents.map((percent) => {
      shown = shownPercent(shown, percent, charging);
      return shown;
    });
  };

  test("does not bounce between 99 and 100", () => {
    expect(show([100, 99, 100, 99, 100], false)).toEqual([100, 99, 99, 99, 99]);
  });

  test("follows the battery down, and up when that is plain", () => {
    expect(show([90, 80, 81, 82], false)).toEqual([90, 80, 80, 82]);
  });

  test("never falls while charging", () => {
    expect(show([50, 49, 51, 30, 52], true)).toEqual([50, 50, 51, 51, 52]);
  });
});
