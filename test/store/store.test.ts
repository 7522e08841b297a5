import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CollarReport } from "../../src/model/device.ts";
import type { DevicesListed } from "../../src/model/event.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { NOON, PRODUCT } from "../support/arbitraries.ts";

function newStore(): Store {
  return createStore({ version: "1", startedAt: NOON, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 60_000 });
}

function listing(account: string, ids: readonly number[], report: CollarReport = {}): DevicesListed {
  const collars = ids.map((id) => ({ key: `c${id}`, id, product: PRODUCT, report }));
  return { type: "devicesListed", account, at: NOON, isConfirmed: false, collars, stations: [] };
}

function collars(store: Store): string[] {
  return [...store.state.values()].filter(({ kind }) => kind === "collar").map(({ key }) => key);
}

/** The reader's next step, as soon as there is one. */
async function next(reader: AsyncIterator<{ changed: ReadonlySet<string> }>): Promise<string[]> {
  const step = await reader.next();
  return step.done === true ? [] : [...step.value.changed];
}

describe("listings", () => {
  test("bring devices and take them away", () => {
    const store = newStore();
    store.dispatch({ type: "accountConfigured", account: "one" });
    store.dispatch(listing("one", [1, 2]));
    expect(collars(store)).toEqual(["c1", "c2"]);
    store.dispatch(listing("one", [2]));
    expect(collars(store)).toEqual(["c2"]);
  });

  test("of two accounts: a shared collar stays until both have lost it", () => {
    const store = newStore();
    store.dispatch(listing("one", [1]));
    store.dispatch(listing("two", [1]));
    store.dispatch(listing("one", []));
    expect(collars(store)).toEqual(["c1"]);
    store.dispatch({ type: "accountDropped", account: "two" });
    expect(collars(store)).toEqual([]);
  });

  test("are what makes a collar: news of a stranger are left alone", () => {
    const store = newStore();
    store.dispatch({ type: "collarReported", key: "c9", at: NOON, report: { batteryMv: 4000 } });
    expect(collars(store)).toEqual([]);
  });
});

describe("silence", () => {
  test("of one account makes its devices unavailable, and its next word makes them available", () => {
    const store = newStore();
    store.dispatch(listing("one", [1]));
    store.dispatch({ type: "timePassed", at: NOON, elapsedMs: 300_001 });
    expect(store.state.get("c1")).toMatchObject({ accounts: { one: false } });
    store.dispatch({ type: "accountReported", account: "one", at: NOON, report: {} });
    expect(store.state.get("c1")).toMatchObject({ accounts: { one: true } });
  });
});

describe("a reader", () => {
  test("gets everything first, then what was touched since, once", async () => {
    const store = newStore();
    store.dispatch(listing("one", [1, 2]));
    const reader = store.changes(new AbortController().signal)[Symbol.asyncIterator]();
    expect((await next(reader)).toSorted()).toEqual(["account:one", "bridge", "c1", "c2"]);
    const news = next(reader);
    store.dispatch({ type: "collarReported", key: "c2", at: NOON, report: { batteryMv: 4000 } });
    store.dispatch({ type: "collarReported", key: "c2", at: NOON, report: { batteryMv: 3900 } });
    expect(await news).toEqual(["c2"]);
  });

  test("is not woken by news that change nothing", async () => {
    const store = newStore();
    store.dispatch(listing("one", [1], { batteryMv: 4000 }));
    const reader = store.changes(new AbortController().signal)[Symbol.asyncIterator]();
    await next(reader);
    store.dispatch({ type: "collarReported", key: "c1", at: NOON, report: { batteryMv: 4000 } });
    store.dispatch({ type: "collarReported", key: "c1", at: NOON, report: { charging: true } });
    expect(await next(reader)).toEqual(["c1"]);
  });

  test("ends when it is stopped, also while it waits", async () => {
    const stop = new AbortController();
    const reader = newStore().changes(stop.signal)[Symbol.asyncIterator]();
    await next(reader);
    const last = reader.next();
    stop.abort();
    expect((await last).done).toBe(true);
  });

  test("that is slow misses states, but never the latest, and never sees an older one after a newer one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 30 }), async (steps) => {
        const store = newStore();
        store.dispatch(listing("one", [0, 1, 2, 3], { mode: -1 }));
        const seen = new Map<string, number>();
        const reader = store.changes(new AbortController().signal)[Symbol.asyncIterator]();
        const read = async (): Promise<void> => {
          for (const key of await next(reader)) {
            const entry = store.state.get(key);
            if (entry?.kind !== "collar") continue;
            expect(entry.mode ?? -1).toBeGreaterThanOrEqual(seen.get(key) ?? -1);
            seen.set(key, entry.mode ?? -1);
          }
        };
        await read();
        const latest = new Map<string, number>();
        for (const [index, [id, reads]] of steps.entries()) {
          store.dispatch({ type: "collarReported", key: `c${id}`, at: NOON, report: { mode: index } });
          latest.set(`c${id}`, index);
          if (reads) await read();
        }
        store.dispatch({ type: "collarReported", key: "c0", at: NOON, report: { mode: 1_000 } });
        await read();
        for (const [key, mode] of latest) if (key !== "c0") expect(seen.get(key)).toBe(mode);
      }),
    );
  });
});

test("components are told with their state, and forgotten", () => {
  const store = newStore();
  const component = { role: "source", name: "x", state: "running", sinceAt: NOON } as const;
  store.dispatch({ type: "componentChanged", component });
  store.dispatch({ type: "componentChanged", component: { ...component, state: "parked", error: "no" } });
  expect(store.state.get("bridge")).toMatchObject({ components: [{ name: "x", state: "parked", error: "no" }] });
  store.dispatch({ type: "componentDropped", role: "source", name: "x" });
  expect(store.state.get("bridge")).toMatchObject({ components: [] });
});
