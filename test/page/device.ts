/** Devices as the live API says them, for what the page makes of them. */

import type { Reader } from "../../src/page/model/card.ts";
import { createWords } from "../../src/page/model/words.ts";
import { tongueOf } from "../../src/page/texts/language.ts";
import type { ApiDevice } from "../../src/publishers/live/api/schema.ts";

export const NOON_MS = Date.UTC(2026, 5, 1, 12);
export const at = (minutesAgo: number): string => new Date(NOON_MS - minutesAgo * 60_000).toISOString();

export function reader(language: "en-GB" | "de-DE" = "en-GB"): Reader {
  const tongue = tongueOf([language]);
  return { texts: tongue.texts, words: createWords(tongue, "UTC"), nowMs: NOON_MS };
}

export function collar(change: Partial<ApiDevice> = {}, state: ApiDevice["state"] = {}): ApiDevice {
  return {
    id: "pettracer_14758",
    kind: "collar",
    name: "Oreo",
    accounts: ["pettracer"],
    available: true,
    position: { latitude: 51.4, longitude: -1.08, gps_accuracy: 12, measured_at: at(3), satellites: 8, source: "gps" },
    color: "#24b8f8",
    photo: null,
    home_station: "pettracer_hs_10775",
    firmware: { installed_version: "10.4.9", title: "Collar" },
    pending: [],
    commands: [{ command: "live" }, { command: "light" }, { command: "buzzer" }, { command: "find" }],
    ...change,
    state: { at_home: false, battery: 84, live: false, light: false, buzzer: false, distance: 120, ...state },
  };
}
