/** A clock that is wrong, or set while the program runs: no cat is lost for it, and none that is lost is kept. */
import { expect, test } from "vitest";
import type { StoreEvent } from "../../src/model/event.ts";
import { createStore } from "../../src/store/store.ts";
import { createTrueClock } from "../../src/store/true-clock.ts";

const KEY = "pettracer_14758";
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const NOON = Date.UTC(2026, 5, 1, 12);
const product = { manufacturer: "PetTracer", model: "GPS collar", website: "https://example.test" };

/** A store, and the two clocks of its computer; the cloud's is always right. */
function start(offsetMs = 0) {
  const store = createStore({ version: "0", startedAt: NOON, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 0 });
  let [trueAt, offset, jumpMs] = [NOON, offsetMs, 0];
  const tell = (event: (at: number) => StoreEvent): void => store.dispatch(event(trueAt + offset));
  const house = {
    store,
    lost: (): string[] => store.activities(0).map(({ type }) => type),
    set(ms: number) {
      jumpMs += ms - offset;
      offset = ms;
    },
    sleep(ms: number) {
      trueAt += ms;
      jumpMs += ms;
    },
    list(contactMsAgo: number, tells = true) {
      const collars = [{ key: KEY, id: 14758, product, report: { mode: 1, lastContactAt: trueAt - contactMsAgo } }];
      const aheadMs = tells ? offset : undefined;
      tell((at) => ({ type: "devicesListed", account: "a", at, isConfirmed: true, aheadMs, collars, stations: [] }));
    },
    contact() {
      const report = { lastContactAt: trueAt };
      tell((at) => ({ type: "collarReported", key: KEY, at, report }));
    },
    pass(ms: number, hears = true) {
      for (let passed = 0; passed < ms; passed += 10 * SECOND) {
        trueAt += 10 * SECOND;
        if (hears) tell((at) => ({ type: "accountReported", account: "a", at, report: {} }));
        tell((at) => ({ type: "timePassed", at, elapsedMs: 10 * SECOND, ...(jumpMs !== 0 && { jumpMs }) }));
        jumpMs = 0;
      }
    },
  };
  house.list(0);
  return house;
}

test("by a clock that is right, a collar is lost after an hour and found at its next word", () => {
  const house = start();
  house.pass(HOUR - MINUTE);
  expect(house.lost()).toEqual([]);
  house.pass(2 * MINUTE);
  expect(house.lost()).toEqual(["contact_lost"]);
  house.contact();
  expect(house.lost()).toEqual(["contact_lost", "contact_restored"]);
});

test.each([HOUR, 2 * HOUR, 24 * HOUR, -HOUR, -24 * HOUR])("a clock that is set by %i ms loses no collar", (ms) => {
  const house = start();
  house.pass(5 * MINUTE);
  house.set(ms);
  house.pass(30 * MINUTE);
  house.contact();
  house.list(0);
  house.pass(30 * MINUTE);
  expect(house.lost()).toEqual([]);
});

test.each([HOUR, -HOUR])("and by a clock that was set by %i ms, one that is lost is lost in time, and found", (ms) => {
  const house = start();
  house.set(ms);
  house.pass(HOUR - MINUTE);
  expect(house.lost()).toEqual([]);
  house.pass(2 * MINUTE);
  expect(house.lost()).toEqual(["contact_lost"]);
  house.contact();
  expect(house.lost()).toEqual(["contact_lost", "contact_restored"]);
});

test.each([3 * HOUR, -3 * HOUR])("a clock that is wrong by %i ms from the start, and is set right, too", (ms) => {
  const house = start(ms);
  house.pass(20 * MINUTE);
  house.set(0);
  house.pass(20 * MINUTE);
  house.list(40 * MINUTE);
  expect(house.lost()).toEqual([]);
  house.pass(22 * MINUTE);
  expect(house.lost()).toEqual(["contact_lost"]);
});

test("a computer that slept does not take the silence for the collar's, and believes the cloud's next word", () => {
  const house = start();
  house.pass(5 * MINUTE);
  house.sleep(8 * HOUR);
  house.pass(30 * SECOND, false);
  expect(house.lost()).toEqual([]);
  house.list(MINUTE);
  house.pass(5 * MINUTE);
  expect(house.lost()).toEqual([]);
  house.sleep(8 * HOUR);
  house.pass(30 * SECOND, false);
  house.list(7 * HOUR);
  house.pass(3 * MINUTE);
  expect(house.lost()).toEqual(["contact_lost"]);
});

test("a cat moves, and its events have their true time, while the clock is an hour behind", () => {
  const house = start();
  const fix = (minutes: number) => ({
    latitude: 51 + minutes / 100,
    longitude: -1,
    measuredAt: NOON + minutes * MINUTE,
  });
  const report = (minutes: number, home: boolean): void =>
    house.store.dispatch({
      type: "collarReported",
      key: KEY,
      at: NOON + minutes * MINUTE - HOUR,
      report: { fix: fix(minutes), home },
    });
  house.store.dispatch({ type: "collarReported", key: KEY, at: NOON, report: { fix: fix(-60), home: true } });
  house.set(-HOUR);
  house.pass(MINUTE);
  report(2, false);
  expect(house.store.state.get(KEY)).toMatchObject({ fix: { latitude: 51.02 } });
  expect(house.store.activities(0).at(-1)).toMatchObject({ type: "left_home", at: NOON + 2 * MINUTE });
});

test("clocks that differ by seconds are the same", () => {
  const clock = createTrueClock();
  clock.measured(40 * SECOND, NOON);
  expect(clock.at(NOON)).toBe(NOON);
  clock.measured(HOUR, NOON);
  expect(clock.at(NOON)).toBe(NOON - HOUR);
  clock.passed({ at: NOON + SECOND - HOUR, elapsedMs: SECOND, jumpMs: -HOUR });
  expect(clock.at(NOON)).toBe(NOON);
});

test.each([HOUR, -HOUR, 24 * HOUR])(
  "what is measured right after a jump of %i ms, before it is noticed, has it in it",
  (ms) => {
    const clock = createTrueClock();
    clock.measured(0, NOON);
    clock.passed({ at: NOON + SECOND, elapsedMs: SECOND });
    clock.measured(ms, NOON + 1_500 + ms);
    clock.passed({ at: NOON + 2 * SECOND + ms, elapsedMs: SECOND, jumpMs: ms });
    expect(clock.at(NOON + ms)).toBe(NOON);
  },
);
