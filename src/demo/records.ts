/**
 * The records as the cloud's database holds them, and what it fills in where the caller gives only what matters.
 *
 * A field given as `undefined` is left out of the answers, as JSON does: so a test can describe a collar that
 * lacks a field, and still get all the others.
 */
import { type Fields, isFields } from "./json.ts";
import { cloudTime } from "./time.ts";

/** A full collar or home station, as the REST calls answer it. */
export interface DeviceRecord extends Fields {
  readonly id: number;
}

const nested = new Set(["lastPos", "details", "masterHs"]);

function mergeField(key: string, before: unknown, after: unknown): unknown {
  return nested.has(key) && isFields(before) && isFields(after) ? { ...before, ...after } : after;
}

/** The record with the partial laid over it: `lastPos`, `details` and `masterHs` field by field, the rest replaced. */
export function mergeRecord(record: DeviceRecord, partial: Fields): DeviceRecord {
  const merged: Record<string, unknown> & { id: number } = { ...record };
  for (const key in partial) merged[key] = mergeField(key, record[key], partial[key]);
  merged.id = record.id;
  return merged;
}

/** A home station with every field the cloud knows; `fields` win. */
export function stationRecord(fields: DeviceRecord, userId: number): DeviceRecord {
  const defaults = {
    id: fields.id,
    type: 1,
    posLat: 51.5,
    posLong: -0.12,
    hw: 656384,
    sw: 656388,
    bl: 656385,
    bat: 0,
    userId,
    status: 0,
    flags: 0,
    rssi: 120,
    wlanSsid: "garden",
    lastContact: cloudTime(),
    devMode: false,
  };
  return mergeRecord(defaults, fields);
}

/** The short form of a home station that stands inside each of its collars; it names no owner. */
export function masterOf(station: DeviceRecord): Fields {
  const { id, posLat, posLong, hw, sw, bl, bat, status, lastContact, devMode } = station;
  return { id, posLat, posLong, hw, sw, bl, bat, userId: null, status, lastContact, devMode };
}

function telegramsOf(id: number, station: Fields | null): readonly Fields[] {
  const now = cloudTime();
  const hsId = station?.id ?? 0;
  const telegram = { id: id * 10, deviceType: 0, deviceId: id, hsId, telegram: "0a1b2c3d", latitude: null };
  const rest = { longitude: null, timeDb: now, timeDev: now, cmd: 1, charging: false };
  return [{ telegram: { ...telegram, ...rest }, receivedBy: station ? [{ hsId, rssi: 111 }] : [] }];
}

/** A fix with every field the cloud knows; `fields` win. */
export function positionRecord(fields: Fields): Fields {
  const now = cloudTime();
  const quality = { fixS: 3, fixP: 2, horiPrec: 12, sat: 8, rssi: 111, acc: 16, flags: 32 };
  return { id: 1, posLat: 51.5, posLong: -0.12, ...quality, timeMeasure: now, timeDb: now, ...fields };
}

/** A collar with every field the cloud knows; `fields` win. `master` is the account's home station, if it has one. */
export function collarRecord(fields: DeviceRecord, userId: number, master: Fields | null): DeviceRecord {
  const now = cloudTime();
  const birth = "2018-07-15T23:00:00.000+0000";
  const defaults = {
    id: fields.id,
    accuWarn: 3630,
    safetyZone: false,
    hw: 656643,
    sw: 656393,
    bl: 656386,
    bat: 3900,
    chg: 0,
    userId,
    masterHs: master,
    mode: 1,
    modeSet: 1,
    status: 0,
    search: false,
    lastTlgNr: 1,
    lastContact: now,
    lastPos: isFields(fields.lastPos) ? positionRecord({}) : null,
    devMode: false,
    details: { id: fields.id, image: null, img: null, color: 0x24b8f8, birth, name: `Cat ${fields.id}` },
    led: false,
    ble: false,
    buz: false,
    lastRssi: 150,
    flags: 0,
    searchModeDuration: -1,
    masterStatus: "ACTIVE",
    home: false,
    homeSince: null,
    owner: true,
    fiFo: telegramsOf(fields.id, master),
  };
  return mergeRecord(defaults, fields);
}
