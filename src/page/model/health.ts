/** How Pawline itself is: whether all works; and if not, what went wrong last and what can be done. */
import type { ApiBridge, ApiDevice } from "../../publishers/live/api/schema.ts";
import type { PartState, Texts } from "../texts/texts.ts";
import type { Detail, Reader } from "./card.ts";
import { msOf } from "./words.ts";

export type Tone = "good" | "busy" | "bad";

export interface Part {
  readonly name: string;
  readonly tone: Tone;
  readonly state: string;
  readonly details: readonly Detail[];
  /** The program's own sentences, which are English. */
  readonly sentences: readonly string[];
}

export interface Health {
  readonly tone: Tone;
  readonly summary: string;
  readonly lastError: { readonly sentence: string; readonly remedy: string } | undefined;
  readonly running: string;
  readonly accounts: readonly Part[];
  readonly stations: readonly Part[];
  readonly outputs: readonly Part[];
}

type Component = ApiBridge["components"][number];
type Devices = ReadonlyMap<string, ApiDevice>;

export function healthOf(bridge: ApiBridge, devices: Devices, reader: Reader): Health {
  const { health } = reader.texts;
  const { components, last_error: error, version } = bridge;
  const failing = components.filter(({ state }) => state === "waiting" || state === "parked").length;
  const state = components.find((one) => one.error === error)?.state;
  const remedy = state === undefined ? health.isOver : health.remedy[state];
  return {
    tone: failing === 0 ? "good" : "bad",
    summary: failing === 0 ? health.allWell : health.someFail(failing),
    lastError: error === null ? undefined : { sentence: error, remedy },
    running: health.running({ version, time: timeOf(bridge.started, reader) ?? health.unknown }),
    accounts: components.filter(({ role }) => role === "source").map((one) => accountPart(one, devices, reader)),
    stations: stationsOf(devices).map((station) => stationPart(station, reader)),
    outputs: outputsOf(components).map((one) => outputPart(one, reader)),
  };
}

export function stationsOf(devices: Devices): ApiDevice[] {
  return [...devices.values()].filter(({ kind }) => kind === "home_station");
}

/** In an order that does not change with their states; the page itself, which works where it is seen, comes last. */
function outputsOf(components: readonly Component[]): Component[] {
  const rank = ({ name }: Component): string => (name === "live" ? "2" : `1${name}`);
  return components.filter(({ role }) => role === "publisher").toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** Before its first login nobody knows whose an account is; then its name in the configuration stands for it. */
function accountPart(component: Component, devices: Devices, reader: Reader): Part {
  const { health } = reader.texts;
  const account = [...devices.values()].find(
    ({ kind, accounts }) => kind === "account" && accounts.includes(component.name),
  );
  const ends = account?.state.subscription_ends;
  const text = subscriptionText(ends, reader);
  return {
    ...partOf(component, reader.texts),
    name: account?.name ?? component.name,
    details: text === undefined ? [] : [{ label: health.subscription, text }],
  };
}

/** The cloud counts whole days. */
function subscriptionText(ends: unknown, { texts, words, nowMs }: Reader): string | undefined {
  const endsMs = msOf(ends);
  if (typeof ends !== "string" || endsMs === undefined) return undefined;
  const day = words.calendarDay(ends);
  return endsMs < nowMs ? `${day} (${texts.health.over})` : day;
}

function outputPart(component: Component, reader: Reader): Part {
  const { health } = reader.texts;
  const since = timeOf(component.since, reader);
  const names: Readonly<Record<string, string>> = health.outputNames;
  return {
    ...partOf(component, reader.texts),
    name: names[component.name] ?? component.name,
    details: since === undefined ? [] : [{ label: health.since, text: since }],
  };
}

function partOf({ state, error, details }: Component, { health }: Texts): Omit<Part, "name" | "details"> {
  const facts = Object.entries(details).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
  return { tone: toneOf(state), state: health.state[state], sentences: [...(error === null ? [] : [error]), ...facts] };
}

function toneOf(state: PartState): Tone {
  return state === "running" ? "good" : state === "starting" ? "busy" : "bad";
}

function stationPart({ name, state, available }: ApiDevice, reader: Reader): Part {
  const { health, facts } = reader.texts;
  const { online } = state;
  const contact = timeOf(state.last_contact, reader);
  const details = [
    ...(contact === undefined ? [] : [{ label: health.contact, text: contact }]),
    ...(typeof state.signal === "number" ? [{ label: health.signal, text: `${Math.round(state.signal)} dBm` }] : []),
    ...(typeof state.pets_at_home === "number" ? [{ label: health.petsAtHome, text: petsAtHome(state) }] : []),
  ];
  const known = online === true || online === false;
  return {
    name,
    tone: online === true ? "good" : known ? "bad" : "busy",
    state: !known ? health.unknown : online ? health.online : health.offline,
    details: available ? details : [...details, { label: facts.contact, text: facts.unavailable }],
    sentences: [],
  };
}

function petsAtHome({ pets_at_home: count, pets_at_home_names: names }: ApiDevice["state"]): string {
  return Array.isArray(names) && names.length > 0 ? names.join(", ") : String(count);
}

function timeOf(iso: unknown, { words, nowMs }: Reader): string | undefined {
  const at = msOf(iso);
  return at === undefined ? undefined : `${words.time(at, nowMs)} (${words.ago(Math.min(at, nowMs), nowMs)})`;
}
