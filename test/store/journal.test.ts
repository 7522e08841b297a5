import fc from "fast-check";
import { expect, test } from "vitest";
import type { Activity, Happening } from "../../src/model/activity.ts";
import { createJournal } from "../../src/store/journal.ts";
import { NOON } from "../support/arbitraries.ts";

const LEFT: Happening = { type: "left_home", at: NOON };

function note(count: number, kept: readonly Activity[] = []) {
  const journal = createJournal(kept);
  for (let index = 0; index < count; index += 1) journal.add("cat", { ...LEFT, at: NOON + index });
  return journal;
}

test("a new journal is empty, and numbers from 1", () => {
  expect(createJournal([]).after(0)).toEqual([]);
  expect(note(2).after(0)).toEqual([
    { type: "left_home", at: NOON, device: "cat", sequence: 1 },
    { type: "left_home", at: NOON + 1, device: "cat", sequence: 2 },
  ]);
});

test("tells what came after a number, and nothing when there is nothing", () => {
  const journal = note(5);
  expect(journal.after(3).map(({ sequence }) => sequence)).toEqual([4, 5]);
  expect(journal.after(5)).toEqual([]);
  expect(journal.after(1_000)).toEqual([]);
});

test("keeps the latest 500, under their numbers", () => {
  const kept = note(1_203).after(0);
  expect(kept).toHaveLength(500);
  expect([kept[0]?.sequence, kept.at(-1)?.sequence]).toEqual([704, 1_203]);
});

test("what was handed out does not change any more", () => {
  const journal = note(2);
  const before = journal.after(0);
  journal.add("cat", LEFT);
  expect(before).toHaveLength(2);
});

test("the numbers go on where an earlier run has ended, over any number of restarts", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 6 }), (runs) => {
      let kept: readonly Activity[] = [];
      for (const count of runs) kept = note(count, kept).after(0);
      const total = runs.reduce((sum, count) => sum + count, 0);
      expect(kept.at(-1)?.sequence ?? 0).toBe(total);
      expect(kept).toHaveLength(Math.min(total, 500));
      expect(kept.every(({ sequence }, index) => sequence === (kept[0]?.sequence ?? 0) + index)).toBe(true);
    }),
  );
});
