/** The entities of the program itself: a device of its own, "Pawline". */
import type { Bridge } from "../model/device.ts";
import { type Entity, isPress, timestamp } from "./entity.ts";

/** As the configuration has them. */
const LOG_LEVELS: readonly string[] = ["trace", "debug", "info", "warn", "error"];

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
  {
    key: "started",
    platform: "sensor",
    name: "Started",
    deviceClass: "timestamp",
    category: "diagnostic",
    icon: "mdi:clock-start",
    known: () => true,
    value: ({ startedAt }) => timestamp(startedAt),
  },
  {
    key: "last_error",
    platform: "sensor",
    name: "Last error",
    category: "diagnostic",
    icon: "mdi:alert-circle-outline",
    known: () => true,
    // Home Assistant cuts a state at 255 characters.
    value: ({ lastError }) => lastError?.slice(0, 250) ?? null,
  },
  {
    key: "log_level",
    platform: "select",
    name: "Log level",
    category: "config",
    icon: "mdi:text-box-outline",
    known: () => true,
    value: ({ logLevel }) => logLevel,
    options: () => LOG_LEVELS,
    request: (payload) => {
      const value = payload.trim().toLowerCase();
      return LOG_LEVELS.includes(value) ? { kind: "log_level", value } : undefined;
    },
  },
  {
    key: "restart",
    platform: "button",
    name: "Restart",
    deviceClass: "restart",
    category: "config",
    known: () => true,
    value: () => null,
    request: (payload) => (isPress(payload) ? { kind: "restart" } : undefined),
  },
  {
    key: "republish",
    platform: "button",
    name: "Republish",
    category: "config",
    icon: "mdi:refresh",
    known: () => true,
    value: () => null,
    request: (payload) => (isPress(payload) ? { kind: "republish" } : undefined),
  },
];
