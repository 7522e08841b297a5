/** What the announcer needs of a way to the broker, be it a connection of its own or Home Assistant's. */
import type { Message } from "./messages.ts";

export interface Link {
  /** Resolves when there is room for the next message; the broker may not have confirmed this one yet. */
  publish(message: Message): Promise<void>;
  /** Resolves when the broker has confirmed all that was published. */
  flush(): Promise<void>;
  /** Resolves when the broker has confirmed the filters and, as far as can be known, told what it retains for them. */
  subscribe(filters: readonly string[], receive: (message: Received) => void): Promise<void>;
}

/** One on which not each message takes a call and its answer. */
export interface QuickLink extends Link {
  /** Hands the message over at once, ahead of nothing that waits; false, and nothing is done, where there is no room. */
  tryPublish(message: Message): boolean;
  /** Publishes what is made in the moment in which there is room for it; nothing for undefined. */
  publishLatest(make: () => Message | undefined): Promise<void>;
}

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}
