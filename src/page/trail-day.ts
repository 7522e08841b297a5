/** The day of the cat that was chosen: fetches its trail, adds what comes in, and says where the slider is in it. */
import type { ApiDevice, ApiPosition } from "../publishers/live/api/schema.ts";
import { fetchTrack, RequestFailed, trackAddress } from "./live/requests.ts";
import type { Reader } from "./model/card.ts";
import type { TrailState } from "./model/trail-state.ts";
import { msOf } from "./model/words.ts";
import {
  type Day,
  dayOf,
  distanceM,
  lengthM,
  type Spot,
  spotAt,
  type Trail,
  trailOf,
  withSpot,
} from "./track/trail.ts";

export interface TrailDay {
  /** Another cat, or none. */
  readonly choose: (device: string | undefined) => void;
  readonly step: (days: number) => void;
  /** @param day as `2026-06-01` */
  readonly chooseDay: (day: string) => void;
  /** A time in it; undefined to go on with the day. */
  readonly moveTo: (atMs: number | undefined) => void;
  /** Fetches it once more: after a connection that was lost, something may be missing. */
  readonly refresh: () => void;
  /** A position that has just come. */
  readonly add: (device: string, position: ApiPosition) => void;
  readonly trail: Trail | undefined;
  readonly atMs: (nowMs: number) => number;
  /** Where the cat was at the chosen time; undefined while that is now. */
  readonly spot: (nowMs: number) => Spot | undefined;
  readonly state: (device: ApiDevice, home: ApiDevice | undefined, reader: Reader) => TrailState;
}

type Loaded =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly reason: string | undefined }
  | { readonly kind: "loaded"; readonly trail: Trail };

/** Pawline fetches what it has missed within seconds of its start: a trail with gaps is asked for again after so long, ms. */
const AGAIN_MS = [4_000, 15_000, 60_000];

/** @param changed called when there is something else to show */
export function createTrailDay(changed: () => void): TrailDay {
  let device: string | undefined;
  /** The first millisecond of a day in the past; undefined for today, whichever day that is. */
  let pastMs: number | undefined;
  let chosenMs: number | undefined;
  let loaded: Loaded = { kind: "loading" };
  let turn = 0;

  const day = (nowMs: number): Day => dayOf(pastMs ?? nowMs);
  const trail = (): Trail | undefined => (loaded.kind === "loaded" ? loaded.trail : undefined);

  /** @param tries how often it was found with gaps before */
  async function load(tries = 0): Promise<void> {
    const mine = ++turn;
    if (device === undefined) return;
    const { fromMs, toMs } = day(Date.now());
    const next = await tryToLoad(device, fromMs, toMs);
    // Meanwhile another day may have been chosen.
    if (mine !== turn) return;
    loaded = next;
    changed();
    const waitMs = AGAIN_MS[tries];
    if (waitMs === undefined || next.kind !== "loaded" || next.trail.gaps.length === 0) return;
    setTimeout(() => {
      if (mine === turn) void load(tries + 1);
    }, waitMs);
  }

  function goTo(nextMs: number | undefined): void {
    pastMs = nextMs;
    chosenMs = undefined;
    loaded = { kind: "loading" };
    changed();
    void load();
  }

  /** A day that is not over goes on to now. */
  function endMs(nowMs: number): number {
    return Math.min(day(nowMs).toMs, nowMs);
  }

  function atMs(nowMs: number): number {
    return Math.min(chosenMs ?? endMs(nowMs), endMs(nowMs));
  }

  function go(target: Day): void {
    goTo(target.toMs >= Date.now() ? undefined : target.fromMs);
  }

  return {
    choose(next) {
      device = next;
      goTo(undefined);
    },
    step: (days) => go(dayOf(day(Date.now()).fromMs, days)),
    chooseDay(text) {
      const [year = 0, month = 1, date = 1] = text.split("-").map(Number);
      go(dayOf(new Date(year, month - 1, date).getTime()));
    },
    moveTo(next) {
      chosenMs = next !== undefined && next < endMs(Date.now()) ? next : undefined;
      changed();
    },
    refresh: () => void load(),
    add(id, { latitude, longitude, gps_accuracy, measured_at, source }) {
      const at = msOf(measured_at);
      if (id !== device || loaded.kind !== "loaded" || source !== "gps" || at === undefined) return;
      const { fromMs, toMs } = day(Date.now());
      if (at < fromMs || at > toMs) return;
      loaded = {
        kind: "loaded",
        trail: withSpot(loaded.trail, { latitude, longitude, accuracyM: gps_accuracy, atMs: at }),
      };
    },
    get trail() {
      return trail();
    },
    atMs,
    spot(nowMs) {
      const known = trail();
      const isNow = chosenMs === undefined && pastMs === undefined;
      return known === undefined || isNow ? undefined : spotAt(known, atMs(nowMs));
    },
    state(chosen, home, reader) {
      const { fromMs, toMs } = day(reader.nowMs);
      const shown = { fromMs, toMs: endMs(reader.nowMs), atMs: atMs(reader.nowMs) };
      const text = isoDay(fromMs);
      return {
        ...shown,
        ...wordsOf(loaded, shown.atMs, home, reader),
        name: chosen.name,
        day: text,
        isToday: pastMs === undefined,
        isFollowing: chosenMs === undefined,
        clock: reader.words.clock(shown.atMs),
        download: { href: trackAddress(chosen.id, fromMs, toMs, "gpx"), file: `${chosen.id}-${text}.gpx` },
      };
    },
  };
}

