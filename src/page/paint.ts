/** What is to be drawn, gathered until the screen shows its next picture: however much comes, it is drawn once. */
import type { Change } from "./live/household.ts";

export interface Dirty {
  /** Everything, whatever else stands here. */
  readonly isAll: boolean;
  readonly devices: ReadonlySet<string>;
  readonly events: boolean;
  readonly bridge: boolean;
  readonly trail: boolean;
}

export interface Painter {
  readonly mark: (change: Change | { readonly kind: "trail" }) => void;
}

/** @param onFrame calls back before the next picture (`requestAnimationFrame`) */
export function createPainter(paint: (dirty: Dirty) => void, onFrame: (callback: () => void) => void): Painter {
  let devices = new Set<string>();
  const flags = { isAll: false, events: false, bridge: false, trail: false };
  let isAwaited = false;

  function draw(): void {
    const dirty: Dirty = { ...flags, devices };
    devices = new Set();
    Object.assign(flags, { isAll: false, events: false, bridge: false, trail: false });
    isAwaited = false;
    paint(dirty);
  }

  return {
    mark(change) {
      if (change.kind === "device") devices.add(change.id);
      else if (change.kind === "devices") flags.isAll = true;
      else flags[change.kind] = true;
      if (isAwaited) return;
      isAwaited = true;
      onFrame(draw);
    },
  };
}
