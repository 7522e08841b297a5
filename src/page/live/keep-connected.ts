/**
 * Keeps the page connected: one connection after the other, with a wait between them that grows and is spread, so that
 * the pages of a house do not come back to a restarting server in the same instant. A browser does not tell why a
 * WebSocket was refused; so an ordinary request asks for the reason before the next try.
 */
import { retryDelayMs } from "../../lib/backoff.ts";
import type { Ended } from "./talk.ts";

/** Why a connection could not be had. */
export type Obstacle =
  | { readonly kind: "unreachable" }
  /** A token is wanted. */
  | { readonly kind: "unauthorized" }
  /** The server's own sentence, where it had one. */
  | { readonly kind: "refused"; readonly sentence: string | undefined };

export interface Seams {
  /** Opens a connection, and resolves when it has ended. */
  readonly connect: () => Promise<Ended>;
  /** Asks why there is none; undefined when nothing stands in the way. */
  readonly findObstacle: () => Promise<Obstacle | undefined>;
  /** Resolves when a token was given. */
  readonly signIn: () => Promise<void>;
  /** Resolves after so many milliseconds, or as soon as there is a reason to try at once. */
  readonly pause: (ms: number) => Promise<void>;
  readonly lost: (obstacle: Obstacle) => void;
  readonly nowMs: () => number;
  readonly random: () => number;
}

/** A connection that has lasted so long was a good one: the delays begin anew. */
const GOOD_AFTER_MS = 10_000;

/** Runs until the signal is aborted. */
export async function keepConnected(seams: Seams, signal: AbortSignal): Promise<void> {
  let attempt = 0;
  while (!signal.aborted) {
    const startedAt = seams.nowMs();
    const { isWelcomed } = await seams.connect();
    if (signal.aborted) return;
    if (isWelcomed && seams.nowMs() - startedAt >= GOOD_AFTER_MS) attempt = 0;
    const obstacle = (await seams.findObstacle()) ?? { kind: "unreachable" };
    seams.lost(obstacle);
    if (obstacle.kind === "unauthorized") {
      await seams.signIn();
      attempt = 0;
    } else {
      await seams.pause(retryDelayMs(attempt, seams.random()));
      attempt += 1;
    }
  }
}
