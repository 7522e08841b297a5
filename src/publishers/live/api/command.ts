/** The commands of the live API, read by the same rows that read those of MQTT. */
import { isBridgeRequest } from "../../../discovery/orders.ts";
import { COLLAR_CONTROLS } from "../../../entities/collar-controls.ts";
import type { View } from "../../../entities/entity.ts";
import type { Request } from "../../../model/command.ts";
import type { Collar, Entry } from "../../../model/device.ts";
import { type ApiDevice, COMMANDS, type CommandBody } from "./schema.ts";

/** What this collar takes now, in the order of its controls. */
export function commandsOf(collar: Collar, view: View): ApiDevice["commands"] {
  return COLLAR_CONTROLS.filter(({ known }) => known(collar, view)).flatMap(({ key, platform, options, request }) => {
    const command = COMMANDS.find((name) => name === key);
    if (command === undefined || request === undefined) return [];
    // What a select shows may be more than what it takes.
    const names = options?.(collar).filter((name) => request(name, collar) !== undefined);
    const values = platform === "switch" ? [true, false] : names;
    return [{ command, ...(values && { values }) }];
  });
}

/**
 * What the command asks for.
 * @returns a sentence where this device does not take it
 */
export function requestOf({ command, value }: CommandBody, entry: Entry, view: View): Request | string {
  if (entry.kind !== "collar") return "Only a collar takes commands: send it to a device of the kind collar.";
  const offered = commandsOf(entry, view).find((one) => one.command === command);
  if (offered === undefined) return `This collar does not take ${command}: see "commands" of the device.`;
  const request = rowRequest(entry, command, payloadOf(value));
  if (request !== undefined) return request;
  const { values } = offered;
  if (values === undefined) return `The command ${command} takes no value: leave "value" out.`;
  const names = values.map((one) => JSON.stringify(one));
  return `The value of ${command} must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}.`;
}

/** As it would stand in a message on the control's topic. */
function payloadOf(value: CommandBody["value"]): string {
  if (typeof value === "boolean") return value ? "ON" : "OFF";
  return value ?? "PRESS";
}

function rowRequest(collar: Collar, command: string, payload: string): Request | undefined {
  const request = COLLAR_CONTROLS.find(({ key }) => key === command)?.request?.(payload, collar);
  return request === undefined || isBridgeRequest(request) ? undefined : request;
}
