/** What the list says of a cat: everything that the map shows, in words. */
import type { ApiDevice } from "../../publishers/live/api/schema.ts";
import type { Texts } from "../texts/texts.ts";
import { msOf, type Words } from "./words.ts";

export interface Card {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  /** What stands for it where there is no photo. */
  readonly initial: string;
  /** Black or white, whichever can be read on its colour. */
  readonly ink: string;
  /** Relative to the page. */
  readonly photo: string | null;
  readonly place: string;
  readonly isHome: boolean;
  readonly isLive: boolean;
  /** In words where nothing can be heard of it; empty otherwise. */
  readonly trouble: string;
  readonly battery: {
    readonly text: string;
    readonly percent: number | null;
    readonly tone: "good" | "low" | "charging";
  };
  readonly position: string;
  readonly contact: string;
  readonly signal: { readonly text: string; readonly bars: number };
  readonly details: readonly Detail[];
}

export interface Detail {
  readonly label: string;
  readonly text: string;
}

export interface Reader {
  readonly texts: Texts;
  readonly words: Words;
  readonly nowMs: number;
}

const USUAL_COLOR = "#0b6e8a";
const LOW_PERCENT = 15;
const LETTERS = new Intl.Segmenter();
/** From which quality on, in percent, how many bars; the portal's own steps. */
const BARS = [5, 30, 50, 70] as const;

export function cardOf(device: ApiDevice, reader: Reader): Card {
  const { id, name, state, photo } = device;
  const color = device.color ?? USUAL_COLOR;
  return {
    id,
    name,
    color,
    initial: initialOf(name),
    ink: inkOn(color),
    photo: photo === null ? null : `api/${photo}`,
    place: placeOf(device, reader),
    isHome: state.at_home === true,
    isLive: state.live === true,
    trouble: device.available ? "" : reader.texts.facts.unavailable,
    battery: batteryOf(device, reader),
    position: agoOf(device.position?.measured_at ?? state.last_fix, reader) ?? reader.texts.facts.noPosition,
    contact: agoOf(state.last_contact, reader) ?? reader.texts.facts.noContact,
    signal: signalOf(device, reader),
    details: detailsOf(device, reader),
  };
}

/** The first letter, as a person sees letters. */
function initialOf(name: string): string {
  const [first] = LETTERS.segment(name.trim());
  return first?.segment.toLocaleUpperCase() ?? "?";
}

/** By the luminance of WCAG 2. */
export function inkOn(color: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  // Above this, black has the better contrast.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

function placeOf({ state, position }: ApiDevice, { texts, words, nowMs }: Reader): string {
  if (state.at_home === true) {
    const since = msOf(state.home_since);
    return since === undefined ? texts.place.atHome : texts.place.atHomeSince({ time: words.time(since, nowMs) });
  }
  if (typeof state.distance === "number") return texts.place.away({ distance: words.distance(state.distance) });
  if (position !== null) return state.at_home === false ? texts.place.outside : "";
  return texts.place.unknown;
}

function batteryOf({ state }: ApiDevice, { texts, words }: Reader): Card["battery"] {
  const percent = typeof state.battery === "number" ? state.battery : null;
  const isLow = isBelow(state.battery_voltage, state.battery_warning) || (percent ?? 100) <= LOW_PERCENT;
  const isCharging = state.charging === true;
  const notes = isCharging ? [texts.facts.charging] : isLow ? [texts.facts.low] : [];
  const text = [percent === null ? texts.facts.unknown : words.percent(percent), ...notes].join(", ");
  return { text, percent, tone: isCharging ? "charging" : isLow ? "low" : "good" };
}

function isBelow(value: unknown, mark: unknown): boolean {
  return typeof value === "number" && typeof mark === "number" && value < mark;
}

function agoOf(iso: unknown, { words, nowMs }: Reader): string | undefined {
  const at = msOf(iso);
  return at === undefined ? undefined : words.ago(Math.min(at, nowMs), nowMs);
}

function signalOf({ state }: ApiDevice, { texts }: Reader): Card["signal"] {
  const quality = state.signal_quality;
  if (typeof quality !== "number") return { text: texts.facts.unknown, bars: 0 };
  const bars = BARS.filter((mark) => quality > mark).length;
  return { text: texts.signalWords[bars] ?? "", bars };
}

function detailsOf({ state, position, firmware }: ApiDevice, { texts, words }: Reader): Detail[] {
  const { facts } = texts;
  const number = (value: unknown, write: (value: number) => string): string | undefined =>
    typeof value === "number" ? write(value) : undefined;
  const rows: readonly (readonly [string, string | undefined])[] = [
    [facts.mode, typeof state.mode === "string" ? state.mode : undefined],
    [facts.distance, number(state.distance, words.distance)],
    [facts.timeOutside, number(state.time_outside, words.minutes)],
    [facts.accuracy, accuracyOf(position, facts.byStation, words)],
    [facts.coordinates, position === null ? undefined : words.coordinates(position.latitude, position.longitude)],
    [facts.satellites, number(position?.satellites, String)],
    [facts.signal, number(state.signal, (dbm) => `${Math.round(dbm)} dBm`)],
    [facts.homeStation, typeof state.nearest_station === "string" ? state.nearest_station : undefined],
    [facts.firmware, firmware?.installed_version],
  ];
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text }]));
}

function accuracyOf(position: ApiDevice["position"], byStation: string, words: Words): string | undefined {
  if (position === null) return undefined;
  if (position.source === "station") return byStation;
  return position.gps_accuracy === null ? undefined : words.accuracy(position.gps_accuracy);
}
