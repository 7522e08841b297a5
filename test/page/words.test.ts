/** Times, distances and numbers in the reader's language; and that both languages are whole. */
import { expect, test } from "vitest";
import { createWords, msOf } from "../../src/page/model/words.ts";
import { TEXTS, tongueOf } from "../../src/page/texts/language.ts";
import { NOON_MS } from "./device.ts";

const en = createWords(tongueOf(["en-GB"]), "Europe/Berlin");
const de = createWords(tongueOf(["de-DE"]), "Europe/Berlin");
const MINUTE_MS = 60_000;

test.each<[readonly string[], "en" | "de", string]>([
  [[], "en", "en"],
  [["fr-FR"], "en", "en"],
  [["de-AT", "en"], "de", "de-AT"],
  [["fr", "de", "en"], "de", "de"],
  [["en-GB", "de"], "en", "en-GB"],
  [["DE"], "de", "DE"],
  [["den", "deutsch"], "en", "en"],
  [["en_US!"], "en", "en"],
])("who wants %j reads %s, written as in %s", (wishes, language, locale) => {
  expect(tongueOf(wishes)).toMatchObject({ language, locale });
});

test("times are the reader's own, with the date where that is not today", () => {
  expect(en.time(NOON_MS, NOON_MS)).toBe("14:00");
  expect(en.time(NOON_MS - 24 * 60 * MINUTE_MS, NOON_MS)).toMatch(/^31 May 2026, 14:00$/);
  expect(de.time(NOON_MS - 24 * 60 * MINUTE_MS, NOON_MS)).toBe("31.05.2026, 14:00");
  // Ten hours earlier by the clock on the wall, and yesterday in the zone of the program.
  expect(en.time(NOON_MS - 11 * 60 * MINUTE_MS, NOON_MS)).toBe("03:00");
});

test.each([
  [0, "now", "jetzt"],
  [59_000, "now", "jetzt"],
  [3 * MINUTE_MS, "3 min ago", "vor 3 Min."],
  [59.9 * MINUTE_MS, "59 min ago", "vor 59 Min."],
  [125 * MINUTE_MS, "2 hr ago", "vor 2 Std."],
  [25 * 60 * MINUTE_MS, "yesterday", "gestern"],
])("%d ms ago is %j and %j", (ms, english, german) => {
  expect(en.ago(NOON_MS - ms, NOON_MS).replaceAll("\u00a0", " ")).toBe(english);
  expect(de.ago(NOON_MS - ms, NOON_MS).replaceAll("\u00a0", " ")).toBe(german);
});

test("distances, shares and spans", () => {
  expect([en.distance(0), en.distance(119.6), en.distance(999), en.distance(1_234)]).toEqual([
    "0 m",
    "120 m",
    "999 m",
    "1.2 km",
  ]);
  expect(de.distance(1_234)).toBe("1,2 km");
  expect(en.accuracy(12)).toBe("±12 m");
  expect(en.percent(84)).toBe("84 %");
  expect([en.minutes(59), en.minutes(125)]).toEqual(["59 min", "2 h 5 min"]);
  expect(de.coordinates(51.400_07, -1.084_23)).toBe("51,40007, -1,08423");
  expect(en.calendarDay("2027-03-01T00:00:00+00:00")).toBe("1 Mar 2027");
});

test("what is no time is none", () => {
  expect([msOf(null), msOf(undefined), msOf("soon"), msOf(true)]).toEqual([undefined, undefined, undefined, undefined]);
  expect(msOf("2026-06-01T12:00:00+00:00")).toBe(NOON_MS);
});

/** Every text, with those that take values called; by its path. */
function* textsIn(value: unknown, path = ""): Generator<[string, string]> {
  if (typeof value === "string") yield [path, value];
  else if (typeof value === "function") {
    const sample = Object.fromEntries(
      ["name", "time", "distance", "what", "reason", "control", "mode", "host", "version"].map((key) => [
        key,
        `<${key}>`,
      ]),
    );
    const filled = value({ ...sample, positions: 2 });
    yield [path, typeof filled === "string" ? filled : String(filled)];
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* textsIn(inner, `${path}.${key}`);
  }
}

test("each language says all of it, in its own words, with the same values", () => {
  const [english, german] = [new Map(textsIn(TEXTS.en)), new Map(textsIn(TEXTS.de))];
  expect([...german.keys()]).toEqual([...english.keys()]);
  // These are the same in both, or say nothing on purpose.
  const alike =
    /remedy\.running$|\.status$|signal|names\.live$|firmware$|\.live$|asked\.press|signIn\.token$|outputNames\.homeassistant$|eventList\.commandFailed$|^\.facts\.position$|^\.facts\.signal/;
  const untranslated = [...english].filter(([path, text]) => german.get(path) === text && !alike.test(path));
  expect(untranslated).toEqual([]);
  const values = (text: string): string[] => [...new Set(text.match(/<\w+>|\{name\}/g))].toSorted();
  for (const [path, text] of english) expect([path, values(german.get(path) ?? "")]).toEqual([path, values(text)]);
});
