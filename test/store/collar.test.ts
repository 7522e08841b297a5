/** What follows from reports and from time alone: at home, outside, lost; and that time without news changes nothing. */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Collar } from "../../src/model/device.ts";
import { contactLoss, dayOf, settle } from "../../src/store/collar.ts";
import { Draft } from "../../src/store/merge.ts";
import { ageCollar, reduceCollar } from "../../src/store/reduce.ts";
import { collarReport, NEW_COLLAR, NOON, time } from "../support/arbitraries.ts";
import { createCat, HOUR, MINUTE, SECOND } from "../support/cat.ts";

const RULES = { maxAccuracyM: 200, flapMs: 60_000 };

afterEach(() => vi.unstubAllEnvs());

describe("home that toggles", () => {
  test("is shown at once the first time, and the change back only when it has lasted", () => {
    const cat = createCat({ home: true });
    cat.report({ home: false });
    expect([cat.collar.atHome, cat.news()]).toEqual([false, ["left_home"]]);
    cat.report({ home: true }, 30 * SECOND);
    cat.wait(29 * SECOND);
    expect([cat.collar.atHome, cat.news()]).toEqual([false, []]);
    // A minute after it changed, at the latest.
    cat.wait(31 * SECOND);
    expect([cat.collar.atHome, cat.news()]).toEqual([true, ["came_home"]]);
  });

  test("and is back as it was within the time has changed once", () => {
    const cat = createCat({ home: true });
    for (const home of [false, true, false]) cat.report({ home }, 20 * SECOND);
    cat.wait(10 * MINUTE);
    expect(cat.news()).toEqual(["left_home"]);
    expect(cat.collar.atHome).toBe(false);
  });

  test("for as long as it likes, at the edge of the station's reach, has changed once", () => {
    const cat = createCat({ home: true });
    for (let count = 0; count < 30; count += 1) {
      cat.report({ home: count % 2 === 1 });
      cat.wait(19 * SECOND);
    }
    expect(cat.news()).toEqual(["left_home"]);
    cat.wait(2 * MINUTE);
    expect(cat.news()).toEqual(["came_home"]);
  });

  test("counts each time when the changes are far enough apart", () => {
    const cat = createCat({ home: true });
    for (const home of [false, true, false]) cat.report({ home }, 61 * SECOND);
    expect(cat.news()).toEqual(["left_home", "came_home", "left_home"]);
  });

  test("counts as the user wants it", () => {
    const always = createCat({ home: true }, { flapMs: 0 });
    for (const home of [false, true, false, true]) always.report({ home });
    expect(always.news()).toEqual(["left_home", "came_home", "left_home", "came_home"]);

    const patient = createCat({ home: true }, { flapMs: HOUR });
    patient.report({ home: false });
    patient.report({ home: true }, 30 * MINUTE);
    patient.wait(29 * MINUTE, SECOND);
    expect(patient.news()).toEqual(["left_home"]);
    patient.store.setRules({ maxAccuracyM: 200, flapMs: 10 * MINUTE });
    patient.wait(SECOND);
    expect(patient.news()).toEqual(["came_home"]);
  });

  test("does not wait when the first change is the first that is heard at all", () => {
    const cat = createCat({});
    cat.report({ home: true });
    cat.report({ home: false });
    expect(cat.news()).toEqual(["left_home"]);
  });

  test("is settled by a clock that was set back, too", () => {
    const cat = createCat({ home: true });
    cat.report({ home: false });
    cat.report({ home: true }, -24 * HOUR);
    cat.wait(2 * MINUTE);
    expect(cat.collar.atHome).toBe(true);
  });
});

