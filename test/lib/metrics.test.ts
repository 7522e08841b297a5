import { expect, test } from "vitest";
import { createMetrics } from "../../src/lib/metrics.ts";

const TABLE = {
  frames_total: { type: "counter", help: "Frames.", labels: ["account", "kind"] },
  last_age_seconds: { type: "age", help: "Age.", labels: [] },
} as const;

test("a cell is the same for the same labels, in whichever order they stand", () => {
  const metrics = createMetrics(TABLE);
  const cell = metrics.cell("frames_total", { account: "0", kind: "a" });
  expect(metrics.cell("frames_total", { kind: "a", account: "0" })).toBe(cell);
  expect(metrics.cell("frames_total", { account: "1", kind: "a" })).not.toBe(cell);
  // Labels that would be the same text if they were simply joined.
  expect(metrics.cell("frames_total", { account: "0,kind", kind: "a" })).not.toBe(
    metrics.cell("frames_total", { account: "0", kind: "kind,a" }),
  );
});

test("counters begin at 0, ages without a value, and all names are told", () => {
  const metrics = createMetrics(TABLE);
  expect(metrics.families().map(({ name, series }) => [name, series.length])).toEqual([
    ["frames_total", 0],
    ["last_age_seconds", 0],
  ]);
  metrics.cell("frames_total", { account: "0", kind: "a" }).value += 1;
  const age = metrics.cell("last_age_seconds", {});
  const [frames] = metrics.families();
  expect(frames?.series).toEqual([{ labels: { account: "0", kind: "a" }, cell: { value: 1 } }]);
  expect(age.value).toBeNaN();
});
