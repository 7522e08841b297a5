/** What can go wrong on demand. The state here is read by the REST and stream servers at each step. */
import type { WireFaults } from "./outbox.ts";

/**
 * How a REST path answers: as it should, with 401, never, with a web page where JSON belongs (as a captive portal
 * does), or with a status and perhaps a Retry-After (seconds, or a date as HTTP writes it).
 */
export type AnswerMode =
  | "ok"
  | "refuse"
  | "hang"
  | "html"
  | { readonly status: number; readonly retryAfter?: string | number };

export interface FaultState extends WireFaults {
  /** Settled at the thaw; undefined while nothing is frozen. */
  frozen: Promise<void> | undefined;
  refusing: boolean;
  readonly answers: Map<string, { readonly mode: AnswerMode; timesLeft: number }>;
}

export function createFaultState(): FaultState {
  return { latencyMs: 0, pieces: 1, frozen: undefined, refusing: false, answers: new Map() };
}

/** The path itself, then every folder above it up to `/`. */
function* pathAndAbove(path: string): Generator<string> {
  for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) yield path.slice(0, at);
  yield "/";
}

/** The mode that holds for this request; a mode for a limited number of times is one nearer to its end. */
export function answerModeOf(state: FaultState, path: string): AnswerMode {
  return modeOf(state, pathAndAbove(path));
}

/** The same for a request to open a stream. */
export function streamModeOf(state: FaultState): AnswerMode {
  return modeOf(state, [STREAM]);
}

/** No path of REST. */
export const STREAM = "stream";

function modeOf(state: FaultState, keys: Iterable<string>): AnswerMode {
  for (const key of keys) {
    const answer = state.answers.get(key);
    if (!answer) continue;
    answer.timesLeft -= 1;
    if (answer.timesLeft <= 0) state.answers.delete(key);
    return answer.mode;
  }
  return "ok";
}

/** Waits for the network's delay, and as long as everything is frozen. */
export async function passage(state: FaultState): Promise<void> {
  if (state.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, state.latencyMs));
  while (state.frozen) await state.frozen;
}
