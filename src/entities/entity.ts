/** One row of an entity table: everything that Home Assistant has to know of an entity, in Home Assistant's own words. */
import type { State } from "../model/device.ts";

type Platform = "binary_sensor" | "device_tracker" | "sensor";
export type Value = boolean | number | string | null;

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
  /** What it shows; null when that is unknown. */
  readonly value: (of: Of, view: View) => Value;
}

/** What a row may look at besides its own device. */
export interface View {
  readonly state: State;
  /** What says where a cat is while its home station hears it. */
  readonly preferredPosition: "station" | "gps";
}

/** ISO 8601 with offset, as Home Assistant wants a timestamp; null without one. */
export function timestamp(at: number | null | undefined): string | null {
  return typeof at === "number" && Number.isFinite(at) ? new Date(at).toISOString().replace("Z", "+00:00") : null;
}
