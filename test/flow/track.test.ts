/** Nothing lost: what the stream, the cloud or we ourselves were away for is in the track afterwards, and nowhere else. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { setTimeout as pause } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { DatedFix } from "../../src/model/device.ts";
import { readArchive } from "../../src/store/archive.ts";
import { openTrackReader } from "../../src/track/reader.ts";
import { Child } from "../support/child.ts";
import { startCli } from "../support/cli.ts";
import { callsOf, type House, moveIn, openHouse, oreo } from "../support/house.ts";
import { memoryStream } from "../support/stream.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";
import { PATIENCE_MS, until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 90_000 });

const test_ = test.concurrent;

const CAT = "pettracer_14758";
const MINUTE = 60_000;
/** Whole seconds, as collars measure. */
const NOW = Math.floor(Date.now() / 1_000) * 1_000;

function cloudTime(at: number): string {
  return new Date(at).toISOString().replace("Z", "+0000");
}

/** A position of so many minutes ago, at a place of its own. */
function position(minutesAgo: number, more: object = {}) {
  const time = cloudTime(NOW - minutesAgo * MINUTE);
  return { posLat: 51.4 + minutesAgo / 1_000, posLong: -1.08, acc: 5, timeMeasure: time, timeDb: time, ...more };
}

async function kept(house: House): Promise<DatedFix[]> {
  const log = await createLog({ level: "warn", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const reader = await openTrackReader(house.dataDir, log);
  const fixes = [...(reader?.fixes(CAT, { fromAt: 0, toAt: NOW + 60 * MINUTE }) ?? [])].flat();
  reader?.close();
  return fixes;
}

/** Waits until the track holds positions of so many minutes ago, and none besides. */
async function keeps(house: House, ...minutesAgo: readonly number[]): Promise<void> {
  const wanted = minutesAgo.map((minutes) => NOW - minutes * MINUTE).join();
  let found = "";
  for (const deadline = performance.now() + 2 * PATIENCE_MS; performance.now() < deadline; await pause(50)) {
    found = (await kept(house)).map(({ measuredAt }) => measuredAt).join();
    if (found === wanted) return;
  }
  expect(found).toBe(wanted);
}

function fetches(house: House, from = 0) {
  return callsOf(house.cloud, "/map/getccpositions", from).filter(({ status }) => status === 200);
}

/** What a first start asks for has been asked for, and nothing more will be. */
async function caughtUp(house: House, from = 0): Promise<void> {
  await until(() => fetches(house, from).length >= 1, "the first positions");
}

/** Where the cat was said to be since `from`, by the time of measurement. */
function shownSince(house: House, from: number): string[] {
  const payloads = house.mqtt
    .of(oreo.position, from)
    .map(({ payload }) => JSON.parse(payload) as { measured_at: string });
  return payloads.map(({ measured_at }) => measured_at);
}

function shown(minutesAgo: number): string {
  return new Date(NOW - minutesAgo * MINUTE).toISOString().replace("Z", "+00:00");
}

/** The house's configuration as a file, for commands. */
function configFile(house: House, atEnd: AtEnd): string {
  const { pettracer, mqtt, data_dir } = house.config();
  const [account] = pettracer;
  const { username, password, portal_url, stream_url } = account ?? {};
  const text = stringify({
    pettracer: { username, password, portal_url, stream_url },
    mqtt: { url: mqtt?.url },
    data_dir,
  });
  return temporaryFolder(atEnd).write("pawline.yaml", text);
}

async function runTrack(house: House, atEnd: AtEnd, ...args: readonly string[]) {
  const cli = startCli(["track", "Oreo", "--format", "csv", "--config", configFile(house, atEnd), ...args], {
    cwd: house.dataDir,
    atEnd,
  });
  const { code, stdout, stderr } = await cli.ended(30_000);
  return {
    code,
    stderr,
    times: stdout
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(",")[0]),
  };
}

test_("what was measured while we were down", async (context) => {
  const house = await moveIn(context);
  house.push(14758, { lastPos: position(50) });
  await caughtUp(house);
  await keeps(house, 50);
  const events = house.mqtt.of(oreo.event).length;
  await house.stop();
  const [from, calls] = [house.mqtt.mark, house.cloud.calls.length];
  for (const minutes of [40, 30, 20]) house.cloud.push(14758, { lastPos: position(minutes) });
  await house.start();
  await keeps(house, 50, 40, 30, 20);
  expect(fetches(house, calls)).toHaveLength(1);
  expect(new Set(shownSince(house, from))).toEqual(new Set([shown(20)]));
  expect(house.mqtt.of(oreo.event)).toHaveLength(events);
});

test_("what was told in the moment before a kill", async (context) => {
  const house = await openHouse(context);
  const child = new Child(house, context);
  await child.start();
  await caughtUp(house);
  for (const minutes of [4, 3, 2, 1]) {
    house.cloud.push(14758, { lastPos: position(minutes) });
    await until(() => shownSince(house, 0).includes(shown(minutes)), "the position");
  }
  // It has been published, and perhaps not been written down.
  await child.kill();
  const calls = house.cloud.calls.length;
  await child.start();
  await until(() => fetches(house, calls).length >= 1, "what was missed");
  await keeps(house, 4, 3, 2, 1);
});

test_("what was measured while the stream was down, and nothing moves the cat back", async (context) => {
  const house = await moveIn(context);
  await caughtUp(house);
  house.push(14758, { lastPos: position(30) });
  await keeps(house, 30);
  const [from, calls] = [house.mqtt.mark, house.cloud.calls.length];
  house.cloud.faults.refuseConnections("closed");
  house.cloud.faults.dropStreams();
  await house.logged(/the live stream ended/);
  for (const minutes of [25, 20, 15]) house.cloud.push(14758, { lastPos: position(minutes) });
  house.cloud.addPositions(14758, [position(17, { acc: 4_000 })]);
  await house.cloud.faults.acceptConnections();
  await house.live();
  await keeps(house, 30, 25, 20, 17, 15);
  expect(shownSince(house, from)).toEqual([shown(15)]);
  expect(fetches(house, calls)).toHaveLength(1);
  // News go on, beside all that.
  house.push(14758, { lastPos: position(1) });
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(1) });
  await keeps(house, 30, 25, 20, 17, 15, 1);
});

