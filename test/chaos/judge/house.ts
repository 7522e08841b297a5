/** A small true story of one collar, and what a faultless daemon makes of it: the judge's tests spoil it. */
import type { DeviceRecord } from "../../../src/demo/records.ts";
import { collarRecord } from "../../../src/demo/records.ts";
import { cloudTime } from "../../../src/demo/time.ts";
import type { CollarHistory, Heard, Moment, TrueFix } from "../records.ts";
import type { TrueCollar } from "./states.ts";

export const ID = 14_000;
export const START = Date.UTC(2026, 5, 1, 12);
const STATION = { id: 10_775, posLat: 51.4, posLong: -1.08 };
export const ACCOUNT_ID = 15_979;

export function shown(at: number): string {
  return new Date(at).toISOString().replace("Z", "+00:00");
}

export function fixAt(measuredAt: number, changes: Partial<TrueFix> = {}): TrueFix {
  return { measuredAt, latitude: 51.401, longitude: -1.081, accuracyM: 10, satellites: 8, ...changes };
}

/** So many seconds after the start, with these fields. */
export function moment(seconds: number, fields: Partial<DeviceRecord> = {}, isStreamed = true): Moment {
  const at = START + seconds * 1_000;
  const record = collarRecord({ id: ID, home: false, lastContact: cloudTime(at), ...fields }, ACCOUNT_ID, null);
  return { at, record, isStreamed };
}

export function historyOf(moments: readonly Moment[], fixes: readonly TrueFix[] = [fixAt(START)]): CollarHistory {
  return { id: ID, moments, fixes };
}

/** An event, told so many seconds after the start. */
export function told(type: string, seconds: number, details: object = {}): Heard {
  const at = START + seconds * 1_000;
  const payload = JSON.stringify({ event_type: type, at: shown(at), ...details });
  return { at: at + 5, topic: `pawline/pettracer_${ID}/event`, payload, isRetained: false };
}

/** Comes home ten seconds after the start. */
export function homecoming(): Moment[] {
  const homeSince = cloudTime(START + 10_000);
  return [moment(0), moment(10, { home: true, homeSince })];
}

/** A collar that is away, and all that a faultless daemon leaves at the broker for it. */
export function quietHouse(): { readonly collar: TrueCollar; readonly retained: Map<string, string> } {
  const [now] = [moment(0)];
  const record = now.record;
  const fix = fixAt(START);
  const state = {
    at_home: false,
    home_since: null,
    charging: false,
    last_fix: shown(START),
    accuracy: 10,
    satellites: 8,
    mode: "Fast",
    live: false,
    live_remaining: 0,
    light: false,
    buzzer: false,
    search: false,
    pending: false,
    pending_command: null,
    pending_since: null,
    pending_until: null,
    battery: 67,
    battery_voltage: 3.9,
    battery_warning: 3.63,
    flags: 0,
    telegram_number: 1,
    signal: -55,
    firmware_version: "10.4.9",
    color: "#24b8f8",
    last_contact: shown(START),
    distance: 131,
  };
  const position = {
    latitude: fix.latitude,
    longitude: fix.longitude,
    gps_accuracy: 10,
    measured_at: shown(START),
    satellites: 8,
    source: "gps",
  };
  const retained = new Map([
    [`pawline/pettracer_${ID}/state`, JSON.stringify(state)],
    [`pawline/pettracer_${ID}/position`, JSON.stringify(position)],
    [`pawline/pettracer_${ID}/availability`, "online"],
    [`homeassistant/device/pettracer_${ID}/config`, "{}"],
    [
      `pawline/pettracer_hs_${STATION.id}/state`,
      JSON.stringify({ pets_at_home: 0, pets_at_home_names: [], online: true }),
    ],
    [`pawline/pettracer_hs_${STATION.id}/availability`, "online"],
    [`homeassistant/device/pettracer_hs_${STATION.id}/config`, "{}"],
    [`pawline/pettracer_account_${ACCOUNT_ID}/state`, JSON.stringify({ problem: false, stream: true })],
    ["pawline/bridge/state", "online"],
  ]);
  return { collar: { record, history: historyOf([now], [fix]), station: STATION }, retained };
}
