/** What happened, as the live API says it. */
import { timestamp } from "../../../entities/entity.ts";
import { deviceName } from "../../../entities/name.ts";
import type { Activity } from "../../../model/activity.ts";
import type { State } from "../../../model/device.ts";
import type { ApiEvent } from "./schema.ts";

export function eventOf({ sequence, device, type, at, details }: Activity, state: State): ApiEvent {
  const entry = state.get(device);
  const name = entry?.kind === "collar" ? deviceName(entry) : null;
  return { ...details, sequence, device, name, type, at: timestamp(at) };
}
