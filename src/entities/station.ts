/** The entities of a home station. */
import type { Collar, HomeStation } from "../model/device.ts";
import { type Entity, timestamp, type View } from "./entity.ts";
import { deviceName } from "./name.ts";

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
  {
    key: "pets_at_home",
    platform: "sensor",
    name: "Pets at home",
    stateClass: "measurement",
    icon: "mdi:cat",
    known: (station, view) => petsOf(station, view).length > 0,
    value: (station, view) => petsAtHome(station, view).length,
    attributes: { names: "pets_at_home_names" },
  },
  {
    key: "signal",
    platform: "sensor",
    deviceClass: "signal_strength",
    unit: "dBm",
    stateClass: "measurement",
    category: "diagnostic",
    precision: 0,
    enabled: false,
    known: ({ signalDbm }) => signalDbm !== undefined,
    value: ({ signalDbm }) => signalDbm ?? null,
  },
  {
    key: "wifi",
    platform: "sensor",
    name: "Wi-Fi network",
    category: "diagnostic",
    icon: "mdi:wifi",
    enabled: false,
    known: ({ wifi }) => wifi !== undefined,
    value: ({ wifi }) => wifi ?? null,
  },
  {
    key: "firmware",
    platform: "update",
    deviceClass: "firmware",
    category: "diagnostic",
    known: ({ firmware }) => firmware !== undefined,
    value: () => null,
  },
];

/** The names of the pets that this station hears, for the attribute of their count. */
export function petsAtHome(station: HomeStation, view: View): string[] {
  return petsOf(station, view)
    .filter(({ atHome }) => atHome === true)
    .map(deviceName);
}

function petsOf({ key }: HomeStation, { state }: View): Collar[] {
  return [...state.values()].filter((entry) => entry.kind === "collar").filter(({ station }) => station?.key === key);
}
