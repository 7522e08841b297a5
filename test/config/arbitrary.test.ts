/** Whatever stands in the file: either a configuration or a UsageError, and no error repeats a value. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { temporaryFolder } from "../support/temp.ts";
import { MINIMAL } from "./loading.ts";

const SIGNS = ["*", "&", "!", "!!", "|", ">", "%", "@", "`", "#", "- ", "? ", ": ", ":", ",", "[", "]", "{", "}"];
const MARKS = ['"', "'", "\\", " ", "\t", "<<: ", "&a ", "*a", "!!set ", "!!omap "];
const LINES = ["\n", "\r\n", "\n  ", "\n\t", "---\n", "...\n", "%YAML 1.1\n---\n"];
const WORDS = ["~", "null", "yes", ".nan", ".inf", "0x1F", "2024-01-01", "1e400", "__proto__: ", "constructor: "];
const IN_A_LINE = [SIGNS, MARKS, WORDS].flat();
const SPECIAL = [IN_A_LINE, LINES].flat();
const KEYS = [
  "pettracer",
  "mqtt",
  "discovery",
  "home",
  "log",
  "entities",
  "data_dir",
  "username",
  "url",
  "include",
].map((key) => `${key}: `);

/** Pieces of YAML in any order, which come to strange places that arbitrary letters never reach. */
const pieces = fc
  .array(fc.oneof(fc.constantFrom(...SPECIAL), fc.constantFrom(...KEYS), fc.string({ unit: "binary", maxLength: 4 })), {
    maxLength: 40,
  })
  .map((parts) => parts.join(""));
/** A good file with something else in the middle. */
const spoilt = fc
  .tuple(fc.nat(MINIMAL.length), fc.nat(8), pieces)
  .map(([at, cut, piece]) => MINIMAL.slice(0, at) + piece + MINIMAL.slice(at + cut));
const anyText = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), pieces, spoilt, fc.json());

test("any text is a configuration or a UsageError", ({ onTestFinished }) => {
  const folder = temporaryFolder(onTestFinished);
  fc.assert(
    fc.property(anyText, (text) => {
      const file = folder.write("pawline.yaml", text);
      try {
        loadConfig({ file, environment: {}, flags: {} });
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        for (const line of String(error instanceof Error && error.message).split("\n")) expect(line).toContain(file);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("no error repeats a password, however it is spoilt", ({ onTestFinished }) => {
  const folder = temporaryFolder(onTestFinished);
  const special = fc.array(fc.constantFrom(...IN_A_LINE), { maxLength: 4 });
  const around = special.map((parts) => parts.join(""));
  fc.assert(
    fc.property(around, around, fc.constantFrom("pettracer", "mqtt"), (before, after, section) => {
      const text = `${section}:\n  password: ${before}Tuna7xQ${after}\n  url: x\n`;
      const file = folder.write("pawline.yaml", text);
      const loading = (): unknown => loadConfig({ file, environment: {}, flags: {} });
      expect(loading).toThrow(UsageError);
      expect(loading).not.toThrow(/Tuna7xQ/);
    }),
    { numRuns: 500 },
  );
});
