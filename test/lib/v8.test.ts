/** What V8 is told, in a process of its own: the young generation of the heap is small, and grows under load to a limit. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MODULE = new URL("../../src/lib/v8.ts", import.meta.url).href;

/** Makes objects, of which many live for a while, and says how large the young generation is then. */
const SCRIPT = `
  import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
  import { getHeapSpaceStatistics } from "node:v8";
  import { spareMemory } from ${JSON.stringify(MODULE)};

  const size = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size;
  async function workUntil(isDone, mostMs) {
    const endsAt = performance.now() + mostMs;
    for (let kept = []; !isDone() && performance.now() < endsAt; await nextTurn()) {
      if (kept.length > 400_000) kept = [];
      for (let count = 0; count < 20_000; count += 1) kept.push({ count });
    }
  }

  spareMemory();
  await workUntil(() => false, 300);
  const atStart = size();
  // A look at a calm program, and it counts as started.
  await sleep(2_100);
  await workUntil(() => size() > 16_000_000, 30_000);
  const underLoad = size();
  await workUntil(() => false, 2_500);
  console.log(JSON.stringify({ atStart, underLoad, later: size() }));
`;

test("the start does not make the young generation grow; load does, to a limit", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", SCRIPT]);
  const { atStart, underLoad, later }: Record<string, number> = JSON.parse(stdout);
  expect(atStart).toBeLessThan(4_000_000);
  expect(underLoad).toBeGreaterThan(16_000_000);
  expect(later).toBeLessThan(70_000_000);
});
