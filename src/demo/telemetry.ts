/** What a collar's radio makes of a cat: from its state in metres and millivolts to the fields of the cloud. */
import type { Fields } from "./json.ts";
import { cloudTime } from "./time.ts";
import { type CatState, distanceM, type Random } from "./walk.ts";

const metresPerDegree = 111_320;
/** Full, said by flag and voltage. "Bit 2" may count from 0 or from 1, so both are set. */
const fullFlags = 6;
const fullMv = 4140;

/** Made-up ground: the middle of a park, nobody's home. */
export const home = { posLat: 51.5074, posLong: -0.1657 };

/** The cat's place in degrees, to seven decimals as the cloud writes them. */
function coordinatesOf(state: CatState): Fields {
  const metresPerDegreeEast = metresPerDegree * Math.cos((home.posLat * Math.PI) / 180);
  return {
    posLat: Number((home.posLat + state.northM / metresPerDegree).toFixed(7)),
    posLong: Number((home.posLong + state.eastM / metresPerDegreeEast).toFixed(7)),
  };
}

/** One fix, measured at `at` (epoch ms); the sky is worse under the roof. */
export function fixOf(state: CatState, id: number, at: number, random: Random): Fields {
  const indoors = state.phase === "home" || state.phase === "charging";
  const acc = Math.round((indoors ? 15 : 4) + random() * 10);
  const sat = Math.round((indoors ? 4 : 7) + random() * 4);
  const times = { timeMeasure: cloudTime(at), timeDb: cloudTime(at) };
  return { id, ...coordinatesOf(state), fixS: 3, fixP: 2, horiPrec: acc, sat, rssi: 111, acc, flags: 32, ...times };
}

/** Radio strength at the home station as the raw byte: it fades with the distance. */
function rssiByte(state: CatState): number {
  return Math.round(Math.max(70, 215 - distanceM(state) * 0.7));
}

function telegramsOf(deviceId: number, hsId: number, state: CatState, at: number): readonly Fields[] {
  const time = cloudTime(at);
  const where = { latitude: null, longitude: null, timeDb: time, timeDev: time };
  const charging = state.phase === "charging";
  const telegram = { id: at, deviceType: 0, deviceId, hsId, telegram: "0a1b2c3d", ...where, cmd: 1, charging };
  return [{ telegram, receivedBy: [{ hsId, rssi: rssiByte(state) }] }];
}

/** What the collar says of the cat at home or away; only these fields can stay the same from step to step. */
export function statusOf(state: CatState): Fields {
  const charging = state.phase === "charging";
  const full = state.phase === "home" && state.batteryMv > fullMv;
  const home = state.phase === "home" || charging;
  return { bat: state.batteryMv, chg: charging ? 1 : 0, flags: full ? fullFlags : 0, home };
}

/** What the home station adds to each contact; the radio strength is a signed byte, as the stream has it. */
export function contactOf(deviceId: number, hsId: number, state: CatState, at: number): Fields {
  const rssi = rssiByte(state);
  const lastRssi = rssi > 127 ? rssi - 256 : rssi;
  return { lastContact: cloudTime(at), lastRssi, fiFo: telegramsOf(deviceId, hsId, state, at) };
}
