/**
 * Rule: in the end, what the broker has retained is what the cloud holds. It is reckoned here anew from the cloud's own
 * records and from all fixes that the cloud ever had, by PetTracer's formulas and by what docs/entities.md promises, and
 * by nothing of the daemon's code. What depends on the way that led there has bounds instead of one value: the battery's
 * percentage, which does not follow every millivolt, and the last contact, which is shown every five minutes at most.
 * A command without an echo may be pending, as long as it is told until when. Not judged: the time outside, which is only
 * counted while somebody looks, and which station heard the collar best.
 */
import type { DeviceRecord } from "../../../src/demo/records.ts";
import { parseCloudTime } from "../../../src/demo/time.ts";
import type { CollarHistory, TrueFix } from "../records.ts";

interface Station {
  readonly id: number;
  readonly posLat: number;
  readonly posLong: number;
}

export interface TrueCollar {
  readonly record: DeviceRecord;
  readonly history: CollarHistory;
  readonly station: Station;
}

const MAX_ACCURACY_M = 200;
const STATION_ACCURACY_M = 25;
const CONTACT_EVERY_MS = 300_000;
/** How long a contact may take from the cloud to the broker. */
const SLACK_MS = 60_000;
export const MODE_NAMES: Readonly<Record<number, string>> = {
  1: "Fast",
  2: "Normal",
  3: "Slow",
  7: "Slow+",
  8: "Fast+",
  11: "Live",
  14: "Normal+",
};
const LIVE = 11;

type Retained = ReadonlyMap<string, string>;

export function judgeStates(
  retained: Retained,
  collars: readonly TrueCollar[],
  accountIds: readonly number[],
): string[] {
  return [
    ...collars.flatMap((collar) => judgeCollar(retained, collar)),
    ...stationsOf(collars).flatMap((station) => judgeStation(retained, station, collars)),
    ...accountIds.flatMap((id) => judgeAccount(retained, id)),
    ...differences("pawline/bridge/state", retained.get("pawline/bridge/state"), "online"),
  ];
}

function judgeCollar(retained: Retained, collar: TrueCollar): string[] {
  const key = `pettracer_${collar.record.id}`;
  const topic = `pawline/${key}/state`;
  const state = objectOf(retained.get(topic));
  const fields = Object.entries({ ...expectedState(collar), ...pendingOf(state) }).flatMap(([name, value]) =>
    differences(`${topic} ${name}`, state[name], value),
  );
  return [
    ...fields,
    ...judgeBattery(topic, state, collar),
    ...judgeContact(topic, state, collar),
    ...judgeDistance(topic, state, collar),
    ...differences(
      `pawline/${key}/position`,
      objectOf(retained.get(`pawline/${key}/position`)),
      expectedPosition(collar),
    ),
    ...judgePresence(retained, key),
  ];
}

function judgePresence(retained: Retained, key: string): string[] {
  const description = `homeassistant/device/${key}/config`;
  return [
    ...differences(`pawline/${key}/availability`, retained.get(`pawline/${key}/availability`), "online"),
    ...(retained.has(description) ? [] : [`${description} is missing`]),
  ];
}

/** The newest fix that was good enough to move a cat. */
function newestFix({ fixes }: CollarHistory): TrueFix | undefined {
  return fixes
    .filter(({ accuracyM }) => accuracyM <= MAX_ACCURACY_M)
    .reduce<TrueFix | undefined>(
      (newest, fix) => (fix.measuredAt > (newest?.measuredAt ?? 0) ? fix : newest),
      undefined,
    );
}

function expectedState({ record, history }: TrueCollar): Record<string, unknown> {
  const fix = newestFix(history);
  return {
    at_home: record.home,
    home_since: record.home === true ? iso(record.homeSince) : null,
    charging: record.chg === 1,
    last_fix: iso(fix?.measuredAt),
    accuracy: fix?.accuracyM ?? null,
    satellites: fix?.satellites ?? null,
    mode: MODE_NAMES[Number(record.modeSet)] ?? null,
    live: record.modeSet === LIVE,
    live_remaining: record.mode === LIVE ? Math.max(0, Number(record.searchModeDuration)) : 0,
    light: record.led,
    buzzer: record.buz,
    search: record.search,
    battery_voltage: Number(record.bat) / 1_000,
    battery_warning: Number(record.accuWarn) / 1_000,
    flags: record.flags,
    telegram_number: record.lastTlgNr,
    signal: (Number(record.lastRssi) & 255) / 2 - 130,
    firmware_version: versionOf(Number(record.sw)),
    color: `#${Number(objectOf(record.details).color).toString(16).padStart(6, "0")}`,
  };
}

/** A command without its echo is waited for up to the time that is told with it; else there is none. */
function pendingOf({ pending_until: until }: Fields): Record<string, unknown> {
  if (typeof until === "string" && Date.parse(until) > Date.now()) return { pending: true };
  return { pending: false, pending_command: null, pending_since: null, pending_until: null };
}

