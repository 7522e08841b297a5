/**
 * The vocabulary of the program: what a cloud knows of a device. Times (`…At`) are epoch milliseconds.
 * A missing field was never sent; `null` was sent, and means none.
 */

import type { Pending } from "./command.ts";

/** A position as it was measured. */
export interface Fix {
  /** Degrees, WGS 84. */
  readonly latitude: number;
  readonly longitude: number;
  /** Radius in which the collar is likely to be, metres. */
  readonly accuracyM?: number;
  /** Satellites in use. */
  readonly satellites?: number;
  /** When it was measured; missing where the cloud does not say. */
  readonly measuredAt?: number;
}

/** A fix in the store: one without a time of its own counts as measured when it arrived. */
export interface DatedFix extends Fix {
  readonly measuredAt: number;
}

/** The home station that a collar belongs to; its coordinates are home. */
export interface StationLink {
  /** The station's key in the state, where its account lists it. */
  readonly key: string;
  readonly id: number;
  readonly latitude?: number;
  readonly longitude?: number;
}

/** One radio message of a collar, and how well each station heard it. */
export interface Telegram {
  readonly id?: number;
  readonly storedAt?: number;
  readonly receptions: readonly Reception[];
}

export interface Reception {
  /** The station's key in the state, where an account lists it. */
  readonly stationKey: string;
  readonly stationId: number;
  /** Decibel-milliwatts. */
  readonly signalDbm: number;
}

/** What a cloud may say about a collar, in whole or in part. */
export interface CollarReport {
  readonly name?: string;
  /** 0xRRGGBB. */
  readonly color?: number | null;
  readonly birthAt?: number | null;
  /** The name under which the cloud keeps the pet's picture. */
  readonly image?: string | null;
  readonly batteryMv?: number;
  /** The collar warns of a low battery below this. */
  readonly batteryWarningMv?: number;
  readonly charging?: boolean;
  readonly fix?: Fix;
  readonly signalDbm?: number;
  /** Whether its home station hears it. */
  readonly home?: boolean;
  readonly homeSinceAt?: number | null;
  readonly station?: StationLink | null;
  readonly lastContactAt?: number;
  /** The mode it is in, and the one it was asked for. */
  readonly mode?: number;
  readonly modeSet?: number;
  readonly light?: boolean;
  readonly buzzer?: boolean;
  readonly bluetooth?: boolean;
  readonly search?: boolean;
  /** Minutes of live search that remain; negative when it is off. */
  readonly searchMinutes?: number;
  readonly hardware?: string;
  readonly firmware?: string;
  readonly bootLoader?: string;
  readonly status?: number;
  readonly stationStatus?: string;
  readonly flags?: number;
  readonly safetyZone?: boolean;
  readonly developerMode?: boolean;
  readonly owner?: boolean;
  readonly ownerId?: number | null;
  readonly telegramNumber?: number;
  /** Latest radio messages, newest first. */
  readonly telegrams?: readonly Telegram[];
  /** Whether the user wants a button that switches it off: only its charger wakes it again. */
  readonly offersPowerOff?: boolean;
}

/** What a cloud may say about a home station, in whole or in part. */
export interface StationReport {
  readonly name?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly signalDbm?: number;
  /** The name of the wireless network that it uses. */
  readonly wifi?: string | null;
  readonly lastContactAt?: number;
  readonly hardware?: string;
  readonly firmware?: string;
  readonly bootLoader?: string;
  readonly status?: number;
  readonly flags?: number;
  readonly developerMode?: boolean;
  readonly ownerId?: number | null;
}

/** What a cloud may say about an account. */
export interface AccountReport {
  /** Its name in topics and ids, such as `pettracer_account_15979`: known after the first login. */
  readonly deviceKey?: string;
  readonly product?: Product;
  readonly id?: number;
  readonly name?: string;
  readonly subscriptionEndsAt?: number;
}

/** What a device is, as its maker calls it. */
export interface Product {
  readonly manufacturer: string;
  readonly model: string;
  /** Where its maker lets the user look after it. */
  readonly website: string;
}

