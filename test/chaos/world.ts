/**
 * The cats and their collars at the simulated cloud, moved by the schedule, and the truth about them: every fix that
 * the cloud ever had, and every moment at which something changed that events are derived from.
 */
import type { Cloud } from "../../src/demo/cloud.ts";
import type { Fields } from "../../src/demo/json.ts";
import type { DeviceRecord } from "../../src/demo/records.ts";
import { cloudTime } from "../../src/demo/time.ts";
import { type Random, seededRandom } from "../../src/demo/walk.ts";
import { type App, startApp } from "./app.ts";
import type { CollarHistory, Moment, TrueFix } from "./records.ts";
import { COLLARS, type Step } from "./schedule.ts";

export interface Home {
  readonly login: string;
  readonly password: string;
  readonly accountId: number;
  readonly stationId: number;
  readonly place: { readonly posLat: number; readonly posLong: number };
}

export const HOMES: readonly [Home, Home] = [
  {
    login: "cat@example.com",
    password: "tuna-tuna-tuna",
    accountId: 15979,
    stationId: 10775,
    place: place(51.4, -1.08),
  },
  {
    login: "dog@example.com",
    password: "bone-bone-bone",
    accountId: 15980,
    stationId: 10776,
    place: place(48.2, 16.37),
  },
];

export const COLLAR_IDS = Array.from({ length: COLLARS }, (_, index) => 14_000 + index);

export function homeOf(id: number): Home {
  return HOMES[id % 2 === 0 ? 0 : 1];
}

export interface World {
  readonly histories: ReadonlyMap<number, CollarHistory>;
  perform(step: Step): Promise<void>;
  /** The next collar in turn asks the cloud for its commands. */
  poll(): void;
  /** The home stations tell that they are there. */
  beat(): void;
  end(): void;
}

/** What events are derived from. */
const TOLD = ["home", "homeSince", "chg", "flags", "bat", "mode", "modeSet"] as const;
/** A change that was streamed counts as such if the stream is still open so long after it. */
const STAYS_MS = 4_000;
const LOOK_MS = 5;
/** Hours of positions from before the daemon knew of the collars. */
const EARLIER_HOURS = 20;
const HOUR_MS = 3_600_000;
const APP_MODES = [3, 7, 2, 14, 1, 8];

export function createWorld(cloud: Cloud, seed: number): World {
  const random = seededRandom(seed);
  const kept = new Map(COLLAR_IDS.map((id) => [id, { id, moments: [] as Moment[], fixes: [] as TrueFix[] }]));
  const apps = new Map(HOMES.map((home) => [home.login, startApp(cloud, home)]));
  furnish(cloud, random, kept);
  for (const id of COLLAR_IDS) look(id);
  // Commands change records by themselves.
  const looking = setInterval(() => COLLAR_IDS.forEach(look), LOOK_MS);
  let turn = 0;

  function look(id: number): void {
    const record = cloud.collar(id);
    const moments = kept.get(id)?.moments ?? [];
    const last = moments.at(-1)?.record;
    if (last === record || (last && TOLD.every((name) => last[name] === record[name]))) return;
    moments.push(momentOf(cloud, record));
  }

  function push(id: number, fields: Fields): void {
    look(id);
    cloud.push(id, { ...fields, lastContact: cloudTime() });
    look(id);
  }

  function newFix(id: number, measuredAt: number, accuracyM: number): Fields {
    const fixes = kept.get(id)?.fixes ?? [];
    let at = measuredAt;
    while (fixes.some((fix) => fix.measuredAt === at)) at += 1;
    const fix = fixAround(homeOf(id), at, accuracyM, random);
    fixes.push(fix);
    return wireOf(fix, fixes.length);
  }

  const now = (): number => Date.now();
  const exact = (amount: number): number => 4 + Math.round(amount * 40);

  function lateFix(id: number, [ago, accuracy]: Step["amounts"]): void {
    const lastPos = newFix(id, now() - 20_000 - Math.round(ago * 280_000), exact(accuracy));
    // The newest one stays the collar's last position.
    cloud.addPositions(id, [lastPos]);
    cloud.pushRaw(id, JSON.stringify({ id, lastPos }));
  }

  const moves: Readonly<Record<Step["move"], (id: number, step: Step) => void | Promise<void>>> = {
    fix: (id, { amounts: [a] }) => push(id, { lastPos: newFix(id, now(), exact(a)) }),
    fixes: (id, { amounts: [a] }) => {
      for (const back of [40, 20, 0]) push(id, { lastPos: newFix(id, now() - back, exact(a)) });
    },
    inexact: (id, { amounts: [a] }) => push(id, { lastPos: newFix(id, now(), 250 + Math.round(a * 600)) }),
    late: (id, { amounts }) => lateFix(id, amounts),
    home: (id) => push(id, homeToggled(cloud.collar(id))),
    charge: (id, { amounts: [a] }) => push(id, chargeChanged(cloud.collar(id), a)),
    battery: (id, { amounts: [a] }) => push(id, { bat: nextBattery(cloud.collar(id), a) }),
    radio: (id, { amounts: [a, b] }) =>
      push(id, { lastRssi: Math.floor(a * 256) - 128, lastTlgNr: Math.floor(b * 256) - 128 }),
    "app mode": (id, { amounts: [a] }) => appOf(id).setMode(id, APP_MODES[Math.floor(a * APP_MODES.length)] ?? 1),
    "app light": (id, { amounts: [a] }) => appOf(id).setLight(id, a < 0.5),
  };

  function appOf(id: number): App {
    const app = apps.get(homeOf(id).login);
    if (app === undefined) throw new Error("every home has the app");
    return app;
  }

  return {
    histories: kept,
    async perform(step) {
      const id = COLLAR_IDS[step.collar];
      if (id !== undefined) await moves[step.move](id, step);
    },
    poll() {
      const id = COLLAR_IDS[turn++ % COLLAR_IDS.length] ?? 0;
      look(id);
      cloud.poll(id);
      look(id);
    },
    beat() {
      for (const { stationId } of HOMES) cloud.push(stationId, { lastContact: cloudTime() });
    },
    end: () => clearInterval(looking),
  };
}

