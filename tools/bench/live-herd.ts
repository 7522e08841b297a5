/** Collars that report once a second each; the latitude of a fix tells the how-manieth of its collar it is. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../../src/demo/cloud.ts";
import { cloudTime } from "../../src/demo/time.ts";

const OWNER = { login: "live@example.com", password: "bench", id: 1, name: "Live" };
const FIRST_COLLAR = 20_001;
const START = { posLat: 50, posLong: 8 };
const STEPS_PER_DEGREE = 1e6;
/** The collars report one after the other within each second. */
const SLICES = 50;
/** So many of them are put on the charger and taken off again, so that something happens. */
const CHARGED = 3;

export interface LiveHerd {
  readonly owner: typeof OWNER;
  readonly ids: readonly number[];
  /** Reports for so long, ms. @param sent called for each fix */
  report(ms: number, sent: (id: number, nth: number) => void): Promise<void>;
  /** The number of the collar's last fix; 0 for the place where it was at the start. */
  lastOf(id: number): number;
}

export function addLiveHerd(cloud: Cloud, size: number): LiveHerd {
  cloud.addAccount(OWNER);
  const ids = Array.from({ length: size }, (_, index) => FIRST_COLLAR + index);
  for (const id of ids) cloud.addCollar(OWNER.login, { id, chg: 0, lastPos: START });
  const last = new Map<number, number>();
  return {
    owner: OWNER,
    ids,
    lastOf: (id) => last.get(id) ?? 0,
    async report(ms, sent) {
      const from = performance.now();
      for (let slice = 0; slice * (1_000 / SLICES) < ms; slice += 1) {
        for (const id of ids.filter((_, index) => index % SLICES === slice % SLICES)) {
          const nth = (last.get(id) ?? 0) + 1;
          last.set(id, nth);
          sent(id, nth);
          cloud.push(id, { lastPos: fix(nth), lastContact: cloudTime() });
        }
        const chg = Math.floor(slice / SLICES) % 2;
        if (slice % SLICES === 0) for (const id of ids.slice(0, CHARGED)) cloud.push(id, { chg });
        await sleep(Math.max(0, from + (slice + 1) * (1_000 / SLICES) - performance.now()));
      }
    },
  };
}

function fix(nth: number): object {
  const now = cloudTime();
  const posLat = Number((START.posLat + nth / STEPS_PER_DEGREE).toFixed(6));
  return { id: nth, ...START, posLat, acc: 5, sat: 8, timeMeasure: now, timeDb: now };
}

/** The number of the fix with this latitude. */
export function numberOf(latitude: number): number {
  return Math.round((latitude - START.posLat) * STEPS_PER_DEGREE);
}