/** A device that an account lists. */
export interface Listed {
  /** Its name in topics and ids, such as `pettracer_14758`. */
  readonly key: string;
  /** The cloud's own number for it. */
  readonly id: number;
  readonly product: Product;
  /** The accounts that list it, and whether each has been heard of lately. */
  readonly accounts: Readonly<Record<string, boolean>>;
}

export interface Collar extends Listed, Omit<CollarReport, "fix"> {
  readonly kind: "collar";
  /** The newest fix that was good enough to move the cat. */
  readonly fix?: DatedFix;
  /** Whether it is at home, as shown: a `home` that toggles within a minute counts once. */
  readonly atHome?: boolean;
  /** When what the station says of it changed last, and the time before that. */
  readonly homeChangedAt?: number;
  readonly homeChangedBeforeAt?: number;
  readonly outside?: Outside;
  /** Charge in percent, as shown: it does not follow every millivolt. */
  readonly batteryPercent?: number;
  /** Whether the voltage is below the collar's own warning threshold. */
  readonly batteryLow?: boolean;
  /** Whether the charger has filled it. */
  readonly isFull?: boolean;
  readonly contactShown?: ShownContact;
  /** Whether it has been silent for much longer than its mode explains. */
  readonly contactLost?: boolean;
  /** The mode that it was asked for before live tracking. */
  readonly modeBeforeLive?: number;
  /** Since when it is asked for another mode than it is in; null while it is in the mode that it was asked for. */
  readonly modeAskedAt?: number | null;
  /** Commands without their echo, at most one of each kind. */
  readonly pending?: readonly Pending[];
  readonly latestFirmware?: FirmwareRelease;
  readonly photo?: Photo | null;
  /** What kind of picture the last one was. */
  readonly photoType?: Photo["contentType"];
}

/** How long a cat was outside on a day. */
export interface Outside {
  /** `2026-06-01`, by the clock on the wall. */
  readonly day: string;
  readonly ms: number;
  /** Up to when it is counted, epoch ms. */
  readonly countedAt: number;
}

/** The newest firmware that the maker offers for a kind of device. */
export interface FirmwareRelease {
  readonly version: string;
  readonly notes?: string;
}

/** A pet's picture. */
export interface Photo {
  /** The name under which the cloud keeps it: another picture has another name. */
  readonly image: string;
  readonly contentType: "image/jpeg" | "image/png";
  readonly bytes: Uint8Array;
}

export interface HomeStation extends Listed, StationReport {
  readonly kind: "homeStation";
  readonly online?: boolean;
  readonly contactShown?: ShownContact;
  readonly latestFirmware?: FirmwareRelease;
}

/** The last contact as it is published: not every one, to spare the user's database. */
export interface ShownContact {
  readonly contactAt: number;
  /** When we began to show it. */
  readonly shownAt: number;
}

/** An account as configured; its name there stands in for the id until the first login. */
export interface Account extends AccountReport {
  readonly kind: "account";
  readonly key: string;
  /** Its name in the configuration. */
  readonly source: string;
  readonly isSubscriptionOver?: boolean;
  /** How long neither the stream nor a request has brought anything, ms. */
  readonly silentMs: number;
  /** False when the silence has lasted so long that what we show may no longer be true. */
  readonly reachable: boolean;
  /** Whether its devices have been listed since the start, and whether that was confirmed. */
  readonly listed: boolean;
  readonly confirmed: boolean;
}

/** The program itself. */
export interface Bridge {
  readonly kind: "bridge";
  readonly key: "bridge";
  readonly version: string;
  readonly startedAt: number;
  readonly logLevel: string;
  readonly components: readonly Component[];
  /** The last thing that went wrong, in a sentence. */
  readonly lastError?: string;
}

/** A source or a publisher, and how it is. */
export interface Component {
  readonly role: "source" | "publisher";
  readonly name: string;
  readonly state: "starting" | "running" | "waiting" | "parked";
  readonly error?: string;
  /** What it has to say of itself while it runs. */
  readonly details?: Readonly<Record<string, string>>;
  readonly sinceAt: number;
}

export type Device = Collar | HomeStation;
export type Entry = Device | Account | Bridge;

/** All that is known, by key (`pettracer_14758`, `bridge`). It lives: a reader always sees the latest. */
export type State = ReadonlyMap<string, Entry>;
