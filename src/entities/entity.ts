/** One row of an entity table: everything that Home Assistant has to know of an entity, in Home Assistant's own words. */
import type { Request } from "../model/command.ts";
import type { State } from "../model/device.ts";

type Platform =
  | "binary_sensor"
  | "button"
  | "device_tracker"
  | "event"
  | "image"
  | "select"
  | "sensor"
  | "switch"
  | "update";

export type Value = boolean | number | string | null | readonly string[];

export interface Entity<Of> {
  /** Also its key in the state message, and the end of its `unique_id`. */
  readonly key: string;
  readonly platform: Platform;
  /** Its name beside the device's; null for the device's main feature; left out where the device class says it all. */
  readonly name?: string | null;
  readonly deviceClass?: string;
  readonly unit?: string;
  readonly stateClass?: "measurement";
  readonly category?: "config" | "diagnostic";
  readonly icon?: string;
  /** Decimals to show. */
  readonly precision?: number;
  /** False for what few users want to see. */
  readonly enabled?: false;
  /** Whether the cloud has ever sent what it shows: before that, the entity is left out. */
  readonly known: (of: Of, view: View) => boolean;
  /** Whether it is taken away although it was published; anything else stays, or its history would go with it. */
  readonly isGone?: (of: Of) => boolean;
  /** What it shows; null when that is unknown, and for what shows nothing. */
  readonly value: (of: Of, view: View) => Value;
  /** What else it shows: the attribute's name, and its key in the state message. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** What can be chosen, where something can. */
  readonly options?: (of: Of) => readonly string[];
  /** What an event entity may tell. */
  readonly eventTypes?: readonly string[];
  /** What a payload on its command topic asks for; undefined for one that is no valid command. */
  readonly request?: (payload: string, of: Of) => Request | BridgeRequest | undefined;
}

/** What can be asked of the program itself. */
export type BridgeRequest =
  | { readonly kind: "restart" }
  | { readonly kind: "republish" }
  | { readonly kind: "log_level"; readonly value: string };

/** What a row may look at besides its own device. */
export interface View {
  readonly state: State;
  /** What says where a cat is while its home station hears it. */
  readonly preferredPosition: "station" | "gps";
}

/** ISO 8601 with offset, as Home Assistant wants a timestamp; null without one. */
export function timestamp(at: number | null | undefined): string | null {
  return typeof at === "number" && Number.isFinite(at) ? `${new Date(at).toISOString().slice(0, -1)}+00:00` : null;
}

/** What a switch is told: `ON` and `OFF`, in any case; undefined for anything else. */
export function onOff(payload: string): boolean | undefined {
  const word = payload.trim().toUpperCase();
  return word === "ON" ? true : word === "OFF" ? false : undefined;
}

/** What a button is told. */
export function isPress(payload: string): boolean {
  return payload.trim().toUpperCase() === "PRESS";
}
