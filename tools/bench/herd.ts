/**
 * The collars that one contestant follows: accounts of its own at the simulated cloud. Each message holds what the
 * real cloud's hold when a collar has reported a fix; its latitude tells the how-manieth message of its collar it is.
 */
import type { Cloud } from "../../src/demo/cloud.ts";
import type { Fields } from "../../src/demo/json.ts";
import { cloudTime } from "../../src/demo/time.ts";

export interface HerdAccount {
  readonly login: string;
  readonly password: string;
  /** Its collars, by the cloud's numbers. */
  readonly ids: readonly number[];
}

export interface Herd {
  readonly name: string;
  readonly accounts: readonly HerdAccount[];
  /** All collars, by turns one of each account. */
  readonly ids: readonly number[];
  /** Makes the cloud send the collar's next fix; answers its number, from 1 on. */
  readonly push: (id: number) => number;
}

/** A fix of a collar, as it arrives at the subscriber. */
export interface Arrival {
  readonly id: number;
  /** The number that `push` gave it; 0 for the place where the collar was at the start. */
  readonly nth: number;
}

const START = { posLat: 50, posLong: 8 };
const STEPS_PER_DEGREE = 1e6;
const FIRST_STATION = 1_000_000;
const FIRST_COLLAR = 2_000_000;

/** @param size collars, the same number in each account */
export function addHerd(cloud: Cloud, name: string, size: number, accounts = 1): Herd {
  const stations = new Map<number, number>();
  const added = Array.from({ length: accounts }, (_, index): HerdAccount => {
    return addAccount(cloud, `${name}-${index}`, size / accounts, stations);
  });
  const counts = new Map<number, number>();
  return {
    name,
    accounts: added,
    ids: Array.from({ length: size }, (_, index) => added[index % accounts]?.ids[Math.floor(index / accounts)] ?? 0),
    push: (id) => pushNext(cloud, id, stations.get(id) ?? 0, counts),
  };
}

/** @param stations gets the home station of each collar */
function addAccount(cloud: Cloud, login: string, size: number, stations: Map<number, number>): HerdAccount {
  const password = "bench";
  cloud.addAccount({ login, password, id: nextId, name: login });
  const station = FIRST_STATION + nextId++;
  cloud.addHomeStation(login, { id: station, ...START });
  const ids = Array.from({ length: size }, () => FIRST_COLLAR + nextId++);
  for (const id of ids) {
    stations.set(id, station);
    cloud.addCollar(login, { id, lastPos: START });
  }
  return { login, password, ids };
}

/** Devices have numbers of their own across all herds. */
let nextId = 1;

function pushNext(cloud: Cloud, id: number, station: number, counts: Map<number, number>): number {
  const nth = (counts.get(id) ?? 0) + 1;
  counts.set(id, nth);
  cloud.push(id, message(id, station, nth));
  return nth;
}

function message(id: number, station: number, nth: number): Fields {
  const now = cloudTime();
  const place = { posLat: Number((START.posLat + nth / STEPS_PER_DEGREE).toFixed(6)), posLong: START.posLong };
  const quality = { fixS: 3, fixP: 2, horiPrec: 12, sat: 8, rssi: 111, acc: 5 + (nth % 10), flags: 32 };
  const telegram = { id: nth, deviceType: 0, deviceId: id, hsId: station, telegram: "0a1b2c3d", latitude: null };
  return {
    lastContact: now,
    lastTlgNr: nth % 128,
    lastRssi: -42,
    lastPos: { id: nth, ...place, ...quality, timeMeasure: now, timeDb: now },
    fiFo: [{ telegram: { ...telegram, longitude: null, timeDb: now, timeDev: now, cmd: 1, charging: false } }],
  };
}

/** Reads a position message on `<base>/pettracer_<id>/position`. */
export function readArrival(topic: string, payload: string): Arrival {
  const { latitude }: { latitude: number } = JSON.parse(payload);
  const id = Number(topic.slice(topic.lastIndexOf("_") + 1, topic.lastIndexOf("/")));
  return { id, nth: Math.round((latitude - START.posLat) * STEPS_PER_DEGREE) };
}
