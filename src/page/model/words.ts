/** Times, distances and numbers as the reader writes them. */
import type { Tongue } from "../texts/language.ts";

export interface Words {
  /** `14:05`, with the date where that is not today. */
  readonly time: (atMs: number, nowMs: number) => string;
  /** The same with seconds. */
  readonly clock: (atMs: number) => string;
  /** `3 min ago`; what is less than a minute away is `now`. */
  readonly ago: (atMs: number, nowMs: number) => string;
  readonly day: (atMs: number) => string;
  /** The day that the text begins with (`2026-06-01T…`), in whatever time zone. */
  readonly calendarDay: (iso: string) => string;
  /** `120 m`, `1.2 km`. */
  readonly distance: (meters: number) => string;
  /** `±12 m` */
  readonly accuracy: (meters: number) => string;
  readonly percent: (value: number) => string;
  /** `2 h 5 min` */
  readonly minutes: (value: number) => string;
  readonly coordinates: (latitude: number, longitude: number) => string;
}

const MINUTE_MS = 60_000;
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", MINUTE_MS],
] as const;

/** @param timeZone the reader's own unless given */
export function createWords({ locale }: Tongue, timeZone?: string): Words {
  const zone = timeZone === undefined ? {} : { timeZone };
  const short = new Intl.DateTimeFormat(locale, { timeStyle: "short", ...zone });
  const long = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", ...zone });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "full", ...zone });
  const plainDay = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const dayKey = new Intl.DateTimeFormat("en-CA", { ...zone });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const degrees = new Intl.NumberFormat(locale, { minimumFractionDigits: 5, maximumFractionDigits: 5 });

  const distance = (meters: number): string =>
    meters < 1_000 ? `${whole.format(meters)} m` : `${tenths.format(meters / 1_000)} km`;
  return {
    time: (atMs, nowMs) => (dayKey.format(atMs) === dayKey.format(nowMs) ? short : long).format(atMs),
    clock: (atMs) => short.format(atMs),
    ago(atMs, nowMs) {
      const away = atMs - nowMs;
      const [unit, size] = UNITS.find(([, ms]) => Math.abs(away) >= ms) ?? (["second", 0] as const);
      return ago.format(size === 0 ? 0 : Math.trunc(away / size), unit);
    },
    day: (atMs) => date.format(atMs),
    calendarDay: (iso) => plainDay.format(new Date(iso.slice(0, 10))),
    distance,
    accuracy: (meters) => `±${distance(meters)}`,
    percent: (value) => `${whole.format(value)} %`,
    minutes: (value) =>
      value < 60 ? `${whole.format(value)} min` : `${Math.floor(value / 60)} h ${whole.format(value % 60)} min`,
    coordinates: (latitude, longitude) => `${degrees.format(latitude)}, ${degrees.format(longitude)}`,
  };
}

/** Epoch ms of a time of the API; undefined for none. */
export function msOf(iso: unknown): number | undefined {
  const ms = typeof iso === "string" ? Date.parse(iso) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
