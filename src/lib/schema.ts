/** The one place that imports zod: its builder, and the value types of our configuration. */
import { z } from "zod";

export { z };

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;

/** Milliseconds of a duration such as `30s`, `15m` or `2h`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ""] = DURATION.exec(text.trim()) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}

/** Milliseconds as a duration is written, in the largest unit that fits: `15m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [unit = "ms", unitMs = 1] = Object.entries(UNIT_MS).findLast(([, size]) => ms >= size && ms % size === 0) ?? [];
  return `${ms / unitMs}${unit}`;
}

/** A duration with a unit, given in milliseconds; `defaultText` is what stands in the documentation. */
export function duration(shortest: string, longest: string) {
  const [min, max] = [parseDuration(shortest) ?? 0, parseDuration(longest) ?? Number.POSITIVE_INFINITY];
  const message = `must be a duration from ${shortest} to ${longest}, such as 30s, 15m or 2h`;
  return z.string(message).transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= min && ms <= max) return ms;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** The same, or 0, with or without a unit. */
export function durationOrNone(shortest: string, longest: string) {
  const [min, max] = [parseDuration(shortest) ?? 0, parseDuration(longest) ?? Number.POSITIVE_INFINITY];
  const message = `must be 0, or a duration from ${shortest} to ${longest}, such as 24h or 30d`;
  return z.union([z.string(), z.literal(0)], message).transform((value, context) => {
    const ms = value === 0 || value.trim() === "0" ? 0 : parseDuration(value);
    if (ms === 0 || (ms !== undefined && ms >= min && ms <= max)) return ms;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** An address with one of these schemes; a slash at the end is taken off. */
export function address(...schemes: string[]) {
  const wanted = schemes.map((scheme) => `${scheme}://`).join(", ");
  return z.string().transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== "")
      return text.replace(/\/+$/, "");
    context.addIssue({ code: "custom", message: `must be an address that starts with ${wanted}` });
    return z.NEVER;
  });
}

/** What the documentation, the environment and the masking need to know of a value. */
declare module "zod" {
  interface GlobalMeta {
    /** Never shown in a log or by `pawline config`. */
    secret?: boolean;
  }
}
