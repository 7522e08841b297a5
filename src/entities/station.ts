/** The entities of a home station. */
import type { HomeStation } from "../model/device.ts";
import { type Entity, timestamp } from "./entity.ts";

export const STATION_ENTITIES: readonly Entity<HomeStation>[] = [
  {
    key: "online",
    platform: "binary_sensor",
    deviceClass: "connectivity",
    category: "diagnostic",
    known: ({ online }) => online !== undefined,
    value: ({ online }) => online ?? null,
  },
  {
    key: "last_contact",
    platform: "sensor",
    name: "Last contact",
    deviceClass: "timestamp",
    category: "diagnostic",
    icon: "mdi:radio-tower",
    known: ({ contactShown }) => contactShown !== undefined,
    value: ({ contactShown }) => timestamp(contactShown?.contactAt),
  },
];
