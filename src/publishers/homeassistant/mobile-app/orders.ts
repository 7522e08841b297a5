/**
 * What users ask of a pet here: as a message to it (`notify.send_message`), with `data` (`notify.mobile_app_…`), or with
 * a template helper, which fires an event. What is no command is answered where users look, and changes nothing.
 */

import type { View } from "../../../entities/entity.ts";
import { deviceName } from "../../../entities/name.ts";
import type { Logger } from "../../../lib/log.ts";
import { z } from "../../../lib/schema.ts";
import type { Collar } from "../../../model/device.ts";
import type { Feed } from "../../publisher.ts";
import { CallRefused, type HomeAssistant } from "../connection.ts";
import { readOrder, understoodBy } from "./order-text.ts";

interface OrderContext {
  readonly ha: HomeAssistant;
  readonly feed: Feed;
  readonly view: View;
  readonly log: Logger;
  /** Ends the run: the connection was lost. */
  readonly fail: (error: unknown) => void;
}

export interface Orders {
  /** Hears what is sent to a pet from now on. @throws CallRefused, RecoverableError */
  listen(device: string, webhook: string, isCurrent: () => boolean): Promise<void>;
  /** Hears what template helpers, and automations that fire the same event, ask for. Administrators only. @throws as `listen` */
  listenToEvents(): Promise<void>;
}

/** The event that template helpers fire: `device`, `command`, `value`. */
export const COMMAND_EVENT = "pawline_command";

const word = z.union([z.string(), z.number(), z.boolean()]).nullish();
const notification = z.looseObject({
  message: z.string().nullish(),
  data: z.looseObject({ command: word, value: word }).nullish().catch(undefined),
  hass_confirm_id: z.string().nullish(),
});
const commandEvent = z.looseObject({ data: z.looseObject({ device: z.string(), command: z.string(), value: word }) });

type Notification = z.output<typeof notification>;

export function createOrders({ ha, feed, view, log, fail }: OrderContext): Orders {
  /** A service that cannot be called is no reason to end; a lost connection is. */
  function inBackground(call: Promise<unknown>): void {
    call.catch((error: unknown) => {
      if (!(error instanceof CallRefused)) fail(error);
      else log.debug(`Home Assistant refused a call (${error.code})`);
    });
  }

  function refuse(collar: Collar, text: string): void {
    const name = deviceName(collar);
    const [what, known] = [JSON.stringify(text.slice(0, 60)), understoodBy(collar, view)];
    log.warn(`a command was refused: ${what} is no command for ${name}, who understands: ${known}`);
    const message = `${asCode(what)} is no command for ${asCode(name)}, who understands: ${known}.`;
    const shown = { notification_id: notificationId(collar), title: "Pawline", message };
    inBackground(ha.callService("persistent_notification", "create", shown));
  }

  function obey(device: string, text: string): void {
    const collar = feed.state.get(device);
    if (collar?.kind !== "collar") {
      log.warn(`a command was refused: there is no pet ${JSON.stringify(device.slice(0, 60))}`);
      return;
    }
    const order = readOrder(text, collar, view);
    if (order === undefined) {
      refuse(collar, text);
      return;
    }
    // The last refusal has been answered by this.
    inBackground(ha.callService("persistent_notification", "dismiss", { notification_id: notificationId(collar) }));
    if (order.of === "collar") feed.request(device, order.request);
    else feed.bridge[order.word]();
  }

  function confirm(webhook: string, id: string): void {
    const message = { type: "mobile_app/push_notification_confirm", webhook_id: webhook, confirm_id: id };
    inBackground(ha.call(message, z.unknown()));
  }

  return {
    async listen(device, webhook, isCurrent) {
      const command = { type: "mobile_app/push_notification_channel", webhook_id: webhook, support_confirm: true };
      await ha.subscribe(command, notification, (event) => {
        if (typeof event.hass_confirm_id === "string") confirm(webhook, event.hass_confirm_id);
        if (isCurrent()) obey(device, textOf(event));
      });
    },
    async listenToEvents() {
      const command = { type: "subscribe_events", event_type: COMMAND_EVENT };
      await ha.subscribe(command, commandEvent, ({ data }) => {
        obey(data.device, `${data.command} ${data.value ?? ""}`);
      });
    },
  };
}

/** What `data` says counts; a command may also stand there alone, as in a message. */
function textOf({ message, data }: Notification): string {
  const { command, value } = data ?? {};
  return typeof command === "string" ? `${command} ${value ?? ""}` : (message ?? "");
}

function notificationId({ key }: Collar): string {
  return `pawline_${key}`;
}

/** Notifications are Markdown. */
function asCode(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}
