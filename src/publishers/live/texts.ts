/** The page's words, in the languages that it speaks. */
import type { Component } from "../../model/device.ts";

export type Language = "en" | "de";

type ByState = Readonly<Record<Component["state"], string>>;

export interface Texts {
  readonly title: string;
  readonly version: string;
  readonly since: string;
  readonly allWell: string;
  /** How many parts do not run. */
  readonly someFail: (count: number) => string;
  readonly pets: string;
  readonly stations: string;
  readonly accounts: string;
  readonly publishers: string;
  readonly noPets: string;
  readonly lastError: string;
  readonly remedy: ByState;
  readonly isOver: string;
  readonly columns: Readonly<Record<Column, string>>;
  readonly state: ByState;
  readonly unknown: string;
  readonly yes: string;
  readonly no: string;
  readonly online: string;
  readonly offline: string;
  readonly charging: string;
  readonly low: string;
  readonly never: string;
  readonly unavailable: string;
  readonly over: string;
  readonly publisherNames: Readonly<Record<string, string>>;
  /** The connection between page and program was lost; `{time}` is the time of what is shown. */
  readonly lost: string;
}

type Column =
  | "name"
  | "atHome"
  | "battery"
  | "contact"
  | "fix"
  | "account"
  | "stream"
  | "subscription"
  | "station"
  | "connection"
  | "publisher"
  | "state"
  | "since"
  | "details";

const EN: Texts = {
  title: "Pawline: status",
  version: "Version",
  since: "running since",
  allWell: "Everything works.",
  someFail: (count) => (count === 1 ? "One part does not work." : `${count} parts do not work.`),
  pets: "Pets",
  stations: "Home stations",
  accounts: "PetTracer accounts",
  publishers: "Outputs",
  noPets: "No pets are known yet. They appear as soon as the account has listed its devices.",
  lastError: "Last error",
  remedy: {
    running: "",
    starting: "It is about to be tried again.",
    waiting: "It is tried again by itself, soon. If it lasts, run “pawline check”: it tells what to do.",
    parked: "Correct the configuration and restart Pawline. Otherwise it is tried again once an hour.",
  },
  isOver: "It is over; nothing is left to do.",
  columns: {
    name: "Name",
    atHome: "At home",
    battery: "Battery",
    contact: "Last contact",
    fix: "Last position",
    account: "Account",
    stream: "Live stream",
    subscription: "Subscription ends",
    station: "Station",
    connection: "Connection",
    publisher: "Output",
    state: "State",
    since: "Since",
    details: "Details",
  },
  state: { running: "Works", starting: "Starting", waiting: "Waiting to try again", parked: "Needs your help" },
  unknown: "Unknown",
  yes: "Yes",
  no: "No",
  online: "Online",
  offline: "Offline",
  charging: "charging",
  low: "low",
  never: "None yet",
  unavailable: "no news of it",
  over: "over",
  publisherNames: { mqtt: "MQTT broker", homeassistant: "Home Assistant", live: "This page" },
  lost: "The connection to Pawline is lost. What you see is from {time}. Trying again …",
};

const DE: Texts = {
  title: "Pawline: Status",
  version: "Version",
  since: "läuft seit",
  allWell: "Alles funktioniert.",
  someFail: (count) => (count === 1 ? "Ein Teil funktioniert nicht." : `${count} Teile funktionieren nicht.`),
  pets: "Tiere",
  stations: "Heimstationen",
  accounts: "PetTracer-Konten",
  publishers: "Ausgänge",
  noPets: "Noch ist kein Tier bekannt. Sie erscheinen, sobald das Konto seine Geräte genannt hat.",
  lastError: "Letzter Fehler",
  remedy: {
    running: "",
    starting: "Ein neuer Versuch beginnt gerade.",
    waiting: "Es wird bald von selbst wieder versucht. Bleibt es so, sagt „pawline check“, was zu tun ist.",
    parked: "Berichtige die Konfiguration und starte Pawline neu. Sonst wird es einmal in der Stunde wieder versucht.",
  },
  isOver: "Er ist vorbei; es ist nichts mehr zu tun.",
  columns: {
    name: "Name",
    atHome: "Zu Hause",
    battery: "Akku",
    contact: "Letzter Kontakt",
    fix: "Letzte Position",
    account: "Konto",
    stream: "Live-Verbindung",
    subscription: "Abo endet",
    station: "Station",
    connection: "Verbindung",
    publisher: "Ausgang",
    state: "Zustand",
    since: "Seit",
    details: "Einzelheiten",
  },
  state: {
    running: "Funktioniert",
    starting: "Startet",
    waiting: "Wartet auf neuen Versuch",
    parked: "Braucht deine Hilfe",
  },
  unknown: "Unbekannt",
  yes: "Ja",
  no: "Nein",
  online: "Verbunden",
  offline: "Getrennt",
  charging: "lädt",
  low: "schwach",
  never: "Noch keine",
  unavailable: "ohne Nachricht",
  over: "abgelaufen",
  publisherNames: { mqtt: "MQTT-Broker", homeassistant: "Home Assistant", live: "Diese Seite" },
  lost: "Die Verbindung zu Pawline ist unterbrochen. Zu sehen ist der Stand von {time}. Neuer Versuch läuft …",
};

export const TEXTS: Readonly<Record<Language, Texts>> = { en: EN, de: DE };

/** The first of our languages in the order of an `Accept-Language` header (RFC 9110); English where there is none. */
export function preferredLanguage(accepted = ""): Language {
  const wishes = accepted.split(",").map((part) => {
    const [, tag = "", quality = "1"] = /^\s*([a-z]{1,8})(?:-[^;]*)?\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(part) ?? [];
    return { language: tag.toLowerCase(), quality: Number(quality) };
  });
  const [best] = wishes
    .filter(({ language, quality }) => (language === "en" || language === "de") && quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  return best?.language === "de" ? "de" : "en";
}
