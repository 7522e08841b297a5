/**
 * Tells what happened, each thing once, while somebody listens: a message that Home Assistant does not hear is lost,
 * since what happened is not retained. So it waits while Home Assistant has said that it is away, and after a
 * connection that was lost, since Home Assistant may have lost its own with it.
 *
 * A connection may break, or the program be killed, after the broker has passed something on and before we know. So
 * behind each thing that is told goes a note of it in `bridge/info`, in the same breath: whoever connects next finds it there.
 */
import { monotonicMs } from "../lib/clock.ts";
import type { Activity } from "../model/activity.ts";
import type { Cursor, Feed } from "../publishers/publisher.ts";
import type { Link } from "./link.ts";
import type { DiscoveryMemory } from "./memory.ts";
import { activityMessage, type ToldNote } from "./messages.ts";
import type { Topics } from "./topics.ts";

interface TellerContext {
  readonly feed: Feed;
  readonly link: Link;
  readonly memory: DiscoveryMemory;
  readonly topics: Topics;
  readonly cursor: Cursor;
  /** Sends `bridge/info`, with the note in it. */
  readonly sendNote: () => Promise<void>;
}

export interface Teller {
  /** Tells what there is to tell, if somebody listens. */
  tell(): Promise<void>;
  /** What was told last on this connection. */
  readonly note: ToldNote | undefined;
  /** A note that stood at the broker: what it names was told, whether we know of it or not. */
  recall(note: ToldNote): void;
  /** Home Assistant has started and got everything: it listens now. */
  listening(): void;
  /** It does not listen, until it is said to, or for so long at the most, ms. */
  deaf(longestMs: number): void;
}

/** Home Assistant comes back to a broker within about 15 s of losing it, and says so. */
export const ABSENCE_MS = 20_000;
/** What was said to be away when the program started is waited for so long: nobody may have heard it come back. */
export const LONGEST_ABSENCE_MS = 300_000;

export function createTeller({ feed, link, memory, topics, cursor, sendNote }: TellerContext): Teller {
  let listensFrom = memory.wasConnected ? monotonicMs() + ABSENCE_MS : Number.NEGATIVE_INFINITY;
  let telling = Promise.resolve();
  let note: ToldNote | undefined;

  async function tellAll(): Promise<void> {
    if (memory.homeAssistant.status === "offline" || monotonicMs() < listensFrom) return;
    for (const activity of feed.activities(cursor.read())) {
      await link.publish(activityMessage(activity, topics));
      note = activity;
      await sendNote();
      await link.flush();
      cursor.write(activity.sequence);
    }
  }

  return {
    get note() {
      return note;
    },
    recall(told) {
      // Another journal has other things under the same numbers.
      const isOurs = ({ sequence, at }: Activity): boolean => sequence === told.sequence && at === told.at;
      const known = feed.activities(cursor.read()).find(isOurs);
      if (known) cursor.write(known.sequence);
    },
    deaf(longestMs) {
      listensFrom = Math.max(listensFrom, monotonicMs() + longestMs);
    },
    listening() {
      listensFrom = Number.NEGATIVE_INFINITY;
    },
    tell() {
      // One after the other, or two callers would tell the same twice.
      telling = telling.then(tellAll);
      return telling;
    },
  };
}
