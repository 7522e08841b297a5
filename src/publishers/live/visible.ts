/** What somebody sees who may see some devices only: nothing of any other, also not where one device tells of another. */
import type { View } from "../../entities/entity.ts";
import type { Entry, State } from "../../model/device.ts";
import { bridgeOf } from "./api/bridge.ts";
import type { ApiBridge } from "./api/schema.ts";
import { maySee, type Principal } from "./principal.ts";

/** A home station tells the names of the pets that it hears: here of those alone that may be seen. */
export function visibleView(view: View, principal: Principal): View {
  if (principal.devices === undefined) return view;
  const isHidden = ({ kind, key }: Entry): boolean =>
    (kind === "collar" || kind === "homeStation") && !maySee(principal, key);
  return { ...view, state: new Map([...view.state].filter(([, entry]) => !isHidden(entry))) };
}

/** Without the accounts that have none of the devices: their names, and what is wrong with them, are others' business. */
export function visibleBridge(state: State, principal: Principal): ApiBridge {
  const bridge = bridgeOf(state);
  if (principal.devices === undefined) return bridge;
  const sources = new Set([...state.values()].flatMap((entry) => sourcesOf(entry, principal)));
  const components = bridge.components.filter(({ role, name }) => role === "publisher" || sources.has(name));
  return { ...bridge, last_error: null, components };
}

function sourcesOf(entry: Entry, principal: Principal): string[] {
  switch (entry.kind) {
    case "bridge":
      return [];
    case "account":
      return entry.deviceKey !== undefined && maySee(principal, entry.deviceKey) ? [entry.source] : [];
    case "collar":
    case "homeStation":
      return maySee(principal, entry.key) ? Object.keys(entry.accounts) : [];
  }
}
