/** The contract of a publisher: it carries the state out, and is restarted when it throws. */
import type { Finding } from "../lib/finding.ts";
import type { Activity } from "../model/activity.ts";
import type { Request } from "../model/command.ts";
import type { State } from "../model/device.ts";

/** What a publisher reads: first everything, then the latest of what changed; and what it may ask for. */
export interface Feed {
  readonly state: State;
  changes(signal: AbortSignal): AsyncIterable<{ readonly state: State; readonly changed: ReadonlySet<string> }>;
  /** What happened after this sequence number, oldest first. */
  activities(after: number): readonly Activity[];
  /** Asks something of a collar. The answer is the cloud's echo, in the state, or a `command_failed`. */
  request(device: string, request: Request): void;
  readonly bridge: BridgeControl;
}

/** What can be asked of the program itself. */
interface BridgeControl {
  /** Ends and starts all sources and publishers. */
  restart(): void;
  /** Asks the clouds for everything once more. */
  refresh(): void;
  setLogLevel(level: string): void;
}

/** Why a publisher is aborted: on a reload it goes quietly, since another takes its place at once. */
export const RELOAD = Symbol("reload");

export interface Publisher {
  readonly name: string;
  /**
   * Publishes until the signal is aborted. Throws to be started again.
   * @param ready called when it is connected
   */
  run(feed: Feed, signal: AbortSignal, ready: () => void): Promise<void>;
  /** Tries each part, one after the other, until one fails. Nothing that it does is seen by users. */
  probe(signal: AbortSignal): AsyncIterable<Finding>;
  /**
   * Finds all that it has ever published and that still stands there.
   * @throws FatalError when the login is refused, RecoverableError
   */
  traces?(signal: AbortSignal): Promise<OpenTraces>;
}

/** What a publisher left behind, as it was found. */
export interface Traces {
  /** In the order in which they are to go. */
  readonly topics: readonly string[];
  /** Whether a daemon says that it runs there: it would publish some of it again. */
  readonly isInUse: boolean;
  /** Removes all of it; answers the topics that are still there, or again. */
  remove(signal: AbortSignal): Promise<readonly string[]>;
}

/** The same, with the connection that it was found by. */
export interface OpenTraces extends Traces {
  close(): Promise<void>;
}
