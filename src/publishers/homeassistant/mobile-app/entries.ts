/** What Home Assistant's registries say of mobile apps. */
import type { HomeAssistant } from "../connection.ts";
import { isKnownAs, listDevices, type RegistryEntity } from "../registry.ts";

/** The entry that a mobile app's device belongs to. @throws CallRefused, RecoverableError */
export async function entryOfDevice(ha: HomeAssistant, deviceId: string): Promise<string | undefined> {
  const devices = await listDevices(ha);
  return devices.find(({ id }) => id === deviceId)?.config_entries[0];
}

/** The entries of mobile apps that are registered under these names. @throws CallRefused, RecoverableError */
export async function entriesOf(ha: HomeAssistant, names: ReadonlySet<string>): Promise<string[]> {
  const devices = await listDevices(ha);
  return devices
    .filter((device) => isKnownAs(device, "mobile_app", (name) => names.has(name)))
    .flatMap(({ config_entries: entries }) => entries);
}

/** The trackers of these pets: their keys by the trackers' entity ids. */
export function trackersOf(entities: readonly RegistryEntity[], devices: readonly string[]): Map<string, string> {
  const isTracker = ({ platform, entity_id, unique_id }: RegistryEntity): boolean =>
    platform === "mobile_app" && entity_id.startsWith("device_tracker.") && devices.includes(String(unique_id));
  return new Map(entities.filter(isTracker).map(({ entity_id, unique_id }) => [entity_id, String(unique_id)]));
}
