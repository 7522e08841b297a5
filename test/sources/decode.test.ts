import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCollar, decodeLogin, decodeMessage, decodeStation } from "../../src/sources/pettracer/decode.ts";
import type { OnOddField } from "../../src/sources/pettracer/wire.ts";
import { FULL_COLLAR, FULL_COLLAR_REPORT, FULL_STATION, FULL_STATION_REPORT } from "../fixtures/devices.ts";

const ignore: OnOddField = () => {};

function odd(decode: (onOdd: OnOddField) => unknown): string[] {
  const fields: string[] = [];
  decode((field) => fields.push(field));
  return fields;
}

describe("a collar", () => {
  test("with every field", () => {
    expect(decodeCollar(FULL_COLLAR, ignore)).toEqual({ id: 14758, report: FULL_COLLAR_REPORT });
    expect(odd((onOdd) => decodeCollar(FULL_COLLAR, onOdd))).toEqual([]);
  });

  test("in part: what is not there is not told", () => {
    expect(decodeCollar({ id: 5, bat: 4100 }, ignore)).toEqual({ id: 5, report: { batteryMv: 4100 } });
    expect(decodeCollar({ id: 5 }, ignore)).toEqual({ id: 5, report: {} });
  });

  test.each([null, [], "x", 3, {}, { id: "5" }, { id: 0 }, { id: -1 }, { id: 1.5 }, { id: null }])(
    "%j is none",
    (wire) => {
      expect(decodeCollar(wire, ignore)).toBeUndefined();
    },
  );

  test.each(Object.keys(FULL_COLLAR).filter((field) => field !== "id"))(
    "a wrong %s takes nothing else down",
    (field) => {
      const whole = Object.keys(FULL_COLLAR_REPORT).length;
      for (const wrong of ["?", {}, [[]], Number.NaN]) {
        const decoded = decodeCollar({ ...FULL_COLLAR, [field]: wrong }, ignore);
        expect(Object.keys(decoded?.report ?? {}).length).toBeGreaterThanOrEqual(whole - 4);
      }
    },
  );

  test("a field that cannot be read is named", () => {
    expect(odd((onOdd) => decodeCollar({ id: 5, bat: "4100", lastPos: { posLat: 91, posLong: 0 } }, onOdd))).toEqual([
      "bat",
      "lastPos",
    ]);
    expect(odd((onOdd) => decodeCollar({ id: 5, details: { color: -1 }, fiFo: [1] }, onOdd))).toEqual([
      "details.color",
      "fiFo.0",
    ]);
  });

  test("null means none only where there can be none", () => {
    const wire = {
      id: 5,
      lastPos: null,
      bat: null,
      homeSince: null,
      masterHs: null,
      details: { image: null, name: null },
    };
    expect(decodeCollar(wire, ignore)).toEqual({ id: 5, report: { homeSinceAt: null, station: null, image: null } });
    expect(odd((onOdd) => decodeCollar(wire, onOdd))).toEqual([]);
  });
});

describe("values", () => {
  const fixOf = (lastPos: object): unknown => decodeCollar({ id: 5, lastPos }, ignore)?.report.fix;
  const report = (wire: object) => decodeCollar({ id: 5, ...wire }, ignore)?.report;

  test.each([
    ["2025-12-27T21:51:40.310+0000", Date.UTC(2025, 11, 27, 21, 51, 40, 310)],
    ["2025-12-27T21:51:40.310+01:30", Date.UTC(2025, 11, 27, 20, 21, 40, 310)],
    ["2025-12-27T21:51:40Z", Date.UTC(2025, 11, 27, 21, 51, 40)],
    ["2025-12-27 21:51", Date.UTC(2025, 11, 27, 21, 51)],
    ["2026-01-31", Date.UTC(2026, 0, 31)],
  ])("the time %s", (text, at) => {
    expect(report({ lastContact: text })).toEqual({ lastContactAt: at });
  });

  test.each(["", "yesterday", "2025-13-40", "2025-12-27T99:00:00Z", 1766872300, {}])("%j is no time", (value) => {
    expect(report({ lastContact: value })).toEqual({});
  });

  test.each([
    [150, -55],
    [-106, -55],
    [0, -130],
    [255, -2.5],
    [-30, -17],
  ])("raw signal %d is %d dBm", (raw, dbm) => {
    expect(report({ lastRssi: raw })).toEqual({ signalDbm: dbm });
  });

  test("versions are three bytes", () => {
    expect(report({ sw: 656393, hw: 656643, bl: 656386 })).toEqual({
      firmware: "10.4.9",
      hardware: "10.5.3",
      bootLoader: "10.4.2",
    });
  });

  test("accuracy falls back from acc to horiPrec, the time from timeMeasure to timeDb", () => {
    const place = { posLat: 51.4, posLong: -1.08 };
    expect(fixOf({ ...place, acc: 16, horiPrec: 12 })).toMatchObject({ accuracyM: 16 });
    expect(fixOf({ ...place, acc: null, horiPrec: 12 })).toMatchObject({ accuracyM: 12 });
    expect(fixOf({ ...place, timeDb: "2025-12-27T09:59:41.000+0000" })).toMatchObject({
      measuredAt: Date.UTC(2025, 11, 27, 9, 59, 41),
    });
    expect(fixOf(place)).toEqual({ latitude: 51.4, longitude: -1.08 });
  });

  test.each([
    { posLat: 0, posLong: 0 },
    { posLat: 90.1, posLong: 0 },
    { posLat: 51, posLong: -180.1 },
    { posLat: "51", posLong: 1 },
    { posLat: 51 },
    {},
  ])("%j is no place", (lastPos) => {
    expect(fixOf(lastPos)).toBeUndefined();
  });

  test("0 on a mains device is no voltage, and chg has two values", () => {
    expect(report({ bat: 0 })).toEqual({});
    expect(report({ chg: 1 })).toEqual({ charging: true });
    expect(report({ chg: 0 })).toEqual({ charging: false });
    expect(report({ chg: 2 })).toEqual({});
  });
});

