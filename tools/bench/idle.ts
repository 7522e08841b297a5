/** What a household's bridge takes while nothing happens: most of its life. */
import { type Memory, memoryOf } from "./child.ts";
import { isFollowing, type Pair, type Site, startFloor, startPawline } from "./contestant.ts";
import { addHerd } from "./herd.ts";
import { FEW_COLLARS } from "./startup.ts";
import { calm, idlePercents } from "./throughput.ts";

export interface Idle {
  readonly seconds: number;
  /** Of one core; NaN where the system does not tell. */
  readonly percent: number;
  /** At the end of it; null where the system does not tell. */
  readonly memory: Memory | null;
}

/** Both at the same time: what the machine does besides meets both. */
export async function measureIdle(site: Site, ms: number): Promise<Pair<Idle>> {
  const pawline = startPawline(site, addHerd(site.cloud, "idle-a", FEW_COLLARS));
  const floor = startFloor(site, addHerd(site.cloud, "idle-b", FEW_COLLARS));
  await Promise.all([isFollowing(site, pawline), isFollowing(site, floor)]);
  await calm(pawline);
  const [ours = Number.NaN, theirs = Number.NaN] = await idlePercents([pawline, floor], ms);
  const seconds = ms / 1_000;
  const result = {
    pawline: { seconds, percent: ours, memory: memoryOf(pawline.child.pid) },
    floor: { seconds, percent: theirs, memory: memoryOf(floor.child.pid) },
  };
  await Promise.all([pawline.child.stop(), floor.child.stop()]);
  return result;
}
