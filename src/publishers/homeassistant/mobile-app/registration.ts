/** A pet's registration as a mobile app: made once, and told when the pet has another name. */
import { deviceName, slug } from "../../../entities/name.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";
import { listEntities } from "../registry.ts";
import type { Session } from "../situation.ts";
import type { Registration } from "./kept.ts";
import { sensorName } from "./sensors.ts";
import { tellWebhook } from "./webhook.ts";

const registered = z.looseObject({ webhook_id: z.string().min(1) });

/** What is told of a pet, and told again when it has changed. */
export interface About {
  readonly app_version: string;
  readonly device_name: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly os_version: string;
}

/** With this, notifications for the pet come over the WebSocket API, and Home Assistant has a place to send them to. */
const APP_DATA = { push_websocket_channel: true };

export function aboutOf(collar: Collar, version: string): About {
  const { manufacturer, model } = collar.product;
  return {
    app_version: version,
    device_name: deviceName(collar),
    manufacturer,
    model,
    // Home Assistant cannot do without.
    os_version: collar.firmware ?? "unknown",
  };
}

/**
 * Registers a pet; an entry that Home Assistant has for it already is replaced.
 * @throws CallRefused, RecoverableError
 */
export async function register(collar: Collar, version: string, { rest, user }: Session): Promise<Registration> {
  const about = aboutOf(collar, version);
  // Ids of entities are made from this name: where nothing of it can be written so, the key stands in at first.
  const name = slug(about.device_name) === "" ? collar.key : about.device_name;
  const told = { ...about, device_name: name };
  const body = {
    ...told,
    device_id: collar.key,
    app_id: "pawline",
    app_name: "Pawline",
    os_name: "collar",
    supports_encryption: false,
    app_data: APP_DATA,
  };
  const { webhook_id: webhook } = await rest.post("/mobile_app/registrations", body, registered);
  return { webhook, user: user.id, name, about: JSON.stringify(told), hidden: [], controls: {} };
}

interface Refresh {
  readonly collar: Collar;
  readonly version: string;
  readonly kept: Registration;
  readonly session: Session;
}

/**
 * Tells what has changed of the pet, if anything has. All ids stay.
 * @returns what has changed of the registration
 * @throws CallRefused, RecoverableError
 */
export async function refreshAbout({ collar, version, kept, session }: Refresh): Promise<Partial<Registration>> {
  const { ha, user } = session;
  const about = aboutOf(collar, version);
  const text = JSON.stringify(about);
  if (text === kept.about) return {};
  await tellWebhook(ha, kept.webhook, "update_registration", { ...about, app_data: APP_DATA });
  if (user.isAdmin && about.device_name !== kept.name) await renameParts(collar.key, kept, about.device_name, session);
  return { about: text, name: about.device_name };
}

/**
 * Home Assistant keeps the old name as a part of each sensor's: it would show both. A name or a title of the user's own
 * stays.
 */
async function renameParts(
  device: string,
  kept: Registration,
  newName: string,
  { ha, entries }: Session,
): Promise<void> {
  const { webhook, entry: entryId = "", name: oldName } = kept;
  if (entries.get(entryId)?.title === oldName)
    await ha.call({ type: "config_entries/update", entry_id: entryId, title: newName }, z.unknown());
  const own = (await listEntities(ha)).filter(({ config_entry_id }) => config_entry_id === entryId);
  for (const { entity_id, unique_id, name } of own) {
    const sensor = sensorName(device, String(unique_id).slice(webhook.length + 1));
    if (sensor === undefined || typeof name === "string") continue;
    await ha.call({ type: "config/entity_registry/update", entity_id, name: sensor }, z.unknown());
  }
}
