/** The schedule of chaos is a pure function of the seed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { COLLARS, createSchedule, type Fault, LANES, type Lane } from "./schedule.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const minutes = fc.integer({ min: 1, max: 30 });
const [THREE_MS, TWENTY_MS] = [180_000, 1_200_000];

function lanesOf(faults: readonly Fault[]): Map<Lane, Fault[]> {
  return Map.groupBy(faults, ({ lane }) => lane);
}

test("the same seed gives the same schedule, another seed another one", () => {
  fc.assert(
    fc.property(seeds, minutes, (seed, length) => {
      const schedule = createSchedule(seed, length * 60_000);
      expect(createSchedule(seed, length * 60_000)).toEqual(schedule);
      expect(createSchedule(seed + 1, length * 60_000).steps).not.toEqual(schedule.steps);
    }),
    { numRuns: 30 },
  );
});

test("every fault begins and ends within the run, and a lane has one at a time", () => {
  fc.assert(
    fc.property(seeds, minutes, (seed, length) => {
      const { faults, durationMs } = createSchedule(seed, length * 60_000);
      for (const lane of lanesOf(faults).values()) {
        for (const [index, { atMs, untilMs, amount }] of lane.entries()) {
          expect(atMs).toBeGreaterThan(lane[index - 1]?.untilMs ?? 0);
          expect(untilMs).toBeGreaterThan(atMs);
          expect(untilMs).toBeLessThanOrEqual(durationMs);
          expect(amount).toBeGreaterThanOrEqual(0);
          expect(amount).toBeLessThan(1);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("steps and commands name collars that there are, within the run", () => {
  fc.assert(
    fc.property(seeds, minutes, (seed, length) => {
      const { steps, orders, durationMs } = createSchedule(seed, length * 60_000);
      for (const { atMs, collar } of [...steps, ...orders]) {
        expect(atMs).toBeLessThanOrEqual(durationMs);
        expect(Number.isInteger(collar) && collar >= 0 && collar < COLLARS).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});

test("in twenty minutes every kind of fault comes but those of the slowest lanes, and faults overlap", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { faults } = createSchedule(seed, TWENTY_MS);
      for (const [lane, own] of lanesOf(faults)) {
        expect(new Set(own.map(({ kind }) => kind)).size, lane).toBe(LANES[lane].kinds.length);
      }
      const overlapping = faults.filter((fault) =>
        faults.some((other) => other.lane !== fault.lane && other.atMs < fault.untilMs && fault.atMs < other.untilMs),
      );
      expect(overlapping.length).toBeGreaterThan(faults.length / 2);
    }),
    { numRuns: 50 },
  );
});

test("three minutes are enough for faults in most lanes", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { faults, steps, orders } = createSchedule(seed, THREE_MS);
      expect(lanesOf(faults).size).toBeGreaterThanOrEqual(6);
      expect(steps.length).toBeGreaterThan(600);
      expect(orders.length).toBeGreaterThan(20);
    }),
    { numRuns: 50 },
  );
});
