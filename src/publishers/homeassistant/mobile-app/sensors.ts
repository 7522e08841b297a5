/** The rows of a collar's entity table as the sensors of a mobile app. Pure. */

import { isExcluded } from "../../../discovery/config.ts";
import { isAvailable, stateOf } from "../../../discovery/messages.ts";
import { COLLAR_ENTITIES } from "../../../entities/collar.ts";
import type { Entity, Value, View } from "../../../entities/entity.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";

const LONGEST_STATE = 255;
const value = z.union([z.boolean(), z.number(), z.string().max(LONGEST_STATE), z.null()]);
const common = { type: z.enum(["sensor", "binary_sensor"]), unique_id: z.string().min(1) };
const shown = {
  state: value,
  icon: z
    .string()
    .regex(/^\S+:\S+$/)
    .nullable(),
  attributes: z.record(z.string(), z.unknown()),
};

/** A state as `update_sensor_states` takes it. */
const sensorState = z.strictObject({ ...common, ...shown });

/** A sensor as `register_sensor` takes it; enums are refused there, and so is any category but this one. */
const sensorDescription = z.strictObject({
  ...common,
  ...shown,
  name: z.string().min(1),
  device_class: z.string().min(1).optional(),
  unit_of_measurement: z.string().optional(),
  state_class: z.literal("measurement").optional(),
  entity_category: z.literal("diagnostic").optional(),
  disabled: z.boolean().optional(),
});

export type SensorState = z.output<typeof sensorState>;
type SensorDescription = z.output<typeof sensorDescription>;

export interface Sensor {
  /** The row's key. */
  readonly key: string;
  /** Whether it is to be registered: the cloud has sent its value once. */
  readonly isKnown: boolean;
  readonly state: SensorState;
  readonly description: SensorDescription;
  /** Whether the user does not want it: `entities.exclude`. */
  readonly isExcluded: boolean;
}

/** Where the device class says it all; what Home Assistant calls these. */
const NAMES: Readonly<Record<string, string>> = {
  battery: "Battery",
  battery_charging: "Charging",
  signal_strength: "Signal strength",
  voltage: "Voltage",
};

/** What is shown by reading alone; buttons, events, pictures and updates have no place in a mobile app. */
const TYPES: Readonly<Partial<Record<Entity<Collar>["platform"], "sensor" | "binary_sensor">>> = {
  sensor: "sensor",
  select: "sensor",
  binary_sensor: "binary_sensor",
  switch: "binary_sensor",
};

/** The id that a sensor is registered with. */
export function sensorId(device: string, key: string): string {
  return `${device}_${key}`;
}

/**
 * All sensors of a collar, with what they show: the same as over MQTT.
 * @param exclude what the user does not want: `entities.exclude`
 */
export function sensorsOf(collar: Collar, view: View, exclude: readonly string[]): Sensor[] {
  const states = stateOf(collar, view);
  const available = isAvailable(collar);
  return COLLAR_ENTITIES.flatMap((row): Sensor[] => {
    const type = TYPES[row.platform];
    if (type === undefined) return [];
    const state = sensorState.safeParse({
      type,
      unique_id: sensorId(collar.key, row.key),
      state: available ? plain(states[row.key] ?? null) : "unavailable",
      icon: row.icon ?? null,
      attributes: attributesOf(row, states),
    });
    if (!state.success) return [];
    const description = sensorDescription.safeParse({ ...state.data, ...about(row, type) });
    if (!description.success) return [];
    return [
      {
        key: row.key,
        isKnown: row.known(collar, view),
        state: state.data,
        description: description.data,
        isExcluded: isExcluded(collar, row.key, exclude),
      },
    ];
  });
}

/** The name of the sensor with this id, beside its pet's; undefined for what is none of the pet's sensors. */
export function sensorName(device: string, id: string): string | undefined {
  const row = COLLAR_ENTITIES.find(({ key, platform }) => TYPES[platform] && id === sensorId(device, key));
  return row && nameOf(row);
}

function nameOf({ key, name, deviceClass = "" }: Entity<Collar>): string {
  return name ?? NAMES[deviceClass] ?? key;
}

/** All sensors that a collar may have, when nothing is known of it any more. */
export function unavailableSensors(device: string): SensorState[] {
  return COLLAR_ENTITIES.flatMap(({ key, platform, icon = null }) => {
    const type = TYPES[platform];
    return type ? [{ type, unique_id: sensorId(device, key), state: "unavailable", icon, attributes: {} }] : [];
  });
}

function about(row: Entity<Collar>, type: SensorDescription["type"]): object {
  return {
    name: nameOf(row),
    ...(row.deviceClass !== undefined && { device_class: row.deviceClass }),
    ...(row.unit !== undefined && { unit_of_measurement: row.unit }),
    ...(row.stateClass !== undefined && type === "sensor" && { state_class: row.stateClass }),
    ...(row.category === "diagnostic" && { entity_category: row.category }),
    ...(row.enabled === false && { disabled: true }),
  };
}

function attributesOf(row: Entity<Collar>, states: Readonly<Record<string, Value>>): Record<string, Value> {
  const pairs = Object.entries(row.attributes ?? {}).map(([name, key]) => [name, states[key] ?? null] as const);
  return Object.fromEntries(pairs);
}

/** What Home Assistant's state machine can hold: finite numbers, and texts that are not too long. */
function plain(state: Value): boolean | number | string | null {
  if (typeof state === "number") return Number.isFinite(state) ? state : null;
  if (typeof state === "boolean" || state === null) return state;
  return String(state).slice(0, LONGEST_STATE);
}
