/**
 * Arithmetic on stretches of time. A list of spans is sorted, and its spans are apart; both ends of a span belong to
 * it, in whole milliseconds, so that a span that ends at 5 and one that begins at 6 leave nothing between them.
 */
import type { Span } from "../model/span.ts";

/** All that lies in any of the spans; they may come in any order, and overlap. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.filter(isSpan).toSorted((a, b) => a.fromAt - b.fromAt)) {
    const last = joined.at(-1);
    if (last === undefined || span.fromAt > last.toAt + 1) joined.push(span);
    else if (span.toAt > last.toAt) joined[joined.length - 1] = { fromAt: last.fromAt, toAt: span.toAt };
  }
  return joined;
}

/** What of the span lies in none of the others. */
export function difference(span: Span, others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let fromAt = span.fromAt;
  for (const other of union(others)) {
    if (other.toAt < fromAt) continue;
    if (other.fromAt > span.toAt) break;
    if (other.fromAt > fromAt) left.push({ fromAt, toAt: other.fromAt - 1 });
    fromAt = other.toAt + 1;
  }
  return fromAt <= span.toAt ? [...left, { fromAt, toAt: span.toAt }] : left;
}

/** What of the spans lies inside of this one. */
export function within(span: Span, others: readonly Span[]): Span[] {
  const clipped = ({ fromAt, toAt }: Span): Span => ({
    fromAt: Math.max(fromAt, span.fromAt),
    toAt: Math.min(toAt, span.toAt),
  });
  return union(others.map(clipped));
}

/** From the beginning of the first span so far as `longestMs` reach, and no further than the last that ends there. */
export function firstStretch(spans: readonly Span[], longestMs: number): Span | undefined {
  const [first] = spans;
  if (first === undefined) return undefined;
  const untilAt = first.fromAt + longestMs;
  const last = spans.findLast(({ toAt }) => toAt <= untilAt) ?? { toAt: untilAt };
  return { fromAt: first.fromAt, toAt: last.toAt };
}

function isSpan({ fromAt, toAt }: Span): boolean {
  return fromAt <= toAt;
}
