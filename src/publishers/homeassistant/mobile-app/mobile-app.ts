/** The route mobile_app: each pet is registered as Home Assistant's companion app would register a telephone. */
import { describeError } from "../../../lib/errors.ts";
import type { Scrubber } from "../../../lib/scrub.ts";
import type { Cursor, Feed, Keep, PublisherTools } from "../../publisher.ts";
import type { Session } from "../situation.ts";
import { openKept } from "./kept.ts";
import { createMemory } from "./memory.ts";
import { refuseTrap } from "./persons.ts";
import { runRoute } from "./route-run.ts";
import { findTraces, removeTraces } from "./traces.ts";

export interface MobileAppContext extends PublisherTools {
  readonly scrubber: Scrubber;
  /** Up to where what happened has been told. */
  readonly cursor: Cursor;
  /** The registrations, over restarts. */
  readonly keep: Keep;
  /** Whether template helpers are to control the collars. */
  readonly controls: boolean;
}

export interface MobileApp {
  /** Publishes until the signal is aborted. Throws to be started again. */
  run(feed: Feed, session: Session, signal: AbortSignal): Promise<void>;
  /** Why no pet can be registered, as a sentence; undefined where nothing stands in the way. */
  problem(session: Pick<Session, "ha" | "user">): Promise<string | undefined>;
  /** What stands in this Home Assistant, by names that a person understands. */
  traces(session: Session): Promise<readonly string[]>;
  /**
   * Removes all of that; answers what the token may not remove, as sentences that say what to delete.
   * @param devices pets whose registrations are to go, too, where the file of them was lost
   */
  leave(session: Session, devices?: ReadonlySet<string>): Promise<readonly string[]>;
}

export function createMobileApp(context: MobileAppContext): MobileApp {
  const memory = createMemory();
  const kept = openKept(context.keep, context.scrubber);
  return {
    run(feed, session, signal) {
      kept.reload();
      return runRoute({ ...context, kept, memory, feed, session }, signal);
    },
    async problem(session) {
      kept.reload();
      if (kept.devices().length > 0) return undefined;
      return await refuseTrap(session).then(
        () => undefined,
        (error: unknown) => describeError(error),
      );
    },
    traces(session) {
      kept.reload();
      return findTraces(kept, session);
    },
    leave(session, devices = new Set()) {
      kept.reload();
      // What we take away ourselves was not removed by the user.
      memory.seen.clear();
      memory.removed.clear();
      return removeTraces(kept, session, devices);
    },
  };
}
