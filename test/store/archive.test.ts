/** What survives a restart, and what a restart must not suffer from: odd files, and an end at any moment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, type TestContext, test, vi } from "vitest";
import { stateMessages } from "../../src/discovery/messages.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import { type DataDir, openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { CollarReport } from "../../src/model/device.ts";
import { keepArchive, readArchive, writeArchive } from "../../src/store/archive.ts";
import { collarReport, NOON, PRODUCT } from "../support/arbitraries.ts";
import { CAT, type Cat, createCat, HOUR, MINUTE, SECOND } from "../support/cat.ts";
import { memoryData } from "../support/memory-data.ts";
import { memoryStream } from "../support/stream.ts";
import { temporaryFolder } from "../support/temp.ts";
import { until } from "../support/until.ts";

type Context = Pick<TestContext, "onTestFinished">;

async function openFolder(context: Context) {
  const folder = temporaryFolder(context.onTestFinished);
  const output = memoryStream();
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output });
  const path = join(folder.path, "data");
  return { path, file: join(path, "devices.json"), data: openDataDir(path, log), log: () => output.text() };
}

/** The cat after a restart: the same clock, and a store that knows what the archive holds. */
function reborn(data: DataDir, { at }: Pick<Cat, "at">): Cat {
  return createCat(undefined, { at, remembered: readArchive(data) });
}

const REPORT: CollarReport = {
  name: "Oreo",
  home: true,
  homeSinceAt: NOON - HOUR,
  batteryMv: 3_900,
  batteryWarningMv: 3_630,
  charging: false,
  mode: 1,
  modeSet: 1,
  lastContactAt: NOON,
  fix: { latitude: 51.4, longitude: -1, accuracyM: 5, measuredAt: NOON },
};

