/**
 * What has to survive a restart: what was known of each device, and what has happened. With it a cat that came home
 * while the program was down comes home at its next start, and nothing is told twice.
 */
import { sleep } from "../lib/clock.ts";
import type { DataDir } from "../lib/data-dir.ts";
import { z } from "../lib/schema.ts";
import { ACTIVITY_TYPES, type Activity } from "../model/activity.ts";
import type { Device } from "../model/device.ts";
import type { Remembered, Store } from "./store.ts";

const NAME = "devices";
/** A change that is no event is kept within this, ms: a position lost at a power cut is in the next snapshot. */
const LATEST_MS = 30_000;

export function readArchive(data: DataDir): Remembered {
  const archive = recordOf(data.read(NAME));
  const devices = listOf(archive.devices).flatMap(restoreDevice);
  const activities = listOf(archive.activities).flatMap(restoreActivity);
  return { devices: new Map(devices.map((device) => [device.key, device])), activities };
}

export function writeArchive(data: DataDir, store: Store): void {
  const known = [...store.state.values()].filter((entry) => entry.kind === "collar" || entry.kind === "homeStation");
  const devices = [...known, ...store.awaited()].map(archivedText).filter((text) => text !== "");
  data.writeJson(NAME, `{"devices":[${devices.join()}],"activities":${JSON.stringify(store.activities(0))}}`);
}

/** What was written of a device that has not changed since: of very many devices, few have. */
const texts = new WeakMap<Device, string>();

/** The device as JSON, as it is archived; empty where it cannot be. */
function archivedText(device: Device): string {
  const known =
    texts.get(device) ??
    restoreDevice(device)
      .map((one) => JSON.stringify(one))
      .join();
  texts.set(device, known);
  return known;
}

/** Keeps the archive up to date until the signal is aborted. */
export async function keepArchive(data: DataDir, store: Store, signal: AbortSignal): Promise<void> {
  for await (const _ of store.changes(signal)) {
    await sleep(LATEST_MS, signal);
    writeArchive(data, store);
  }
}

/** A moment that can be told, epoch ms: what a file says of another age is a mistake. */
const moment = z.number().min(0).max(Date.UTC(2500, 0));
const latitude = z.number().min(-90).max(90);
const longitude = z.number().min(-180).max(180);
const number = z.number().optional().catch(undefined);
const at = moment.optional().catch(undefined);
const place = { latitude: latitude.optional().catch(undefined), longitude: longitude.optional().catch(undefined) };
const boolean = z.boolean().optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const time = moment.nullable().optional().catch(undefined);

/**
 * What a run begins with that follows another one. Each field is checked by itself: whatever the file holds, it can
 * do no more harm than to say nothing. Commands on their way, and pictures, belong to a run.
 */
const archived = z.object({
  kind: z.enum(["collar", "homeStation"]),
  key: z.string().min(1),
  id: z.number(),
  product: z.object({ manufacturer: z.string(), model: z.string(), website: z.string() }),
  accounts: z.unknown().transform(() => ({})),
  name: text,
  lastContactAt: at,
  contactShown: z.object({ contactAt: moment, shownAt: moment }).optional().catch(undefined),
  online: boolean,
  ...place,
  fix: z
    .object({
      latitude,
      longitude,
      measuredAt: moment,
      accuracyM: number,
      satellites: number,
    })
    .optional()
    .catch(undefined),
  station: z
    .object({ key: z.string(), id: z.number(), ...place })
    .nullable()
    .optional()
    .catch(undefined),
  home: boolean,
  homeSinceAt: time,
  atHome: boolean,
  homeChangedAt: at,
  homeChangedBeforeAt: at,
  outside: z
    .object({ day: z.string(), ms: z.number().min(0).max(86_400_000), countedAt: moment })
    .optional()
    .catch(undefined),
  batteryMv: number,
  batteryWarningMv: number,
  batteryPercent: number,
  batteryLow: boolean,
  charging: boolean,
  isFull: boolean,
  flags: number,
  mode: number,
  modeSet: number,
  modeAskedAt: time,
  modeBeforeLive: number,
  contactLost: boolean,
  photoType: z.enum(["image/jpeg", "image/png"]).optional().catch(undefined),
});

/** The device, or nothing where the value is none; what is no field of an archived device is left out. */
function restoreDevice(value: unknown): Device[] {
  const { data } = archived.safeParse(value);
  // Through JSON, in which a field that is not there is not there.
  const device: unknown = data && JSON.parse(JSON.stringify(data));
  return isDevice(device) ? [device] : [];
}

/** True by the schema above. */
function isDevice(value: unknown): value is Device {
  return value !== undefined;
}

const archivedActivity = z.object({
  // It becomes a part of a topic, and of the next number.
  device: z.string().regex(/^\w{1,100}$/),
  sequence: z.number().int().min(0).max(1e15),
  at: moment,
  type: z.enum(ACTIVITY_TYPES),
  details: z
    .record(z.string(), z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]))
    .optional()
    .catch(undefined),
});

function restoreActivity(value: unknown): Activity[] {
  const { data } = archivedActivity.safeParse(value);
  if (data === undefined) return [];
  const { details, ...activity } = data;
  return [details === undefined ? activity : { ...activity, details }];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
