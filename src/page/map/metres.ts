/** The lines of the ground: how far apart they are, and where they lie. */

const STEPS_M = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000];
const METERS_PER_DEGREE = 111_195;

/** The smallest step that is at least as wide as `pixels` on the screen. @param metersPerPixel of the map now */
export function stepM(metersPerPixel: number, pixels: number): number {
  return STEPS_M.find((step) => step / metersPerPixel >= pixels) ?? 1_000_000;
}

export interface Bounds {
  readonly south: number;
  readonly north: number;
  readonly west: number;
  readonly east: number;
}

export interface Lines {
  readonly latitudes: readonly number[];
  readonly longitudes: readonly number[];
}

const MOST_LINES = 80;

/** The lines within the bounds, in steps of metres from an origin; none where there would be far too many. */
export function linesIn(
  bounds: Bounds,
  origin: { readonly latitude: number; readonly longitude: number },
  step: number,
): Lines {
  const high = step / METERS_PER_DEGREE;
  const wide = high / Math.max(0.05, Math.cos((origin.latitude * Math.PI) / 180));
  return {
    latitudes: between(bounds.south, bounds.north, origin.latitude, high),
    longitudes: between(bounds.west, bounds.east, origin.longitude, wide),
  };
}

function between(from: number, to: number, origin: number, step: number): number[] {
  const first = Math.ceil((from - origin) / step);
  const count = Math.floor((to - origin) / step) - first + 1;
  if (count <= 0 || count > MOST_LINES) return [];
  return Array.from({ length: count }, (_, index) => origin + (first + index) * step);
}
