/** Home Assistant's registries, as far as this route looks at them. Any user may. */
import { z } from "../../../lib/schema.ts";
import type { HomeAssistant } from "../connection.ts";

const entity = z.looseObject({
  entity_id: z.string(),
  unique_id: z.union([z.string(), z.number()]),
  platform: z.string(),
  config_entry_id: z.string().nullish(),
  device_id: z.string().nullish(),
  disabled_by: z.string().nullish(),
  name: z.string().nullish(),
});
const device = z.looseObject({
  id: z.string(),
  config_entries: z.array(z.string()),
  identifiers: z.array(z.array(z.string())),
});

export type RegistryEntity = z.output<typeof entity>;

/** @throws CallRefused, RecoverableError */
export function listEntities(ha: HomeAssistant): Promise<readonly RegistryEntity[]> {
  return ha.call({ type: "config/entity_registry/list" }, z.array(entity));
}

/** The entry that a mobile app's device belongs to. @throws CallRefused, RecoverableError */
export async function entryOfDevice(ha: HomeAssistant, deviceId: string): Promise<string | undefined> {
  const devices = await ha.call({ type: "config/device_registry/list" }, z.array(device));
  return devices.find(({ id }) => id === deviceId)?.config_entries[0];
}

/** The entries of mobile apps that are registered under these names. @throws CallRefused, RecoverableError */
export async function entriesOf(ha: HomeAssistant, names: ReadonlySet<string>): Promise<string[]> {
  const devices = await ha.call({ type: "config/device_registry/list" }, z.array(device));
  const isWanted = ({ identifiers }: z.output<typeof device>): boolean =>
    identifiers.some(([domain, name]) => domain === "mobile_app" && name !== undefined && names.has(name));
  return devices.filter(isWanted).flatMap(({ config_entries: entries }) => entries);
}

/** The trackers of these pets: their keys by the trackers' entity ids. */
export function trackersOf(entities: readonly RegistryEntity[], devices: readonly string[]): Map<string, string> {
  const isTracker = ({ platform, entity_id, unique_id }: RegistryEntity): boolean =>
    platform === "mobile_app" && entity_id.startsWith("device_tracker.") && devices.includes(String(unique_id));
  return new Map(entities.filter(isTracker).map(({ entity_id, unique_id }) => [entity_id, String(unique_id)]));
}
