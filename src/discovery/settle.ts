import type { Feed } from "../publishers/publisher.ts";
import { allListed } from "./relations.ts";

/** A device's accounts are waited for so long at a start before what is known of it is told. */
const SETTLE_MS = 10_000;

/** Resolves when every account has listed its devices, or after ten seconds, or when the signal is aborted. */
export async function settle(feed: Feed, signal: AbortSignal): Promise<void> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)]);
  for await (const { state } of feed.changes(enough)) if (allListed(state)) break;
}
