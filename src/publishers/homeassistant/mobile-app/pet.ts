/**
 * One pet in Home Assistant, as long as its registration answers: sends where it is and what its sensors show, the
 * position first, and nothing twice. One message after the other, always the latest: no queue can grow.
 */

import { isExcluded } from "../../../discovery/config.ts";
import type { View } from "../../../entities/entity.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";
import type { HomeAssistant } from "../connection.ts";
import { locationOf } from "./location.ts";
import { type Sensor, sensorsOf, unavailableSensors } from "./sensors.ts";
import { askWebhook, type Registered, tellWebhook } from "./webhook.ts";

interface PetContext {
  readonly ha: HomeAssistant;
  readonly view: View;
  readonly exclude: readonly string[];
  /** The pet's key in the state. */
  readonly device: string;
  readonly webhook: string;
  readonly registered: Registered;
}

export interface Pet {
  readonly webhook: string;
  /** The id of its device in Home Assistant's registry. */
  readonly deviceId: string;
  /** False when its webhook has fallen silent, or it was told to be. */
  readonly isLive: boolean;
  /** Sends what is new; resolves when Home Assistant has it. @throws RecoverableError when the connection is lost */
  touch(): Promise<void>;
  /** Says that what its sensors show is not known any more. @throws as `touch` */
  retire(): Promise<void>;
  /** Tells an event of its own. False where nobody listens. @throws as `touch` */
  fire(type: string, data: object): Promise<boolean>;
  silence(): void;
}

const updated = z.record(
  z.string(),
  z.looseObject({
    success: z.boolean(),
    is_disabled: z.boolean().optional(),
    error: z.looseObject({ code: z.string() }).optional(),
  }),
);
const registeredAnswer = z.looseObject({ success: z.literal(true) });

export function createPet(context: PetContext): Pet {
  const { ha, view, exclude, device, webhook } = context;
  let sensors = new Map(context.registered.sensors);
  /** What Home Assistant has been told last, by the ids of sensors; the position by its type. */
  const sent = new Map<string, string>();
  let isLive = true;
  let isDirty = false;
  let isSending = false;
  let working = Promise.resolve();

  async function tell(type: string, data: unknown): Promise<unknown> {
    const answer = isLive ? await tellWebhook(ha, webhook, type, data) : undefined;
    if (answer === undefined) isLive = false;
    return answer;
  }

  async function sendLocation(collar: Collar): Promise<void> {
    const location = isExcluded(collar, "tracker", exclude) ? undefined : locationOf(collar, view);
    const text = JSON.stringify(location);
    if (location === undefined || sent.get("location") === text) return;
    sent.set("location", text);
    await tell("update_location", location);
  }

  /** Such an id was never registered, or the user has deleted the entity. */
  async function register({ state, description }: Sensor): Promise<void> {
    sent.set(state.unique_id, JSON.stringify(state));
    const answer = registeredAnswer.safeParse(await tell("register_sensor", description));
    // One that was refused is left alone: each attempt would be another error in Home Assistant's log.
    if (isLive) sensors.set(state.unique_id, !answer.success || description.disabled === true);
  }

  async function update(news: readonly Sensor[]): Promise<void> {
    for (const { state } of news) sent.set(state.unique_id, JSON.stringify(state));
    const answer = await tell(
      "update_sensor_states",
      news.map(({ state }) => state),
    );
    const results = updated.safeParse(answer).data ?? {};
    const lost = news.filter(({ state }) => results[state.unique_id]?.error?.code === "not_registered");
    for (const [id, { is_disabled }] of Object.entries(results)) if (is_disabled) sensors.set(id, true);
    if (lost.length > 0) await registerAgain(lost);
  }

  async function registerAgain(lost: readonly Sensor[]): Promise<void> {
    // Home Assistant may have been about to set them up: a second one of the same id would be an error in its log.
    const registered = await askWebhook(ha, webhook);
    if (registered) sensors = new Map(registered.sensors);
    for (const sensor of lost) {
      const { unique_id } = sensor.state;
      if (sensors.has(unique_id)) sent.delete(unique_id);
      else await register(sensor);
    }
  }

  async function sendSensors(all: readonly Sensor[]): Promise<void> {
    for (const sensor of all) {
      if (sensor.isKnown && !sensors.has(sensor.state.unique_id)) await register(sensor);
    }
    const news = all.filter(({ state }) => {
      return sensors.get(state.unique_id) === false && sent.get(state.unique_id) !== JSON.stringify(state);
    });
    if (news.length > 0) await update(news);
  }

  async function send(): Promise<void> {
    isSending = true;
    try {
      while (isDirty && isLive) {
        isDirty = false;
        const collar = view.state.get(device);
        if (collar?.kind !== "collar") continue;
        await sendLocation(collar);
        await sendSensors(sensorsOf(collar, view, exclude).filter(({ isExcluded: isUnwanted }) => !isUnwanted));
      }
    } finally {
      isSending = false;
    }
  }

  return {
    webhook,
    deviceId: context.registered.deviceId,
    get isLive() {
      return isLive;
    },
    touch() {
      isDirty = true;
      if (!isSending) working = send();
      return working;
    },
    async retire() {
      const enabled = new Set([...sensors].flatMap(([id, isDisabled]) => (isDisabled ? [] : [id])));
      const states = unavailableSensors(device).filter(({ unique_id }) => enabled.has(unique_id));
      if (states.length > 0) await tell("update_sensor_states", states);
    },
    async fire(type, data) {
      return (await tell("fire_event", { event_type: type, event_data: data })) !== undefined;
    },
    silence() {
      isLive = false;
    },
  };
}
