/** A household of simulated cats, as their account's source: fixes, homecomings, batteries, commands and their echoes. */
import { type Random, seededRandom } from "../../src/demo/walk.ts";
import type { Command } from "../../src/model/command.ts";
import type { CollarReport, DatedFix } from "../../src/model/device.ts";
import type { SourceEvent } from "../../src/model/event.ts";
import type { Span } from "../../src/model/span.ts";
import type { Source, TrackSlice } from "../../src/sources/source.ts";

export interface Household {
  readonly source: Source;
  readonly keys: readonly string[];
  /** What all devices are, as a listing tells it. */
  list(now: number): SourceEvent;
  /** A minute of their lives; while nobody listens, only the cloud hears of it. */
  live(now: number, tell: (event: SourceEvent) => void): void;
}

export const ACCOUNT = "pettracer";
const PRODUCT = { manufacturer: "PetTracer", model: "GPS collar", website: "https://example.test" };
const STATION = "pettracer_hs_10775";
/** A collar measures this often, minutes. */
const FIX_EVERY = 10;
/** The cloud keeps a day of positions: more is not asked for at once. */
const KEPT = (2 * 24 * 60) / FIX_EVERY;
const MINUTES_A_DAY = 1_440;

interface Cat {
  readonly key: string;
  report: CollarReport;
  fixes: DatedFix[];
  /** What the collar takes with its next fix. */
  asked: Partial<CollarReport>;
}

export function createHousehold(size: number, seed: number): Household {
  const random = seededRandom(seed);
  const cats = Array.from({ length: size }, (_, index): Cat => {
    const key = `pettracer_${14_000 + index}`;
    return { key, report: firstReport(index), fixes: [], asked: {} };
  });
  const byKey = new Map(cats.map((cat) => [cat.key, cat]));
  const source = {
    name: ACCOUNT,
    limits: { liveMs: 900_000, findMs: 180_000 },
    execute: (device: string, command: Command) => {
      const cat = byKey.get(device);
      if (cat) cat.asked = { ...cat.asked, ...changeOf(command) };
      return Promise.resolve();
    },
    refresh: () => Promise.resolve(),
    async *positions(device: string, { fromAt, toAt }: Span): AsyncGenerator<TrackSlice> {
      const fixes = byKey.get(device)?.fixes ?? [];
      yield { untilAt: toAt, fixes: fixes.filter(({ measuredAt }) => measuredAt >= fromAt && measuredAt <= toAt) };
    },
  } as unknown as Source;
  return {
    source,
    keys: cats.map(({ key }) => key),
    list: (now) => listing(cats, now),
    live(now, tell) {
      const minute = Math.floor(now / 60_000);
      for (const [index, cat] of cats.entries()) {
        const news = newsOf(cat, minute + index, now, random);
        if (news === undefined) continue;
        cat.report = { ...cat.report, ...news };
        tell({ type: "collarReported", key: cat.key, at: now, report: news });
      }
    },
  };
}

function firstReport(index: number): CollarReport {
  const station = { key: STATION, id: 10_775, latitude: 51.4, longitude: -1.08 };
  const battery = { batteryMv: 4_000, batteryWarningMv: 3_630, charging: false, flags: 0 };
  const controls = { mode: 1, modeSet: 1, light: false, buzzer: false, searchMinutes: -1 };
  return { name: `Cat ${index}`, home: false, homeSinceAt: null, station, ...battery, ...controls };
}

function changeOf(command: Command): Partial<CollarReport> {
  if (command.kind === "mode") return { modeSet: command.value, mode: command.value };
  return command.kind === "light" ? { light: command.value } : { buzzer: command.value };
}

/** @param minute of the cat's own clock, which is not that of the others */
function newsOf(cat: Cat, minute: number, now: number, random: Random): CollarReport | undefined {
  if (minute % FIX_EVERY !== 0) return undefined;
  const accuracyM = random() < 0.05 ? 500 : 4 + Math.round(random() * 30);
  const fix: DatedFix = {
    latitude: 51.4 + random() / 100,
    longitude: -1.08,
    measuredAt: now,
    accuracyM,
    satellites: 7,
  };
  cat.fixes = [...cat.fixes, fix].slice(-KEPT);
  const { asked } = cat;
  cat.asked = {};
  return { fix, lastContactAt: now, ...presence(cat, random, now), ...battery(cat, minute), ...asked };
}

/** It comes and goes some times a day. */
function presence({ report }: Cat, random: Random, now: number): CollarReport {
  if (random() > 0.04) return {};
  return report.home === true ? { home: false, homeSinceAt: null } : { home: true, homeSinceAt: now };
}

/** Charged for two hours every third day. */
function battery({ report }: Cat, minute: number): CollarReport {
  const charging = minute % (3 * MINUTES_A_DAY) < 120;
  const before = report.batteryMv ?? 4_000;
  const batteryMv = charging ? Math.min(4_150, before + 60) : Math.max(3_500, before - 2);
  return { charging, batteryMv, flags: charging && batteryMv > 4_100 ? 6 : 0 };
}

function listing(cats: readonly Cat[], now: number): SourceEvent {
  const collars = cats.map(({ key, report, fixes }, index) => {
    const fix = fixes.at(-1);
    return { key, id: 14_000 + index, product: PRODUCT, report: { ...report, ...(fix && { fix }) } };
  });
  const station = { latitude: 51.4, longitude: -1.08, lastContactAt: now };
  const stations = [{ key: STATION, id: 10_775, product: PRODUCT, report: station }];
  return { type: "devicesListed", account: ACCOUNT, at: now, isConfirmed: true, collars, stations };
}
