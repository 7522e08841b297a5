/**
 * Two programs with one client id: the broker lets the one in by throwing the other one out, and so in turn for as long
 * as both run. MQTT 5 says so; MQTT 3.1.1 does nothing but close, as a broker that restarts does. What gives it away
 * there is that it happens again right behind each login, with nothing else in between.
 */
import { monotonicMs } from "../../lib/clock.ts";
import { RecoverableError } from "../../lib/errors.ts";

/** The broker has closed the connection, for no reason that it would have told, or because another one took its place. */
export class ThrownOut extends RecoverableError {}

/** A connection that was closed within this is one that somebody else may have wanted, ms; longer than he yields. */
const SOON_MS = 90_000;
/** So often in a row is no accident any more: it is told. */
const TOLD_AFTER = 2;
/** So often, and we yield: the other one works, and the two would not let the broker rest. */
const YIELDS_AFTER = 3;
/** For so long, ms: when the user has ended the other one, that is how long it takes us to be back. */
const YIELD_MS = 55_000;

export interface Rivalry {
  /** A connection is open. */
  opened(): void;
  /** What to say of the end of a connection, or of one that has never been open. */
  judge(error: unknown): unknown;
}

/** One for all connections of a program. @param brokerName for the sentence */
export function createRivalry(clientId: string, brokerName: string): Rivalry {
  let openedAt: number | undefined;
  let timesThrownOut = 0;
  const problem =
    `the broker at ${brokerName} closes each connection of ours: another program seems to use the client id ` +
    `${clientId}, too. End it, or give one of the two another mqtt.client_id`;

  function isSoon(): boolean {
    return openedAt !== undefined && monotonicMs() - openedAt < SOON_MS;
  }

  return {
    opened() {
      openedAt = monotonicMs();
    },
    judge(error) {
      timesThrownOut = error instanceof ThrownOut && isSoon() ? timesThrownOut + 1 : 0;
      openedAt = undefined;
      if (timesThrownOut < TOLD_AFTER) return error;
      const wait = timesThrownOut < YIELDS_AFTER ? {} : { retryAfterMs: YIELD_MS };
      return new RecoverableError(problem, wait);
    },
  };
}
