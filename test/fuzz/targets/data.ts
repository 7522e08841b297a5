/** What stands in the files of `data_dir`. The input is a file's name, a line break and what stands in it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDesk } from "../../../src/control/desk.ts";
import { keepIn, openDataDir } from "../../../src/lib/data-dir.ts";
import { RecoverableError } from "../../../src/lib/errors.ts";
import { createMetrics } from "../../../src/lib/metrics.ts";
import { COUNTERS } from "../../../src/model/counters.ts";
import { openKept } from "../../../src/publishers/homeassistant/mobile-app/kept.ts";
import { newestFirmware } from "../../../src/sources/pettracer/firmware.ts";
import { createLoginGate } from "../../../src/sources/pettracer/login-gate.ts";
import { accountOptions } from "../../../src/sources/pettracer/options.ts";
import { readArchive, writeArchive } from "../../../src/store/archive.ts";
import { createTrackFile } from "../../../src/track/file.ts";
import { CAT, createCat } from "../../support/cat.ts";
import { ensure, type Target, type Trial } from "../target.ts";
import { watchedLog } from "../watched-log.ts";
import { everythingOf, NOW } from "./message.ts";
import { checkPublished } from "./published.ts";

const FILES = "client.json devices.json homeassistant.json told-mqtt.json logins.json timers.json firmware.json".split(
  " ",
);

export const data: Target = {
  name: "data",
  dictionary: [
    ...FILES.map((name) => `${name}\n`),
    "positions.sqlite\n",
    '"devices":[',
    '"activities":[',
    '"key":"',
    '"at":',
    '"sequence":',
    '"details":{',
    '"fix":{',
    '"lastContactAt":',
    '"accounts":',
    '"loginsAt":',
    '"untilAt":',
    '"registrations":',
    '"webhook":',
    "pettracer_14758",
  ],
  runs: 50,
  open,
};

async function open(): Promise<Trial> {
  const { log, scrubber, look } = await watchedLog("json");
  const account = accountOptions.parse({ username: "a", password: "b" });
  const good = Buffer.from("told-mqtt.json\n7");

  async function start(folder: string): Promise<void> {
    const files = openDataDir(folder, log);
    const remembered = readArchive(files);
    const cat = createCat(undefined, { at: NOW, remembered });
    cat.list({ name: "Oreo" });
    cat.wait(5_000);
    checkPublished(everythingOf(cat.store.state, cat.store.activities(0)));
    writeArchive(files, cat.store);
    const { signal } = new AbortController();
    const desk = createDesk({
      state: cat.store.state,
      changes: (ended) => cat.store.changes(ended),
      dispatch: cat.dispatch,
      log,
      metrics: createMetrics(COUNTERS),
      signal,
      execute: () => Promise.resolve(),
      refresh: () => Promise.resolve(),
      keep: { read: () => files.read("timers"), write: (timers) => files.write("timers", timers) },
      durations: () => ({ liveMs: 1, findMs: 1 }),
    });
    desk.tick(NOW);
    openKept(keepIn(files, "homeassistant"), scrubber);
    await logIn(folder);
    await newestFirmware("http://127.0.0.1:1/", keepIn(files, "firmware"), log, AbortSignal.abort());
    await walk(folder);
  }

  async function logIn(folder: string): Promise<void> {
    const gate = createLoginGate(account, keepIn(openDataDir(folder, log), "logins"), false);
    try {
      await gate.pass(() => Promise.resolve("token"), AbortSignal.abort());
    } catch (error) {
      ensure(
        error instanceof Error && /RecoverableError|FatalError/.test(error.name),
        `no error of ours: ${String(error)}`,
      );
      ensure(error instanceof RecoverableError || error.message.length < 3_000, "a sentence that is too long");
      log.warn(error.message);
    }
  }

  async function walk(folder: string): Promise<void> {
    const file = await createTrackFile({ folder, log, onTrouble: () => {}, onLost: () => {} });
    const fix = { latitude: 1, longitude: 2, measuredAt: NOW };
    file.use((database) => database.save([{ device: CAT, fix }], []));
    file.use((database) => database.fixes(CAT, { fromAt: 0, toAt: NOW }, 10));
    file.close();
  }

  async function attempt(input: Buffer): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "pawline-fuzz-"));
    try {
      const end = Math.max(input.indexOf("\n"), 0);
      const name = input
        .subarray(0, end)
        .toString("latin1")
        .replace(/[^\w.-]/g, "");
      mkdirSync(folder, { recursive: true });
      if (/^\w/.test(name) && name.length < 100) writeFileSync(join(folder, name), input.subarray(end + 1));
      await start(folder);
      look();
      const archive = join(folder, "devices.json");
      ensure(
        existsSync(archive) && (statSync(archive).mode & 0o777) === 0o600,
        "the archive is not written, or for all",
      );
      return readFileSync(archive, "utf8");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  return {
    try: async (input) => void (await attempt(input)),
    close: async () => ensure((await attempt(good)).includes(CAT), "nothing is kept any more"),
  };
}
