/** What a person writes to a pet, such as `mode fast` or `light: on`, as what is asked for. Pure. */

import { isBridgeRequest } from "../../../discovery/orders.ts";
import { COLLAR_ENTITIES } from "../../../entities/collar.ts";
import { type Entity, isPress, type View } from "../../../entities/entity.ts";
import type { Request } from "../../../model/command.ts";
import type { Collar } from "../../../model/device.ts";

/** What can be asked of the program itself, in a word. */
const PROGRAM_WORDS = ["republish", "refresh", "restart"] as const;

export type Order =
  | { readonly of: "collar"; readonly request: Request }
  | { readonly of: "program"; readonly word: (typeof PROGRAM_WORDS)[number] };

/** A text that is longer is no command. */
const LONGEST = 200;

/** Undefined for a text that is no command of this collar. Case, spaces, `:` and `=` make no difference. */
export function readOrder(text: string, collar: Collar, view: View): Order | undefined {
  if (text.length > LONGEST) return undefined;
  const words = text
    .toLowerCase()
    .split(/[\s:=]+/)
    .filter((word) => word !== "");
  const word = PROGRAM_WORDS.find((one) => one === words[0]);
  if (word !== undefined && words.length === 1) return { of: "program", word };
  const orders = controlsOf(collar, view).flatMap((row) => {
    return ways(row).flatMap((way) =>
      startsWith(words, way) ? (requestOf(row, words.slice(way.length), collar) ?? []) : [],
    );
  });
  return orders[0] && { of: "collar", request: orders[0] };
}

/** What this collar understands, for a person who wrote something else. */
export function understoodBy(collar: Collar, view: View): string {
  const commands = controlsOf(collar, view).map((row) => {
    const word = row.key.replaceAll("_", " ");
    if (row.platform === "button") return word;
    return row.options ? `${word} ${offered(row, collar).join("/")}` : `${word} on/off`;
  });
  return [...commands, ...PROGRAM_WORDS].join(", ");
}

function controlsOf(collar: Collar, view: View): Entity<Collar>[] {
  return COLLAR_ENTITIES.filter((row) => row.request !== undefined && row.known(collar, view));
}

/** Not each mode that is shown may be chosen. */
function offered(row: Entity<Collar>, collar: Collar): readonly string[] {
  return (row.options?.(collar) ?? []).filter((option) => row.request?.(option, collar) !== undefined);
}

/** By its key or its name: `power_off`, `power off`, `live tracking`. */
function ways({ key, name }: Entity<Collar>): string[][] {
  return [[key], key.split("_"), (name ?? key).toLowerCase().split(" ")];
}

function startsWith(words: readonly string[], way: readonly string[]): boolean {
  return way.every((word, index) => words[index] === word);
}

function requestOf(row: Entity<Collar>, rest: readonly string[], collar: Collar): Request | undefined {
  // YAML takes a bare `on` for true.
  const said = rest.map((word) => (word === "true" ? "on" : word === "false" ? "off" : word)).join("");
  const isPressed = row.platform === "button" && (said === "" || isPress(said));
  const request = row.request?.(isPressed ? "PRESS" : said, collar);
  return request === undefined || isBridgeRequest(request) ? undefined : request;
}
