/** Names that mean harm, on a terminal and in the documents of a track. */
import { expect, test, vi } from "vitest";
import { HOSTILE_NAMES } from "../support/hostile.ts";
import { parseXml } from "../support/xml.ts";
import { runInLab } from "./in-process.ts";
import { OWNER, openLab } from "./lab.ts";

vi.setConfig({ testTimeout: 60_000 });

const RAW = /[^\P{Cc}\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const FROM = ["--from", "2026-06-01T00:00:00Z", "--to", "2026-06-02T00:00:00Z"];

test("devices, track and check print nothing that a terminal obeys, and documents that are whole", async ({
  onTestFinished,
}) => {
  const lab = await openLab(onTestFinished);
  lab.cloud.addAccount({ ...OWNER, name: HOSTILE_NAMES.join(" ") });
  for (const [index, name] of HOSTILE_NAMES.entries()) {
    lab.cloud.addCollar(OWNER.login, { id: 500 + index, details: { name } });
    lab.cloud.addPositions(500 + index, [{ posLat: -1, posLong: -2, timeMeasure: "2026-06-01T10:00:00.000+0000" }]);
  }
  const listed = await runInLab(lab, ["devices"], { isTerminal: true });
  expect(listed.code).toBe(0);
  expect(listed.stdout.trim().split("\n").length).toBe(1 + 3 + HOSTILE_NAMES.length);
  const asJson = await runInLab(lab, ["devices", "--json"]);
  expect(JSON.parse(asJson.stdout)).toHaveLength(3 + HOSTILE_NAMES.length);
  const checked = await runInLab(lab, ["check"]);
  const written = [listed, asJson, checked];
  for (const [index] of HOSTILE_NAMES.entries()) {
    const gpx = await runInLab(lab, ["track", String(500 + index), ...FROM, "--format", "gpx"]);
    expect(() => parseXml(gpx.stdout)).not.toThrow();
    expect(gpx.stdout).not.toContain("<script>");
    written.push(gpx);
  }
  const geojson = await runInLab(lab, ["track", "500", ...FROM, "--format", "geojson"]);
  expect(JSON.parse(geojson.stdout)).toMatchObject({ type: "FeatureCollection" });
  // A spreadsheet runs what begins like a formula: there is nothing in it but times and numbers.
  const csv = await runInLab(lab, ["track", "500", ...FROM, "--format", "csv"]);
  for (const line of csv.stdout.trim().split("\n").slice(1)) expect(line).toMatch(/^20[\dT:.+-]+(?:,-?[\d.]*){4}$/);
  for (const { stdout, stderr } of [...written, geojson, csv]) expect(stdout + stderr).not.toMatch(RAW);
});
