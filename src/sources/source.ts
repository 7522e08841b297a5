/** The contract of a source: it turns a cloud into events, and is restarted when it throws. */
import type { Finding } from "../lib/finding.ts";
import type { Command } from "../model/command.ts";
import type { DatedFix } from "../model/device.ts";
import type { SourceEvent } from "../model/event.ts";
import type { Span } from "../model/span.ts";

/** The stored positions of a part of a span, the oldest first. */
export interface TrackSlice {
  /** Up to when the span has been told, epoch ms. */
  readonly untilAt: number;
  readonly fixes: readonly DatedFix[];
}

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
  /** Sends a command for one of its devices, by the device's key. @throws with a sentence when the cloud refuses it */
  execute(device: string, command: Command, signal: AbortSignal): Promise<void>;
  /** Asks the cloud for one device once more, or for all. */
  refresh(device: string | undefined, signal: AbortSignal): Promise<void>;
  /** How long what was switched on here may last, ms; 0 for ever. */
  readonly limits: { readonly liveMs: number; readonly findMs: number };
  /**
   * The stored positions of a device that was listed, slice by slice: as little of it as can be is held in memory.
   * Left out where the cloud keeps none. @throws FatalError, RecoverableError
   */
  positions?(device: string, span: Span, signal: AbortSignal): AsyncIterable<TrackSlice>;
  /**
   * Tries each part, one after the other, until one fails.
   * @param emit called with what it comes to know of the account on its way
   */
  probe(signal: AbortSignal, emit?: (event: SourceEvent) => void): AsyncIterable<Finding>;
}
