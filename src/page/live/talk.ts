/**
 * One connection to `/api/ws`: greeting, subscription, then news; commands with their answers. It ends once, for
 * whatever reason, and never comes back: `keep-connected.ts` opens the next one. Two silences of a heart-beat's length
 * end it, since a connection that the network has swallowed says nothing of it.
 */
import type { ServerMessage } from "../../publishers/live/api/messages.ts";
import type { CommandBody } from "../../publishers/live/api/schema.ts";
import { decodeMessage } from "./decode.ts";
import type { Subscribed } from "./household.ts";

export type Welcome = Extract<ServerMessage, { type: "welcome" }>;
export type News = Extract<ServerMessage, { type: "message" }>;

/** What is needed of a WebSocket. */
export interface Wire {
  readonly send: (text: string) => void;
  readonly close: () => void;
}

export interface WireEvents {
  readonly open: () => void;
  readonly message: (text: unknown) => void;
  readonly closed: (code: number) => void;
}

export interface Listener {
  readonly welcomed: (welcome: Welcome) => void;
  readonly subscribed: (answer: Subscribed) => void;
  readonly news: (message: News) => void;
}

/** Time, as tests have their own. */
export interface Timers {
  readonly set: (callback: () => void, ms: number) => () => void;
}

export interface Ended {
  /** The close code of the WebSocket; 1006 where there was none. */
  readonly code: number;
  readonly isWelcomed: boolean;
}

export interface Talk {
  readonly ended: Promise<Ended>;
  /**
   * Resolves when the collar has taken it.
   * @param accepted called when the cloud has accepted it, with the time by which the collar should have taken it
   * @throws CommandRefused with a sentence
   */
  readonly command: (device: string, body: CommandBody, accepted: (until: string | undefined) => void) => Promise<void>;
  readonly close: () => void;
}

/** The server's own sentence; undefined when the connection was lost before it answered. */
export class CommandRefused extends Error {
  readonly sentence: string | undefined;

  constructor(sentence: string | undefined) {
    super(sentence ?? "the connection was lost");
    this.sentence = sentence;
  }
}

interface Waiting {
  readonly accepted: (until: string | undefined) => void;
  readonly resolve: () => void;
  readonly reject: (error: CommandRefused) => void;
}

const TOPICS = ["devices", "position/+", "events/#", "bridge"];
const GREETING_MS = 10_000;

export function openTalk(open: (events: WireEvents) => Wire, listener: Listener, timers: Timers): Talk {
  const { promise: ended, resolve: end } = Promise.withResolvers<Ended>();
  const waiting = new Map<string, Waiting>();
  let heartbeatMs = GREETING_MS;
  let lastId = 0;
  let isWelcomed = false;
  let isOver = false;
  let isAsked = true;
  let stopWatch = (): void => {};

  function say(message: object): string {
    const id = `${++lastId}`;
    wire.send(JSON.stringify({ ...message, id }));
    return id;
  }

  /** Anything that is heard is a sign of life; after a silence we ask, and after another one we give up. */
  function watch(): void {
    stopWatch();
    stopWatch = timers.set(() => {
      if (isAsked) return finish(1006);
      isAsked = true;
      say({ type: "ping" });
      watch();
    }, heartbeatMs);
  }

  function finish(code: number): void {
    if (isOver) return;
    isOver = true;
    stopWatch();
    wire.close();
    for (const { reject } of waiting.values()) reject(new CommandRefused(undefined));
    waiting.clear();
    end({ code, isWelcomed });
  }

  function hear(text: unknown): void {
    if (isOver) return;
    isAsked = false;
    const message = decodeMessage(text);
    if (message !== undefined) take(message);
    if (!isOver) watch();
  }

  function take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        isWelcomed = true;
        heartbeatMs = message.heartbeat_ms;
        listener.welcomed(message);
        if (!isOver) say({ type: "subscribe", topics: TOPICS });
        return;
      case "subscribed":
        listener.subscribed(message);
        return;
      case "message":
        listener.news(message);
        return;
      case "pending":
        if (message.accepted) waiting.get(String(message.id))?.accepted(message.until ?? undefined);
        return;
      case "result":
        settle(message.id, (one) => one.resolve());
        return;
      case "error":
        settle(message.id, (one) => one.reject(new CommandRefused(message.message)));
        return;
      case "unsubscribed":
      case "pong":
        return;
    }
  }

  function settle(id: string | number | null, how: (one: Waiting) => void): void {
    const one = waiting.get(String(id));
    waiting.delete(String(id));
    if (one !== undefined) how(one);
  }

  const wire = open({ open: watch, message: hear, closed: finish });
  watch();
  return {
    ended,
    command(device, body, accepted) {
      return new Promise((resolve, reject) => {
        if (isOver) return reject(new CommandRefused(undefined));
        waiting.set(say({ type: "command", device, ...body }), { accepted, resolve, reject });
      });
    },
    close: () => finish(1000),
  };
}
