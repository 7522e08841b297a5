/**
 * Brings what changes to those who want to hear of it. There is one reader of the feed for all clients. A subscription
 * takes its snapshot from the same texts that the news are made of, and joins in the same moment: what was found out
 * before is in the snapshot, what is found out after is told, and nothing can fall between.
 */
import type { View } from "../../../entities/entity.ts";
import type { Activity } from "../../../model/activity.ts";
import type { Feed } from "../../publisher.ts";
import { eventOf } from "../api/event.ts";
import { Board } from "./board.ts";
import type { Subscription } from "./subscription.ts";
import { Topic } from "./topic.ts";
import { Watchers } from "./watchers.ts";

/** What happened, of what somebody wants to hear of. */
export interface Happened {
  readonly events: readonly Topic[];
  /** The number of the last event, also of those that are not wanted. */
  readonly upTo: number;
  /** False if some of it is not known any more. */
  readonly isComplete: boolean;
}

type Readable = Pick<Feed, "state" | "changes" | "activities">;

export class Hub {
  readonly board: Board;
  readonly view: View;
  readonly #feed: Readable;
  readonly #watchers = new Watchers();
  /** Written once for all who hear of it. */
  readonly #written = new WeakMap<Activity, Topic>();
  #lastEvent: number;

  constructor(feed: Readable, preferredPosition: View["preferredPosition"]) {
    this.#feed = feed;
    this.view = { state: feed.state, preferredPosition };
    this.board = new Board(this.view);
    this.#lastEvent = feed.activities(0).at(-1)?.sequence ?? 0;
  }

  /** The number of the last event. */
  get lastEvent(): number {
    return this.#lastEvent;
  }

  /** Tells what changes, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const { changed } of this.#feed.changes(signal)) {
      for (const topic of this.board.take(changed)) if (this.#watchers.anyOf(topic.kind)) this.#look(topic);
      this.#tellNews();
    }
  }

  /** The topics that the subscription wants, with their values of this moment. */
  topicsFor(subscription: Subscription): Topic[] {
    const { bridge } = this.board;
    const topics = [bridge, ...this.board.topics(subscription.sieve.only)].filter((topic) => subscription.wants(topic));
    // What somebody watches already is never behind the last step of `run`.
    for (const topic of topics) this.board.look(topic);
    return topics;
  }

  join(subscription: Subscription): void {
    this.#watchers.add(subscription);
  }

  leave(subscription: Subscription): void {
    this.#watchers.remove(subscription);
  }

  /** What happened after this event. @param known the same for everybody, where the caller has it already */
  happened({ interest, sieve }: Subscription, after: number, known = this.#feed.activities(after)): Happened {
    const wanted = known.filter(({ type, device }) => {
      return interest.events.has(type) && sieve.takes(this.board.card(device)?.record ?? { id: device, sources: [] });
    });
    const isComplete = known.length === 0 || known[0]?.sequence === after + 1;
    return {
      events: wanted.map((event) => this.#write(event)),
      upTo: known.at(-1)?.sequence ?? after,
      isComplete,
    };
  }

  /** Whether there was an event of this number before that time, epoch ms; before the first one there was nothing. */
  hadHappened(sequence: number, before: number): boolean {
    const [event] = this.#feed.activities(sequence - 1);
    return sequence === 0 || (event?.sequence === sequence && event.at <= before);
  }

  /** Sends what has happened since the subscription was told last, unless its client is behind. */
  tellEvents(subscription: Subscription, known?: readonly Activity[]): void {
    const { outlet, toldUpTo, number } = subscription;
    if (outlet.isBehind) return;
    const { events, upTo, isComplete } = this.happened(subscription, toldUpTo, known);
    if (!isComplete) outlet.giveUp();
    subscription.toldUpTo = upTo;
    for (const event of events) outlet.send(event.frame(number));
  }

  #tellNews(): void {
    const before = this.#lastEvent;
    const news = this.#feed.activities(before);
    this.#lastEvent = news.at(-1)?.sequence ?? before;
    if (news.length === 0) return;
    for (const subscription of this.#watchers.ofEvents()) {
      this.tellEvents(subscription, subscription.toldUpTo === before ? news : undefined);
    }
  }

  #look(topic: Topic): void {
    if (!this.board.look(topic)) return;
    for (const subscription of this.#watchers.of(topic)) subscription.offer(topic);
  }

  #write(event: Activity): Topic {
    const known = this.#written.get(event);
    if (known) return known;
    const topic = new Topic(`events/${event.type}`, "event");
    topic.set(JSON.stringify(eventOf(event, this.view.state)));
    this.#written.set(event, topic);
    return topic;
  }
}
