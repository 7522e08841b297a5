/**
 * Home Assistant's registries, as far as anybody here looks at them; every user may. They hold what all integrations
 * of the house have put there: what is not ours may look like anything.
 */
import { z } from "../../lib/schema.ts";
import type { HomeAssistant } from "./connection.ts";

const device = z.looseObject({
  id: z.string(),
  config_entries: z.array(z.string()),
  identifiers: z.array(z.array(z.unknown())),
  serial_number: z.string().nullish(),
  name: z.string().nullish(),
  name_by_user: z.string().nullish(),
});
const entity = z.looseObject({
  entity_id: z.string(),
  unique_id: z.unknown(),
  platform: z.string(),
  config_entry_id: z.string().nullish(),
  device_id: z.string().nullish(),
  disabled_by: z.string().nullish(),
  name: z.string().nullish(),
});

export type RegistryDevice = z.output<typeof device>;
export type RegistryEntity = z.output<typeof entity>;

/** @throws CallRefused, RecoverableError */
export function listDevices(ha: HomeAssistant): Promise<readonly RegistryDevice[]> {
  return ha.call({ type: "config/device_registry/list" }, z.array(device));
}

/** @throws CallRefused, RecoverableError */
export function listEntities(ha: HomeAssistant): Promise<readonly RegistryEntity[]> {
  return ha.call({ type: "config/entity_registry/list" }, z.array(entity));
}

/** Whether an integration knows the device by an id that is wanted. */
export function isKnownAs(
  { identifiers }: RegistryDevice,
  integration: string,
  isWanted: (id: string) => boolean,
): boolean {
  return identifiers.some(([domain, id]) => domain === integration && typeof id === "string" && isWanted(id));
}
