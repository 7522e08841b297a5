/** The contract of a publisher: it carries the state out, and is restarted when it throws. */
import type { View } from "../entities/entity.ts";
import { RecoverableError } from "../lib/errors.ts";
import type { Finding } from "../lib/finding.ts";
import type { Logger } from "../lib/log.ts";
import type { Activity } from "../model/activity.ts";
import type { Request } from "../model/command.ts";
import type { DatedFix, State } from "../model/device.ts";
import type { Span } from "../model/span.ts";

/** What a publisher reads: first everything, then the latest of what changed; and what it may ask for. */
export interface Feed {
  readonly state: State;
  changes(signal: AbortSignal): AsyncIterable<{ readonly state: State; readonly changed: ReadonlySet<string> }>;
  /** Calls the listener with a key in the moment in which its entry changes: for what cannot wait its turn. */
  onTouch?(listener: (key: string) => void, signal: AbortSignal): void;
  /** What happened after this sequence number, oldest first. */
  activities(after: number): readonly Activity[];
  /** Asks something of a collar. The answer is the cloud's echo, in the state, or a `command_failed`; and the receipt. */
  request(device: string, request: Request): Receipt;
  /** The ways that the cats have gone; undefined where they are not kept. */
  track(): KeptTrack | undefined;
  readonly bridge: BridgeControl;
  /** Calls the listener when everything is to be published anew, also what the user deleted in Home Assistant. */
  onRepublish(listener: () => void, signal: AbortSignal): void;
}

/** What is kept of a collar's way, by the collar's key. All of it throws a RecoverableError where it cannot be read. */
export interface KeptTrack {
  /** The parts of the span in which not every fix is known. */
  gaps(device: string, span: Span): readonly Span[];
  /** The fixes of the span, the oldest first, a thousand at a time. */
  fixes(device: string, span: Span): Iterable<readonly DatedFix[]>;
}

/** Why a command failed: the same was asked for again before it went out, or otherwise. */
export class ReplacedError extends RecoverableError {}

/** What becomes of a request. Whoever does not care need not look at it. */
export interface Receipt {
  /** Resolves when the cloud has taken it. Rejects with a sentence: the cloud refused it, or a newer one took its place. */
  readonly accepted: Promise<void>;
  /** Resolves with the cloud's echo. Rejects with a sentence, also when no echo came. */
  readonly done: Promise<void>;
}

/** What can be asked of the program itself. */
interface BridgeControl {
  /** Ends and starts all sources and publishers. */
  restart(): void;
  /** Asks the clouds for everything once more. */
  refresh(): void;
  /** Has all publishers publish everything anew, also what the user deleted in Home Assistant. */
  republish(): void;
  setLogLevel(level: string): void;
}

/** What a running publisher has to say of itself, for `bridge/info`. */
export type Details = Readonly<Record<string, string>>;

/** A small file of a publisher's own in the data folder. */
export interface Keep {
  /** The value as it was written, unchecked; undefined without one. */
  read(): unknown;
  write(value: object): void;
}

/** Up to where a publisher has told what happened; it survives restarts. */
export interface Cursor {
  read(): number;
  write(sequence: number): void;
}

/** What a publisher is given, whatever its way out. */
export interface PublisherTools {
  readonly log: Logger;
  readonly version: string;
  /** Entities that the user does not want: keys, or `device/key`. */
  readonly exclude: readonly string[];
  readonly preferredPosition: View["preferredPosition"];
}

/** Why a publisher is aborted: on a reload it goes quietly, since another takes its place at once. */
export const RELOAD = Symbol("reload");

export interface Publisher {
  readonly name: string;
  /** The longest wait between two tries, ms, where it is to be shorter than usual. */
  readonly longestDelayMs?: number;
  /**
   * Publishes until the signal is aborted. Throws to be started again.
   * @param ready called when it is connected, and again when the details have changed
   */
  run(feed: Feed, signal: AbortSignal, ready: (details?: Details) => void): Promise<void>;
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
  /** Topics, or what a person calls a thing in Home Assistant; in the order in which they are to go. */
  readonly names: readonly string[];
  /** How to speak of them: what one is called, where they are, and what to do about those that stay. */
  readonly words: { readonly one: string; readonly place: string; readonly advice: string };
  /** Whether a daemon says that it runs there: it would publish some of it again. */
  readonly isInUse: boolean;
  /** Removes all of it; answers what is still there, or again. */
  remove(signal: AbortSignal): Promise<readonly string[]>;
}

/** The same, with the connection that it was found by. */
export interface OpenTraces extends Traces {
  close(): Promise<void>;
}
