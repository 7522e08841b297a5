/** How Pawline itself is, as the live API says it. */
import { timestamp } from "../../../entities/entity.ts";
import type { Component, State } from "../../../model/device.ts";
import { type ApiBridge, SCHEMA_VERSION } from "./schema.ts";

export function bridgeOf(state: State): ApiBridge {
  const bridge = state.get("bridge");
  if (bridge?.kind !== "bridge") throw new TypeError("the bridge is always there");
  return {
    version: bridge.version,
    schema: SCHEMA_VERSION,
    started: timestamp(bridge.startedAt),
    healthy: bridge.components.every(({ state: condition }) => condition === "running"),
    last_error: bridge.lastError ?? null,
    components: bridge.components.map(componentOf),
  };
}

function componentOf({ role, name, state, sinceAt, error, details = {} }: Component): ApiBridge["components"][number] {
  return { role, name, state, since: timestamp(sinceAt), error: error ?? null, details };
}
