/** The switches for everything that can go wrong between a client and the cloud. */
import { type AnswerMode, createFaultState, type FaultState, STREAM } from "./fault-state.ts";
import type { Listener } from "./listener.ts";
import type { StreamSession } from "./session.ts";
import type { World } from "./world.ts";

/** Those that act on open streams return how many there were. */
export interface Faults {
  /** Closes every stream's WebSocket in order. Default code 1000. */
  dropStreams(code?: number, reason?: string): number;
  /** Ends every stream by a TCP reset. */
  resetStreams(): number;
  /** Nothing goes out, nothing is read, and the sockets stay open: old connections and new ones. */
  freeze(): void;
  /** Ends the freeze; what was held back on both sides arrives now, as after a stalled network. */
  thaw(): void;
  /** Sends `c[code,"reason"]` on every stream and closes it. */
  closeSockjs(code: number, reason: string): number;
  /** Sends a STOMP ERROR on every stream and closes it. */
  stompError(message: string): number;
  /** How the login answers from now on, or for the next `times` calls. */
  login(mode: AnswerMode, times?: number): void;
  /** How a REST path and all below it answers, from now on or for the next `times` calls. `/` is everything. */
  answer(path: string, mode: AnswerMode, times?: number): void;
  /** How a request to open a stream is answered, from now on or for the next `times`. */
  stream(mode: AnswerMode, times?: number): void;
  /** New TCP connections are reset (default) or find nobody listening; open REST connections end, streams stay. */
  refuseConnections(how?: "reset" | "closed"): void;
  /** Takes connections again, on the same port. */
  acceptConnections(): Promise<void>;
  /** Every token is unknown from now on; open streams stay open. */
  expireTokens(): void;
  /** Sends these texts as they are, each as one WebSocket message, on every stream. */
  malformed(...texts: readonly string[]): number;
  /** The next `count` messages of each open stream go out in one SockJS frame, when they are complete. */
  batch(count: number): number;
  /** Every STOMP frame goes out in this many strings, two to a SockJS frame; 1 is whole again. */
  split(pieces: number): void;
  /** Everything goes out this many milliseconds later. */
  latency(ms: number): void;
  /** Ends all lasting faults: answers, latency, cuts, refusal and freeze. */
  clear(): Promise<void>;
}

interface FaultTargets {
  readonly state: FaultState;
  readonly world: World;
  readonly sessions: ReadonlySet<StreamSession>;
  readonly listener: Listener;
}

function forEachSession(sessions: ReadonlySet<StreamSession>, act: (session: StreamSession) => void): number {
  const all = [...sessions].filter((session) => session.open);
  for (const session of all) act(session);
  return all.length;
}

function freezer({ state, sessions }: FaultTargets): Pick<Faults, "freeze" | "thaw"> {
  let release = (): void => {};
  return {
    freeze() {
      if (state.frozen) return;
      state.frozen = new Promise((resolve) => {
        release = resolve;
      });
      for (const session of sessions) session.line.freeze();
    },
    thaw() {
      if (!state.frozen) return;
      state.frozen = undefined;
      release();
      for (const session of sessions) session.thaw();
    },
  };
}

function streamFaults({ sessions }: FaultTargets) {
  const each = (act: (session: StreamSession) => void): number => forEachSession(sessions, act);
  return {
    dropStreams: (code = 1000, reason = "") => each(({ line }) => line.close(code, reason)),
    resetStreams: () => each(({ line }) => line.reset()),
    closeSockjs: (code: number, reason: string) => each(({ line }) => line.goodbye(code, reason)),
    stompError: (message: string) => each((session) => session.fail(message)),
    batch: (count: number) => each(({ line }) => line.outbox.joinNext(count)),
    malformed(...texts: readonly string[]) {
      return each(({ line }) => {
        for (const text of texts) line.outbox.raw(text);
      });
    },
  };
}

function lastingFaults({ state, world, listener }: FaultTargets) {
  const answer = (path: string, mode: AnswerMode, times = Number.POSITIVE_INFINITY): void => {
    if (mode === "ok") state.answers.delete(path);
    else state.answers.set(path, { mode, timesLeft: times });
  };
  return {
    answer,
    login: (mode: AnswerMode, times?: number) => answer("/user/login", mode, times),
    stream: (mode: AnswerMode, times?: number) => answer(STREAM, mode, times),
    refuseConnections: (how: "reset" | "closed" = "reset") => listener.refuse(how),
    acceptConnections: () => listener.accept(),
    expireTokens: () => world.tokens.clear(),
    split(pieces: number) {
      state.pieces = pieces;
    },
    latency(ms: number) {
      state.latencyMs = ms;
    },
  };
}

export function createFaults(targets: FaultTargets): Faults {
  const lasting = lastingFaults(targets);
  const freezing = freezer(targets);
  const clear = async (): Promise<void> => {
    const { latencyMs, pieces } = createFaultState();
    Object.assign(targets.state, { latencyMs, pieces });
    targets.state.answers.clear();
    freezing.thaw();
    await lasting.acceptConnections();
  };
  return { ...lasting, ...freezing, ...streamFaults(targets), clear };
}
