import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTIVITY_TYPES } from "../../../src/model/activity.ts";
import { readPatterns } from "../../../src/publishers/live/socket/topics.ts";

const NOTHING = { devices: false, bridge: false, events: new Set(), positions: new Set() };

test.each([
  ["devices", { devices: true }],
  ["bridge", { bridge: true }],
  ["+", { devices: true, bridge: true }],
  ["*", { devices: true, bridge: true }],
  ["devices/#", { devices: true }],
  ["position/pettracer_1", { positions: new Set(["pettracer_1"]) }],
  ["position/pettracer_1/#", { positions: new Set(["pettracer_1"]) }],
  ["position/+", { positions: "all" }],
  ["position/*", { positions: "all" }],
  ["position/#", { positions: "all" }],
  ["events/came_home", { events: new Set(["came_home"]) }],
  ["events/*", { events: new Set(ACTIVITY_TYPES) }],
  ["+/came_home", { events: new Set(["came_home"]), positions: new Set(["came_home"]) }],
  ["+/+", { events: new Set(ACTIVITY_TYPES), positions: "all" }],
  ["#", { devices: true, bridge: true, events: new Set(ACTIVITY_TYPES), positions: "all" }],
] as const)("%s", (pattern, expected) => {
  expect(readPatterns([pattern])).toEqual({ ...NOTHING, ...expected });
});

test("several patterns are taken together", () => {
  expect(readPatterns(["position/a", "bridge", "position/b"])).toEqual({
    ...NOTHING,
    bridge: true,
    positions: new Set(["a", "b"]),
  });
});

test.each(["", "/", "device", "devices/x", "position", "position/", "position/a/b", "position/ö", "events/birthday"])(
  "%j can never match",
  (pattern) => expect(readPatterns(["devices", pattern])).toEqual({ unknown: pattern }),
);
test.each(["#/devices", "position/#/a", "pos*", "position/pet+", "bridge/+", "+/+/+", "Devices"])(
  "nor can %j",
  (pattern) => expect(readPatterns([pattern])).toEqual({ unknown: pattern }),
);

describe("any text", () => {
  const level = fc.oneof(
    fc.constantFrom("devices", "position", "events", "bridge", "+", "*", "#", "", "a"),
    fc.string(),
  );
  test("is a pattern that matches something, or is named", () => {
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), (levels) => {
        const interest = readPatterns([levels.join("/")]);
        if ("unknown" in interest) return;
        const { devices, bridge, events, positions } = interest;
        expect(devices || bridge || events.size > 0 || positions === "all" || positions.size > 0).toBe(true);
      }),
    );
  });
});
