/** The folder when it cannot be written to: told once, and made up for when it can be again. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { memoryStream } from "../support/stream.ts";
import { temporaryFolder } from "../support/temp.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A folder in the place of which there is a file, so that nobody, whoever he is, can write into it. */
async function blocked(atEnd: Parameters<typeof temporaryFolder>[0]) {
  const parent = temporaryFolder(atEnd);
  const folder = join(parent.path, "data");
  parent.write("data", "in the way");
  const output = memoryStream();
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output });
  const troubles: string[] = [];
  const data = openDataDir(folder, log, (sentence) => troubles.push(sentence));
  const kept = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  return { folder, data, troubles, kept, output };
}

test("what cannot be written is told once, with the remedy, and the latest of each is written later", async (context) => {
  const { folder, data, troubles, kept, output } = await blocked((action) => context.onTestFinished(action));
  for (const round of [1, 2, 3]) data.write("devices", { round });
  data.write("timers", ["a"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(troubles).toEqual([
    expect.stringMatching(
      /^data_dir: .* cannot be written to \(EEXIST.*\): make room on the disk, and let Pawline write/,
    ),
  ]);
  rmSync(folder);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([kept("devices"), kept("timers")]).toEqual([{ round: 3 }, ["a"]]);
  expect(output.text().match(/"level":"warn"/g)).toHaveLength(1);
  expect(output.text().match(/can be written to again/g)).toHaveLength(1);
  // The next trouble is news.
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "in the way");
  data.write("devices", { round: 4 });
  expect(troubles).toHaveLength(2);
});

test("half a draft is cleared away, and the old text stays", async (context) => {
  const { folder, data, kept } = await blocked((action) => context.onTestFinished(action));
  rmSync(folder);
  data.write("devices", "old");
  const file = join(folder, "devices.json");
  // The last step, putting the draft in the file's place, is what fails.
  rmSync(file);
  mkdirSync(join(file, "in the way"), { recursive: true });
  data.write("devices", "new");
  expect(existsSync(`${file}.tmp`)).toBe(false);
  rmSync(file, { recursive: true });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(kept("devices")).toBe("new");
});

test("what could not be written is what is read: whoever keeps a time there goes by it", async (context) => {
  const { folder, data } = await blocked((action) => context.onTestFinished(action));
  data.write("firmware", { at: 1 });
  expect(data.read("firmware")).toEqual({ at: 1 });
  rmSync(folder);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(data.read("firmware")).toEqual({ at: 1 });
});
