/** Cats at home all stand where their station stands: on the map they sit around it, or one would hide the others. */

export interface Offset {
  /** Pixels to the right and down. */
  readonly x: number;
  readonly y: number;
}

const FACE = 50;
const NEAREST = 42;
const FARTHEST = 130;

/** Where each of so many sits, beginning at the right. */
export function spread(count: number): Offset[] {
  const radius = Math.min(FARTHEST, Math.max(NEAREST, (count * FACE) / (2 * Math.PI)));
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    return { x: Math.round(radius * Math.cos(angle)), y: Math.round(radius * Math.sin(angle)) };
  });
}
