/**
 * What is known, as the texts that clients get: a topic for each device, each position, and for Pawline itself. Texts
 * are made from the state when somebody wants them, and compared: what says nothing new is told to nobody.
 */
import { deviceKey } from "../../../discovery/messages.ts";
import { withChildren } from "../../../discovery/relations.ts";
import type { View } from "../../../entities/entity.ts";
import type { Bridge, Entry } from "../../../model/device.ts";
import { bridgeOf } from "../api/bridge.ts";
import { deviceOf, positionOfEntry } from "../api/device.ts";
import type { Principal } from "../principal.ts";
import { visibleBridge, visibleView } from "../visible.ts";
import { type DeviceRecord, frameOf, Topic } from "./topic.ts";

/** The topics of a device. */
interface Card {
  readonly record: DeviceRecord;
  readonly device: Topic;
  /** An account has no place. */
  readonly position: Topic | undefined;
}

export class Board {
  readonly bridge = new Topic("bridge", "bridge");
  readonly #view: View;
  /** By key in the state. */
  readonly #cards = new Map<string, Card>();
  /** By the device's id. */
  readonly #byId = new Map<string, Card>();

  /** The ids of the accounts, by their names in the configuration. */
  readonly #accounts = new Map<string, string>();

  constructor(view: View) {
    this.#view = view;
    this.take(new Set(view.state.keys()));
  }

  /** @param only the ids of some devices; all of them without it */
  topics(only?: ReadonlySet<string>): Topic[] {
    const cards = only === undefined ? [...this.#cards.values()] : [...only].flatMap((id) => this.card(id) ?? []);
    return cards.flatMap(topicsOf);
  }

  /** The id of the account that has this name in the configuration. */
  accountId(source: string): string | undefined {
    return this.#accounts.get(source);
  }

  card(id: string): Card | undefined {
    return this.#byId.get(id);
  }

  /**
   * Hears that these keys have changed. Each topic that may have another value now is stale until it is looked at.
   * @returns those topics; a device that is gone has its last value already
   */
  take(changed: ReadonlySet<string>): Topic[] {
    const topics: Topic[] = [];
    if (changed.has("bridge")) topics.push(stale(this.bridge));
    for (const key of this.#related(changed)) topics.push(...this.#takeKey(key));
    return topics;
  }

  /** Takes the value from the state, if that has moved on. @returns whether it is another one */
  look(topic: Topic): boolean {
    return topic.isStale && topic.set(this.#valueOf(topic, this.#view));
  }

  /** The value as this client may see it. */
  dataFor(topic: Topic, principal: Principal): string {
    if (principal.devices === undefined || topic.last !== undefined || !tellsOfOthers(topic)) return topic.data;
    if (topic.kind === "bridge") return JSON.stringify(visibleBridge(this.#view.state, principal));
    return this.#valueOf(topic, visibleView(this.#view, principal));
  }

  frameFor(topic: Topic, principal: Principal, subscription: number): Buffer {
    const data = this.dataFor(topic, principal);
    return data === topic.data ? topic.frame(subscription) : frameOf(topic.name, data, subscription);
  }

  /** What is told of one device may be part of another one: of a station its pets, of a pet its home. */
  #related(changed: ReadonlySet<string>): Set<string> {
    const { state } = this.#view;
    const keys = new Set(withChildren(changed, state));
    for (const key of changed) {
      const entry = state.get(key);
      const home = entry?.kind === "collar" ? entry.station?.key : undefined;
      if (home !== undefined) keys.add(home);
      // The pets of a station that one of them has left.
      if (entry === undefined) for (const [other, { kind }] of state) if (kind === "homeStation") keys.add(other);
    }
    const isOfAll = [...changed].some((key) => key === "bridge" || state.get(key)?.kind === "account");
    if (isOfAll) for (const [key, { kind }] of state) if (kind === "account") keys.add(key);
    keys.delete("bridge");
    return keys;
  }

  #takeKey(key: string): Topic[] {
    const entry = this.#view.state.get(key);
    const id = entry && deviceKey(entry);
    const known = this.#cards.get(key);
    const left = known && known.record.id !== id ? this.#remove(known) : [];
    if (entry === undefined || entry.kind === "bridge" || id === undefined) return left;
    const card = left.length === 0 && known ? known : this.#add(entry, id);
    card.record.sources = sourcesOf(entry);
    return [...left, ...topicsOf(card).map(stale)];
  }

  #add(entry: Exclude<Entry, Bridge>, id: string): Card {
    const record: DeviceRecord = { key: entry.key, id, kind: entry.kind, sources: [] };
    const position = entry.kind === "account" ? undefined : new Topic(`position/${id}`, "position", record);
    const card = { record, device: new Topic("devices", "device", record), position };
    this.#cards.set(entry.key, card);
    this.#byId.set(id, card);
    if (entry.kind === "account") this.#accounts.set(entry.source, id);
    return card;
  }

  #remove({ record, device, position }: Card): Topic[] {
    this.#cards.delete(record.key);
    this.#byId.delete(record.id);
    device.last = JSON.stringify({ removed: record.id });
    if (position) position.last = "null";
    // The device last: who hears that it has gone forgets it all.
    return topicsOf({ record, device, position }).toReversed().map(stale);
  }

  #valueOf({ kind, record, last }: Topic, view: View): string {
    if (last !== undefined) return last;
    if (kind === "bridge") return JSON.stringify(bridgeOf(view.state));
    const entry = record && view.state.get(record.key);
    if (entry === undefined) return "null";
    return JSON.stringify(
      kind === "device" ? { device: deviceOf(entry, view) } : (positionOfEntry(entry, view) ?? null),
    );
  }
}

function topicsOf({ device, position }: Card): Topic[] {
  return position ? [device, position] : [device];
}

function stale(topic: Topic): Topic {
  topic.isStale = true;
  return topic;
}

function sourcesOf(entry: Exclude<Entry, Bridge>): readonly string[] {
  return entry.kind === "account" ? [entry.source] : Object.keys(entry.accounts);
}

/** A home station names its pets, and Pawline its accounts. */
function tellsOfOthers({ kind, record }: Topic): boolean {
  return kind === "bridge" || (kind === "device" && record?.kind === "homeStation");
}
