/** What docs/health.md says of paths and metrics is what there is. */
import { expect, test } from "vitest";
import { createMetrics } from "../../src/lib/metrics.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import { createCounts } from "../../src/publishers/live/counts.ts";
import { missingParts } from "../../src/publishers/live/health.ts";
import { familiesOf } from "../../src/publishers/live/measure.ts";
import { createCounters } from "../../src/sources/pettracer/counters.ts";
import { NOON } from "../support/arbitraries.ts";
import { createCat } from "../support/cat.ts";
import { endpointsOf, IDLE_LOOP } from "./endpoints.ts";
import { code, codeBlock, read, section, tableRows } from "./markdown.ts";

const text = read("docs/health.md");

const cat = createCat({ name: "Oreo" });
for (const [role, name] of [
  ["source", "pettracer"],
  ["publisher", "mqtt"],
] as const) {
  const error = "the broker cannot be reached";
  cat.dispatch({ type: "componentChanged", component: { role, name, state: "waiting", sinceAt: NOON, error } });
}
const metrics = createMetrics(COUNTERS);
createCounters("pettracer", metrics).lastFrame.value = 0;
metrics.cell("pawline_commands_total", { kind: "light", outcome: "accepted" });
metrics.cell("pawline_publishes_total", { publisher: "mqtt" });
metrics.cell("pawline_events_total", { type: "came_home" });
const sources = {
  state: cat.store.state,
  metrics,
  usage: () => ({ residentBytes: 1, cpuS: 1 }),
  counts: createCounts(),
  eventLoop: IDLE_LOOP,
};

test("every metric is told of with its labels, in the order in which they come", () => {
  const rows = tableRows(section(text, "Metrics")).filter(([cell = ""]) => /_/.test(cell));
  const told = rows.map(([name, labels = ""]) => [code(name), [...labels.matchAll(/`(\w+)`/g)].map(([, one]) => one)]);
  const there = familiesOf(sources).map(({ name, samples }) => [name, Object.keys(samples[0]?.labels ?? {})]);
  expect(told).toEqual(there);
});

test("every cause of a reconnect is told of", () => {
  const family = familiesOf(sources).find(({ name }) => name === "pawline_reconnects_total");
  const causes = family?.samples.map(({ labels }) => labels?.cause);
  const told = tableRows(section(text, "Metrics")).map(([cell]) => code(cell));
  expect(told.slice(told.indexOf("silence"))).toEqual(causes);
});

test("every path is told of, but for what the page is made of, and the API", () => {
  const paths = endpointsOf()
    .map(({ path }) => path)
    .filter((path) => !/\.\w+$|^\/api\/(?!status)/.test(path));
  const [, ...rows] = tableRows(text).slice(0, paths.length + 1);
  expect(new Set(rows.map(([cell]) => code(cell)))).toEqual(new Set(paths));
});

test("the example of what is missing has the keys of the answer, in their order", () => {
  const example = JSON.parse(codeBlock(section(text, "Health"), "json")) as { missing: object[] };
  const missing = missingParts(sources.state).find(({ name }) => name === "mqtt");
  expect(Object.keys(example)).toEqual(["ready", "missing"]);
  expect(example.missing.map(Object.keys)).toEqual([Object.keys(missing ?? {})]);
});
