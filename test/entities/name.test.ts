import fc from "fast-check";
import { expect, test } from "vitest";
import { deviceName, slug } from "../../src/entities/name.ts";
import { NEW_COLLAR, PRODUCT } from "../support/arbitraries.ts";

const named = (name: string): string => deviceName({ ...NEW_COLLAR, id: 14758, name });

test.each([
  ["Oreo", "Oreo"],
  ["  Oreo \n the\tcat ", "Oreo the cat"],
  ["\u0000\u0007", "Collar 14758"],
  ["", "Collar 14758"],
  ["🐈", "🐈"],
  ["{{ states('sun.sun') }}", "{{ states('sun.sun') }}"],
  ["abc\u202Edef", "abc def"],
  ["x".repeat(300), "x".repeat(64)],
])("%j is shown as %j", (name, shown) => {
  expect(named(name)).toBe(shown);
});

test("a device without a name is called by what it is", () => {
  expect(deviceName({ ...NEW_COLLAR, id: 7 })).toBe("Collar 7");
  const station = { kind: "homeStation", key: "s", id: 9, product: PRODUCT, accounts: {} } as const;
  expect(deviceName(station)).toBe("Home station 9");
});

test("any name is shown without control characters, trimmed, not empty, at most 64 long and whole", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.string({ unit: "grapheme", maxLength: 200 })),
      (name) => {
        const shown = named(name);
        expect(shown).toBe(shown.trim());
        expect(shown.length).toBeGreaterThan(0);
        expect(shown.length).toBeLessThanOrEqual(64);
        expect(shown).not.toMatch(/\p{Cc}|\p{Cs}/u);
        expect(named(shown)).toBe(shown);
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  ["Oreo", "oreo"],
  ["Frau Müller-Lüdenscheidt", "frau_muller_ludenscheidt"],
  ["Weiß", "weiss"],
  ["🐈", ""],
  ["Муся", ""],
  ["__a__", "a"],
])("the slug of %j is %j", (name, expected) => {
  expect(slug(name)).toBe(expected);
});
