/** The list of faults, the tests that measure them, and the table of what they measured: all three say the same. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type Fault, matrixCells, PLACES } from "../reliability/matrix.ts";
import type { Row } from "../reliability/support/report.ts";
import { BEGIN, END, tables } from "../reliability/table.ts";
import { ROOT, read, section, tableRows } from "./markdown.ts";

const TEXT = read("docs/reliability.md");
const MEASURED = matrixCells().filter(({ none }) => none === undefined);

test.each(PLACES)("the table has a row for each fault at %s, and no other", (place) => {
  const rows = tableRows(section(TEXT, `At ${place}`)).slice(1);
  const wanted = matrixCells().filter(({ where }) => where === place);
  expect(rows.map(([fault]) => fault)).toEqual(wanted.map(({ fault }) => fault));
  for (const [index, { none }] of wanted.entries()) {
    const [, noticed = "", whole = "", calls = "", sees = ""] = rows[index] ?? [];
    if (none !== undefined) expect([noticed, whole, calls, sees]).toEqual(["—", "—", "—", none]);
    else {
      for (const time of [noticed, whole]) expect(time).toMatch(/^(?:—|at once|\d+\.\d s)$/);
      expect(calls).toMatch(/^(?:none|\d+ [a-z].*)$/);
      expect(sees.length).toBeGreaterThan(20);
    }
  }
});

test("there is a test for each fault that is measured, and none for another", async () => {
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "list", "--project", "reliability", "--no-static-parse", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const tests = (JSON.parse(stdout) as { readonly name: string }[]).map(({ name }) => name);
  expect(tests.toSorted()).toEqual(MEASURED.map(({ where, fault }) => `${where}: ${fault}`).toSorted());
}, 60_000);

/** What stands in the document, for whoever reads it there. */
describe("the promises", () => {
  const seconds = (time = ""): number => (time === "at once" ? 0 : Number.parseFloat(time));
  const rowOf = (place: string, fault: Fault): string[] =>
    tableRows(section(TEXT, `At ${place}`)).find(([name]) => name === fault) ?? [];

  test.each(PLACES.slice(0, 4))("are kept at %s, by the table", (place) => {
    const isMeasured = (fault: Fault): boolean => MEASURED.some((cell) => cell.where === place && cell.fault === fault);
    const measured = (fault: Fault): string[] => (isMeasured(fault) ? rowOf(place, fault) : []);
    expect(seconds(measured("half-open (frozen)")[1] ?? "0")).toBeLessThan(35);
    expect(seconds(measured("short outage")[2] ?? "0")).toBeLessThanOrEqual(5);
    expect(seconds(measured("long outage")[2] ?? "0")).toBeLessThanOrEqual(65);
  });
});

describe("a table", () => {
  const row = ({ where, fault }: (typeof MEASURED)[number]): Row => {
    const times = { noticedMs: 1_260, wholeMs: null };
    return { where, fault, ...times, callsMeanwhile: "none", userSees: "Nothing in the log" };
  };

  test("has what was measured, and what is not measured with its reason", () => {
    const text = tables(MEASURED.map(row), "a machine");
    expect(text).toContain("Measured on a machine.");
    expect(text).toContain("| reset | 1.3 s | — | none | Nothing in the log |");
    const none = matrixCells().find((cell) => cell.none !== undefined);
    expect(text).toContain(`| ${none?.fault} | — | — | — | ${none?.none} |`);
  });

  test("is not made where something was not measured", () => {
    expect(() => tables(MEASURED.slice(1).map(row), "a machine")).toThrow(`${MEASURED[0]?.fault}: not measured`);
  });
});

test("the document has one place for the tables", () => {
  expect(TEXT.split(BEGIN)).toHaveLength(2);
  expect(TEXT.split(END)).toHaveLength(2);
});
