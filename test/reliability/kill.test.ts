/** Killed at any moment, and two daemons that the broker takes for one. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, vi } from "vitest";
import { startDaemon } from "../e2e/support/daemon.ts";
import { temporaryFolder } from "../e2e/support/processes.ts";
import { oreo } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { until } from "../support/until.ts";
import { expectInStep } from "./support/broker.ts";
import { integrityOf, jsonFiles } from "./support/disk.ts";
import type { Household } from "./support/household.ts";
import { measure, measureFromStop } from "./support/measure.ts";

vi.setConfig({ maxConcurrency: 4 });

const KILLS = 40;
/** From a start that has not even read its files, to one that has been at work for a while, ms. */
const LONGEST_LIFE_MS = 2_000;
/** The program paces its logins: after so many it would wait for minutes. */
const LOGINS = 8;
const START_MS = 60_000;

/** The same moments in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Happening {
  readonly type: string;
  readonly at: string;
}

function told({ mqtt }: Household): Happening[] {
  return mqtt.of(oreo.event).map(({ payload }) => {
    const { event_type: type, at } = json(payload);
    return { type: String(type), at: String(at) };
  });
}

function withoutRepeats(all: readonly Happening[]): Happening[] {
  return all.filter(({ type, at }, index) => all[index - 1]?.type !== type || all[index - 1]?.at !== at);
}

function dataOf({ folder }: Household): string {
  return join(folder, "data");
}

interface Archive {
  readonly devices: readonly { readonly key: string; readonly home?: boolean }[];
  readonly activities: readonly { readonly sequence: number; readonly type: string; readonly at: number }[];
}

function isHomeInArchive(house: Household): unknown {
  const archive = jsonFiles(dataOf(house)).get("devices.json") as Archive | undefined;
  return archive?.devices.find(({ key }) => key === "pettracer_14758")?.home;
}

/** What the archive says has happened, as it is told. */
function archived(house: Household): Happening[] {
  const archive = jsonFiles(dataOf(house)).get("devices.json") as Archive | undefined;
  return (archive?.activities ?? []).map(({ type, at }) => ({
    type,
    at: new Date(at).toISOString().replace("Z", "+00:00"),
  }));
}

/** Reads everything that the dead daemon has left. */
function expectWholeFiles(house: Household, before: number): number {
  const { activities = [] } = (jsonFiles(dataOf(house)).get("devices.json") ?? {}) as Partial<Archive>;
  const numbers = activities.map(({ sequence }) => sequence);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 1) + index));
  expect(["ok", undefined]).toContain(integrityOf(dataOf(house)));
  expect(numbers.length).toBeGreaterThanOrEqual(before);
  return numbers.length;
}

/** Collars report, the cat comes home or leaves, and somebody sends commands, until the signal is aborted. */
async function live(
  { cloud, mqtt }: Household,
  signal: AbortSignal,
  random: () => number,
  isHome: boolean,
): Promise<void> {
  const moveAfter = Math.floor(random() * 10);
  for (let step = 0; !signal.aborted; step += 1) {
    if (step === moveAfter) cloud.push(14758, { home: isHome });
    cloud.push(14758, { bat: 3_700 + Math.floor(random() * 300) });
    const command = mqtt.publish(oreo.command("light"), step % 2 === 0 ? "ON" : "OFF");
    await Promise.all([command, pause(20 + random() * 60)]);
  }
}

measureFromStop(
  "this computer",
  "killed with SIGKILL",
  async (house) => {
    const random = seeded(20_260_601);
    house.cloud.setPollDelay(14758, 0);
    let happened = 0;
    const watch = await house.watch(() => {});
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const stop = new AbortController();
      house.launch();
      const isHome = isHomeInArchive(house) !== true;
      const living = live(house, stop.signal, random, isHome);
      // Half of them die at any moment; the others as soon as what happened is in the archive, or later.
      await pause(random() * LONGEST_LIFE_MS);
      if (kill % 2 === 0) await until(() => isHomeInArchive(house) === isHome, "a cat that has moved", START_MS);
      await house.daemon.kill();
      stop.abort();
      await living;
      happened = expectWholeFiles(house, happened);
      if (kill % LOGINS === 0) rmSync(join(dataOf(house), "logins.json"), { force: true });
    }
    house.cloud.push(14758, { home: false });
    watch.over();
    house.launch();
    const wholeMs = await watch.whole(START_MS);
    await until(() => withoutRepeats(told(house)).length >= archived(house).length, "all that happened", START_MS);
    const all = told(house);
    // In their order, none lost; and one for each kill at most is told twice, as is said of a crash.
    expect(withoutRepeats(all)).toEqual(archived(house));
    // It cannot come home twice without having left: nothing is missing from the archive either.
    expect(archived(house).filter(({ type }, index, events) => type === events[index - 1]?.type)).toEqual([]);
    expect(happened).toBeGreaterThanOrEqual(KILLS / 2);
    const twice = all.length - archived(house).length;
    expect(twice).toBeLessThanOrEqual(KILLS);
    await expectInStep(
      house,
      all.map(({ type }) => type),
    );
    const row = watch.row({ noticedMs: null, wholeMs });
    return {
      ...row,
      userSees: `Nothing of ${KILLS} kills: each file was whole, of ${archived(house).length} events none was lost, and ${twice} told twice`,
    };
  },
  () => ({ config: { home: { flap_time: "0s" } } }),
);

measure("this computer", "two daemons with one client id", async (house) => {
  const folder = temporaryFolder("twin");
  cpSync(dataOf(house), join(folder, "data"), { recursive: true });
  const before = house.brokerLine.count;
  const twin: { daemon?: ReturnType<typeof startDaemon> } = {};
  const watch = await house.watch(() => {
    twin.daemon = startDaemon({ config: house.config, folder, env: house.computer.env });
  });
  const sentence =
    /another program seems to use the client id pawline-\w+, too\. End it, or give one of the two another mqtt\.client_id/;
  await until(
    () => sentence.test(twin.daemon?.output() ?? "") || sentence.test(house.daemon.output()),
    "the sentence",
    START_MS,
  );
  const noticedMs = await watch.noticed(START_MS, sentence);
  // News come all the while.
  await house.whole(START_MS);
  const from = performance.now();
  await until(() => performance.now() - from > 20_000, "more of it", 25_000);
  expect(house.brokerLine.count - before).toBeLessThanOrEqual(12);
  expect(await twin.daemon?.stop()).toBe(0);
  watch.over();
  const wholeMs = await watch.whole(65_000);
  await expectInStep(house, []);
  return watch.row({ noticedMs, wholeMs });
});
