/** Spans of very many collars are told in turns: none is forgotten. */
import { expect, test } from "vitest";
import { createLiveness } from "../../src/track/liveness.ts";

const product = { manufacturer: "m", model: "m", website: "w" };
const keys = Array.from({ length: 1_200 }, (_, id) => `pettracer_${id}`);

function followed() {
  const liveness = createLiveness();
  const collars = keys.map((key, id) => ({ key, id, product, report: {} }));
  liveness.note({ type: "devicesListed", account: "a", at: 1_000, isConfirmed: true, collars, stations: [] });
  const component = { role: "source", name: "a", state: "running", sinceAt: 1_000 } as const;
  liveness.note({ type: "componentChanged", component });
  liveness.note({ type: "accountReported", account: "a", at: 9_000, report: {} });
  return liveness;
}

test("in three turns each has had one, and it begins anew", () => {
  const liveness = followed();
  const turns = [1, 2, 3].map(() => ({
    spans: liveness.takeSpans(8_000, 500),
    isBehind: liveness.isBehind,
  }));
  expect(turns.map(({ spans }) => spans.length)).toEqual([500, 500, 200]);
  expect(turns.map(({ isBehind }) => isBehind)).toEqual([true, true, false]);
  expect(turns.flatMap(({ spans }) => spans.map(({ device }) => device))).toEqual(keys);
  expect(new Set(turns.flatMap(({ spans }) => spans.map(({ span }) => JSON.stringify(span))))).toEqual(
    new Set([JSON.stringify({ fromAt: 1_000, toAt: 8_000 })]),
  );
});

test("at the end all are told, also in the middle of the turns; so are those of a stream that has ended", () => {
  const liveness = followed();
  liveness.takeSpans(8_000, 500);
  expect(liveness.takeSpans(9_000, Number.POSITIVE_INFINITY)).toHaveLength(1_200);
  expect(liveness.isBehind).toBe(false);
  liveness.takeSpans(9_000, 500);
  liveness.note({ type: "accountDropped", account: "a" });
  expect(liveness.takeSpans(9_000, 500)).toHaveLength(1_200);
});

test("a collar is listed as long as any account lists it", () => {
  const liveness = createLiveness();
  const list = (account: string, ids: readonly number[]): void => {
    const collars = ids.map((id) => ({ key: `pettracer_${id}`, id, product, report: {} }));
    liveness.note({ type: "devicesListed", account, at: 1_000, isConfirmed: true, collars, stations: [] });
  };
  const listed = (): boolean[] => [1, 2, 3].map((id) => liveness.isListed(`pettracer_${id}`));
  expect(listed()).toEqual([false, false, false]);
  list("a", [1, 2]);
  list("b", [2, 3]);
  expect(listed()).toEqual([true, true, true]);
  list("a", [1]);
  expect(listed()).toEqual([true, true, true]);
  liveness.note({ type: "accountDropped", account: "a" });
  expect(listed()).toEqual([false, true, true]);
  list("b", [3]);
  expect(listed()).toEqual([false, false, true]);
});