function place(posLat: number, posLong: number): Home["place"] {
  return { posLat, posLong };
}

function furnish(cloud: Cloud, random: Random, kept: ReadonlyMap<number, { readonly fixes: TrueFix[] }>): void {
  for (const { login, password, accountId, stationId, place: at } of HOMES) {
    cloud.addAccount({ login, password, id: accountId, name: login });
    cloud.addHomeStation(login, { id: stationId, ...at, details: { name: `Station ${stationId}` } });
  }
  for (const id of COLLAR_IDS) {
    const home = homeOf(id);
    const fixes = kept.get(id)?.fixes ?? [];
    const startAt = Date.now() - HOUR_MS / 60;
    for (let hours = EARLIER_HOURS; hours >= 0; hours -= 1) {
      fixes.push(fixAround(home, startAt - hours * HOUR_MS - id, 10, random));
    }
    const wire = fixes.map(wireOf);
    cloud.addCollar(home.login, {
      id,
      lastPos: wire.at(-1),
      details: { name: `Cat ${id}` },
      bat: 3_900,
      accuWarn: 3_630,
    });
    cloud.addPositions(id, wire.slice(0, -1));
    // The world polls, so that no change escapes it.
    cloud.setPollDelay(id, null);
  }
}

function momentOf(cloud: Cloud, record: DeviceRecord): Moment {
  const session = cloud.sessions.find(({ deviceIds }) => deviceIds.has(record.id));
  const moment: Moment = { at: Date.now(), record, isStreamed: false };
  if (session) {
    const proof = setTimeout(() => {
      moment.isStreamed = session.open;
    }, STAYS_MS);
    proof.unref();
  }
  return moment;
}

/** Some hundred metres around the house, to seven decimals as the cloud writes them. */
function fixAround(
  { place: { posLat, posLong } }: Home,
  measuredAt: number,
  accuracyM: number,
  random: Random,
): TrueFix {
  const near = (degrees: number): number => Number((degrees + (random() - 0.5) / 100).toFixed(7));
  const satellites = 4 + Math.floor(random() * 8);
  return { measuredAt, latitude: near(posLat), longitude: near(posLong), accuracyM, satellites };
}

function wireOf({ measuredAt, latitude, longitude, accuracyM, satellites }: TrueFix, id: number): Fields {
  const time = cloudTime(measuredAt);
  const quality = { acc: accuracyM, horiPrec: accuracyM, sat: satellites };
  return { id, posLat: latitude, posLong: longitude, ...quality, timeMeasure: time, timeDb: time };
}

function homeToggled({ home }: DeviceRecord): Fields {
  return home === true ? { home: false, homeSince: null } : { home: true, homeSince: cloudTime() };
}

/** Onto the charger; there it gets full, or is taken away before that. */
function chargeChanged({ chg, flags, bat }: DeviceRecord, amount: number): Fields {
  if (chg === 0) return { chg: 1, bat };
  return flags === 0 && amount < 0.5 ? { chg: 1, flags: 6, bat: 4_150 } : { chg: 0, flags: 0, bat };
}

function nextBattery({ chg, bat }: DeviceRecord, amount: number): number {
  const before = Number(bat);
  return chg === 1 ? Math.min(4_150, before + Math.round(amount * 60)) : 3_550 + Math.round(amount * 550);
}
