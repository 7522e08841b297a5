/** A thousand clients with mixed filters, while a thousand collars report once a second, and fifty clients stop reading. */
import { expect, test } from "vitest";
import { FULL_LIVE, measureLive } from "../../tools/bench/live.ts";

test("every client ends with what is true, and those that do not read are put out without hurting the others", async () => {
  const result = await measureLive(FULL_LIVE);
  expect(result).toMatchObject({ clients: 1_000, late: 0, withoutEvents: 0, lost: 0 });
  expect(result.events).toBeGreaterThan(10);
  expect(result.stoppedCodes).toEqual(Array.from({ length: 50 }, () => 1013));
  expect(result.samples).toBeGreaterThan(10_000);
  // Most of it is a buffer for each connection, and the texts of what is known; nothing that grows.
  if (result.loaded) expect(result.loaded.peakMb).toBeLessThan(500);
});
