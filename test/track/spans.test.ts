/** Arithmetic on spans, against the plainest reading of it: a set of moments. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Span } from "../../src/model/span.ts";
import { difference, firstStretch, union, within } from "../../src/track/spans.ts";

const END = 40;
const span = fc.tuple(fc.nat(END), fc.nat(END)).map(([fromAt, toAt]): Span => ({ fromAt, toAt }));
const spans = fc.array(span, { maxLength: 8 });

function moments(list: readonly Span[]): number[] {
  return Array.from({ length: END + 1 }, (_, at) => at).filter((at) =>
    list.some(({ fromAt, toAt }) => at >= fromAt && at <= toAt),
  );
}

function expectApart(list: readonly Span[]): void {
  for (const [index, { fromAt, toAt }] of list.entries()) {
    expect(fromAt).toBeLessThanOrEqual(toAt);
    const before = list[index - 1];
    if (before) expect(fromAt).toBeGreaterThan(before.toAt + 1);
  }
}

test("a union has the moments of all, in spans that are sorted and apart", () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const joined = union([...a, ...b]);
      expect(moments(joined)).toEqual(moments([...a, ...b]));
      expectApart(joined);
      expect(union([...b, ...union(a)])).toEqual(joined);
      expect(union(joined)).toEqual(joined);
    }),
  );
});

test("a difference has the moments of the one that the others lack; together they are the union", () => {
  fc.assert(
    fc.property(span, spans, (one, others) => {
      const left = difference(one, others);
      const taken = moments(others);
      expect(moments(left)).toEqual(moments([one]).filter((at) => !taken.includes(at)));
      expectApart(left);
      expect(union([...left, ...others])).toEqual(union([one, ...others]));
    }),
  );
});

test("what lies within a span lies in both", () => {
  fc.assert(
    fc.property(span, spans, (one, others) => {
      const both = moments(others).filter((at) => moments([one]).includes(at));
      expect(moments(within(one, others))).toEqual(both);
    }),
  );
});

test("a first stretch begins with the first gap, is as long as asked at most, and filled again and again ends", () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: END }), (gaps, longest) => {
      let left = union(gaps);
      for (let count = 0; left.length > 0; count += 1) {
        const stretch = firstStretch(left, longest);
        if (stretch === undefined) throw new Error("there are gaps");
        expect(stretch.fromAt).toBe(left[0]?.fromAt);
        expect(stretch.toAt - stretch.fromAt).toBeLessThanOrEqual(longest);
        left = left.flatMap((gap) => difference(gap, [stretch]));
        expect(count).toBeLessThanOrEqual(END);
      }
      expect(firstStretch([], longest)).toBeUndefined();
    }),
  );
});
