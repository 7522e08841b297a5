import type { Logger } from "../../../lib/log.ts";

/** What this route knows over reconnects, and not over restarts. */
export interface MobileAppMemory {
  /** Pets whose registration has stood in Home Assistant since the start: if it goes, the user has removed it. */
  readonly seen: Set<string>;
  /** Pets that the user has removed: they stay away until they are asked for again, or until the next start. */
  readonly removed: Set<string>;
  /** Sentences that were logged: once is enough. */
  readonly said: Set<string>;
  /** Whether the accounts have listed their devices since the start. */
  settled: boolean;
}

export function createMemory(): MobileAppMemory {
  return { seen: new Set(), removed: new Set(), said: new Set(), settled: false };
}

/** Logs the sentence, unless it was logged since the start. */
export function sayOnce(
  { said }: MobileAppMemory,
  log: Logger,
  sentence: string,
  level: "info" | "warn" | "error",
): void {
  if (said.has(sentence)) return;
  said.add(sentence);
  log[level](sentence);
}
