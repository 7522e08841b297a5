/** What the simulated cloud does differently on request; may be changed while it runs. */
export interface CloudSettings {
  /** How the login answer writes `expires`; clients have seen more than one way. */
  expires: "iso" | "date" | "missing";
  /** How long a token is good for, in milliseconds. */
  tokenLifeMs: number;
  /** Whether `/map/getccinfo` answers the collar itself or an array of one. */
  getccinfo: "object" | "array";
  /** The number that switches light and buzzer off (on is always 1). */
  offCommand: number;
  /** What the three command calls answer: nothing, or the collar's record. */
  commandAnswer: "empty" | "collar";
  /** Factor on each mode's poll interval until a collar takes a command; null: it never does. */
  pollScale: number | null;
  /** `searchModeDuration` when a collar starts its live search, in minutes. */
  searchMinutes: number;
  /** Positions kept of each collar for `/map/getccpositions`; the oldest go first. */
  positionsKept: number;
  /** Milliseconds between two SockJS `h` frames. */
  sockjsHeartbeatMs: number;
  /** How far the clock of its REST service is ahead of ours, ms. */
  clockAheadMs: number;
  /** The server's STOMP heart-beat: [what it can send, what it wants to get], milliseconds, 0 = none. */
  heartBeatMs: readonly [send: number, receive: number];
}

export const defaultSettings: Readonly<CloudSettings> = {
  expires: "iso",
  tokenLifeMs: 30 * 24 * 3_600_000,
  getccinfo: "object",
  offCommand: 2,
  commandAnswer: "empty",
  pollScale: 1,
  searchMinutes: 15,
  positionsKept: 1000,
  sockjsHeartbeatMs: 25_000,
  clockAheadMs: 0,
  heartBeatMs: [10_000, 10_000],
};
