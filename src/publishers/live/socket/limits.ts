/** What a client may, and how long we are patient. The numbers stand in the welcome, and in docs/api-websocket.md. */

export const LIMITS = {
  /** The largest message that is read; a larger one ends the connection with 1009. */
  messageBytes: 65_536,
  /** Of one connection. */
  subscriptions: 50,
  messagesPerSecond: 20,
  burst: 60,
  /** Requests that are no good, or too many: so many at once, so many a second; who has no more is put out with 1008. */
  faults: { burst: 100, perSecond: 2 },
  /** Commands of one connection whose end is not known yet. */
  commands: 20,
  /** A ping at least so often. */
  heartbeatMs: 20_000,
  /** Who has not answered one for so long is gone. */
  silenceMs: 40_000,
  /**
   * A client answers our pings in their place among the messages: so what it has read is known, however much the
   * network holds. So many bytes may be on their way; beyond that it gets the latest state only, when it has caught up.
   */
  windowBytes: 65_536,
  /** A ping at least behind so many bytes. */
  pingBytes: 16_384,
  /** Whoever is behind for so long is put out with 1013. */
  slowMs: 15_000,
  /**
   * From our goodbye to the end of the connection, for who does not answer it. Who has stopped reading finds the
   * goodbye behind what it has not read yet; a connection that is cut would take it away again.
   */
  goodbyeMs: 60_000,
  /** The same when all of us ends: that takes less than the five seconds it may. */
  lastGoodbyeMs: 1_000,
  /** How often we look for who is silent, slow, or not welcome any more. */
  lookMs: 500,
} as const;

/** For tests, which have less patience. */
export type Limits = { readonly [Name in keyof typeof LIMITS]: Widened<(typeof LIMITS)[Name]> };
type Widened<T> = T extends number ? number : { readonly [Key in keyof T]: number };

/** Why a connection is closed by us. https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 and its registry */
export const CLOSE = {
  /** Refused: a binary message, too many faults, or a token that was revoked. */
  refused: 1008,
  /** A defect of ours. */
  failed: 1011,
  /** Pawline, or its server, is about to start again. */
  restart: 1012,
  /** It reads too slowly. */
  slow: 1013,
} as const;
