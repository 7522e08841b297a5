/** The entities of the program itself: a device of its own, "Pawline". */
import type { Bridge } from "../model/device.ts";
import type { Entity } from "./entity.ts";

export const BRIDGE_ENTITIES: readonly Entity<Bridge>[] = [
  {
    key: "connection",
    platform: "binary_sensor",
    deviceClass: "connectivity",
    category: "diagnostic",
    known: () => true,
    value: () => true,
  },
  {
    key: "version",
    platform: "sensor",
    name: "Version",
    category: "diagnostic",
    icon: "mdi:tag-outline",
    known: () => true,
    value: ({ version }) => version,
  },
];
