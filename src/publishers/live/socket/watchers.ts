/** Who wants to hear of what: found without asking everybody. */
import type { Subscription } from "./subscription.ts";
import type { Topic } from "./topic.ts";

export class Watchers {
  readonly #ofBridge = new Set<Subscription>();
  readonly #ofEvents = new Set<Subscription>();
  /** Those that can want any device. */
  readonly #broad = new Set<Subscription>();
  /** The others, by the ids of theirs. */
  readonly #narrow = new Map<string, Set<Subscription>>();
  readonly #wanted = { device: 0, position: 0 };

  add(subscription: Subscription): void {
    const { interest, sieve } = subscription;
    this.#count(subscription, 1);
    if (interest.bridge) this.#ofBridge.add(subscription);
    if (interest.events.size > 0) this.#ofEvents.add(subscription);
    if (sieve.only === undefined) this.#broad.add(subscription);
    for (const id of sieve.only ?? []) {
      const watchers = this.#narrow.get(id) ?? new Set();
      this.#narrow.set(id, watchers.add(subscription));
    }
  }

  remove(subscription: Subscription): void {
    this.#count(subscription, -1);
    for (const watchers of [this.#ofBridge, this.#ofEvents, this.#broad]) watchers.delete(subscription);
    for (const id of subscription.sieve.only ?? []) {
      const watchers = this.#narrow.get(id);
      watchers?.delete(subscription);
      if (watchers?.size === 0) this.#narrow.delete(id);
    }
  }

  /** Whether anybody wants topics of this kind: if not, nobody has to write them. */
  anyOf(kind: Topic["kind"]): boolean {
    if (kind === "bridge") return this.#ofBridge.size > 0;
    return kind === "event" ? this.#ofEvents.size > 0 : this.#wanted[kind] > 0;
  }

  of(topic: Topic): Subscription[] {
    if (topic.record === undefined) return [...this.#ofBridge];
    const able = [...(this.#narrow.get(topic.record.id) ?? []), ...this.#broad];
    return able.filter((subscription) => subscription.wants(topic));
  }

  ofEvents(): readonly Subscription[] {
    return [...this.#ofEvents];
  }

  #count({ interest: { devices, positions } }: Subscription, by: 1 | -1): void {
    if (devices) this.#wanted.device += by;
    if (positions === "all" || positions.size > 0) this.#wanted.position += by;
  }
}