function expectedPosition({ record, history, station }: TrueCollar): Record<string, unknown> {
  const fix = newestFix(history);
  const homeSinceAt = parseCloudTime(record.homeSince);
  if (record.home === true && homeSinceAt > (fix?.measuredAt ?? 0)) {
    return {
      latitude: station.posLat,
      longitude: station.posLong,
      gps_accuracy: STATION_ACCURACY_M,
      measured_at: iso(homeSinceAt),
      source: "station",
    };
  }
  return {
    latitude: fix?.latitude,
    longitude: fix?.longitude,
    gps_accuracy: fix?.accuracyM,
    measured_at: iso(fix?.measuredAt),
    satellites: fix?.satellites,
    source: "gps",
  };
}

/** Discharging, it may stand one below the curve; charging, it stands where it was highest since. */
function judgeBattery(topic: string, { battery }: Fields, { record, history }: TrueCollar): string[] {
  const percent = percentOf(Number(record.bat));
  const highest = Math.max(...history.moments.map((moment) => percentOf(Number(moment.record.bat))));
  const [least, most] = record.chg === 1 ? [percent, highest] : [percent - 1, percent];
  const isRight = typeof battery === "number" && battery >= least && battery <= most;
  return isRight ? [] : [`${topic} battery is ${String(battery)}, and not from ${least} to ${most}`];
}

function judgeContact(topic: string, state: Fields, { record }: TrueCollar): string[] {
  const [shownAt, contactAt] = [Date.parse(String(state.last_contact)), parseCloudTime(record.lastContact)];
  const isRight = shownAt <= contactAt && shownAt >= contactAt - CONTACT_EVERY_MS - SLACK_MS;
  return isRight
    ? []
    : [`${topic} last_contact is ${String(state.last_contact)}, and the last was at ${iso(contactAt)}`];
}

function judgeDistance(topic: string, { distance }: Fields, collar: TrueCollar): string[] {
  const { latitude, longitude } = expectedPosition(collar);
  const { posLat, posLong } = collar.station;
  const metresM = distanceM(Number(latitude), Number(longitude), posLat, posLong);
  // Half a percent, for another model of the Earth.
  const isRight = typeof distance === "number" && Math.abs(distance - metresM) <= 1 + metresM / 200;
  return isRight ? [] : [`${topic} distance is ${String(distance)}, and not ${Math.round(metresM)}`];
}

function stationsOf(collars: readonly TrueCollar[]): Station[] {
  return [...new Map(collars.map(({ station }) => [station.id, station])).values()];
}

function judgeStation(retained: Retained, { id }: Station, collars: readonly TrueCollar[]): string[] {
  const key = `pettracer_hs_${id}`;
  const topic = `pawline/${key}/state`;
  const state = objectOf(retained.get(topic));
  const names = collars
    .filter(({ station, record }) => station.id === id && record.home === true)
    .map(({ record }) => String(objectOf(record.details).name));
  const told = Array.isArray(state.pets_at_home_names) ? state.pets_at_home_names.map(String) : [];
  return [
    ...differences(`${topic} pets_at_home`, state.pets_at_home, names.length),
    ...differences(`${topic} pets_at_home_names`, told.toSorted(), names.toSorted()),
    ...differences(`${topic} online`, state.online, true),
    ...judgePresence(retained, key),
  ];
}

function judgeAccount(retained: Retained, id: number): string[] {
  const topic = `pawline/pettracer_account_${id}/state`;
  const { problem, stream } = objectOf(retained.get(topic));
  return [...differences(`${topic} problem`, problem, false), ...differences(`${topic} stream`, stream, true)];
}

type Fields = Readonly<Record<string, unknown>>;

/** An object, or a text that is one; else nothing is in it. */
function objectOf(value: unknown): Fields {
  const object: unknown = typeof value === "string" ? JSON.parse(value) : value;
  return typeof object === "object" && object !== null ? { ...object } : {};
}

function differences(what: string, is: unknown, expected: unknown): string[] {
  const [told, wanted] = [JSON.stringify(sorted(is)), JSON.stringify(sorted(expected))];
  return told === wanted ? [] : [`${what} is ${told}, and not ${wanted}`];
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b)));
}

function iso(time: unknown): string | null {
  const at = typeof time === "number" ? time : parseCloudTime(time);
  return Number.isFinite(at) ? new Date(at).toISOString().replace("Z", "+00:00") : null;
}

function versionOf(bytes: number): string {
  return [bytes >> 16, (bytes >> 8) & 255, bytes & 255].join(".");
}

/** The portal's own curve. */
function percentOf(mv: number): number {
  const clamped = Math.min(4_150, Math.max(3_000, mv));
  if (clamped >= 4_000) return Math.round(83 + ((clamped - 4_000) / 150) * 17);
  if (clamped >= 3_900) return Math.round(67 + ((clamped - 3_900) / 100) * 16);
  if (clamped >= 3_840) return Math.round(50 + ((clamped - 3_840) / 60) * 17);
  if (clamped >= 3_760) return Math.round(34 + ((clamped - 3_760) / 80) * 16);
  return clamped >= 3_600 ? Math.round(17 + ((clamped - 3_600) / 160) * 17) : 0;
}

/** On a flat piece of ground, which a garden is. */
function distanceM(latitude: number, longitude: number, toLatitude: number, toLongitude: number): number {
  const metresPerDegree = 111_195;
  const east = (longitude - toLongitude) * Math.cos((toLatitude * Math.PI) / 180);
  return Math.hypot(latitude - toLatitude, east) * metresPerDegree;
}
