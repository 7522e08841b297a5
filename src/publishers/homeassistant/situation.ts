/** What a Home Assistant is and allows, looked up before anything is tried: a refused call is an error in its log. */
import { sleep } from "../../lib/clock.ts";
import { z } from "../../lib/schema.ts";
import type { HomeAssistant } from "./connection.ts";
import type { Rest } from "./rest.ts";
import { mqttStateOf, type Situation } from "./route.ts";

const currentUser = z.looseObject({ id: z.string(), name: z.string().nullish(), is_admin: z.boolean() });
const coreConfig = z.looseObject({ state: z.string(), components: z.array(z.string()) });
const configEntry = z.looseObject({
  entry_id: z.string(),
  domain: z.string(),
  title: z.string(),
  state: z.string(),
  disabled_by: z.string().nullish(),
});
const entryChanges = z.array(
  z.looseObject({ type: z.enum(["added", "removed", "updated"]).nullish(), entry: configEntry }),
);

/** The user whom the token belongs to. */
export interface User {
  readonly id: string;
  readonly isAdmin: boolean;
}

/** An integration as it is set up. */
export interface ConfigEntry {
  readonly id: string;
  readonly domain: string;
  readonly title: string;
  /** `loaded`, `setup_in_progress`, `setup_retry`, `setup_error`, `not_loaded`, … */
  readonly state: string;
  readonly isDisabled: boolean;
}

/** All integrations, by the id of their entry; the map lives as long as the connection. */
export type ConfigEntries = ReadonlyMap<string, ConfigEntry>;

/** One connection with all that was looked up on it. */
export interface Session {
  readonly ha: HomeAssistant;
  readonly rest: Rest;
  readonly user: User;
  /** Names of what was loaded when the session began. */
  readonly components: ReadonlySet<string>;
  readonly entries: ConfigEntries;
  /** Calls the listener after each change of `entries`, as long as the connection lasts. */
  readonly onEntriesChanged: (listener: () => void) => void;
}

/** What decides about the route, as it is now. */
export function situationOf({ user, components, entries }: Session): Situation {
  return { isAdmin: user.isAdmin, hasMobileApp: components.has("mobile_app"), mqtt: mqttStateOf(entries) };
}

const LOOK_EVERY_MS = 2_000;

export async function whoAmI(ha: HomeAssistant): Promise<User> {
  const { id, is_admin: isAdmin } = await ha.call({ type: "auth/current_user" }, currentUser);
  return { id, isAdmin };
}

/** Names of what is loaded; undefined while Home Assistant starts or stops. */
export async function componentsOf(ha: HomeAssistant): Promise<ReadonlySet<string> | undefined> {
  const { state, components } = await ha.call({ type: "get_config" }, coreConfig);
  return state === "RUNNING" ? new Set(components) : undefined;
}

/** Resolves when Home Assistant runs, with what it has loaded; undefined when the signal was aborted before. */
export async function whenRunning(ha: HomeAssistant, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  for (;;) {
    const components = await componentsOf(ha);
    if (components !== undefined || signal.aborted) return components;
    await sleep(LOOK_EVERY_MS, signal);
  }
}

/** Follows the integrations; any user may. @param onChange called after each change, not for the first reading */
export async function followEntries(ha: HomeAssistant, onChange: () => void): Promise<ConfigEntries> {
  const entries = new Map<string, ConfigEntry>();
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  await ha.subscribe({ type: "config_entries/subscribe" }, entryChanges, (changes) => {
    for (const { type, entry } of changes) {
      const { entry_id: id, domain, title, state, disabled_by } = entry;
      if (type === "removed") entries.delete(id);
      else entries.set(id, { id, domain, title, state, isDisabled: typeof disabled_by === "string" });
    }
    resolve();
    if (changes.some(({ type }) => type)) onChange();
  });
  await Promise.race([complete, ha.lost]);
  return entries;
}
