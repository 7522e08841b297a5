import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { branchOf } from "../../src/lib/branch.ts";

test("a branch ends with the outer signal, for its reason", () => {
  const outer = new AbortController();
  const { signal } = branchOf(outer.signal);
  expect(signal.aborted).toBe(false);
  outer.abort("enough");
  expect(signal.reason).toBe("enough");
});

test("a branch of a signal that is aborted already is over from the start", () => {
  const { signal } = branchOf(AbortSignal.abort("too late"));
  expect(signal.reason).toBe("too late");
});

test("a branch that ends by itself leaves the outer signal alone, and nothing behind on it", () => {
  const outer = new AbortController();
  const branch = branchOf(outer.signal);
  expect(getEventListeners(outer.signal, "abort")).toHaveLength(1);
  branch.end("done");
  expect(branch.signal.reason).toBe("done");
  expect(outer.signal.aborted).toBe(false);
  expect(getEventListeners(outer.signal, "abort")).toHaveLength(0);
});
