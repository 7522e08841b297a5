/**
 * Sends positions, which are what people wait for: each in the moment in which it is known, ahead of all that is still
 * to be said. Where there is no room for it, it goes as soon as there is; of each collar only the latest waits.
 */
import type { View } from "../entities/entity.ts";
import type { Entry } from "../model/device.ts";
import type { Link, QuickLink } from "./link.ts";
import { type Message, positionMessage } from "./messages.ts";
import type { Topics } from "./topics.ts";

interface PositionsContext {
  readonly view: View;
  readonly link: Link | QuickLink;
  readonly topics: Topics;
  readonly qos: 0 | 1 | 2;
  /** The last payload on each topic. */
  readonly sent: Map<string, string>;
  /** Whether nothing has to be said of the collar before its position. */
  readonly isReady: (key: string) => boolean;
  readonly fail: (error: unknown) => void;
}

export class Positions {
  readonly #context: PositionsContext;
  /** The collar whose position was sent last, by its key. */
  readonly #placed = new Map<string, Entry>();
  /** The keys of collars that wait for room. */
  readonly #late = new Set<string>();
  #isCatchingUp = false;

  constructor(context: PositionsContext) {
    this.#context = context;
  }

  /** Sends the collar's position, if it is news. Resolves when there is room for the next message. */
  async send(key: string): Promise<void> {
    const message = this.#news(key);
    if (message === undefined) return;
    this.#note(key, message);
    await this.#context.link.publish(message);
  }

  /** The same at once. Where something has to come before it, whoever sends that sends the position, too. */
  hurry(key: string): void {
    const { link, isReady, fail } = this.#context;
    if (!("tryPublish" in link) || !isReady(key)) return;
    if (!this.#isCatchingUp) {
      const message = this.#news(key);
      if (message === undefined) return;
      if (link.tryPublish(message)) {
        this.#note(key, message);
        return;
      }
    }
    this.#late.add(key);
    if (!this.#isCatchingUp) this.#catchUp(link).catch(fail);
  }

  /** It is to be sent once more, even if the collar has not changed. */
  forget(key: string): void {
    this.#placed.delete(key);
  }

  forgetAll(): void {
    this.#placed.clear();
  }

  async #catchUp(link: QuickLink): Promise<void> {
    this.#isCatchingUp = true;
    // Those that come meanwhile have their turn, too.
    for (const key of this.#late) await link.publishLatest(() => this.#take(key));
    this.#isCatchingUp = false;
  }

  #take(key: string): Message | undefined {
    this.#late.delete(key);
    const message = this.#context.isReady(key) ? this.#news(key) : undefined;
    if (message) this.#note(key, message);
    return message;
  }

  /** Its position, if that is not the last one that was sent. */
  #news(key: string): Message | undefined {
    const { view, topics, qos, sent } = this.#context;
    const entry = view.state.get(key);
    if (entry?.kind !== "collar" || this.#placed.get(key) === entry) return undefined;
    const message = positionMessage(entry, view, topics, qos);
    if (message === undefined || sent.get(message.topic) !== message.payload) return message;
    this.#placed.set(key, entry);
    return undefined;
  }

  #note(key: string, { topic, payload }: Message): void {
    const entry = this.#context.view.state.get(key);
    if (entry) this.#placed.set(key, entry);
    this.#context.sent.set(topic, String(payload));
  }
}
