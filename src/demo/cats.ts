/**
 * Three cats and their home station, for `pawline demo`: one roams and comes home, one hunts in the garden, one
 * lies on the charger and then goes out. They take turns, so that each moves at every third step; a cat that is
 * tracked live moves at each. Their messages hold what the real cloud's hold: the new fix, and what else changed.
 */
import type { Cloud } from "./cloud.ts";
import type { Fields } from "./json.ts";
import { liveMode, offMode } from "./modes.ts";
import { catPicture } from "./picture.ts";
import { contactOf, fixOf, home, statusOf } from "./telemetry.ts";
import { cloudTime } from "./time.ts";
import { type CatState, type Habits, type Random, seededRandom, step } from "./walk.ts";
import type { AccountOptions } from "./world.ts";

/** Made-up credentials: they open nothing but the simulated cloud. */
export const demoAccount: AccountOptions = {
  login: "demo@pawline.example",
  password: "purr-purr-purr",
  id: 15001,
  name: "Pawline Demo",
};

export interface CatsOptions {
  /** Milliseconds between two steps; with up to 3000 every cat has moved within ten seconds. Default 2000. */
  readonly intervalMs?: number;
  /** The same seed gives the same walks. */
  readonly seed?: number;
}

interface Cat {
  readonly id: number;
  readonly name: string;
  readonly color: number;
  readonly birth: string;
  readonly habits: Habits;
  readonly start: CatState;
}

interface Walker {
  readonly cat: Cat;
  state: CatState;
  /** The mode to go back to when live tracking ends, and when that began (epoch ms). */
  modeBefore: unknown;
  liveSince: number | undefined;
}

const stationId = 10701;
const resting = { steps: 0, eastM: 1, northM: 2, heading: 0.7 };
const historySteps = 40;
const historyStepMs = 180_000;

const cats: readonly Cat[] = [
  {
    id: 14701,
    name: "Mochi",
    color: 0xff912c,
    birth: "2019-04-11T23:00:00.000+0000",
    habits: { rangeM: 180, stepM: 16, outSteps: 12, homeSteps: 8 },
    start: { ...resting, phase: "out", eastM: 70, northM: 45, batteryMv: 3940 },
  },
  {
    id: 14702,
    name: "Biscuit",
    color: 0xa471f9,
    birth: "2021-08-02T23:00:00.000+0000",
    habits: { rangeM: 30, stepM: 6, outSteps: 80, homeSteps: 10 },
    start: { ...resting, phase: "out", eastM: -14, northM: 18, heading: 2, batteryMv: 3820 },
  },
  {
    id: 14703,
    name: "Juniper",
    color: 0x82e3b5,
    birth: "2017-06-20T23:00:00.000+0000",
    habits: { rangeM: 110, stepM: 12, outSteps: 25, homeSteps: 5 },
    start: { ...resting, phase: "charging", batteryMv: 4010 },
  },
];

/** The track of the hours before: the same cat, walking up to the place where it starts. */
function history(cat: Cat, random: Random, now: number): Fields[] {
  let state = cat.start;
  const fixes: Fields[] = [];
  for (let back = 1; back <= historySteps; back++) {
    // The phase stays: only the places are wanted.
    state = { ...step(cat.habits, state, random), phase: cat.start.phase };
    fixes.unshift(fixOf(state, 1000 + historySteps - back, now - back * historyStepMs, random));
  }
  return fixes;
}

function addCat(cloud: Cloud, cat: Cat, random: Random, now: number): Walker {
  const { id, name, color, birth, start } = cat;
  const status = statusOf(start);
  const img = `img${id}`;
  cloud.addImage(img, catPicture(color), "image/png");
  cloud.addCollar(demoAccount.login, {
    id,
    ...status,
    ...contactOf(id, stationId, start, now),
    homeSince: status.home ? cloudTime(now - 3_600_000) : null,
    lastPos: fixOf(start, 2000, now, random),
    details: { name, color, birth, img },
  });
  cloud.addPositions(id, history(cat, random, now));
  return { cat, state: start, modeBefore: 1, liveSince: undefined };
}

function changed(record: Fields, status: Fields): Fields {
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => record[key] !== value));
}

/** Minutes of live tracking run down; at the end the collar goes back to the mode it was in. */
function liveFields(walker: Walker, record: Fields, now: number, searchMinutes: number): Fields {
  if (record.mode !== liveMode) {
    walker.modeBefore = record.mode;
    walker.liveSince = undefined;
    return {};
  }
  walker.liveSince ??= now;
  const minutesLeft = Math.ceil(searchMinutes - (now - walker.liveSince) / 60_000);
  if (minutesLeft > 0) return { searchModeDuration: minutesLeft };
  const mode = walker.modeBefore;
  return { mode, modeSet: mode, search: false, searchModeDuration: -1 };
}

function moveCat(cloud: Cloud, walker: Walker, fixId: number, random: Random): void {
  const { cat } = walker;
  const now = Date.now();
  const record = cloud.collar(cat.id);
  walker.state = step(cat.habits, walker.state, random);
  const status = statusOf(walker.state);
  const live = liveFields(walker, record, now, cloud.settings.searchMinutes);
  cloud.push(cat.id, {
    lastPos: fixOf(walker.state, fixId, now, random),
    ...contactOf(cat.id, stationId, walker.state, now),
    ...changed(record, { ...status, ...live }),
    ...(status.home && !record.home ? { homeSince: cloudTime(now) } : {}),
  });
}

/** Adds the demo account with its cats to the cloud and lets them walk; the returned function stops them. */
export function startCats(cloud: Cloud, { intervalMs = 2000, seed = 7 }: CatsOptions = {}): () => void {
  const random = seededRandom(seed);
  cloud.addAccount(demoAccount);
  cloud.addHomeStation(demoAccount.login, { id: stationId, ...home, wlanSsid: "catnip" });
  const walkers = cats.map((cat) => addCat(cloud, cat, random, Date.now()));
  let steps = 0;
  const timer = setInterval(() => {
    cloud.push(stationId, { lastContact: cloudTime(Date.now()) });
    const next = walkers[steps++ % walkers.length];
    for (const walker of walkers) {
      const { mode } = cloud.collar(walker.cat.id);
      const awake = mode !== offMode;
      if (awake && (walker === next || mode === liveMode)) moveCat(cloud, walker, 2000 + steps, random);
    }
  }, intervalMs);
  return () => clearInterval(timer);
}
