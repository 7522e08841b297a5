/** `--from` and `--to` as people write them. */
import { UsageError } from "../lib/errors.ts";
import { parseDuration } from "../lib/schema.ts";
import { LATEST_TIME, parseTime } from "../lib/time.ts";
import type { Span } from "../model/span.ts";

interface SpanOptions {
  readonly from?: string;
  readonly to?: string;
}

const DAY_MS = 86_400_000;
/** Each day is a request to the cloud: more would be a mistake. */
const LONGEST_MS = 3_660 * DAY_MS;

/**
 * From the last 24 hours, unless the options say otherwise.
 * @param now epoch ms
 * @throws UsageError for what is no time, and for a beginning behind the end
 */
export function readSpan({ from, to }: SpanOptions, now: number): Span {
  const span = {
    fromAt: readTime("--from", from ?? "24h", now),
    toAt: to === undefined ? now : readTime("--to", to, now),
  };
  if (span.fromAt > span.toAt) {
    throw new UsageError(`--from (${written(span.fromAt)}) lies after --to (${written(span.toAt)})`);
  }
  if (span.toAt - span.fromAt > LONGEST_MS) throw new UsageError("--from and --to may be ten years apart at most");
  return span;
}

function written(at: number): string {
  return new Date(at).toISOString();
}

function readTime(option: string, text: string, now: number): number {
  const backMs = parseDuration(text);
  const at = backMs === undefined ? parseTime(text) : now - backMs;
  if (at !== undefined && Math.abs(at) <= LATEST_TIME) return at;
  throw new UsageError(
    `${option}: must be a time such as 2026-06-01, 2026-06-01T18:30 or 2026-06-01T18:30:00+02:00, ` +
      "or how long ago: 90m, 24h or 7d",
  );
}
