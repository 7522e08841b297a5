/** The household and its connection: after each connect everything is new, and in between each message is laid over it. */
import { type Change, fold, fromSnapshot, type Household, NOBODY, type Subscribed, withEvents } from "./household.ts";
import { keepConnected, type Obstacle, type Seams } from "./keep-connected.ts";
import { fetchEvents, findObstacle } from "./requests.ts";
import { type News, openTalk, type Talk, type Welcome } from "./talk.ts";
import { browserTimers, openWire } from "./wire.ts";

export interface HouseEvents {
  /** Before the first snapshot, and while it is asked for. */
  readonly connecting: () => void;
  /** A snapshot has come: everything is new. */
  readonly connected: (welcome: Welcome) => void;
  readonly changed: (change: Change) => void;
  readonly lost: (obstacle: Obstacle) => void;
  /** The server is one that this page was not made for. @param isUnreadable whether nothing more can be shown */
  readonly outdated: (isUnreadable: boolean) => void;
  /** Resolves when a token was given. */
  readonly signIn: () => Promise<void>;
}

export interface House {
  readonly household: Household;
  /** Undefined while there is no connection. */
  readonly talk: Talk | undefined;
  readonly mayControl: boolean;
  /** Ends the wait before the next try. */
  readonly tryNow: () => void;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

const SCHEMA = 1;

/** @param version of the server that this page came from */
export function createHouse(version: string, events: HouseEvents): House {
  let household = NOBODY;
  let talk: Talk | undefined;
  let isOpen = false;
  let welcome: Welcome | undefined;
  let wake = (): void => {};
  const stop = new AbortController();

  function welcomed(next: Welcome): void {
    const isUnreadable: boolean = Number(next.schema) !== SCHEMA;
    if (isUnreadable) stop.abort();
    if (isUnreadable || (version !== "" && next.version !== version)) events.outdated(isUnreadable);
    // Another start of the server: it may count its events anew.
    if (next.instance !== welcome?.instance) household = { ...household, events: [] };
    welcome = next;
  }

  function subscribed(answer: Subscribed): void {
    if (welcome === undefined) return;
    household = fromSnapshot(household, answer);
    isOpen = true;
    events.connected(welcome);
    void addEvents();
  }

  /** They are a list of their own, which can be had once more at any time. */
  async function addEvents(): Promise<void> {
    try {
      household = withEvents(household, await fetchEvents());
      events.changed({ kind: "events" });
    } catch {
      // Those that come are shown nevertheless; a connection that is lost is told elsewhere.
    }
  }

  function news(message: News): void {
    const folded = fold(household, message);
    if (folded === undefined) return;
    household = folded.household;
    events.changed(folded.change);
  }

  const seams: Seams = {
    async connect() {
      events.connecting();
      talk = openTalk(openWire, { welcomed, subscribed, news }, browserTimers);
      if (stop.signal.aborted) talk.close();
      const ended = await talk.ended;
      talk = undefined;
      isOpen = false;
      return ended;
    },
    findObstacle,
    signIn() {
      // The next token may be for less than the last one.
      household = NOBODY;
      return events.signIn();
    },
    pause(ms) {
      return new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, ms);
      });
    },
    lost: (obstacle) => events.lost(obstacle),
    nowMs: () => performance.now(),
    random: Math.random,
  };

  return {
    get household() {
      return household;
    },
    get talk() {
      return isOpen ? talk : undefined;
    },
    get mayControl() {
      return welcome?.scopes.includes("control") === true;
    },
    tryNow: () => wake(),
    async run(signal) {
      signal.addEventListener("abort", () => stop.abort());
      stop.signal.addEventListener("abort", () => talk?.close());
      await keepConnected(seams, stop.signal);
    },
  };
}
