/**
 * From one way of discovery to the other, as Home Assistant has it: it is told on each old topic that the entity moves,
 * lets go of it and keeps its id, its settings and its history; then the old topics are emptied; then come the new
 * messages. An old topic that is emptied before Home Assistant has let go would take the entity away for ever, and it
 * skips what comes while it is setting entities up, as it does in its first seconds. So it is told several times, some
 * seconds apart; to repeat it does no harm.
 * https://www.home-assistant.io/integrations/mqtt/#migration-from-single-component-to-device-based-discovery
 */

/** On an old topic: the entities move. It names nobody, and may not: Home Assistant refuses another key beside it. */
export const MOVING = '{"migrate_discovery": true}';
export const ROUND_MS = 2_000;
const ROUNDS = 4;

/** How often each device has been told that it moves. */
export interface Rounds {
  readonly areUnderWay: boolean;
  /** Whether it is to be told once more; false when it was told often enough, and is done. */
  next(device: string): boolean;
  /** Home Assistant has started meanwhile, and may have heard too little. */
  restart(): void;
  forget(device: string): void;
}

export function createRounds(): Rounds {
  const told = new Map<string, number>();
  return {
    get areUnderWay() {
      return told.size > 0;
    },
    next(device) {
      const round = told.get(device) ?? 0;
      if (round < ROUNDS) told.set(device, round + 1);
      else told.delete(device);
      return round < ROUNDS;
    },
    restart() {
      for (const device of told.keys()) told.set(device, 0);
    },
    forget(device) {
      told.delete(device);
    },
  };
}
