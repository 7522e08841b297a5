/** What can be wrong with the disk: news go on, it is told once, and it is made up for by itself. */
import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { BRIDGE_INFO } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { until } from "../support/until.ts";
import { expectInStep, plugIn } from "./support/broker.ts";
import { fixesIn, integrityOf, jsonFiles, mountSmallDisk, NO_MOUNT, type SmallDisk } from "./support/disk.ts";
import type { Household } from "./support/household.ts";
import { measure, measureFromStop } from "./support/measure.ts";
import type { Watch } from "./support/watch.ts";

vi.setConfig({ maxConcurrency: 8 });

/** What could not be written is tried again each five seconds; the rest is for the machine, ms. */
const PATIENCE_MS = 60_000;
const HOUSE = { config: { home: { flap_time: "0s" } } };

function dataOf({ folder }: Household): string {
  return join(folder, "data");
}

/** The event is in the archive, and new positions are in the track. */
async function written(house: Household): Promise<void> {
  const has = (): boolean =>
    JSON.stringify(jsonFiles(dataOf(house)).get("devices.json") ?? "").includes("charging_started");
  await until(has, "the event in devices.json", PATIENCE_MS);
  await house.whole(PATIENCE_MS);
  const before = fixesIn(dataOf(house));
  await house.whole(PATIENCE_MS);
  await until(() => fixesIn(dataOf(house)) > before, "new positions in the track", PATIENCE_MS);
}

/** It is in the log once, and the bridge's last error. */
async function expectTold(house: Household, watch: Watch, pattern: RegExp): Promise<void> {
  const isShown = (): boolean => pattern.test(String(json(house.mqtt.latest(BRIDGE_INFO) ?? "{}").last_error));
  await house.mqtt.waitUntil(isShown, "the bridge's last error", PATIENCE_MS);
  expect(watch.lines().filter(({ level, msg }) => level === "warn" && pattern.test(msg))).toHaveLength(1);
}

const disks = new Map<Household, SmallDisk>();

function onSmallDisk(house: Household, skip: (reason: string) => never): void {
  const disk = mountSmallDisk(dataOf(house)) ?? skip(NO_MOUNT);
  disks.set(house, disk);
  house.atEnd(() => disk.remove());
}

function diskOf(house: Household): SmallDisk {
  const disk = disks.get(house);
  if (disk === undefined) throw new Error("the house has no disk of its own");
  return disk;
}

const FULL = /data_dir: .* cannot be written to \(ENOSPC.*\): make room on the disk/;

measure(
  "this computer",
  "disk full",
  async (house) => {
    const watch = await house.watch(() => diskOf(house).fill());
    plugIn(house);
    const noticedMs = await watch.noticed(PATIENCE_MS, FULL);
    // News go on while it is full.
    await house.whole(PATIENCE_MS);
    await expectTold(house, watch, /data_dir: .* cannot be written to|no track is kept/);
    watch.over();
    diskOf(house).clear();
    const overAt = performance.now();
    await written(house);
    const wholeMs = Math.round(performance.now() - overAt);
    expect(watch.lines().filter(({ msg }) => FULL.test(msg))).toHaveLength(1);
    await expectInStep(house);
    return watch.row({ noticedMs, wholeMs });
  },
  () => HOUSE,
  onSmallDisk,
);

measureFromStop(
  "this computer",
  "data folder read-only",
  async (house) => {
    const watch = await house.watch(() => {
      diskOf(house).protect();
      house.launch();
    });
    const noticedMs = await watch.noticed(PATIENCE_MS, /data_dir: .* cannot be written to \(EROFS.*data_dir/);
    await house.whole(PATIENCE_MS);
    plugIn(house);
    await expectTold(house, watch, /data_dir: .* cannot be written to/);
    diskOf(house).unprotect();
    const overAt = performance.now();
    await written(house);
    const wholeMs = Math.round(performance.now() - overAt);
    await expectInStep(house);
    return watch.row({ noticedMs, wholeMs });
  },
  () => HOUSE,
  onSmallDisk,
);

measure(
  "this computer",
  "data folder deleted",
  async (house) => {
    await house.whole(PATIENCE_MS);
    const watch = await house.watch(() => rmSync(dataOf(house), { recursive: true, maxRetries: 5 }));
    plugIn(house);
    const overAt = performance.now();
    await written(house);
    const wholeMs = Math.round(performance.now() - overAt);
    expect(integrityOf(dataOf(house))).toBe("ok");
    await expectInStep(house);
    return watch.row({ noticedMs: null, wholeMs });
  },
  () => HOUSE,
);

/** Another half of it than the one that says what it is. */
function damage(file: string): void {
  const { size } = statSync(file);
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.alloc(Math.floor(size / 4), 0xa5), 0, undefined, Math.floor(size / 2));
  closeSync(handle);
  truncateSync(file, Math.floor((size * 3) / 4));
}

measureFromStop(
  "this computer",
  "track damaged",
  async (house) => {
    const file = join(dataOf(house), "positions.sqlite");
    damage(file);
    const watch = await house.watch(() => house.launch());
    plugIn(house);
    const noticedMs = await watch.noticed(
      PATIENCE_MS,
      /the track in .* cannot be read .* set aside as .*\.broken, a new one is begun/,
    );
    await written(house);
    const wholeMs = Math.round(noticedMs);
    expect(integrityOf(dataOf(house))).toBe("ok");
    expect(readFileSync(`${file}.broken`).length).toBeGreaterThan(0);
    await expectInStep(house);
    return watch.row({ noticedMs, wholeMs });
  },
  () => HOUSE,
);