describe("the time outside", () => {
  /** By the clock on the wall, whichever zone the tests run in. */
  const at = (hours: number, minutes = 0): number => new Date(2026, 5, 1, hours, minutes).getTime();
  const outsideMinutes = (collar: Collar): number => Math.floor((collar.outside?.ms ?? Number.NaN) / MINUTE);

  test("is nothing at home, and begins with leaving", () => {
    const cat = createCat({ home: true }, { at: at(8) });
    cat.wait(2 * HOUR, MINUTE);
    expect(outsideMinutes(cat.collar)).toBe(0);
    cat.report({ home: false });
    cat.wait(10 * MINUTE);
    expect(outsideMinutes(cat.collar)).toBe(10);
  });

  test("adds up over several ways out", () => {
    const cat = createCat({ home: true }, { at: at(8) });
    for (let way = 0; way < 3; way += 1) {
      cat.report({ home: false }, 10 * MINUTE);
      cat.wait(20 * MINUTE + 30 * SECOND);
      cat.report({ home: true, homeSinceAt: cat.at }, 0);
      cat.wait(30 * MINUTE, MINUTE);
    }
    expect(outsideMinutes(cat.collar)).toBe(61);
  });

  test("ends with the moment at which it came home, not with the news of it", () => {
    const cat = createCat({ home: false }, { at: at(8) });
    cat.wait(30 * MINUTE, MINUTE);
    cat.list({ home: true, homeSinceAt: at(8, 30) });
    cat.wait(10 * MINUTE);
    expect(outsideMinutes(cat.collar)).toBe(30);
    // Without a look at the clock in between, as after a restart.
    const late = createCat({ home: false }, { at: at(8) });
    late.report({ home: true, homeSinceAt: at(8, 40) }, 3 * HOUR);
    expect(outsideMinutes(late.collar)).toBe(40);
  });

  test("begins anew at local midnight, for a cat that is out", () => {
    const cat = createCat({ home: false }, { at: at(22) });
    cat.wait(2 * HOUR - SECOND);
    expect(outsideMinutes(cat.collar)).toBe(119);
    cat.wait(SECOND);
    expect(cat.collar.outside).toMatchObject({ day: "2026-06-02", ms: 0 });
    cat.wait(15 * MINUTE);
    expect(outsideMinutes(cat.collar)).toBe(15);
  });

  test("begins anew at local midnight, for a cat that is home", () => {
    const cat = createCat({ home: false }, { at: at(22) });
    cat.wait(HOUR);
    cat.report({ home: true });
    cat.wait(2 * HOUR, MINUTE);
    expect(cat.collar.outside).toMatchObject({ day: "2026-06-02", ms: 0 });
  });

  test("of a night without a look at the clock is what lies behind midnight", () => {
    const cat = createCat({ home: false }, { at: at(22) });
    cat.wait(8 * HOUR, 8 * HOUR);
    expect(outsideMinutes(cat.collar)).toBe(6 * 60);
    const back = createCat({ home: false }, { at: at(22) });
    back.report({ home: true, homeSinceAt: at(24, 30) }, 8 * HOUR);
    expect(outsideMinutes(back.collar)).toBe(30);
    const yesterday = createCat({ home: false }, { at: at(22) });
    yesterday.report({ home: true, homeSinceAt: at(23) }, 8 * HOUR);
    expect(outsideMinutes(yesterday.collar)).toBe(0);
  });

  test.each(["Pacific/Auckland", "America/Los_Angeles", "UTC"])("goes by the wall clock of %s", (zone) => {
    vi.stubEnv("TZ", zone);
    const midnight = new Date(2026, 5, 2).getTime();
    const cat = createCat({ home: false }, { at: midnight - 10 * MINUTE });
    cat.wait(10 * MINUTE - SECOND);
    expect([dayOf(cat.at), outsideMinutes(cat.collar)]).toEqual(["2026-06-01", 9]);
    cat.wait(5 * MINUTE + SECOND);
    expect([dayOf(cat.at), outsideMinutes(cat.collar)]).toEqual(["2026-06-02", 5]);
  });

  test("of a day with 25 hours may be 25 hours", () => {
    vi.stubEnv("TZ", "Europe/Berlin");
    const cat = createCat({ home: false }, { at: new Date(2026, 9, 25).getTime() });
    cat.wait(25 * HOUR - SECOND, 10 * SECOND);
    expect([cat.collar.outside?.day, outsideMinutes(cat.collar)]).toEqual(["2026-10-25", 25 * 60 - 1]);
  });

  test("is the same whether the clock is looked at every second or only when there is news", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 7, 3_600), (ways, everyS) => {
        const cat = createCat({ home: true }, { at: at(8), flapMs: 0 });
        let [isOut, outMs] = [false, 0];
        for (const [seconds, home] of ways) {
          cat.wait(seconds * SECOND, everyS * SECOND);
          if (isOut) outMs += seconds * SECOND;
          cat.report({ home }, 0);
          isOut = !home;
        }
        cat.report({}, 0);
        expect(outsideMinutes(cat.collar)).toBe(Math.floor(outMs / MINUTE));
      }),
    );
  });

  test("without any word of home is unknown", () => {
    const cat = createCat({ batteryMv: 3_900 });
    cat.wait(HOUR, MINUTE);
    expect(cat.collar.outside).toBeUndefined();
  });
});

