/** The arithmetic of a day's trail: where its pieces begin and end, how long it is, and where a cat was at a time. */
import type { ApiFix, ApiTrack } from "../../publishers/live/api/schema.ts";

export interface Spot {
  readonly latitude: number;
  readonly longitude: number;
  /** Metres; null for unknown. */
  readonly accuracyM: number | null;
  readonly atMs: number;
}

interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Trail {
  readonly device: string;
  /** The oldest first; no two at the same time. */
  readonly spots: readonly Spot[];
  /** When positions may be missing. */
  readonly gaps: readonly Gap[];
}

/** A piece of the line between two gaps, or the straight line across one. */
export interface Leg {
  readonly spots: readonly Spot[];
  readonly isGap: boolean;
}

export interface Day {
  readonly fromMs: number;
  /** The last millisecond that belongs to it. */
  readonly toMs: number;
}

const EARTH_RADIUS_M = 6_371_008.8;
/** A gap of a moment is a reconnect, and none that a reader has to know of. */
const SHORTEST_GAP_MS = 60_000;

/** The reader's own day, `offset` days from the one that this time is in; days with a change of clocks included. */
export function dayOf(atMs: number, offset = 0): Day {
  const date = new Date(atMs);
  const start = (days: number): number =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate() + offset + days).getTime();
  return { fromMs: start(0), toMs: start(1) - 1 };
}

export function trailOf(track: ApiTrack): Trail {
  const gaps = track.gaps.map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }));
  return {
    device: track.device,
    spots: inOrder(track.fixes.map(spotOf)),
    gaps: gaps.filter(({ fromMs, toMs }) => toMs - fromMs >= SHORTEST_GAP_MS),
  };
}

function spotOf({ latitude, longitude, gps_accuracy, measured_at }: ApiFix): Spot {
  return { latitude, longitude, accuracyM: gps_accuracy, atMs: Date.parse(measured_at) };
}

function inOrder(spots: readonly Spot[]): Spot[] {
  const known = spots.filter(({ atMs }) => Number.isFinite(atMs)).toSorted((a, b) => a.atMs - b.atMs);
  return known.filter((spot, index) => spot.atMs !== known[index - 1]?.atMs);
}

/** The same trail when the spot is no news. */
export function withSpot(trail: Trail, spot: Spot): Trail {
  const last = trail.spots.at(-1);
  if (last !== undefined && spot.atMs > last.atMs) return { ...trail, spots: [...trail.spots, spot] };
  if (trail.spots.some(({ atMs }) => atMs === spot.atMs)) return trail;
  return { ...trail, spots: inOrder([...trail.spots, spot]) };
}

/** The line in pieces: whole where every position is known, and across each gap a piece of its own. */
export function legsOf({ spots, gaps }: Trail): Leg[] {
  const legs: Leg[] = [];
  let piece: Spot[] = [];
  for (const [index, spot] of spots.entries()) {
    const before = spots[index - 1];
    if (before !== undefined && gaps.some(({ fromMs, toMs }) => fromMs < spot.atMs && toMs > before.atMs)) {
      legs.push({ spots: piece, isGap: false }, { spots: [before, spot], isGap: true });
      piece = [];
    }
    piece.push(spot);
  }
  return [...legs, { spots: piece, isGap: false }].filter((leg) => leg.spots.length > 0);
}

/** The last spot that was measured up to this time: where it was after that, nobody knows. */
export function spotAt({ spots }: Trail, atMs: number): Spot | undefined {
  let [low, high] = [0, spots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spots[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return spots[low - 1];
}

/** The part of a trail up to a time. */
export function until(trail: Trail, atMs: number): Trail {
  return { ...trail, spots: trail.spots.filter((spot) => spot.atMs <= atMs) };
}

/** Metres along the line. */
export function lengthM({ spots }: Pick<Trail, "spots">): number {
  return spots.reduce((sum, spot, index) => sum + (index === 0 ? 0 : distanceM(spots[index - 1] ?? spot, spot)), 0);
}

type Point = Pick<Spot, "latitude" | "longitude">;

/** Metres; flat-earth arithmetic, exact to a thousandth over the ranges of cats. */
export function distanceM(a: Point, b: Point): number {
  const radians = Math.PI / 180;
  const middle = ((a.latitude + b.latitude) / 2) * radians;
  const east = (b.longitude - a.longitude) * radians * Math.cos(middle);
  const north = (b.latitude - a.latitude) * radians;
  return EARTH_RADIUS_M * Math.hypot(east, north);
}
