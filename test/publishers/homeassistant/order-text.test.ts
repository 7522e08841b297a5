/** What a person writes to a pet, and what is made of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { View } from "../../../src/entities/entity.ts";
import type { Collar } from "../../../src/model/device.ts";
import { OFFERED_MODES } from "../../../src/model/mode.ts";
import { readOrder, understoodBy } from "../../../src/publishers/homeassistant/mobile-app/order-text.ts";
import { NEW_COLLAR } from "../../support/arbitraries.ts";

const COLLAR: Collar = { ...NEW_COLLAR, mode: 2, modeSet: 2, light: false, buzzer: false };
const VIEW: View = { state: new Map(), preferredPosition: "station" };

function read(text: string, collar = COLLAR): unknown {
  const order = readOrder(text, collar, VIEW);
  return order?.of === "collar" ? order.request : order?.word;
}

describe("a text", () => {
  test.each([
    ["mode fast", { kind: "mode", value: 1 }],
    ["Mode Fast+", { kind: "mode", value: 8 }],
    ["mode: slow", { kind: "mode", value: 3 }],
    ["mode=normal +", { kind: "mode", value: 14 }],
    ["  LIGHT   on\n", { kind: "light", value: true }],
    ["light: OFF", { kind: "light", value: false }],
    ["light true", { kind: "light", value: true }],
    ["buzzer false", { kind: "buzzer", value: false }],
    ["live on", { kind: "live", value: true }],
    ["Live tracking off", { kind: "live", value: false }],
    ["find", { kind: "find" }],
    ["Find my cat", { kind: "find" }],
    ["find press", { kind: "find" }],
    ["Republish", "republish"],
    ["refresh", "refresh"],
    ["restart", "restart"],
  ])("%j is understood", (text, order) => {
    expect(read(text)).toEqual(order);
  });

  test.each([
    "",
    " ",
    "mode",
    "mode turbo",
    "mode test",
    "light",
    "light onoff",
    "find it",
    "republish now",
    "power_off",
    "x".repeat(1_000),
  ])("%j is no command", (text) => {
    expect(read(text)).toBeUndefined();
  });

  test("switches off only where that is wanted", () => {
    for (const text of ["power_off", "Power off"]) {
      expect(read(text)).toBeUndefined();
      expect(read(text, { ...COLLAR, offersPowerOff: true })).toEqual({ kind: "power_off" });
    }
  });

  test("asks nothing of a collar that cannot do it", () => {
    expect(read("light on", { ...NEW_COLLAR, modeSet: 2 })).toBeUndefined();
  });

  test("never throws, whatever it is", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => void readOrder(text, COLLAR, VIEW)));
  });

  test("with any mode's name, in any case, is that mode", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...OFFERED_MODES),
        fc.constantFrom(" ", "=", ": ", " : "),
        fc.boolean(),
        (mode, gap, isLoud) => {
          const text = `mode${gap}${mode.name}`;
          expect(read(isLoud ? text.toUpperCase() : text)).toEqual({ kind: "mode", value: mode.id });
        },
      ),
    );
  });
});

test("what is understood is named, and nothing that would be refused", () => {
  expect(understoodBy({ ...COLLAR, modeSet: 5 }, VIEW)).toBe(
    "mode Slow/Slow+/Normal/Normal+/Fast/Fast+/Live, live on/off, find, light on/off, buzzer on/off, republish, refresh, restart",
  );
  expect(understoodBy(NEW_COLLAR, VIEW)).toBe("republish, refresh, restart");
  expect(understoodBy({ ...COLLAR, offersPowerOff: true }, VIEW)).toContain("power off");
});
