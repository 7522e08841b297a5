/**
 * A collar's controls as template helpers: each shows what one of our sensors shows, and fires an event when somebody
 * uses it. Pure. https://www.home-assistant.io/integrations/template/
 */
import { isExcluded } from "../../../discovery/config.ts";
import { COLLAR_ENTITIES } from "../../../entities/collar.ts";
import type { Entity, View } from "../../../entities/entity.ts";
import { deviceName, slug } from "../../../entities/name.ts";
import type { Collar } from "../../../model/device.ts";
import { OFFERED_MODES } from "../../../model/mode.ts";
import { COMMAND_EVENT } from "./orders.ts";

export interface Control {
  /** The row's key. */
  readonly key: string;
  readonly platform: "select" | "switch" | "button";
  /** What Home Assistant makes the entity's id from, together with the pet's name. */
  readonly word: string;
  /** The entity's name beside the pet's. */
  readonly name: string;
  /** The helper's name in the list of helpers. */
  readonly title: string;
  readonly icon: string | undefined;
  /** The keys of the sensors that it may follow, the best first. */
  readonly follows: readonly string[];
}

/** All controls of a collar that there is to be a helper for. */
export function controlsOf(collar: Collar, view: View, exclude: readonly string[]): Control[] {
  return COLLAR_ENTITIES.flatMap((row): Control[] => {
    const { key, platform, icon } = row;
    if (platform !== "select" && platform !== "switch" && platform !== "button") return [];
    if (row.request === undefined || !row.known(collar, view) || isExcluded(collar, key, exclude)) return [];
    const name = row.name ?? key;
    const pet = deviceName(collar);
    const follows = platform === "button" ? ["mode", "light"] : [key];
    return [{ key, platform, icon, name, word: wordOf(row, collar), title: `${pet} ${name}`, follows }];
  });
}

/** The same ids as on the other route: where nothing of the pet's name can be written in one, its key stands in. */
function wordOf({ key }: Entity<Collar>, collar: Collar): string {
  const word = key.replaceAll("_", " ");
  return slug(deviceName(collar)) === "" ? `${collar.key} ${word}` : word;
}

/**
 * What the form for the helper is answered with, but for its name.
 * @param deviceId of the pet, in Home Assistant's registry
 * @param follows the entity id of the sensor that it follows; undefined where there is none
 */
export function bodyOf(
  { key, platform }: Control,
  device: string,
  deviceId: string,
  follows: string | undefined,
): object {
  const fire = (value: string): object[] => [{ event: COMMAND_EVENT, event_data: { device, command: key, value } }];
  const availability = follows === undefined ? {} : { availability: `{{ has_value('${follows}') }}` };
  const common = { device_id: deviceId, additional_options: availability };
  switch (platform) {
    case "select": {
      const offered = OFFERED_MODES.map(({ name }) => `'${name}'`).join(", ");
      const state = `states('${follows ?? ""}')`;
      // A mode that is shown without being offered has to be among the options.
      const options = `{{ ([${offered}] + [${state}]) | unique | list }}`;
      return { ...common, state: `{{ ${state} }}`, options, select_option: fire("{{ option }}") };
    }
    case "switch":
      return {
        ...common,
        value_template: `{{ is_state('${follows ?? ""}', 'on') }}`,
        turn_on: fire("on"),
        turn_off: fire("off"),
      };
    case "button":
      return { ...common, press: fire("press") };
  }
}