test_("the newest good one moves the cat, also where the cloud's last position is a bad one", async (context) => {
  const house = await moveIn(context);
  await caughtUp(house);
  house.push(14758, { lastPos: position(30) });
  await keeps(house, 30);
  const from = house.mqtt.mark;
  house.cloud.faults.refuseConnections("closed");
  house.cloud.faults.dropStreams();
  await house.logged(/the live stream ended/);
  for (const minutes of [25, 20]) house.cloud.push(14758, { lastPos: position(minutes) });
  house.cloud.push(14758, { lastPos: position(15, { acc: 4_000 }) });
  await house.cloud.faults.acceptConnections();
  await house.live();
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(20) }, { from });
  await keeps(house, 30, 25, 20, 15);
  expect(shownSince(house, from)).toEqual([shown(20)]);
});

test_("a cloud that cannot tell yet is asked again, and no sooner than it wants", async (context) => {
  const house = await openHouse(context);
  house.cloud.addPositions(14758, [position(90), position(60)]);
  house.cloud.faults.answer("/map/getccpositions", { status: 503, retryAfter: 12 }, 1);
  await house.start();
  await keeps(house, 90, 60);
  const [refused, answered, ...more] = callsOf(house.cloud, "/map/getccpositions");
  expect(refused?.status).toBe(503);
  expect((answered?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThan(11_900);
  expect(more).toEqual([]);
  expect(house.mqtt.of(oreo.availability).at(-1)?.payload).toBe("online");
});

test_("a request for positions that hangs holds up neither news nor commands", async (context) => {
  const house = await openHouse(context);
  house.cloud.faults.answer("/map/getccpositions", "hang");
  await house.start();
  await until(() => callsOf(house.cloud, "/map/getccpositions").length > 0, "the request that hangs");
  house.push(14758, { lastPos: position(5) });
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(5) });
  await house.mqtt.publish(oreo.command("light"), "ON");
  await until(() => callsOf(house.cloud, "/map/setccled/14758/1").length === 1, "the command");
  expect(callsOf(house.cloud, "/map/getccpositions")[0]?.status).toBe(0);
  await keeps(house, 5);
});

