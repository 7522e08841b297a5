/** The day that is shown, as it is fetched: what Pawline itself has still to fetch comes to it by and by. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTrailDay } from "../../src/page/trail-day.ts";

const NOON = new Date(2026, 5, 1, 12).getTime();
const at = (minute: number): string => new Date(NOON + minute * 60_000).toISOString();

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: NOON }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function fixes(...minutes: readonly number[]) {
  const common = { latitude: 51, longitude: -1, gps_accuracy: 5, satellites: null };
  return minutes.map((minute) => ({ ...common, measured_at: at(minute) }));
}

/** A server that has these answers, the last of them for ever. */
function serve(...answers: readonly object[]) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(address);
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    return await Promise.resolve(Response.json({ device: "pettracer_1", from: at(-60), to: at(0), ...answer }));
  });
  return asked;
}

const GAPS = [{ from: at(-60), to: at(-20) }];

test("a trail with gaps is asked for again, and shows what has come", async () => {
  const asked = serve({ fixes: fixes(-10), gaps: GAPS }, { fixes: fixes(-50, -30, -10), gaps: [] });
  const day = createTrailDay(() => {});
  day.choose("pettracer_1");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(day.trail?.spots).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(day.trail?.spots).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(2);
});

test("gaps that stay are asked for three times more, and of another cat no more", async () => {
  const asked = serve({ fixes: fixes(-10), gaps: GAPS });
  const day = createTrailDay(() => {});
  day.choose("pettracer_1");
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(4);
  day.choose("pettracer_1");
  await vi.advanceTimersByTimeAsync(1_000);
  day.choose(undefined);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(5);
});
