/** What can go wrong with this computer's clock. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { oreo } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import type { Household, HouseholdOptions } from "./support/household.ts";
import { measure } from "./support/measure.ts";
import { BACK_MS, NOTICED_MS, SOON_MS } from "./support/promises.ts";
import type { Measured } from "./support/watch.ts";

const COMPUTER = "this computer";
const [MINUTE, HOUR] = [60_000, 3_600_000];
/** An account has to be heard of for so long before a collar's silence counts; and some. */
const JUDGED_MS = 130_000;

const often = (): HouseholdOptions => ({ config: { pettracer: { refresh: "30s" } } });

function cloudTime(agoMs = 0): string {
  return new Date(Date.now() - agoMs).toISOString();
}

/** A collar that was heard of just now, and goes on being heard of. */
async function beat(house: Household, forMs: number): Promise<void> {
  for (const endsAt = performance.now() + forMs; performance.now() < endsAt; ) {
    house.cloud.push(14758, { lastContact: cloudTime(), mode: 1 });
    await pause(5_000);
  }
}

function events(house: Household): unknown[] {
  return house.mqtt.of(oreo.event).map(({ payload }) => json(payload).event_type);
}

/** The clock jumps, and nobody loses anything; then it is set right again. */
async function jump(house: Household, offsetMs: number): Promise<Measured> {
  await beat(house, 1_000);
  const watch = await house.watch(() => house.computer.setClock(offsetMs));
  const noticedMs = await watch.told(/the clock (?:went|was set)/, 5_000);
  expect(await watch.whole(SOON_MS)).toBeLessThan(2 * SOON_MS);
  await beat(house, JUDGED_MS);
  // The same stream, the same token; no more listings than were due.
  expect(watch.calls()).toMatchObject({ tries: 0, logins: 0, streams: 0 });
  expect(watch.calls().listings).toBeLessThanOrEqual(JUDGED_MS / 30_000 + 2);
  expect(events(house)).not.toContain("contact_lost");
  const { last_contact } = json(house.mqtt.latest(oreo.state) ?? "{}");
  expect(Math.abs(Date.now() - Date.parse(String(last_contact)))).toBeLessThan(6 * MINUTE);
  const { measured_at } = json(house.mqtt.latest(oreo.position) ?? "{}");
  expect(Math.abs(Date.now() - Date.parse(String(measured_at)))).toBeLessThan(6 * MINUTE);
  watch.over();
  house.computer.setClock(0);
  await watch.whole(SOON_MS);
  expect(watch.calls()).toMatchObject({ tries: 0, logins: 0, streams: 0 });
  return watch.row({ noticedMs, wholeMs: null });
}

measure(COMPUTER, "clock an hour forwards", (house) => jump(house, HOUR), often);

measure(COMPUTER, "clock an hour backwards", (house) => jump(house, -HOUR), often);

measure(COMPUTER, "laptop sleep", async (house) => {
  // Ten minutes by the clock on the wall; the cloud has hung up long before.
  const [sleptMs, stoppedMs] = [10 * MINUTE, 45_000];
  const watch = await house.watch(() => {
    house.daemon.signal("SIGSTOP");
    // A computer that sleeps hears nobody hang up.
    house.stream.strand();
    house.brokerLine.strand();
  });
  await pause(stoppedMs);
  expect(house.cloud.sessions).toEqual([]);
  watch.over();
  house.computer.holdIntervals(stoppedMs);
  house.computer.setClock(sleptMs - stoppedMs);
  house.cloud.settings.clockAheadMs = sleptMs - stoppedMs;
  house.daemon.signal("SIGCONT");
  const noticedMs = (await watch.noticed(NOTICED_MS, /the live stream ended/)) - stoppedMs;
  const wholeMs = await watch.whole(BACK_MS);
  expect(watch.calls()).toMatchObject({ logins: 0, streams: 1 });
  expect(watch.calls().listings).toBeLessThanOrEqual(2);
  expect(events(house)).not.toContain("contact_lost");
  return watch.row({ noticedMs, wholeMs });
});
