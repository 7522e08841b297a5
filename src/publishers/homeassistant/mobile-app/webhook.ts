/**
 * A registration's webhook, over the WebSocket API. Home Assistant answers a payload that its schema refuses like one
 * that it took, and complains in its own log: so everything is checked here, before it is sent.
 */
import { RecoverableError } from "../../../lib/errors.ts";
import { z } from "../../../lib/schema.ts";
import { CallRefused, type HomeAssistant } from "../connection.ts";

const handled = z.looseObject({ status: z.number(), body: z.string().nullish() });

/** Half characters would make the text no JSON for Home Assistant. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/**
 * Resolves to the answer, or to undefined where nobody listens: while Home Assistant starts, while the user has
 * disabled the entry, and after it was removed.
 * @throws RecoverableError when the connection is lost, or the answer is no JSON
 */
export async function tellWebhook(ha: HomeAssistant, webhook: string, type: string, data: unknown): Promise<unknown> {
  const message = {
    type: "webhook/handle",
    webhook_id: webhook,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type, data }, wellFormed),
  };
  const { body } = await ha.call(message, handled).catch((error: unknown) => {
    // The code alone: the text might repeat the webhook's id.
    if (error instanceof CallRefused) throw new RecoverableError(`Home Assistant refused a webhook (${error.code})`);
    throw error;
  });
  if (typeof body !== "string" || body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new RecoverableError("Home Assistant's answer to a webhook is no JSON", { cause });
  }
}

const configuration = z.looseObject({
  hass_device_id: z.string(),
  entities: z.record(z.string(), z.looseObject({ disabled: z.boolean() })),
});

/** What Home Assistant has of a registration. */
export interface Registered {
  /** The id of the device in Home Assistant's registry. */
  readonly deviceId: string;
  /** By the ids that sensors were registered with: whether each is disabled. */
  readonly sensors: ReadonlyMap<string, boolean>;
}

/** Undefined where nobody listens. @throws as `tellWebhook` */
export async function askWebhook(ha: HomeAssistant, webhook: string): Promise<Registered | undefined> {
  const { data } = configuration.safeParse(await tellWebhook(ha, webhook, "get_config", {}));
  if (data === undefined) return undefined;
  const sensors = new Map(Object.entries(data.entities).map(([id, { disabled }]) => [id, disabled]));
  return { deviceId: data.hass_device_id, sensors };
}
