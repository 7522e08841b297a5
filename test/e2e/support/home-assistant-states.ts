import type { HomeAssistantApi } from "./home-assistant-api.ts";
import { within } from "./waiting.ts";

export interface EntityState {
  readonly entity_id: string;
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly last_changed: string;
  readonly last_updated: string;
}

interface StateChanged {
  readonly data: { readonly entity_id: string; readonly new_state: EntityState | null };
}

/** A copy of the state machine that follows it from event to event, over restarts of Home Assistant too. */
export class LiveStates {
  readonly #states = new Map<string, EntityState>();
  readonly #onChange = new Set<() => void>();

  /** Listens first and reads then, so that nothing is missed between the two. */
  async follow(api: HomeAssistantApi): Promise<void> {
    await api.subscribeEvents<StateChanged>("state_changed", ({ data }) => this.#apply(data));
    const all = await api.call<EntityState[]>({ type: "get_states" });
    this.#states.clear();
    for (const state of all) this.#states.set(state.entity_id, state);
    this.#tell();
  }

  /** The first state, of now or later, that `accepts`; undefined stands for an entity that has none. */
  async wait<T>(entityId: string, ms: number, accepts: (state: EntityState | undefined) => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      try {
        const found = accepts(this.#states.get(entityId));
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    this.#onChange.add(look);
    look();
    try {
      return await within(ms, promise, () => this.#lastSeen(entityId));
    } finally {
      this.#onChange.delete(look);
    }
  }

  #lastSeen(entityId: string): string {
    const state = this.#states.get(entityId);
    if (state) return `${entityId} is not as expected, but ${state.state} ${JSON.stringify(state.attributes)}`;
    const [domain] = entityId.split(".");
    const others = [...this.#states.keys()].filter((id) => id.startsWith(`${domain}.`));
    return `${entityId} has no state; of its kind there are: ${others.join(", ") || "none"}`;
  }

  #apply({ entity_id, new_state }: StateChanged["data"]): void {
    if (new_state) this.#states.set(entity_id, new_state);
    else this.#states.delete(entity_id);
    this.#tell();
  }

  #tell(): void {
    for (const look of this.#onChange) look();
  }
}
