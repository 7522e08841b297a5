/** What few users look at, and what helps to find a fault: every field of the cloud has a place. */
import type { Collar } from "../model/device.ts";
import { type Entity, timestamp, type Value, type View } from "./entity.ts";
import { deviceName } from "./name.ts";

export const COLLAR_DETAILS: readonly Entity<Collar>[] = [
  {
    ...detail("battery_voltage", undefined, ({ batteryMv }) => batteryMv && batteryMv / 1_000),
    deviceClass: "voltage",
    unit: "V",
    stateClass: "measurement",
    precision: 2,
  },
  {
    ...detail(
      "battery_warning",
      "Low battery threshold",
      ({ batteryWarningMv }) => batteryWarningMv && batteryWarningMv / 1_000,
    ),
    deviceClass: "voltage",
    unit: "V",
    precision: 2,
  },
  {
    ...detail("satellites", "Satellites", ({ fix }) => fix?.satellites),
    stateClass: "measurement",
    icon: "mdi:satellite-variant",
  },
  {
    ...detail("signal", undefined, ({ signalDbm }) => signalDbm),
    deviceClass: "signal_strength",
    unit: "dBm",
    stateClass: "measurement",
    precision: 0,
  },
  {
    ...detail("signal_quality", "Signal quality", ({ signalDbm }) =>
      signalDbm !== undefined ? signalQuality(signalDbm) : undefined,
    ),
    unit: "%",
    stateClass: "measurement",
    icon: "mdi:signal",
  },
  { ...detail("nearest_station", "Nearest station", nearestStation), icon: "mdi:home-search" },
  { ...detail("firmware_version", "Firmware version", ({ firmware }) => firmware), icon: "mdi:chip" },
  { ...detail("hardware_version", "Hardware version", ({ hardware }) => hardware), icon: "mdi:chip" },
  { ...detail("boot_loader_version", "Boot loader version", ({ bootLoader }) => bootLoader), icon: "mdi:chip" },
  { ...detail("status", "Status code", ({ status }) => status), icon: "mdi:numeric" },
  { ...detail("station_status", "Home station status", ({ stationStatus }) => stationStatus), icon: "mdi:home-circle" },
  { ...detail("flags", "Flags", ({ flags }) => flags), icon: "mdi:flag" },
  { ...detail("telegram_number", "Telegram number", ({ telegramNumber }) => telegramNumber), icon: "mdi:counter" },
  {
    ...detail("birth", "Birthday", ({ birthAt }) => (typeof birthAt === "number" ? birthdayOf(birthAt) : birthAt)),
    deviceClass: "date",
    icon: "mdi:cake",
  },
  { ...flag("safety_zone", "Safety zone", ({ safetyZone }) => safetyZone), icon: "mdi:shield-home" },
  { ...flag("search", "Search", ({ search }) => search), icon: "mdi:magnify" },
  { ...flag("bluetooth", "Bluetooth", ({ bluetooth }) => bluetooth), icon: "mdi:bluetooth" },
  { ...flag("developer_mode", "Developer mode", ({ developerMode }) => developerMode), icon: "mdi:bug" },
  { ...flag("owner", "Own collar", ({ owner }) => owner), icon: "mdi:account-check" },
];

type Read = (collar: Collar, view: View) => Value | undefined;

/** A sensor that is disabled until somebody wants it. */
function detail(key: string, name: string | undefined, read: Read): Entity<Collar> {
  return {
    key,
    platform: "sensor",
    ...(name !== undefined && { name }),
    category: "diagnostic",
    enabled: false,
    known: (collar, view) => read(collar, view) !== undefined,
    value: (collar, view) => read(collar, view) ?? null,
  };
}

function flag(key: string, name: string, read: Read): Entity<Collar> {
  return { ...detail(key, name, read), platform: "binary_sensor" };
}

/** Percent of dBm, by the portal's own formula: 100 from −1.5 dBm up, else 135 × (1 − dBm / −130), from 0 to 100. */
function signalQuality(dbm: number): number {
  if (dbm >= -1.5) return 100;
  return Math.round(100 * Math.min(1, Math.max(0, 1.35 * (1 - dbm / -130))));
}

/** The station that heard the latest telegram best. */
function nearestStation({ telegrams }: Collar, { state }: View): string | undefined {
  const best = telegrams?.[0]?.receptions.toSorted((a, b) => b.signalDbm - a.signalDbm)[0];
  if (best === undefined) return undefined;
  const station = state.get(best.stationKey);
  return station?.kind === "homeStation" ? deviceName(station) : String(best.stationId);
}

/** The cloud keeps a day as midnight in the owner's time zone, which is up to half a day off in ours. */
function birthdayOf(at: number): string {
  return timestamp(at + 12 * 3_600_000)?.slice(0, 10) ?? "";
}
