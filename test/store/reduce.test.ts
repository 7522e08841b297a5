import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Collar, CollarReport, HomeStation } from "../../src/model/device.ts";
import {
  ageAccount,
  listedBy,
  reduceAccount,
  reduceCollar,
  reduceFetched,
  reduceStation,
} from "../../src/store/reduce.ts";
import { collarReport, NEW_COLLAR, NOON, PRODUCT, stationReport, time } from "../support/arbitraries.ts";

const RULES = { maxAccuracyM: 200, flapMs: 60_000 };
const MINUTE = 60_000;

const news = fc.array(fc.tuple(collarReport, time), { maxLength: 12 });

function fold(collar: Collar, all: readonly (readonly [CollarReport, number])[]): Collar {
  return all.reduce((known, [report, at]) => reduceCollar(known, report, at, RULES), collar);
}

describe("a collar, whatever the news", () => {
  test("the same news twice change nothing: the very same object comes back", () => {
    fc.assert(
      fc.property(news, collarReport, time, (before, report, at) => {
        const once = reduceCollar(fold(NEW_COLLAR, before), report, at, RULES);
        expect(reduceCollar(once, report, at, RULES)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  test("the newest good fix wins, in whichever order they come", () => {
    const fixes = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fixes, (minutes) => {
        const all = minutes.map((minute): readonly [CollarReport, number] => [
          { fix: { latitude: minute / 100, longitude: 1, accuracyM: 10, measuredAt: NOON - minute * MINUTE } },
          NOON,
        ]);
        expect(fold(NEW_COLLAR, all).fix?.measuredAt).toBe(NOON - Math.min(...minutes) * MINUTE);
      }),
    );
  });

  test("an older fix never wins", () => {
    fc.assert(
      fc.property(news, collarReport, (before, report) => {
        const now = NOON + 2 * 86_400_000;
        const known = fold(
          NEW_COLLAR,
          before.map(([one]) => [one, now] as const),
        );
        const next = reduceCollar(known, report, now, RULES);
        expect(next.fix?.measuredAt ?? 0).toBeGreaterThanOrEqual(known.fix?.measuredAt ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  test("what the news do not name stays", () => {
    fc.assert(
      fc.property(news, time, (before, at) => {
        const known = fold(NEW_COLLAR, before);
        const { name, color, station, mode, firmware, signalDbm, fix } = reduceCollar(
          known,
          { bluetooth: true },
          at,
          RULES,
        );
        expect({ name, color, station, mode, firmware, signalDbm, fix }).toEqual({
          name: known.name,
          color: known.color,
          station: known.station,
          mode: known.mode,
          firmware: known.firmware,
          signalDbm: known.signalDbm,
          fix: known.fix,
        });
      }),
    );
  });

  test("the charge is a whole percent, and a charging collar's never falls", () => {
    fc.assert(
      fc.property(news, fc.integer({ min: 2_900, max: 4_300 }), (before, batteryMv) => {
        const known = reduceCollar(fold(NEW_COLLAR, before), { charging: true }, NOON, RULES);
        const next = reduceCollar(known, { batteryMv }, NOON, RULES).batteryPercent ?? -1;
        expect(Number.isInteger(next) && next >= 0 && next <= 100).toBe(true);
        expect(next).toBeGreaterThanOrEqual(known.batteryPercent ?? 0);
      }),
    );
  });

  test("nothing is written into what was there", () => {
    fc.assert(
      fc.property(news, collarReport, time, (before, report, at) => {
        const known = fold(NEW_COLLAR, before);
        const copy = structuredClone(known);
        reduceCollar(known, report, at, RULES);
        expect(known).toEqual(copy);
      }),
    );
  });
});

describe("a fix", () => {
  const place = { latitude: 51, longitude: 0 };
  const known = reduceCollar(NEW_COLLAR, { fix: { ...place, accuracyM: 10, measuredAt: NOON } }, NOON, RULES);

  test("that is poor does not move a cat that has a position, and counts as contact", () => {
    const poor = { latitude: 52, longitude: 0, accuracyM: 250, measuredAt: NOON + 20 * MINUTE };
    const next = reduceCollar(known, { fix: poor }, NOON + 20 * MINUTE, RULES);
    expect(next.fix).toBe(known.fix);
    expect(next.lastContactAt).toBe(NOON + 20 * MINUTE);
  });

  test("that is poor is better than none", () => {
    expect(reduceCollar(NEW_COLLAR, { fix: { ...place, accuracyM: 900 } }, NOON, RULES).fix).toMatchObject(place);
  });

  test("without a time counts as measured when it arrived, and is no news the second time", () => {
    const next = reduceCollar(known, { fix: { latitude: 52, longitude: 0 } }, NOON + MINUTE, RULES);
    expect(next.fix).toEqual({ latitude: 52, longitude: 0, measuredAt: NOON + MINUTE });
    expect(reduceCollar(next, { fix: { latitude: 52, longitude: 0 } }, NOON + 2 * MINUTE, RULES)).toBe(next);
  });

  test("from the future does not hold the cat in place", () => {
    const future = { latitude: 60, longitude: 0, measuredAt: NOON + 365 * 86_400_000 };
    expect(reduceCollar(known, { fix: future }, NOON, RULES).fix).toBe(known.fix);
    const stuck = reduceCollar(NEW_COLLAR, { fix: future }, NOON, RULES);
    const next = reduceCollar(stuck, { fix: { ...place, measuredAt: NOON } }, NOON, RULES);
    expect(next.fix).toMatchObject({ latitude: 51 });
  });
});

test("a home station that is named again without its place keeps it, and another one does not get it", () => {
  const station = { key: "s1", id: 1, latitude: 51, longitude: 0 };
  const known = reduceCollar(NEW_COLLAR, { station }, NOON, RULES);
  expect(reduceCollar(known, { station: { key: "s1", id: 1 } }, NOON, RULES)).toBe(known);
  expect(reduceCollar(known, { station: { key: "s2", id: 2 } }, NOON, RULES).station).toEqual({ key: "s2", id: 2 });
  expect(reduceCollar(known, { station: null }, NOON, RULES).station).toBeNull();
});

describe("home", () => {
  const home = reduceCollar(NEW_COLLAR, { home: true, homeSinceAt: NOON }, NOON, RULES);

  test("lasts since the cloud says, else since we heard of it", () => {
    expect(home.homeSinceAt).toBe(NOON);
    expect(reduceCollar(NEW_COLLAR, { home: true }, NOON + MINUTE, RULES).homeSinceAt).toBe(NOON + MINUTE);
    expect(reduceCollar(home, { home: true }, NOON + MINUTE, RULES)).toBe(home);
    expect(reduceCollar(home, { home: true, homeSinceAt: null }, NOON + MINUTE, RULES)).toBe(home);
  });

  test("ends when it is left, and begins anew", () => {
    const away = reduceCollar(home, { home: false, homeSinceAt: NOON }, NOON + MINUTE, RULES);
    expect(away).toMatchObject({ home: false, homeSinceAt: null });
    expect(reduceCollar(away, { home: true }, NOON + 2 * MINUTE, RULES).homeSinceAt).toBe(NOON + 2 * MINUTE);
  });
});

describe("the last contact", () => {
  const contactAt = (minutes: number): CollarReport => ({ lastContactAt: NOON + minutes * MINUTE });
  const shown = (minutes: readonly number[]): (number | undefined)[] => {
    let collar = NEW_COLLAR;
    return minutes.map((minute) => {
      collar = reduceCollar(collar, contactAt(minute), NOON + minute * MINUTE, RULES);
      return collar.contactShown && (collar.contactShown.contactAt - NOON) / MINUTE;
    });
  };

  test("is shown at most every five minutes", () => {
    expect(shown([0, 1, 4, 5, 6, 9.9, 10])).toEqual([0, 0, 0, 5, 5, 5, 10]);
  });

  test("is shown at once after a silence", () => {
    expect(shown([0, 1, 16, 17])).toEqual([0, 0, 16, 16]);
  });

  test("never goes back, unless it lay in the future", () => {
    const collar = reduceCollar(NEW_COLLAR, contactAt(10), NOON + 10 * MINUTE, RULES);
    expect(reduceCollar(collar, contactAt(5), NOON + 30 * MINUTE, RULES).lastContactAt).toBe(NOON + 10 * MINUTE);
    const future = reduceCollar(NEW_COLLAR, contactAt(1_000), NOON, RULES);
    expect(reduceCollar(future, contactAt(1), NOON + MINUTE, RULES).lastContactAt).toBe(NOON + MINUTE);
  });
});

describe("a home station", () => {
  const fresh: HomeStation = { kind: "homeStation", key: "station", id: 1, product: PRODUCT, accounts: { one: true } };

  test("is online for a quarter of an hour after its contact, by the word of a listing", () => {
    const listed = (minutesAgo: number): boolean | undefined =>
      reduceStation(fresh, { lastContactAt: NOON - minutesAgo * MINUTE }, NOON, true).online;
    expect(listed(1)).toBe(true);
    expect(listed(15)).toBe(true);
    expect(listed(15.1)).toBe(false);
    expect(reduceStation(fresh, {}, NOON, true).online).toBeUndefined();
  });

  test("does not go offline between two listings because a collar's message repeats an old contact", () => {
    const online = reduceStation(fresh, { lastContactAt: NOON }, NOON, true);
    expect(reduceStation(online, { lastContactAt: NOON }, NOON + 16 * MINUTE, false)).toBe(online);
    expect(reduceStation(online, { lastContactAt: NOON }, NOON + 16 * MINUTE, true).online).toBe(false);
  });

  test("comes online with a new contact from anywhere", () => {
    const offline = reduceStation(fresh, { lastContactAt: NOON - 60 * MINUTE }, NOON, true);
    expect(offline.online).toBe(false);
    expect(reduceStation(offline, { lastContactAt: NOON }, NOON, false).online).toBe(true);
  });

  test("the same news twice change nothing", () => {
    fc.assert(
      fc.property(stationReport, time, fc.boolean(), (report, at, isListing) => {
        const once = reduceStation(fresh, report, at, isListing);
        expect(reduceStation(once, report, at, isListing)).toBe(once);
      }),
    );
  });
});

describe("an account", () => {
  const account = {
    kind: "account",
    key: "account:one",
    source: "one",
    silentMs: 0,
    reachable: true,
    listed: false,
    confirmed: false,
  } as const;

  test("is unreachable after five minutes of silence, and reachable with the first word", () => {
    const silent = ageAccount(account, 5 * MINUTE, NOON);
    expect(silent.reachable).toBe(true);
    const gone = ageAccount(silent, 1, NOON);
    expect(gone.reachable).toBe(false);
    expect(ageAccount(gone, MINUTE, NOON)).toBe(gone);
    const heard = { type: "accountReported", account: "one", at: NOON, report: { name: "Cat" } } as const;
    expect(reduceAccount(gone, heard)).toMatchObject({ reachable: true, silentMs: 0, name: "Cat" });
  });

  test("lists devices, or lists them no longer", () => {
    const both = listedBy(NEW_COLLAR, "two", false);
    expect(both.accounts).toEqual({ one: true, two: false });
    expect(listedBy(both, "two", false)).toBe(both);
    expect(listedBy(both, "one", undefined).accounts).toEqual({ two: false });
  });
});

describe("positions that were missed, and fetched afterwards", () => {
  const fixAt = (minutes: number, accuracyM = 10) => {
    return { latitude: minutes, longitude: 1, accuracyM, measuredAt: NOON - minutes * MINUTE };
  };
  const known = reduceCollar(NEW_COLLAR, { fix: fixAt(30) }, NOON, RULES);

  test("the newest good one moves the cat", () => {
    const next = reduceFetched(known, [fixAt(20), fixAt(10), fixAt(15), fixAt(5, 4_000)], NOON, RULES);
    expect(next.fix).toEqual(fixAt(10));
    expect(next.lastContactAt).toBe(NOON - 10 * MINUTE);
  });

  test("older ones, bad ones and none at all leave the very same object", () => {
    for (const fixes of [[], [fixAt(40), fixAt(31)], [fixAt(5, 4_000)]]) {
      expect(reduceFetched(known, fixes, NOON, RULES)).toBe(known);
    }
  });

  test("a cat that has no position yet gets the newest good one", () => {
    expect(reduceFetched(NEW_COLLAR, [fixAt(20), fixAt(5, 4_000)], NOON, RULES).fix).toEqual(fixAt(20));
  });
});
