/**
 * A browser that has shown a token gets a cookie in its place, which its scripts cannot read. Sessions are kept in
 * memory alone: they end with their token, with Pawline, or when nobody has used them for long.
 */
import { createHash, randomBytes } from "node:crypto";
import { monotonicMs } from "../../../lib/clock.ts";

export interface Sessions {
  /** @returns what is to stand in the cookie */
  open(tokenId: string): string;
  /** The token that it was opened with. */
  tokenId(session: string): string | undefined;
  close(session: string): void;
}

const IDLE_MS = 30 * 86_400_000;
/** The one that was not used for longest goes first. */
const MOST = 1_000;

export function createSessions(now: () => number = monotonicMs): Sessions {
  const sessions = new Map<string, { readonly tokenId: string; readonly usedAt: number }>();

  function put(key: string, tokenId: string): void {
    sessions.delete(key);
    sessions.set(key, { tokenId, usedAt: now() });
    for (const oldest of sessions.keys()) {
      if (sessions.size <= MOST) break;
      sessions.delete(oldest);
    }
  }

  return {
    open(tokenId) {
      const session = randomBytes(32).toString("base64url");
      put(keyOf(session), tokenId);
      return session;
    },
    tokenId(session) {
      const key = keyOf(session);
      const known = sessions.get(key);
      if (known === undefined || now() - known.usedAt > IDLE_MS) return undefined;
      put(key, known.tokenId);
      return known.tokenId;
    },
    close: (session) => void sessions.delete(keyOf(session)),
  };
}

/** How long it takes to look one up must tell nothing about those that there are. */
function keyOf(session: string): string {
  return createHash("sha256").update(session).digest("base64");
}
