import type { HomeAssistant } from "./home-assistant.ts";
import type { EntityState } from "./home-assistant-states.ts";

interface StateChanged {
  readonly data: { readonly entity_id: string; readonly new_state: EntityState | null };
}

/** Every state that the state machine took on since this began; a restart of Home Assistant ends it. */
export class StateHistory {
  readonly #home: HomeAssistant;
  readonly #all: EntityState[] = [];

  constructor(home: HomeAssistant) {
    this.#home = home;
  }

  static async begin(home: HomeAssistant): Promise<StateHistory> {
    const history = new StateHistory(home);
    await home.api.subscribeEvents<StateChanged>("state_changed", ({ data }) => {
      if (data.new_state) history.#all.push(data.new_state);
    });
    return history;
  }

  /** A place in the history: now. */
  async mark(): Promise<number> {
    await this.#catchUp();
    return this.#all.length;
  }

  /** Of this entity since `from` (an earlier mark), without repetitions. */
  async of(entityId: string, from = 0): Promise<string[]> {
    await this.#catchUp();
    const states = this.#all.slice(from).filter(({ entity_id }) => entity_id === entityId);
    return states.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
  }

  /** The ids of all entities that were in this state since `from`. */
  async idsIn(state: string, from = 0): Promise<string[]> {
    await this.#catchUp();
    return this.#all.slice(from).flatMap((one) => (one.state === state ? [one.entity_id] : []));
  }

  /** Home Assistant answers behind the events that it has had to tell so far. */
  async #catchUp(): Promise<void> {
    await this.#home.api.call({ type: "get_config" });
  }
}