describe("a look at the clock", () => {
  test("every second makes a change only when there is one to show: a minute outside", () => {
    let collar = reduceCollar(NEW_COLLAR, { home: false, mode: 1, lastContactAt: NOON }, NOON, RULES);
    let changes = 0;
    for (let at = NOON; at < NOON + 30 * MINUTE; at += SECOND) {
      const next = ageCollar(collar, at, RULES, true);
      if (next !== collar) changes += 1;
      collar = next;
    }
    expect(changes).toBeLessThanOrEqual(30);
  });

  test("every second for a day makes one change, at midnight, for a cat that is home", () => {
    let collar = reduceCollar(NEW_COLLAR, { home: true }, NOON, RULES);
    const seen = new Set<Collar>();
    for (let at = NOON; at < NOON + 24 * HOUR; at += 10 * SECOND) {
      collar = ageCollar(collar, at, RULES, true);
      seen.add(collar);
    }
    expect(seen.size).toBe(2);
  });

  test("twice at the same moment is one look, whatever is known", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(collarReport, time), { maxLength: 8 }), time, (all, at) => {
        const known = all.reduce((collar, [report, when]) => reduceCollar(collar, report, when, RULES), NEW_COLLAR);
        const once = ageCollar(known, at, RULES, true);
        expect(ageCollar(once, at, RULES, true)).toBe(once);
        expect(settle(new Draft(once), at, RULES.flapMs).value).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe("contact", () => {
  const silentFor = (mode: number | undefined, ms: number): boolean | undefined => {
    const collar = { ...NEW_COLLAR, lastContactAt: NOON, contactLost: false, ...(mode !== undefined && { mode }) };
    return { ...collar, ...contactLoss(collar, NOON + ms) }.contactLost;
  };

  test.each([
    ["Fast", 1, HOUR],
    ["Live", 11, HOUR],
    ["Slow, every 15 minutes", 3, HOUR],
    ["Battery low, every hour", 10, 3 * HOUR],
    ["a mode that nobody knows", 99, HOUR],
    ["no mode at all", undefined, HOUR],
  ])("in %s is lost after an hour or three polls, whichever is longer", (_, mode, patienceMs) => {
    expect(silentFor(mode, patienceMs)).toBe(false);
    expect(silentFor(mode, patienceMs + 1)).toBe(true);
  });

  test("of a collar that is switched off is never lost", () => {
    expect(silentFor(12, 1_000 * HOUR)).toBe(false);
  });

  test("that there never was cannot be lost", () => {
    expect(contactLoss(NEW_COLLAR, NOON)).toEqual({});
  });

  test("is not lost while it is us who hear nothing", () => {
    const cat = createCat({ mode: 1, lastContactAt: NOON });
    // Not a word of the account: its devices are unavailable after five minutes.
    for (let minute = 1; minute <= 180; minute += 1) {
      cat.dispatch({ type: "timePassed", at: NOON + minute * MINUTE, elapsedMs: MINUTE });
    }
    expect(cat.news()).toEqual([]);
  });

  test("is not lost for the moment between the account's first word and its listing", () => {
    const cat = createCat({ mode: 1, lastContactAt: NOON });
    for (let minute = 1; minute <= 180; minute += 1) {
      cat.dispatch({ type: "timePassed", at: NOON + minute * MINUTE, elapsedMs: MINUTE });
    }
    // The login has come through, the listing is on its way, and the clock is looked at meanwhile.
    const back = NOON + 181 * MINUTE;
    cat.dispatch({ type: "accountReported", account: "pettracer", at: back, report: {} });
    cat.dispatch({ type: "timePassed", at: back + SECOND, elapsedMs: SECOND });
    cat.dispatch({
      type: "collarReported",
      key: "pettracer_14758",
      at: back + 2 * SECOND,
      report: { lastContactAt: back - MINUTE },
    });
    expect(cat.news()).toEqual([]);
  });

  test("comes back with a new one, and not with an old one that is told again", () => {
    const cat = createCat({ mode: 1, lastContactAt: NOON });
    cat.wait(2 * HOUR, MINUTE);
    expect(cat.news()).toEqual(["contact_lost"]);
    cat.report({ lastContactAt: NOON });
    cat.report({ lastContactAt: NOON + 10 * MINUTE });
    expect(cat.news()).toEqual([]);
    cat.report({ fix: { latitude: 51, longitude: 0, measuredAt: cat.at } });
    expect(cat.news()).toEqual(["contact_restored"]);
  });
});
