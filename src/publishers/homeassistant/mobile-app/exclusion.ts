/**
 * What the user has excluded since it was registered. A mobile app cannot take a sensor away; it can disable it, which
 * looks the same. What was disabled so is remembered, since the user may disable sensors as well.
 */
import type { HomeAssistant } from "../connection.ts";
import type { Sensor } from "./sensors.ts";
import { type Registered, tellWebhook } from "./webhook.ts";

interface Exclusion {
  readonly ha: HomeAssistant;
  readonly webhook: string;
  readonly registered: Registered;
  readonly sensors: readonly Sensor[];
  /** Keys of the sensors that were disabled here before. */
  readonly hidden: readonly string[];
}

/** Answers the keys of the sensors that are disabled so now. @throws RecoverableError when the connection is lost */
export async function applyExclusion({ ha, webhook, registered, sensors, hidden }: Exclusion): Promise<string[]> {
  const now: string[] = [];
  for (const sensor of sensors) {
    const { key, state, isExcluded } = sensor;
    const isDisabled = registered.sensors.get(state.unique_id);
    const wasHidden = hidden.includes(key);
    if (isExcluded && wasHidden && isDisabled === true) now.push(key);
    else if (isExcluded && isDisabled === false) {
      await setDisabled(sensor, true);
      now.push(key);
    } else if (!isExcluded && wasHidden && isDisabled === true) await setDisabled(sensor, false);
  }
  return now;

  /** Neither its class nor its unit is said again: that would count as the user's own choice. */
  async function setDisabled({ state, description: { name } }: Sensor, disabled: boolean): Promise<void> {
    await tellWebhook(ha, webhook, "register_sensor", { ...state, name, disabled });
  }
}
