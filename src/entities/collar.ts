/** The entities of a collar. The keys are fixed: automations, histories and other programs rely on them. */
import { ACTIVITY_TYPES } from "../model/activity.ts";
import type { Collar } from "../model/device.ts";
import { LIVE_MODE } from "../model/mode.ts";
import { COLLAR_CONTROLS } from "./collar-controls.ts";
import { COLLAR_DETAILS } from "./collar-details.ts";
import { type Entity, timestamp } from "./entity.ts";
import { distanceFromHome, homeOf, positionOf } from "./position.ts";

const COLLAR_SENSORS: readonly Entity<Collar>[] = [
  {
    key: "tracker",
    platform: "device_tracker",
    name: null,
    icon: "mdi:cat",
    // Always there, the main feature: before the first position it is unknown.
    known: () => true,
    value: () => null,
  },
  {
    key: "at_home",
    platform: "binary_sensor",
    name: "At home",
    deviceClass: "presence",
    known: ({ atHome }) => atHome !== undefined,
    value: ({ atHome }) => atHome ?? null,
    attributes: { color: "color" },
  },
  {
    key: "activity",
    platform: "event",
    name: "Activity",
    icon: "mdi:paw",
    eventTypes: ACTIVITY_TYPES,
    known: () => true,
    value: () => null,
  },
  {
    key: "battery",
    platform: "sensor",
    deviceClass: "battery",
    unit: "%",
    stateClass: "measurement",
    category: "diagnostic",
    known: ({ batteryPercent }) => batteryPercent !== undefined,
    value: ({ batteryPercent }) => batteryPercent ?? null,
  },
  {
    key: "charging",
    platform: "binary_sensor",
    deviceClass: "battery_charging",
    category: "diagnostic",
    known: ({ charging }) => charging !== undefined,
    value: ({ charging }) => charging ?? null,
  },
  {
    key: "last_fix",
    platform: "sensor",
    name: "Last fix",
    deviceClass: "timestamp",
    icon: "mdi:crosshairs-gps",
    known: ({ fix }) => fix !== undefined,
    value: ({ fix }) => timestamp(fix?.measuredAt),
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
  {
    key: "home_since",
    platform: "sensor",
    name: "Home since",
    deviceClass: "timestamp",
    category: "diagnostic",
    icon: "mdi:home-clock",
    known: ({ homeSinceAt }) => homeSinceAt !== undefined,
    value: ({ homeSinceAt, atHome }) => (atHome === true ? timestamp(homeSinceAt) : null),
  },
  {
    key: "accuracy",
    platform: "sensor",
    name: "GPS accuracy",
    deviceClass: "distance",
    unit: "m",
    stateClass: "measurement",
    category: "diagnostic",
    icon: "mdi:crosshairs-question",
    precision: 0,
    known: ({ fix }) => fix?.accuracyM !== undefined,
    value: ({ fix }) => fix?.accuracyM ?? null,
  },
  {
    key: "distance",
    platform: "sensor",
    name: "Distance from home",
    deviceClass: "distance",
    unit: "m",
    stateClass: "measurement",
    icon: "mdi:map-marker-distance",
    precision: 0,
    known: (collar, view) => homeOf(collar, view) !== undefined && positionOf(collar, view) !== undefined,
    value: distanceFromHome,
  },
  {
    key: "time_outside",
    platform: "sensor",
    name: "Time outside today",
    deviceClass: "duration",
    unit: "min",
    icon: "mdi:tree",
    precision: 0,
    known: ({ outside }) => outside !== undefined,
    value: ({ outside }) => (outside ? Math.floor(outside.ms / 60_000) : null),
  },
  {
    key: "live_remaining",
    platform: "sensor",
    name: "Live tracking remaining",
    deviceClass: "duration",
    unit: "min",
    icon: "mdi:timer-outline",
    precision: 0,
    known: ({ searchMinutes }) => searchMinutes !== undefined,
    value: ({ searchMinutes, mode }) =>
      searchMinutes === undefined ? null : mode === LIVE_MODE ? Math.max(0, searchMinutes) : 0,
  },
  {
    key: "firmware",
    platform: "update",
    deviceClass: "firmware",
    category: "diagnostic",
    known: ({ firmware }) => firmware !== undefined,
    value: () => null,
  },
  {
    key: "photo",
    platform: "image",
    name: "Photo",
    icon: "mdi:camera",
    // Without its bytes it would be a broken picture.
    known: ({ photo }) => photo !== undefined && photo !== null,
    isGone: ({ photo }) => photo === null,
    value: () => null,
  },
];

export const COLLAR_ENTITIES: readonly Entity<Collar>[] = [...COLLAR_SENSORS, ...COLLAR_CONTROLS, ...COLLAR_DETAILS];
