/** A store with one cat in it, and a clock that only the test moves. */
import type { Activity, ActivityType } from "../../src/model/activity.ts";
import type { Collar, CollarReport } from "../../src/model/device.ts";
import type { DevicesListed, StoreEvent } from "../../src/model/event.ts";
import type { Rules } from "../../src/store/reduce.ts";
import { createStore, type Remembered, type Store } from "../../src/store/store.ts";
import { NOON, PRODUCT } from "./arbitraries.ts";

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;

export const CAT = "pettracer_14758";
const ACCOUNT = "pettracer";
const ABOUT = { version: "1", startedAt: NOON, logLevel: "info" };

export interface CatOptions extends Partial<Rules> {
  /** The clock, epoch ms. */
  readonly at?: number;
  readonly remembered?: Remembered;
  readonly keep?: (store: Store) => void;
}

export interface Cat {
  readonly store: Store;
  readonly at: number;
  readonly collar: Collar;
  readonly told: readonly Activity[];
  /** The types of what happened since the last call, in their order. */
  news(): ActivityType[];
  /** A listing of the account; the first one makes the collar. */
  list(report?: CollarReport): void;
  /** A message of the stream, `afterMs` after what was before. */
  report(report: CollarReport, afterMs?: number): void;
  /** Lets time go by as the daemon does: a look at the clock every second (or `everyMs`). */
  wait(ms: number, everyMs?: number): void;
  readonly dispatch: (event: StoreEvent) => void;
}

/** The listing of an account with this one collar. */
function listing(report: CollarReport, at: number): DevicesListed {
  const collars = [{ key: CAT, id: 14758, product: PRODUCT, report }];
  return { type: "devicesListed", account: ACCOUNT, at, isConfirmed: true, collars, stations: [] };
}

/** @param first what the first listing says of it; undefined for none so far */
export function createCat(first?: CollarReport, options: CatOptions = {}): Cat {
  const { at: startAt = NOON, maxAccuracyM = 200, flapMs = 60_000, remembered, keep } = options;
  const store = createStore(ABOUT, { maxAccuracyM, flapMs }, remembered, keep);
  let at = startAt;
  let toldUpTo = store.activities(0).at(-1)?.sequence ?? 0;
  const cat: Cat = {
    store,
    get at() {
      return at;
    },
    get collar() {
      const entry = store.state.get(CAT);
      if (entry?.kind !== "collar") throw new Error("there is no collar");
      return entry;
    },
    get told() {
      return store.activities(0);
    },
    news() {
      const news = store.activities(toldUpTo);
      toldUpTo = news.at(-1)?.sequence ?? toldUpTo;
      return news.map(({ type }) => type);
    },
    list: (report = {}) => store.dispatch(listing(report, at)),
    report(report, afterMs = SECOND) {
      at += afterMs;
      store.dispatch({ type: "collarReported", key: CAT, at, report });
    },
    wait(ms, everyMs = SECOND) {
      for (const end = at + ms; at < end; ) {
        const elapsedMs = Math.min(everyMs, end - at);
        at += elapsedMs;
        // A running stream is heard of all the time.
        store.dispatch({ type: "accountReported", account: ACCOUNT, at, report: {} });
        store.dispatch({ type: "timePassed", at, elapsedMs });
      }
    },
    dispatch: store.dispatch,
  };
  store.dispatch({ type: "accountConfigured", account: ACCOUNT });
  if (first !== undefined) cat.list(first);
  return cat;
}