async function tryToLoad(device: string, fromMs: number, toMs: number): Promise<Loaded> {
  try {
    const track = await fetchTrack(device, fromMs, toMs);
    return track === undefined ? { kind: "failed", reason: undefined } : { kind: "loaded", trail: trailOf(track) };
  } catch (error) {
    return { kind: "failed", reason: error instanceof RequestFailed ? error.sentence : String(error) };
  }
}

type WordsOf = Pick<TrailState, "summary" | "note" | "whereabouts">;

function wordsOf(loaded: Loaded, atMs: number, home: ApiDevice | undefined, { texts, words }: Reader): WordsOf {
  const { trail: t, problem } = texts;
  if (loaded.kind === "loading") return { summary: t.loading, note: "", whereabouts: "" };
  if (loaded.kind === "failed") {
    return { summary: t.failed({ reason: loaded.reason ?? problem.unreachable }), note: "", whereabouts: "" };
  }
  const { trail } = loaded;
  if (trail.spots.length === 0) return { summary: t.empty, note: "", whereabouts: "" };
  const spot = spotAt(trail, atMs);
  const summary = t.summary({ positions: trail.spots.length, distance: words.distance(lengthM(trail)) });
  return { summary, note: hasUnknown(trail) ? t.hasGaps : "", whereabouts: whereaboutsOf(spot, home, { t, words }) };
}

function whereaboutsOf(
  spot: Spot | undefined,
  home: ApiDevice | undefined,
  { t, words }: { readonly t: Reader["texts"]["trail"]; readonly words: Reader["words"] },
): string {
  if (spot === undefined) return t.before;
  const place = home?.position;
  const parts = [
    ...(place ? [t.fromHome({ distance: words.distance(distanceM(place, spot)) })] : []),
    t.measured({ time: words.clock(spot.atMs) }),
    ...(spot.accuracyM === null ? [] : [words.accuracy(spot.accuracyM)]),
  ];
  return parts.join(", ");
}

/** Between two positions; what is before the first or after the last is no part of the line. */
function hasUnknown({ spots, gaps }: Trail): boolean {
  const [first, last] = [spots[0]?.atMs ?? 0, spots.at(-1)?.atMs ?? 0];
  return gaps.some(({ fromMs, toMs }) => fromMs < last && toMs > first);
}

/** `2026-06-01`, as the reader's calendar has it. */
function isoDay(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