test("a home station with every field", () => {
  expect(decodeStation(FULL_STATION, ignore)).toEqual({ id: 10775, report: FULL_STATION_REPORT });
});

describe("a message", () => {
  test("of a collar brings its home station along", () => {
    const message = decodeMessage(JSON.stringify({ id: 5, masterHs: FULL_STATION }), ignore);
    expect(message?.collar?.id).toBe(5);
    expect(message?.station?.report).toMatchObject({ latitude: FULL_STATION.posLat });
  });

  test("of type 1 is a home station's own", () => {
    expect(decodeMessage(JSON.stringify(FULL_STATION), ignore)).toEqual({
      station: { id: 10775, report: FULL_STATION_REPORT },
    });
  });

  test.each(["", "{", "[]", "null", "7", '{"bat":4100}'])("%j tells of no device", (body) => {
    expect(decodeMessage(body, ignore)).toBeUndefined();
  });
});

describe("a login", () => {
  test("tells the token, its end, and the account", () => {
    const wire = {
      id: 15979,
      name: "Cat",
      access_token: "t",
      expires: "2026-01-31",
      abo: { dateExpires: "2027-02-01" },
    };
    expect(decodeLogin(wire)).toEqual({
      token: "t",
      expiresAt: Date.UTC(2026, 0, 31),
      report: {
        deviceKey: "pettracer_account_15979",
        product: { manufacturer: "PetTracer", model: "Account", website: "https://portal.pettracer.com" },
        id: 15979,
        name: "Cat",
        subscriptionEndsAt: Date.UTC(2027, 1, 1),
      },
    });
  });

  test("without a token is none", () => {
    expect(decodeLogin({ id: 1 })).toBeUndefined();
    expect(decodeLogin({ access_token: "" })).toBeUndefined();
    expect(decodeLogin({ access_token: 5 })).toBeUndefined();
  });
});

/** What each field of a report may be, whatever the cloud sends. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  name: ["string"],
  color: ["number", "null"],
  birthAt: ["number", "null"],
  image: ["string", "null"],
  batteryMv: ["number"],
  batteryWarningMv: ["number"],
  charging: ["boolean"],
  fix: ["object"],
  signalDbm: ["number"],
  home: ["boolean"],
  homeSinceAt: ["number", "null"],
  station: ["object", "null"],
  lastContactAt: ["number"],
  mode: ["number"],
  modeSet: ["number"],
  light: ["boolean"],
  buzzer: ["boolean"],
  bluetooth: ["boolean"],
  search: ["boolean"],
  searchMinutes: ["number"],
  hardware: ["string"],
  firmware: ["string"],
  bootLoader: ["string"],
  status: ["number"],
  stationStatus: ["string"],
  flags: ["number"],
  safetyZone: ["boolean"],
  developerMode: ["boolean"],
  owner: ["boolean"],
  ownerId: ["number", "null"],
  telegramNumber: ["number"],
  telegrams: ["object"],
};

test("whatever is sent, nothing is thrown and no wrong type gets through", () => {
  const value = fc.oneof({ maxDepth: 3 }, fc.anything({ withBigInt: true, withDate: true }), fc.jsonValue());
  const known = fc.dictionary(fc.constantFrom(...Object.keys(FULL_COLLAR)), value);
  fc.assert(
    fc.property(known, (wire) => {
      const report = decodeCollar({ ...wire, id: 5 }, ignore)?.report ?? {};
      for (const [field, decoded] of Object.entries(report)) {
        expect(TYPES[field]).toContain(decoded === null ? "null" : typeof decoded);
        if (typeof decoded === "number") expect(Number.isFinite(decoded)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("any text as a message has an answer", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (body) => void decodeMessage(body, ignore)),
  );
});

test("names that a prototype has are no fields", () => {
  const wire: unknown = JSON.parse('{"id":5,"__proto__":{"bat":4000},"constructor":{"prototype":{"bat":1}}}');
  expect(decodeCollar(wire, ignore)).toEqual({ id: 5, report: {} });
});
