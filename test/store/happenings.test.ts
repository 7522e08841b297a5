/** What happened: each kind, what is none, and what holds over any sequence of reports. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTIVITY_TYPES, type Activity, type ActivityType } from "../../src/model/activity.ts";
import type { CollarReport } from "../../src/model/device.ts";
import { happenings } from "../../src/store/happenings.ts";
import { collarReport, NEW_COLLAR, NOON } from "../support/arbitraries.ts";
import { type Cat, createCat, HOUR, MINUTE, SECOND } from "../support/cat.ts";

const AT_HOME: CollarReport = { home: true, homeSinceAt: NOON - HOUR };
const OUT: CollarReport = { home: false, homeSinceAt: null };

function lastOf(cat: Cat): Activity | undefined {
  return cat.told.at(-1);
}

describe("home", () => {
  test("left is left_home, at the moment of the report", () => {
    const cat = createCat(AT_HOME);
    cat.report(OUT, HOUR);
    expect(cat.told).toEqual([{ type: "left_home", at: NOON + HOUR, device: "pettracer_14758", sequence: 1 }]);
  });

  test("reached is came_home, at the time that the cloud tells", () => {
    const cat = createCat(OUT);
    cat.report({ home: true, homeSinceAt: NOON + 50 * MINUTE }, HOUR);
    expect(cat.told).toEqual([{ type: "came_home", at: NOON + 50 * MINUTE, device: "pettracer_14758", sequence: 1 }]);
  });

  test("reached without a time of the cloud's, or with one that lies ahead, is reached now", () => {
    for (const homeSinceAt of [undefined, null, NOON + 2 * HOUR]) {
      const cat = createCat(OUT);
      cat.report({ home: true, ...(homeSinceAt !== undefined && { homeSinceAt }) }, HOUR);
      expect(lastOf(cat)).toMatchObject({ type: "came_home", at: NOON + HOUR });
    }
  });

  test("that is told again, by stream or listing, is no event", () => {
    const cat = createCat(OUT);
    cat.report(AT_HOME);
    expect(cat.news()).toEqual(["came_home"]);
    cat.report(AT_HOME, 5 * MINUTE);
    cat.list(AT_HOME);
    cat.wait(10 * MINUTE, MINUTE);
    expect(cat.news()).toEqual([]);
  });
});

describe("the battery", () => {
  test("under the collar's own threshold is battery_low, with charge and voltage", () => {
    const cat = createCat({ batteryMv: 3_700, batteryWarningMv: 3_630 });
    cat.report({ batteryMv: 3_630 });
    expect(cat.news()).toEqual([]);
    cat.report({ batteryMv: 3_620 });
    expect(lastOf(cat)).toMatchObject({ type: "battery_low", at: cat.at, details: { battery: 19, voltage: 3.62 } });
  });

  test("that wavers around the threshold is low once, and again only after it has recovered", () => {
    const cat = createCat({ batteryMv: 3_700, batteryWarningMv: 3_630 });
    for (const batteryMv of [3_629, 3_631, 3_620, 3_679, 3_600]) cat.report({ batteryMv }, 10 * MINUTE);
    expect(cat.news()).toEqual(["battery_low"]);
    for (const batteryMv of [3_680, 3_629]) cat.report({ batteryMv }, 10 * MINUTE);
    expect(cat.news()).toEqual(["battery_low"]);
  });

  test("is not low any more on the charger, and low again when that was not enough", () => {
    const cat = createCat({ batteryMv: 3_600, batteryWarningMv: 3_630, charging: false });
    cat.report({ charging: true, batteryMv: 3_635 });
    cat.report({ charging: false, batteryMv: 3_635 });
    cat.report({ batteryMv: 3_625 });
    expect(cat.news()).toEqual(["charging_started", "charging_finished", "battery_low"]);
  });

  test("is not low where no threshold or no voltage was ever told", () => {
    const cat = createCat({ batteryMv: 3_700 });
    cat.report({ batteryMv: 3_000 });
    const other = createCat({ batteryWarningMv: 3_630 });
    other.report({ batteryWarningMv: 3_900 });
    expect([...cat.news(), ...other.news()]).toEqual([]);
  });
});

describe("the charger", () => {
  const FULL: CollarReport = { batteryMv: 4_150, flags: 2 };

  test("that is plugged in is charging_started, with the charge", () => {
    const cat = createCat({ batteryMv: 3_900, charging: false });
    cat.report({ charging: true });
    expect(cat.told).toMatchObject([{ type: "charging_started", details: { battery: 67 } }]);
  });

  test("is done when the collar is full, and unplugging it then is nothing", () => {
    const cat = createCat({ batteryMv: 3_900, charging: false });
    cat.report({ charging: true });
    cat.report(FULL, HOUR);
    expect(lastOf(cat)).toMatchObject({ type: "charging_finished", details: { battery: 100, full: true } });
    // Full stays full on the charger, whatever its voltage does.
    cat.report({ batteryMv: 4_090, flags: 0 }, HOUR);
    cat.report(FULL, HOUR);
    cat.report({ charging: false }, HOUR);
    expect(cat.news()).toEqual(["charging_started", "charging_finished"]);
  });

  test("is done when the collar is taken off before that", () => {
    const cat = createCat({ batteryMv: 3_900, charging: false });
    cat.report({ charging: true });
    cat.report({ charging: false, batteryMv: 3_960 }, HOUR);
    expect(lastOf(cat)).toMatchObject({ type: "charging_finished", details: { battery: 77, full: false } });
    expect(cat.news()).toEqual(["charging_started", "charging_finished"]);
  });

  test("of a collar that is full already begins and ends, once", () => {
    const cat = createCat({ ...FULL, charging: false });
    cat.report({ charging: true });
    cat.report({ charging: false }, HOUR);
    expect(cat.news()).toEqual(["charging_started", "charging_finished"]);
    cat.report({ charging: true });
    cat.report({ charging: false }, HOUR);
    expect(cat.news()).toEqual(["charging_started", "charging_finished"]);
  });

  test("is not done by voltage or flags alone", () => {
    const cat = createCat({ batteryMv: 3_900, charging: true, flags: 0 });
    cat.report({ batteryMv: 4_180 });
    cat.report({ batteryMv: 4_000, flags: 6 });
    expect(cat.news()).toEqual([]);
    const off = createCat({ batteryMv: 3_900, charging: false, flags: 0 });
    off.report(FULL);
    expect(off.news()).toEqual([]);
  });
});

describe("the mode", () => {
  test("that is asked for is mode_changed, with both names; the one that it is in is not", () => {
    const cat = createCat({ mode: 1, modeSet: 1 });
    cat.report({ modeSet: 3 });
    expect(cat.told).toMatchObject([{ type: "mode_changed", at: cat.at, details: { mode: "Slow", previous: "Fast" } }]);
    cat.report({ mode: 3 });
    expect(cat.news()).toEqual(["mode_changed"]);
  });

  test("that nobody knows is told by its number", () => {
    const cat = createCat({ mode: 1, modeSet: 1 });
    cat.report({ modeSet: 99 });
    expect(lastOf(cat)).toMatchObject({ details: { mode: "Mode 99", previous: "Fast" } });
  });

  test("is live when the collar has taken it, and over when it has left it", () => {
    const cat = createCat({ mode: 1, modeSet: 1 });
    cat.report({ modeSet: 11 });
    expect(cat.news()).toEqual(["mode_changed"]);
    cat.report({ mode: 11, search: true });
    expect(cat.news()).toEqual(["live_started"]);
    cat.report({ modeSet: 1 });
    cat.report({ mode: 1, search: false });
    expect(cat.news()).toEqual(["mode_changed", "live_ended"]);
  });
});

describe("contact", () => {
  const CONTACT: CollarReport = { mode: 1, lastContactAt: NOON };

  test("is lost after an hour, with the last one, and restored by the next one, with the gap's beginning", () => {
    const cat = createCat(CONTACT);
    cat.wait(HOUR, MINUTE);
    expect(cat.news()).toEqual([]);
    cat.wait(SECOND);
    expect(cat.told).toMatchObject([
      { type: "contact_lost", at: NOON + HOUR + SECOND, details: { last_contact: "2026-06-01T12:00:00.000+00:00" } },
    ]);
    cat.wait(5 * HOUR, MINUTE);
    cat.report({ lastContactAt: cat.at }, MINUTE);
    expect(lastOf(cat)).toMatchObject({
      type: "contact_restored",
      details: { last_contact: "2026-06-01T12:00:00.000+00:00" },
    });
    expect(cat.news()).toEqual(["contact_lost", "contact_restored"]);
  });

  test("that was last long before the first start is no event, and its return is one", () => {
    const cat = createCat({ mode: 1, lastContactAt: NOON - 24 * HOUR });
    cat.wait(HOUR, MINUTE);
    expect(cat.news()).toEqual([]);
    cat.report({ lastContactAt: cat.at });
    expect(cat.news()).toEqual(["contact_restored"]);
  });
});

test("nothing happens by being known for the first time", () => {
  fc.assert(
    fc.property(collarReport, (report) => {
      const before = { ...NEW_COLLAR };
      const cat = createCat({});
      cat.report(report);
      expect(cat.told).toEqual([]);
      expect(happenings(before, cat.collar, NOON)).toEqual([]);
    }),
  );
});

test("what happened in between is told when the collar is listed again", () => {
  const cat = createCat({
    ...AT_HOME,
    batteryMv: 3_900,
    batteryWarningMv: 3_630,
    charging: false,
    mode: 1,
    modeSet: 1,
  });
  cat.wait(HOUR, MINUTE);
  cat.list({ ...OUT, batteryMv: 3_500, mode: 2, modeSet: 2, charging: false });
  expect(cat.news()).toEqual(["left_home", "battery_low", "mode_changed"]);
});

/** Reports that differ where something can happen, and the time between them. */
const news = fc.array(
  fc.tuple(
    fc.record(
      {
        home: fc.boolean(),
        homeSinceAt: fc.option(fc.integer({ min: NOON - HOUR, max: NOON + 30 * HOUR })),
        batteryMv: fc.constantFrom(3_600, 3_640, 3_700, 4_000, 4_150),
        batteryWarningMv: fc.constantFrom(3_630, 3_650),
        charging: fc.boolean(),
        flags: fc.constantFrom(0, 2, 4),
        mode: fc.constantFrom(1, 3, 10, 11, 12),
        modeSet: fc.constantFrom(1, 3, 11),
        // An age, turned into a time when it is reported.
        lastContactAt: fc.constantFrom(0, MINUTE, HOUR, 5 * HOUR),
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom(SECOND, 20 * SECOND, MINUTE, 10 * MINUTE, 2 * HOUR, 9 * HOUR),
  ),
  { maxLength: 30 },
);
type News = readonly (readonly [CollarReport, number])[];

function tell(cat: Cat, all: News, times: number): Cat {
  for (const [{ lastContactAt: age, ...report }, afterMs] of all) {
    // In as many looks at the clock as a test has the time for.
    cat.wait(afterMs, Math.max(SECOND, afterMs / 10));
    const contact = age === undefined ? {} : { lastContactAt: cat.at - age };
    for (let time = 0; time < times; time += 1) cat.report({ ...report, ...contact }, 0);
  }
  cat.wait(2 * MINUTE, 10 * SECOND);
  return cat;
}

const PAIRS: readonly (readonly [ActivityType, ActivityType])[] = [
  ["came_home", "left_home"],
  ["charging_started", "charging_finished"],
  ["live_started", "live_ended"],
  ["contact_lost", "contact_restored"],
];

describe("over any sequence of reports", () => {
  test.each(PAIRS)("%s and %s take turns", (one, other) => {
    fc.assert(
      fc.property(news, (all) => {
        const told = tell(createCat({}), all, 1).told.filter(({ type }) => type === one || type === other);
        const doubled = told.filter(({ type }, index) => type === told[index - 1]?.type);
        expect(doubled).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("a report that is repeated makes nothing happen twice", () => {
    fc.assert(
      fc.property(news, (all) => {
        const once = tell(createCat({}), all, 1).told;
        expect(tell(createCat({}), all, 3).told).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  test("the last presence that was told is the one that is shown", () => {
    fc.assert(
      fc.property(news, (all) => {
        const cat = tell(createCat({ home: false }), all, 1);
        const last = cat.told.findLast(({ type }) => type === "came_home" || type === "left_home");
        expect(last?.type === "came_home").toBe(cat.collar.atHome === true);
      }),
      { numRuns: 300 },
    );
  });

  test("modes follow one another without a gap", () => {
    fc.assert(
      fc.property(news, (all) => {
        const changes = tell(createCat({ modeSet: 2 }), all, 1).told.filter(({ type }) => type === "mode_changed");
        const modes = ["Normal", ...changes.map(({ details }) => details?.mode)];
        expect(changes.map(({ details }) => details?.previous)).toEqual(modes.slice(0, -1));
      }),
      { numRuns: 300 },
    );
  });

  test("all are of the known types, numbered without a gap, and none lies ahead of its time", () => {
    fc.assert(
      fc.property(news, (all) => {
        const cat = tell(createCat({}), all, 1);
        expect(cat.told.map(({ sequence }) => sequence)).toEqual(cat.told.map((_, index) => index + 1));
        for (const { type, at } of cat.told) {
          expect(ACTIVITY_TYPES).toContain(type);
          expect(at).toBeLessThanOrEqual(cat.at);
        }
      }),
      { numRuns: 300 },
    );
  });
});