test_("`pawline track` beside the daemon takes all from the store, also without the cloud", async (context) => {
  const house = await openHouse(context);
  house.cloud.addPositions(14758, [position(90), position(60)]);
  await house.start();
  house.push(14758, { lastPos: position(2) });
  await keeps(house, 90, 60, 2);
  // The names of the devices are written within half a minute.
  const calls = await archived(house);
  const span = ["--from", new Date(NOW - 120 * MINUTE).toISOString()];
  const all = [shown(90), shown(60), shown(2)];
  const beside = await runTrack(house, context.onTestFinished, ...span);
  expect(beside).toMatchObject({ code: 0, times: all });
  expect(beside.stderr).toBe("Taken from what Pawline has kept; PetTracer was not asked.\n");
  expect(house.cloud.calls.slice(calls).filter(({ path }) => path === "/user/login")).toEqual([]);
  await house.stop();
  house.cloud.faults.refuseConnections("closed");
  const until_ = ["--to", new Date(NOW - MINUTE).toISOString()];
  expect(await runTrack(house, context.onTestFinished, ...span, ...until_)).toMatchObject({ code: 0, times: all });
  const before = ["--from", new Date(NOW - 60 * 24 * 60 * MINUTE).toISOString()];
  const failed = await runTrack(house, context.onTestFinished, ...before);
  expect(failed.code).toBe(4);
  expect(failed.stderr).toMatch(/What Pawline has kept can be had without PetTracer: --from \S+ --to \S+\n/);
  await house.cloud.faults.acceptConnections();
});

test_("`pawline track` asks the cloud for the gap alone, and the pieces fit", async (context) => {
  const house = await openHouse(context);
  house.cloud.addPositions(14758, [position(90), position(60)]);
  await house.start();
  await keeps(house, 90, 60);
  await archived(house);
  await house.stop();
  const calls = house.cloud.calls.length;
  const old = position(26 * 60);
  house.cloud.addPositions(14758, [old]);
  const from = NOW - 30 * 60 * MINUTE;
  const { code, times, stderr } = await runTrack(
    house,
    context.onTestFinished,
    "--from",
    new Date(from).toISOString(),
    "--to",
    new Date(NOW - MINUTE).toISOString(),
  );
  expect({ code, stderr, times }).toEqual({ code: 0, stderr: "", times: [shown(26 * 60), shown(90), shown(60)] });
  const [gap, ...more] = fetches(house, calls).map(({ body }) => body as { filterTime: number; toTime: number });
  expect(gap?.filterTime).toBe(from);
  expect(gap?.toTime).toBeLessThan(NOW - 23 * 60 * MINUTE);
  expect(more).toEqual([]);
});

test_(
  "`pawline track` with a store that cannot be read asks the cloud, and leaves the store alone",
  async (context) => {
    const house = await openHouse(context);
    house.cloud.addPositions(14758, [position(90)]);
    const file = join(house.dataDir, "positions.sqlite");
    writeFileSync(file, "no database");
    const { code, stderr, times } = await runTrack(house, context.onTestFinished);
    expect({ code, times }).toEqual({ code: 0, times: [shown(90)] });
    expect(stderr).toMatch(/positions\.sqlite cannot be read .*PetTracer is asked instead/);
    expect(readFileSync(file, "utf8")).toBe("no database");
  },
);

test_("`track.retention: 0` asks for nothing and keeps nothing", async (context) => {
  const house = await openHouse(context, { track: { retention: 0 } });
  await house.start();
  await house.confirmed();
  house.push(14758, { lastPos: position(2) });
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(2) });
  expect(await kept(house)).toEqual([]);
  expect(fetches(house)).toEqual([]);
});

/** The devices' names are on the disk; returns how many calls there have been. */
async function archived(house: House): Promise<number> {
  const log = await createLog({ level: "warn", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const data = openDataDir(house.dataDir, log);
  await until(() => readArchive(data).devices.has(CAT), "the devices on the disk", 45_000);
  return house.cloud.calls.length;
}
