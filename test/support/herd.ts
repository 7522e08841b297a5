/** Accounts with collars in a store, and a way to make them move. */
import type { CollarReport, StationReport } from "../../src/model/device.ts";
import { createStore, type Remembered, type Store } from "../../src/store/store.ts";
import { NOON, PRODUCT } from "./arbitraries.ts";

export interface Herd {
  readonly store: Store;
  /** Lists these as all collars of the account, and its home station, by their numbers. */
  list(account: string, collars: readonly number[], stations?: readonly number[]): void;
  report(collar: number, report: CollarReport): void;
  /** A fix at this latitude. */
  move(collar: number, latitude: number): void;
  reportStation(station: number, report: StationReport): void;
}

export function createHerd(remembered?: Remembered, startedAt = NOON): Herd {
  const about = { version: "1", startedAt, logLevel: "info" };
  const store = createStore(about, { maxAccuracyM: 200, flapMs: 0 }, remembered);
  let at = NOON;
  const idOf = (collar: number): string => `pettracer_${collar}`;
  return {
    store,
    list(account, collars, stations = []) {
      const report = { deviceKey: `pettracer_account_${account}` };
      store.dispatch({ type: "accountConfigured", account });
      store.dispatch({ type: "accountReported", account, at, report });
      store.dispatch({
        type: "devicesListed",
        account,
        at,
        isConfirmed: true,
        collars: collars.map((id) => {
          const report = { name: `Cat ${id}`, light: false };
          return { key: idOf(id), id, product: PRODUCT, report };
        }),
        stations: stations.map((id) => {
          const report = { name: `House ${id}`, latitude: 50, longitude: 10 };
          return { key: `pettracer_hs_${id}`, id, product: PRODUCT, report };
        }),
      });
    },
    report(collar, report) {
      at += 1_000;
      store.dispatch({ type: "collarReported", key: idOf(collar), at, report });
    },
    move(collar, latitude) {
      at += 1_000;
      const fix = { latitude, longitude: 10, accuracyM: 10, measuredAt: at };
      store.dispatch({ type: "collarReported", key: idOf(collar), at, report: { fix } });
    },
    reportStation(station, report) {
      at += 1_000;
      store.dispatch({ type: "stationReported", key: `pettracer_hs_${station}`, at, report });
    },
  };
}
