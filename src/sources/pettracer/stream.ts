/**
 * PetTracer's live stream: STOMP inside SockJS. The queues stay silent until `/app/subscribe` names the devices.
 * One `Stream` is one connection; the STOMP client's own reconnecting and its own watch on the heart-beats are off:
 * the former could not renew the token, and the latter trusts a clock that jumps.
 */
import { Client, type StompHeaders, Versions } from "@stomp/stompjs";
import { monotonicMs, within } from "../../lib/clock.ts";
import { RecoverableError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { type EndCause, type EndReason, openSocket, type SockjsSocket } from "./socket.ts";
import { sessionUrl } from "./sockjs.ts";

export interface StreamOptions {
  readonly url: string;
  readonly token: string;
  /** The heart-beat that we offer and ask for, ms. */
  readonly heartbeatMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onMessage: (queue: "messages" | "portal", body: string) => void;
  readonly onActivity: () => void;
  readonly onMalformed: (text: string) => void;
}

export interface Stream {
  /** Asks for news of these devices, by the cloud's numbers; again whenever one has joined. */
  ask(deviceIds: readonly number[]): void;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<EndReason>;
  close(): void;
}

const CONNECT_MS = 20_000;
/** The connection is dead after so many heart-beats without a byte. */
const MISSED_BEATS = 3;
const CHECKS_PER_BEAT = 4;

/** The stream has ended, or did not open. */
export class StreamEnded extends RecoverableError {
  readonly because: EndCause;

  constructor(message: string, because: EndCause, retryAfterMs?: number) {
    super(message, retryAfterMs === undefined ? {} : { retryAfterMs });
    this.because = because;
  }
}

/** The cloud did not accept the token: another one may do. */
export class TokenRefused extends RecoverableError {}

/** Resolves when both queues are subscribed. @throws RecoverableError with a sentence; TokenRefused among them */
export async function openStream(options: StreamOptions): Promise<Stream> {
  const ending = Promise.withResolvers<EndReason>();
  const opening = Promise.withResolvers<Connected>();
  const watchdog = createWatchdog(options.onActivity);
  const client = createClient(options, watchdog.feed, ending.resolve, opening.resolve);
  const close = (): void => {
    watchdog.stop();
    options.signal.removeEventListener("abort", close);
    void client.deactivate({ force: true });
    ending.resolve({ sentence: "the stream was closed", cause: "closed" });
  };
  void ending.promise.then(close);
  options.signal.addEventListener("abort", close, { once: true });
  client.activate();
  try {
    const { headers, socket } = await within(
      CONNECT_MS,
      Promise.race([opening.promise, failure(ending.promise)]),
      timeout,
    );
    watchdog.start(serverBeatMs(headers), options.heartbeatMs, socket, () => ending.resolve(SILENCE));
  } catch (error) {
    close();
    throw error;
  }
  return { ended: ending.promise, close, ask: (deviceIds) => ask(client, deviceIds) };
}

interface Connected {
  readonly headers: StompHeaders;
  readonly socket: SockjsSocket;
}

/** Our subscriptions, by their ids. */
const QUEUES = { "sub-0": "messages", "sub-1": "portal" } as const;

const SILENCE: EndReason = { sentence: "nothing was heard for three heart-beats", cause: "silence" };

function createClient(
  options: StreamOptions,
  onActivity: () => void,
  onEnd: (reason: EndReason) => void,
  onConnected: (connected: Connected) => void,
): Client {
  const { url, token, heartbeatMs, log, onMalformed } = options;
  const onMessage = (subscription: string, body: string): void => {
    options.onMessage(subscription === "sub-0" ? "messages" : "portal", body);
  };
  const socket = openSocket(sessionUrl(url, token), { onActivity, onMalformed, onMessage, onEnd });
  let isConnected = false;
  const client = new Client({
    webSocketFactory: () => socket,
    connectHeaders: { access_token: token },
    stompVersions: new Versions([Versions.V1_1, Versions.V1_0]),
    heartbeatIncoming: heartbeatMs,
    heartbeatOutgoing: heartbeatMs,
    heartbeatToleranceMultiplier: Number.MAX_SAFE_INTEGER,
    reconnectDelay: 0,
    discardWebsocketOnCommFailure: true,
    onConnect: ({ headers }) => {
      isConnected = true;
      // At once, since a moment later the connection may have ended. The socket hands their messages on by itself.
      for (const [id, queue] of Object.entries(QUEUES)) client.subscribe(`/user/queue/${queue}`, () => {}, { id });
      onConnected({ headers, socket });
    },
    onStompError: ({ headers, body }) => {
      const sentence = `the server reported an error (${(headers.message ?? body).slice(0, 200)})`;
      onEnd({ sentence, cause: "error", ...(!isConnected && { httpStatus: 401 }) });
    },
    onUnhandledFrame: ({ command }) => log.debug(`stream: an unknown frame ${command.slice(0, 20)}`),
  });
  return client;
}

/** A rejection that says why the stream did not open. */
async function failure(ended: Promise<EndReason>): Promise<never> {
  const { sentence, cause, httpStatus, retryAfterMs } = await ended;
  if (httpStatus === 401 || httpStatus === 403) throw new TokenRefused(`${sentence}: the token is not valid any more`);
  throw new StreamEnded(`the live stream cannot be opened: ${sentence}`, cause, retryAfterMs);
}

function timeout(): RecoverableError {
  return new StreamEnded(`the stream did not open within ${CONNECT_MS / 1000} s`, "timeout");
}

function ask(client: Client, deviceIds: readonly number[]): void {
  if (!client.connected) return;
  client.publish({
    destination: "/app/subscribe",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ deviceIds }),
  });
}

/** How often the server says that it lives, ms; 0 when it does not. */
function serverBeatMs(headers: StompHeaders): number {
  const beat = Number.parseInt(headers["heart-beat"] ?? "0", 10);
  return Number.isFinite(beat) && beat > 0 ? beat : 0;
}

interface Watchdog {
  readonly feed: () => void;
  start(serverMs: number, ownMs: number, socket: SockjsSocket, onSilence: () => void): void;
  stop(): void;
}

/** Calls `onSilence` when no byte has come for three heart-beats, by a clock that does not jump. */
function createWatchdog(onActivity: () => void): Watchdog {
  let heardAt = monotonicMs();
  let timer: NodeJS.Timeout | undefined;
  return {
    feed: () => {
      heardAt = monotonicMs();
      onActivity();
    },
    start(serverMs, ownMs, socket, onSilence) {
      heardAt = monotonicMs();
      const beatMs = Math.max(serverMs, ownMs);
      timer = setInterval(() => {
        // A server without heart-beats of its own has to answer to ours.
        if (serverMs === 0) socket.ping();
        if (monotonicMs() - heardAt > beatMs * MISSED_BEATS) onSilence();
      }, beatMs / CHECKS_PER_BEAT);
    },
    stop: () => clearInterval(timer),
  };
}
