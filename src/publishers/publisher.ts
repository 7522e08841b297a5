/** The contract of a publisher: it carries the state out, and is restarted when it throws. */
import type { Finding } from "../lib/finding.ts";
import type { State } from "../model/device.ts";

/** What a publisher reads: first everything, then the latest of what changed. */
export interface Feed {
  readonly state: State;
  changes(signal: AbortSignal): AsyncIterable<{ readonly state: State; readonly changed: ReadonlySet<string> }>;
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
}
