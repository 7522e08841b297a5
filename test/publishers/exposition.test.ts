/** Prometheus' format, whatever stands in a label or a value: read back by a reader that knows nothing of the writer. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { expose } from "../../src/publishers/live/exposition.ts";
import { readMetrics } from "../support/prometheus.ts";

/** As the format's description has it, not as the writer does it. */
function plain(escaped: string): string {
  return escaped.replace(/\\(.)/g, (_, character) => (character === "n" ? "\n" : String(character)));
}

test("what is written can be read", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "{", "}", ",", "=", "a") }),
  );
  fc.assert(
    fc.property(text, text, fc.double(), (help, label, value) => {
      const written = expose([
        { name: "a_b", type: "gauge", help: `x${help}`, samples: [{ labels: { one: label, two: "2" }, value }] },
        { name: "c", type: "gauge", help: "Nothing is known.", samples: [] },
      ]);
      const families = readMetrics(written);
      expect([...families.keys()]).toEqual(["a_b"]);
      const [[labels, read] = ["", 0]] = families.get("a_b")?.samples ?? [];
      expect(plain(labels)).toBe(`one="${label}",two="2"`);
      // Zero has no sign in any metric.
      expect(read + 0).toBe(value + 0);
      expect(plain(families.get("a_b")?.help ?? "")).toBe(`x${help}`);
    }),
  );
});

test.each([
  ["a 1", "no end"],
  ["a 1\n", "outside its family"],
  ["# TYPE a gauge\na 1\n", "without its HELP"],
  ["# HELP a x\n# TYPE a gauge\na one\n", "no line of the format"],
  ["# HELP a x\n# TYPE a gauge\na 1\na 1\n", "comes twice"],
  ['# HELP a x\n# TYPE a gauge\na{b="c"d="e"} 1\n', "odd labels"],
  ["# HELP a x\n# TYPE a counter\na 1\n", "no name for a counter"],
  ["# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", "no name for a gauge"],
  ["# HELP a x\n# TYPE a gauge\n", "no sample"],
])("the reader is strict: %j", (text, complaint) => {
  expect(() => readMetrics(text)).toThrow(complaint);
});
