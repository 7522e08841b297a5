/** Two programs with one client id: noticed by what a broker does, and by nothing else. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecoverableError } from "../../../src/lib/errors.ts";
import { createRivalry, type Rivalry, ThrownOut } from "../../../src/publishers/mqtt/rival.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const closed = new ThrownOut("the broker has closed the connection");
const NAMED = /another program seems to use the client id pawline-1234, too\. .* mqtt\.client_id$/;

/** A connection that lasts so long, and ends like this. @returns what is said, and how long we yield */
function connection(rivalry: Rivalry, lastsMs: number, end: Error = closed): readonly [string, number | undefined] {
  rivalry.opened();
  vi.advanceTimersByTime(lastsMs);
  const error = rivalry.judge(end);
  if (!(error instanceof RecoverableError)) throw new Error("no error of ours");
  return [error.message, error.retryAfterMs];
}

test("whoever is thrown out again and again says so, and then yields for a minute", () => {
  const rivalry = createRivalry("pawline-1234", "broker:1883");
  expect(connection(rivalry, 3_600_000)).toEqual([closed.message, undefined]);
  expect(connection(rivalry, 1_000)).toEqual([closed.message, undefined]);
  expect(connection(rivalry, 2_000)).toEqual([expect.stringMatching(NAMED), undefined]);
  expect(connection(rivalry, 3_000)).toEqual([expect.stringMatching(NAMED), 55_000]);
  // The other one has held out for as long as we have yielded.
  expect(connection(rivalry, 55_000)).toEqual([expect.stringMatching(NAMED), 55_000]);
  // And has ended.
  expect(connection(rivalry, 100_000)).toEqual([closed.message, undefined]);
});

test("a broker that restarts, or cannot be reached in between, is no rival", () => {
  const rivalry = createRivalry("pawline-1234", "broker:1883");
  const refused = new RecoverableError("connect ECONNREFUSED");
  for (let restart = 0; restart < 5; restart += 1) {
    expect(connection(rivalry, 1_000)).toEqual([closed.message, undefined]);
    expect(rivalry.judge(refused)).toBe(refused);
  }
  const reset = new RecoverableError("read ECONNRESET");
  for (let cut = 0; cut < 5; cut += 1) expect(connection(rivalry, 1_000, reset)).toEqual([reset.message, undefined]);
  // What closes before the login has let nobody in.
  for (let early = 0; early < 5; early += 1) expect(rivalry.judge(closed)).toBe(closed);
});

test("the sentence fits where the last error is shown", () => {
  const rivalry = createRivalry(`pawline-${"x".repeat(23)}`, "homeassistant.fritz.box:1883");
  connection(rivalry, 1);
  const [sentence] = connection(rivalry, 1);
  expect(sentence.length).toBeLessThanOrEqual(250);
});
