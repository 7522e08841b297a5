/** The arithmetic of a day's trail, and of the ground it is drawn on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesIn, stepM } from "../../src/page/map/metres.ts";
import { spread } from "../../src/page/map/spread.ts";
import {
  dayOf,
  distanceM,
  legsOf,
  lengthM,
  type Spot,
  spotAt,
  type Trail,
  trailOf,
  until,
  withSpot,
} from "../../src/page/track/trail.ts";

const spot = (atMs: number, latitude = 51.4, longitude = -1.08): Spot => ({ latitude, longitude, accuracyM: 10, atMs });
const trail = (times: readonly number[], gaps: Trail["gaps"] = []): Trail => ({
  device: "pettracer_1",
  spots: times.map((time) => spot(time)),
  gaps,
});
const timesOf = ({ spots }: Trail): number[] => spots.map(({ atMs }) => atMs);

test("a track is read in order, and each time once", () => {
  const fix = (minute: number) => ({
    latitude: 51.4,
    longitude: -1.08,
    gps_accuracy: null,
    satellites: null,
    measured_at: `2026-06-01T12:0${minute}:00+00:00`,
  });
  const [from, to] = ["2026-06-01T00:00:00+00:00", "2026-06-02T00:00:00+00:00"];
  const gaps = [
    { from: "2026-06-01T12:01:00+00:00", to: "2026-06-01T12:01:10+00:00" },
    { from: "2026-06-01T12:03:00+00:00", to: "2026-06-01T12:05:00+00:00" },
  ];
  const read = trailOf({ device: "x", name: "Oreo", from, to, gaps, fixes: [fix(5), fix(1), fix(5), fix(3)] });
  const noon = Date.UTC(2026, 5, 1, 12);
  expect(timesOf(read)).toEqual([noon + 60_000, noon + 180_000, noon + 300_000]);
  // A moment of a reconnect is none that a reader has to know of.
  expect(read.gaps).toEqual([{ fromMs: noon + 180_000, toMs: noon + 300_000 }]);
});

test("the line is broken where positions may be missing, and only there", () => {
  const legs = legsOf(trail([1, 2, 3, 10, 11], [{ fromMs: 3, toMs: 10 }]));
  expect(legs.map(({ isGap, spots }) => [isGap, spots.map(({ atMs }) => atMs)])).toEqual([
    [false, [1, 2, 3]],
    [true, [3, 10]],
    [false, [10, 11]],
  ]);
  expect(legsOf(trail([1, 2], [{ fromMs: 5, toMs: 9 }]))).toHaveLength(1);
  expect(legsOf(trail([]))).toEqual([]);
});

test("every spot is in the line, whatever the gaps", () => {
  const time = fc.integer({ min: 0, max: 1_000 });
  const gap = fc.tuple(time, time).map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) }));
  fc.assert(
    fc.property(fc.uniqueArray(time), fc.array(gap), (times, gaps) => {
      const sorted = times.toSorted((a, b) => a - b);
      const whole = legsOf(trail(sorted, gaps)).filter(({ isGap }) => !isGap);
      expect(whole.flatMap(({ spots }) => spots.map(({ atMs }) => atMs))).toEqual(sorted);
    }),
  );
});

test("at a time the cat was where it was measured last", () => {
  const day = trail([100, 200, 300]);
  expect([99, 100, 150, 300, 999].map((time) => spotAt(day, time)?.atMs)).toEqual([undefined, 100, 100, 300, 300]);
  expect(timesOf(until(day, 200))).toEqual([100, 200]);
});

test("news are added in their place, and once", () => {
  const day = trail([100, 300]);
  expect(timesOf(withSpot(day, spot(400)))).toEqual([100, 300, 400]);
  expect(timesOf(withSpot(day, spot(200)))).toEqual([100, 200, 300]);
  expect(withSpot(day, spot(300))).toBe(day);
  expect(timesOf(withSpot(trail([]), spot(1)))).toEqual([1]);
});

describe("metres", () => {
  test("along the line", () => {
    expect(distanceM(spot(0, 51), spot(0, 52))).toBeCloseTo(111_195, -2);
    expect(distanceM(spot(0, 60, 0), spot(0, 60, 1))).toBeCloseTo(111_195 / 2, -2);
    expect(lengthM({ spots: [spot(0, 51), spot(1, 51.001), spot(2, 51)] })).toBeCloseTo(222.4, 0);
    expect(lengthM({ spots: [] })).toBe(0);
  });

  test("the grid's step is the smallest that is wide enough", () => {
    expect([stepM(0.1, 70), stepM(1, 70), stepM(0.75, 70), stepM(10_000, 70)]).toEqual([10, 100, 100, 1_000_000]);
  });

  test("the grid lies on its origin, within the bounds, and is never endless", () => {
    const bounds = { south: 51.399, north: 51.401, west: -1.081, east: -1.079 };
    const { latitudes, longitudes } = linesIn(bounds, { latitude: 51.4, longitude: -1.08 }, 50);
    expect(latitudes.some((line) => Math.abs(line - 51.4) < 1e-9)).toBe(true);
    expect(longitudes.some((line) => Math.abs(line + 1.08) < 1e-9)).toBe(true);
    expect(Math.min(...latitudes)).toBeGreaterThanOrEqual(51.399);
    expect(Math.max(...latitudes)).toBeLessThanOrEqual(51.401);
    const world = linesIn({ south: -80, north: 80, west: -180, east: 180 }, { latitude: 0, longitude: 0 }, 50);
    expect(world).toEqual({ latitudes: [], longitudes: [] });
  });

  test("cats at home sit around their station, and none hides another one where there is room", () => {
    expect(spread(0)).toEqual([]);
    expect(spread(1)).toEqual([{ x: 42, y: 0 }]);
    const seats = spread(8);
    for (const [index, a] of seats.entries())
      for (const b of seats.slice(index + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(40);
    expect(Math.max(...spread(200).map(({ x }) => x))).toBeLessThanOrEqual(130);
  });
});

test("a day is the reader's own, also where clocks change", () => {
  const { fromMs, toMs } = dayOf(Date.UTC(2026, 5, 1, 12));
  expect([new Date(fromMs).getHours(), new Date(fromMs).getMinutes()]).toEqual([0, 0]);
  expect(new Date(toMs + 1).getHours()).toBe(0);
  expect(dayOf(fromMs, -1).toMs).toBe(fromMs - 1);
  expect(dayOf(fromMs, 1).fromMs).toBe(toMs + 1);
  expect(dayOf(toMs)).toEqual({ fromMs, toMs });
});