describe("a restart", () => {
  test("that nothing happened in tells nothing, and knows what it knew", () => {
    const data = memoryData();
    const cat = createCat(REPORT);
    cat.wait(MINUTE);
    writeArchive(data, cat.store);
    const next = reborn(data, cat);
    next.list(REPORT);
    expect(next.news()).toEqual([]);
    expect(next.collar).toEqual(cat.collar);
  });

  test("tells what has changed meanwhile once, and no second restart tells it again", () => {
    const data = memoryData();
    const cat = createCat(REPORT, { keep: (store) => writeArchive(data, store) });
    writeArchive(data, cat.store);
    const next = createCat(undefined, {
      at: cat.at + 3 * HOUR,
      remembered: readArchive(data),
      keep: (store) => writeArchive(data, store),
    });
    const meanwhile: CollarReport = { ...REPORT, home: false, homeSinceAt: null, batteryMv: 3_600, charging: true };
    next.list(meanwhile);
    expect(next.news()).toEqual(["left_home", "battery_low", "charging_started"]);
    // Killed at once: what was kept when it happened is all there is.
    const third = reborn(data, next);
    third.list(meanwhile);
    expect(third.news()).toEqual([]);
    expect(third.told.map(({ type }) => type)).toEqual(["left_home", "battery_low", "charging_started"]);
  });

  test("numbers what happens from where the last run has ended", () => {
    const data = memoryData();
    const cat = createCat(REPORT, { flapMs: 0 });
    for (const home of [false, true, false]) cat.report({ home });
    writeArchive(data, cat.store);
    const next = reborn(data, cat);
    next.list({ ...REPORT, home: false });
    next.report({ home: true }, HOUR);
    expect(next.told.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  test("forgets what belongs to a run: commands on their way, who lists it, the picture's bytes", () => {
    const data = memoryData();
    const cat = createCat(REPORT);
    const command = { kind: "light", value: true } as const;
    cat.dispatch({ type: "commandAsked", key: CAT, at: NOON, command });
    const photo = { image: "img", contentType: "image/png", bytes: new Uint8Array(100_000) } as const;
    cat.dispatch({ type: "photoReceived", key: CAT, photo });
    writeArchive(data, cat.store);
    expect(data.text.length).toBeLessThan(2_000);
    const next = reborn(data, cat);
    next.list(REPORT);
    expect(next.collar.pending ?? []).toEqual([]);
    expect(next.collar.photo).toBeUndefined();
    expect(Object.keys(next.collar.accounts)).toEqual(["pettracer"]);
  });

  test("while the cloud cannot be reached forgets nothing, however often", () => {
    const data = memoryData();
    const cat = createCat(REPORT);
    writeArchive(data, cat.store);
    for (let restart = 0; restart < 3; restart += 1) {
      // No listing comes, and then the program ends.
      const silent = reborn(data, cat);
      silent.wait(MINUTE);
      writeArchive(data, silent.store);
    }
    const next = reborn(data, cat);
    next.list({ ...REPORT, home: false });
    expect(next.news()).toEqual(["left_home"]);
  });

  test("keeps one cat's past also when another one's is told first", () => {
    const data = memoryData();
    const other = { key: "pettracer_2", id: 2, product: PRODUCT, report: REPORT };
    const listed = (report: CollarReport) =>
      ({
        type: "devicesListed",
        account: "pettracer",
        at: NOON,
        isConfirmed: true,
        collars: [{ key: CAT, id: 1, product: PRODUCT, report }, other],
        stations: [],
      }) as const;
    const cat = createCat();
    cat.dispatch(listed(REPORT));
    writeArchive(data, cat.store);
    const kept: string[][] = [];
    const next = createCat(undefined, {
      remembered: readArchive(data),
      keep: (store) => {
        writeArchive(data, store);
        kept.push([...readArchive(data).devices.keys()]);
      },
    });
    next.dispatch(listed({ ...REPORT, home: false }));
    // Kept before anybody can tell it.
    expect(next.store.activities(0)).toHaveLength(1);
    expect(kept.map((keys) => keys.toSorted())).toEqual([[CAT, "pettracer_2"]]);
  });

  test("makes nothing happen, whatever is known of a collar", () => {
    fc.assert(
      fc.property(fc.array(collarReport, { minLength: 1, maxLength: 5 }), (reports) => {
        const data = memoryData();
        const cat = createCat({});
        for (const report of reports) cat.report(report);
        writeArchive(data, cat.store);
        const next = reborn(data, cat);
        // What the cloud holds by now.
        next.list(Object.assign({}, ...reports) as CollarReport);
        expect(next.told).toEqual(cat.told);
        expect([next.collar.atHome, next.collar.outside]).toEqual([cat.collar.atHome, cat.collar.outside]);
      }),
    );
  });
});

describe("the file", () => {
  test("is its owner's alone, and so is its folder", async (context) => {
    const { path, file, data } = await openFolder(context);
    writeArchive(data, createCat(REPORT).store);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect((statSync(path).mode & 0o777).toString(8)).toBe("700");
  });

  test("becomes its owner's alone where it or its draft was not", async (context) => {
    const { path, file, data } = await openFolder(context);
    mkdirSync(path);
    writeFileSync(file, "{}", { mode: 0o644 });
    writeFileSync(`${file}.tmp`, "half a fi", { mode: 0o644 });
    writeArchive(data, createCat(REPORT).store);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(readArchive(data).devices.get(CAT)).toMatchObject({ name: "Oreo" });
    expect(existsSync(`${file}.tmp`)).toBe(false);
  });

  test("that cannot be written is a warning, and no more", async (context) => {
    const { path, data, log } = await openFolder(context);
    writeFileSync(path, "a file where the folder should be");
    writeArchive(data, createCat(REPORT).store);
    expect(log()).toContain("cannot be written to");
    expect(readFileSync(path, "utf8")).toBe("a file where the folder should be");
    expect(readArchive(data).devices.size).toBe(1);
  });

  test("is written at the end, and within half a minute of a change", async (context) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    context.onTestFinished(() => void vi.useRealTimers());
    const data = memoryData();
    const [cat, stop] = [createCat(REPORT), new AbortController()];
    const keeping = keepArchive(data, cat.store, stop.signal);
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(readArchive(data).devices.get(CAT)).toMatchObject({ batteryMv: 3_900 });
    cat.report({ batteryMv: 3_800 });
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(readArchive(data).devices.get(CAT)).toMatchObject({ batteryMv: 3_800 });
    cat.report({ batteryMv: 3_700 });
    await vi.advanceTimersByTimeAsync(SECOND);
    stop.abort();
    await keeping;
    expect(readArchive(data).devices.get(CAT)).toMatchObject({ batteryMv: 3_700 });
  });
});

describe("an odd file", () => {
  const whole = ((): string => {
    const data = memoryData();
    const cat = createCat(REPORT);
    cat.report({ home: false }, HOUR);
    writeArchive(data, cat.store);
    return data.text;
  })();
  const { devices, activities } = JSON.parse(whole) as { devices: object[]; activities: object[] };

  test("that was cut anywhere is none, or whole", async (context) => {
    const { path, file, data } = await openFolder(context);
    mkdirSync(path);
    for (let length = 0; length <= whole.length; length += 7) {
      writeFileSync(file, whole.slice(0, length));
      expect(readArchive(data).devices.size).toBe(0);
    }
    writeFileSync(file, whole);
    expect(readArchive(data).devices.size).toBe(1);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "pawline"],
    ["null", "null"],
    ["a number", "5"],
    ["a list", "[]"],
    ["bytes", "\u0000\ufffd\u0001"],
    ["other keys", '{"cats":[]}'],
    ["no lists", '{"devices":{},"activities":"none"}'],
    ["lists of other things", '{"devices":[1,null,"x",[],{}],"activities":[1,null,"x",[],{}]}'],
    ["a device of another kind", JSON.stringify({ devices: [{ ...devices[0], kind: "dog" }], activities: [] })],
    ["an event of another kind", JSON.stringify({ devices: [], activities: [{ ...activities[0], type: "barked" }] })],
  ])("with %s in it is as good as none", async (_, text) => {
    const data = memoryData();
    data.read = (): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        return undefined;
      }
    };
    const cat = reborn(data, { at: NOON });
    cat.list(REPORT);
    cat.report({ home: false }, HOUR);
    expect(cat.told.map(({ type, sequence }) => [type, sequence])).toEqual([["left_home", 1]]);
  });

  test("keeps what is sound in it", () => {
    const data = memoryData();
    data.write("", { devices: [null, ...devices, 5], activities: ["x", ...activities], more: true });
    const { devices: read, activities: told } = readArchive(data);
    expect([...read.keys()]).toEqual([CAT]);
    expect(told).toEqual(activities);
  });

  /** Such as an earlier or a later version may have written. */
  test("whose fields have another shape hurts nobody: the cloud's word counts, and the cat is published", () => {
    const [known] = devices as [Record<string, unknown>];
    const view = (cat: Cat) => ({ state: cat.store.state, preferredPosition: "station" }) as const;
    const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });
    const odd = fc.oneof(
      fc.constantFrom<unknown>(null, 5, -1, "x", "", true, [], {}, [{}], [null], { day: 5 }, { contactAt: "x" }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const extra = ["pending", "telegrams", "station", "fix", "outside", "contactShown", "latestFirmware", "photo"];
    const field = fc
      .constantFrom(...Object.keys(known), ...extra)
      .filter((key) => !["kind", "key", "id"].includes(key));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, odd), { minLength: 1, maxLength: 4 }), (changes) => {
        const data = memoryData();
        data.write("", { devices: [{ ...known, ...Object.fromEntries(changes) }], activities });
        const cat = reborn(data, { at: NOON + HOUR });
        cat.list({ ...REPORT, home: false });
        cat.wait(5 * SECOND);
        cat.report({ ...REPORT, home: false, batteryMv: 3_950, lastContactAt: cat.at });
        const command = { kind: "light", value: true } as const;
        cat.dispatch({ type: "commandAsked", key: CAT, at: cat.at, command });
        cat.dispatch({ type: "commandAccepted", key: CAT, at: cat.at, command });
        cat.report({ light: true });
        cat.wait(2 * MINUTE, 10 * SECOND);
        const [state] = stateMessages(cat.collar, view(cat), topics, 1);
        expect(JSON.parse(String(state?.payload))).toMatchObject({ at_home: false, battery: 75, pending: false });
        writeArchive(data, cat.store);
      }),
      { numRuns: 500 },
    );
  });
});

/** Writes the same file again and again, as big as it may get, until it is killed. */
const WRITER = `
  const { openDataDir } = await import(process.argv[1]);
  const data = openDataDir(process.argv[2], { warn: (text) => process.stdout.write(text) });
  for (let round = 1; ; round += 1) {
    data.write("devices", { round, rows: Array.from({ length: 2000 }, (_, row) => ({ row, round })), end: round });
    if (round === 3) process.stdout.write("writing");
  }`;

test("killed while it writes, the file is the old text or the new, never half of it", async (context) => {
  const { path, file } = await openFolder(context);
  const module = new URL("../../src/lib/data-dir.ts", import.meta.url).href;
  for (let kill = 0; kill < 4; kill += 1) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, module, path]);
    context.onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString();
    });
    await until(() => output !== "", "the writer writes");
    // Somewhere in its work: the draft's size tells that it is at it.
    await until(() => existsSync(`${file}.tmp`), "a draft");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(output).toBe("writing");
    const { round, rows, end } = JSON.parse(readFileSync(file, "utf8")) as {
      round: number;
      rows: object[];
      end: number;
    };
    expect([rows.length, rows.at(-1), end]).toEqual([2_000, { row: 1_999, round }, round]);
  }
});
