/** The contract of a source: it turns a cloud into events, and is restarted when it throws. */
import type { Finding } from "../lib/finding.ts";
import type { SourceEvent } from "../model/event.ts";

export interface Source {
  /** Unique among the sources, and without personal data: it is shown in `bridge/info`. */
  readonly name: string;
  /**
   * Emits events until the signal is aborted. Throws to be started again.
   * @param ready called when the stream is open and all that it needs is asked for
   */
  run(emit: (event: SourceEvent) => void, signal: AbortSignal, ready: () => void): Promise<void>;
  /** Emits what the account has, once. @throws FatalError, RecoverableError */
  list(emit: (event: SourceEvent) => void, signal: AbortSignal): Promise<void>;
  /** Tries each part, one after the other, until one fails. */
  probe(signal: AbortSignal): AsyncIterable<Finding>;
}
