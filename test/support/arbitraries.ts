/** Random news, for properties. */
import fc from "fast-check";
import type { Collar, CollarReport, Fix, StationReport } from "../../src/model/device.ts";

/** A day in 2026: times are drawn from it, so that they collide and cross. */
export const NOON = Date.UTC(2026, 5, 1, 12);

export const time = fc.integer({ min: -86_400_000, max: 86_400_000 }).map((ms) => NOON + ms);

const fix: fc.Arbitrary<Fix> = fc.record(
  {
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    accuracyM: fc.integer({ min: 0, max: 500 }),
    satellites: fc.nat(20),
    measuredAt: time,
  },
  { requiredKeys: ["latitude", "longitude"] },
);

export const collarReport: fc.Arbitrary<CollarReport> = fc.record(
  {
    name: fc.string({ unit: "grapheme" }),
    color: fc.option(fc.nat(0xffffff)),
    batteryMv: fc.integer({ min: 2_900, max: 4_300 }),
    batteryWarningMv: fc.integer({ min: 3_300, max: 4_000 }),
    charging: fc.boolean(),
    fix,
    signalDbm: fc.double({ min: -130, max: 0, noNaN: true }),
    home: fc.boolean(),
    homeSinceAt: fc.option(time),
    station: fc.option(
      fc.record({
        key: fc.constant("station"),
        id: fc.constant(1),
        latitude: fc.constant(51),
        longitude: fc.constant(0),
      }),
    ),
    lastContactAt: time,
    mode: fc.nat(19),
    firmware: fc.constantFrom("10.4.9", "10.5.0"),
    telegrams: fc.array(fc.record({ id: fc.nat(9), receptions: fc.constant([]) }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

export const stationReport: fc.Arbitrary<StationReport> = fc.record(
  {
    name: fc.string(),
    latitude: fc.constant(51),
    longitude: fc.constant(0),
    lastContactAt: time,
    firmware: fc.constant("1"),
  },
  { requiredKeys: [] },
);

export const PRODUCT = { manufacturer: "M", model: "GPS collar", website: "https://example.test" };

export const NEW_COLLAR: Collar = { kind: "collar", key: "collar", id: 7, product: PRODUCT, accounts: { one: true } };
