import { describe, expect, test } from "vitest";
import type { View } from "../../src/entities/entity.ts";
import { distanceFromHome, positionOf } from "../../src/entities/position.ts";
import type { Collar, Entry } from "../../src/model/device.ts";
import { NEW_COLLAR, NOON, PRODUCT } from "../support/arbitraries.ts";

const STATION = { key: "station", id: 1, latitude: 51.5, longitude: -0.1 };
const FIX = { latitude: 51.51, longitude: -0.1, accuracyM: 12, satellites: 7, measuredAt: NOON };
const ROAMING: Collar = { ...NEW_COLLAR, station: STATION, fix: FIX, home: false, atHome: false, homeSinceAt: null };

function view(preferredPosition: View["preferredPosition"] = "station", entries: readonly Entry[] = []): View {
  return { state: new Map(entries.map((entry) => [entry.key, entry])), preferredPosition };
}

describe("a position", () => {
  test("is the fix while the cat is out", () => {
    expect(positionOf(ROAMING, view())).toEqual({
      latitude: 51.51,
      longitude: -0.1,
      gps_accuracy: 12,
      measured_at: "2026-06-01T12:00:00.000+00:00",
      satellites: 7,
      source: "gps",
    });
  });

  test("is the station's once it hears the cat since after the fix", () => {
    const home = { ...ROAMING, home: true, atHome: true, homeSinceAt: NOON + 1 };
    expect(positionOf(home, view())).toMatchObject({ latitude: 51.5, source: "station" });
    expect(positionOf(home, view("gps"))).toMatchObject({ latitude: 51.51, source: "gps" });
  });

  test("is the fix again when that was measured later, at home", () => {
    const home = { ...ROAMING, home: true, atHome: true, homeSinceAt: NOON - 1 };
    expect(positionOf(home, view())).toMatchObject({ source: "gps" });
  });

  test("is the station's for a cat at home that never had a fix, and nothing without a station", () => {
    const { fix: _, ...home } = { ...ROAMING, home: true, atHome: true, homeSinceAt: NOON };
    expect(positionOf(home, view())).toMatchObject({ source: "station" });
    expect(positionOf({ ...home, station: null }, view())).toBeUndefined();
    expect(positionOf({ ...home, atHome: false }, view())).toBeUndefined();
  });

  test("takes the station's own coordinates where its account lists it", () => {
    const moved = {
      kind: "homeStation",
      key: "station",
      id: 1,
      product: PRODUCT,
      accounts: {},
      latitude: 48,
      longitude: 2,
    } as const;
    const home = { ...ROAMING, home: true, atHome: true, homeSinceAt: NOON + 1 };
    expect(positionOf(home, view("station", [moved]))).toMatchObject({ latitude: 48, longitude: 2 });
  });
});

describe("the distance from home", () => {
  test("is in whole metres: a hundredth of a degree of latitude is 1112 of them", () => {
    expect(distanceFromHome(ROAMING, view())).toBe(1112);
  });

  test("is nothing at home, and unknown without a home or a position", () => {
    expect(distanceFromHome({ ...ROAMING, home: true, atHome: true, homeSinceAt: NOON + 1 }, view())).toBe(0);
    expect(distanceFromHome({ ...ROAMING, station: null }, view())).toBeNull();
    const { fix: _, ...unseen } = ROAMING;
    expect(distanceFromHome(unseen, view())).toBeNull();
  });
});
