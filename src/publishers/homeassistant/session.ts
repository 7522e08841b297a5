/** A connection to a Home Assistant that runs, with all that has to be known of it before anything is tried. */
import { branchOf } from "../../lib/branch.ts";
import { type HomeAssistant, openConnection, tokenRefused } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { createRest } from "./rest.ts";
import { followEntries, type Session, whenRunning, whoAmI } from "./situation.ts";
import { TokenRefused } from "./socket.ts";

/** A request that is under way at the end may take so long, ms. */
const SEEN_THROUGH_MS = 2_500;

/**
 * Opens a session, uses it, and closes it.
 * @param use is given a signal that is aborted with the outer one and with the loss of the connection
 * @throws FatalError when the token is refused, RecoverableError; whatever `use` throws
 */
export async function withSession(
  endpoint: Endpoint,
  signal: AbortSignal,
  use: (session: Session, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  // The end may have come while the endpoint was made.
  if (signal.aborted) return;
  const over = branchOf(signal);
  try {
    const ha = await logIn(endpoint, signal);
    let late: NodeJS.Timeout | undefined;
    // Whoever waits for an answer is let down by the end of the connection.
    over.signal.addEventListener("abort", () => {
      late = setTimeout(() => ha.close(), SEEN_THROUGH_MS);
    });
    try {
      await Promise.race([useSession(endpoint, ha, over.signal, use), ha.lost]);
    } finally {
      over.end();
      clearTimeout(late);
      ha.close();
    }
  } finally {
    over.end();
  }
}

/** @throws FatalError when the token is refused, RecoverableError */
export async function logIn(endpoint: Endpoint, signal: AbortSignal): Promise<HomeAssistant> {
  try {
    return await openConnection(endpoint, signal);
  } catch (error) {
    throw error instanceof TokenRefused ? tokenRefused(endpoint.name, error) : error;
  }
}

async function useSession(
  endpoint: Endpoint,
  ha: HomeAssistant,
  signal: AbortSignal,
  use: (session: Session, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const components = await whenRunning(ha, signal);
  if (components === undefined) return;
  const listeners = new Set<() => void>();
  const entries = await followEntries(ha, () => {
    for (const listener of listeners) listener();
  });
  const session: Session = {
    ha,
    rest: createRest(endpoint, outlasting(signal)),
    user: await whoAmI(ha),
    components,
    entries,
    onEntriesChanged: (listener) => listeners.add(listener),
  };
  await use(session, signal);
}

/** A request that is broken off would leave half a work behind in Home Assistant, and an error in its log. */
function outlasting(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  signal.addEventListener("abort", () => setTimeout(() => late.abort(), SEEN_THROUGH_MS).unref(), { once: true });
  return late.signal;
}
