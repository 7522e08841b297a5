/** The file of the track store: the same content whatever the order, and nothing in it that may not be there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DatedFix } from "../../src/model/device.ts";
import type { Span } from "../../src/model/span.ts";
import { loadSqlite, openTrackDatabase, readTrackDatabase, type TrackDatabase } from "../../src/track/database.ts";
import { checkedFix, keptFix } from "../../src/track/fix.ts";
import { union } from "../../src/track/spans.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";
import { until } from "../support/until.ts";

const sqlite = await loadSqlite();
const NOW = Date.UTC(2026, 10, 1, 12);
const ALL: Span = { fromAt: -8.64e15, toAt: 8.64e15 };
const CAT = "pettracer_14758";

function openIn(folder: string): TrackDatabase {
  return openTrackDatabase(sqlite, join(folder, "data", "positions.sqlite"));
}

function open(atEnd: AtEnd): TrackDatabase {
  const database = openIn(temporaryFolder(atEnd).path);
  atEnd(() => database.close());
  return database;
}

function fixAt(measuredAt: number, more: Partial<DatedFix> = {}): DatedFix {
  return { latitude: 51.5, longitude: -0.12, measuredAt, ...more };
}

const fix: fc.Arbitrary<DatedFix> = fc.record(
  {
    latitude: fc.double({ min: -90, max: 90, noNaN: true }).map((value) => value + 0),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }).map((value) => value + 0),
    measuredAt: fc.nat(20).map((seconds) => NOW + seconds * 1_000),
    accuracyM: fc.nat(5),
    satellites: fc.nat(3),
  },
  { requiredKeys: ["latitude", "longitude", "measuredAt"] },
);
const span = fc.tuple(fc.nat(60), fc.nat(60)).map(([a, b]): Span => ({ fromAt: Math.min(a, b), toAt: Math.max(a, b) }));
const piece = fc.record({ device: fc.constantFrom("a", "b"), fixes: fc.array(fix, { maxLength: 6 }), covered: span });
type Piece = typeof piece extends fc.Arbitrary<infer T> ? T : never;

function contentOf(database: TrackDatabase): object {
  return ["a", "b"].map((device) => [database.fixes(device, ALL, 1_000), database.covered(device)]);
}

function savePieces(database: TrackDatabase, pieces: readonly Piece[]): void {
  for (const { device, fixes, covered } of pieces) {
    database.save(
      fixes.map((one) => ({ device, fix: one })),
      [{ device, span: covered }],
    );
  }
}

test("any order of fixes and fetches, and any of them twice, ends in the same store", ({ onTestFinished }) => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).chain((pieces) => {
        const again = fc.shuffledSubarray([...pieces, ...pieces], { minLength: pieces.length * 2 });
        return fc.tuple(fc.constant(pieces), again);
      }),
      ([pieces, shuffled]) => {
        const [one, other] = [open(onTestFinished), open(onTestFinished)];
        savePieces(one, pieces);
        savePieces(other, shuffled);
        expect(contentOf(other)).toEqual(contentOf(one));
        const times = new Set(
          pieces.filter(({ device }) => device === "a").flatMap(({ fixes }) => fixes.map((f) => f.measuredAt)),
        );
        expect(one.fixes("a", ALL, 1_000).map(({ measuredAt }) => measuredAt)).toEqual(
          [...times].toSorted((a, b) => a - b),
        );
        const covered = pieces.filter(({ device }) => device === "a").map((each) => each.covered);
        expect(one.covered("a")).toEqual(union(covered));
      },
    ),
    { numRuns: 60 },
  );
});

test("of two fixes with one time the more exact one stays", ({ onTestFinished }) => {
  const database = open(onTestFinished);
  for (const accuracyM of [30, 8, 20]) database.save([{ device: CAT, fix: fixAt(NOW, { accuracyM }) }], []);
  database.save([{ device: CAT, fix: fixAt(NOW) }], []);
  expect(database.fixes(CAT, ALL, 10)).toEqual([fixAt(NOW, { accuracyM: 8 })]);
});

test("whatever a fix holds, what is kept of it is sound, and the store takes it", ({ onTestFinished }) => {
  const database = open(onTestFinished);
  const odd = fc.oneof(
    fc.anything(),
    fc.double(),
    fc.bigInt(),
    fc.constantFrom(Number.NaN, Infinity, -0, 91, "51", null),
  );
  const hostile = fc.record(
    { latitude: odd, longitude: odd, measuredAt: odd, accuracyM: odd, satellites: odd },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(hostile, (given) => {
      const kept = checkedFix(given);
      if (kept === undefined) return;
      expect(Math.abs(kept.latitude) <= 90 && Math.abs(kept.longitude) <= 180).toBe(true);
      expect(Number.isSafeInteger(kept.measuredAt)).toBe(true);
      expect(kept.accuracyM ?? 0).toBeGreaterThanOrEqual(0);
      database.save([{ device: CAT, fix: kept }], []);
      expect(database.fixes(CAT, { fromAt: kept.measuredAt, toAt: kept.measuredAt }, 2)).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["of now", NOW, true],
  ["of the day before", NOW - 86_400_000, true],
  ["older than it is kept", NOW - 40 * 86_400_000, false],
  ["a little ahead", NOW + 300_000, true],
  ["of a clock that is years ahead", NOW + 365 * 86_400_000, false],
  ["without a time", undefined, true],
] as const)("a fix %s", (_, measuredAt, isKept) => {
  const given = { latitude: 1, longitude: 2, ...(measuredAt !== undefined && { measuredAt }) };
  const kept = keptFix(given, NOW, NOW - 30 * 86_400_000);
  expect(kept?.measuredAt).toBe(isKept ? (measuredAt ?? NOW) : undefined);
});

test("what is older is forgotten, in parts, and a device with it that has nothing left", ({ onTestFinished }) => {
  const folder = temporaryFolder(onTestFinished).path;
  const database = openIn(folder);
  onTestFinished(() => database.close());
  const old = Array.from({ length: 5_000 }, (_, index) => ({ device: "old", fix: fixAt(NOW - 10_000 + index) }));
  database.save(
    [...old, { device: CAT, fix: fixAt(NOW - 1) }, { device: CAT, fix: fixAt(NOW) }],
    [
      { device: "old", span: { fromAt: NOW - 9_000, toAt: NOW - 8_000 } },
      { device: CAT, span: { fromAt: NOW - 5_000, toAt: NOW + 5 } },
    ],
  );
  let rounds = 1;
  for (; database.forget(NOW); rounds += 1) expect(rounds).toBeLessThan(10);
  expect(rounds).toBeGreaterThan(1);
  expect(database.fixes("old", ALL, 10)).toEqual([]);
  expect(database.firstSeenAt("old")).toBeUndefined();
  expect(database.fixes(CAT, ALL, 10)).toEqual([fixAt(NOW)]);
  expect(database.covered(CAT)).toEqual([{ fromAt: NOW, toAt: NOW + 5 }]);
});

test("many spans of one device are bounded: the latest stay", ({ onTestFinished }) => {
  const database = open(onTestFinished);
  const spans = Array.from({ length: 1_500 }, (_, index) => ({ fromAt: NOW + index * 10, toAt: NOW + index * 10 + 5 }));
  database.save(
    [],
    spans.map((one) => ({ device: CAT, span: one })),
  );
  database.forget(NOW);
  expect(database.covered(CAT)).toEqual(spans.slice(-1_000));
});

test("the files are their owner's alone, and a second process reads while the first one writes", ({
  onTestFinished,
}) => {
  const folder = temporaryFolder(onTestFinished).path;
  const database = openIn(folder);
  onTestFinished(() => database.close());
  const data = join(folder, "data");
  const reader = readTrackDatabase(sqlite, join(data, "positions.sqlite"));
  onTestFinished(() => reader.close());
  for (let index = 0; index < 20; index += 1) {
    database.save([{ device: CAT, fix: fixAt(NOW + index) }], []);
    expect(reader.fixes(CAT, ALL, 100)).toHaveLength(index + 1);
  }
  for (const name of readdirSync(data)) expect(statSync(join(data, name)).mode & 0o777, name).toBe(0o600);
  expect(statSync(data).mode & 0o777).toBe(0o700);
});

test("a reader creates nothing", ({ onTestFinished }) => {
  const { path } = temporaryFolder(onTestFinished);
  expect(() => readTrackDatabase(sqlite, join(path, "positions.sqlite"))).toThrow();
  writeFileSync(join(path, "other.sqlite"), "");
  expect(() => readTrackDatabase(sqlite, join(path, "other.sqlite"))).toThrow(/no such table/);
  expect(readdirSync(path)).toEqual(["other.sqlite"]);
});

/** Writes transactions of ten fixes and their span until it is killed, and says after each how many there are. */
const WRITER = `
  const { loadSqlite, openTrackDatabase } = await import(process.argv[1]);
  const database = openTrackDatabase(await loadSqlite(), process.argv[2]);
  for (let count = 0; ; count += 10) {
    const fixes = Array.from({ length: 10 }, (_, i) => ({ device: "cat", fix: { latitude: 1, longitude: 2, measuredAt: count + i } }));
    database.save(fixes, [{ device: "cat", span: { fromAt: 0, toAt: count + 9 } }]);
    process.stdout.write(count + 10 + "\\n");
  }
`;

/** The same on a disk that is full: the shell lets no file grow beyond so many blocks. */
test("a full disk is an error that leaves what was there, and no reason to end", async ({ onTestFinished }) => {
  const file = join(temporaryFolder(onTestFinished).path, "positions.sqlite");
  const source = new URL("../../src/track/database.ts", import.meta.url).href;
  const script = `
    process.on("SIGXFSZ", () => {});
    const { loadSqlite, openTrackDatabase, isFileBroken } = await import(process.argv[1]);
    const database = openTrackDatabase(await loadSqlite(), process.argv[2]);
    let written = 0;
    try {
      for (; written < 1e6; written += 10) {
        const fixes = Array.from({ length: 10 }, (_, i) => ({ device: "cat", fix: { latitude: 1, longitude: 2, measuredAt: written + i } }));
        database.save(fixes, []);
      }
    } catch (error) {
      console.log(JSON.stringify({ written, isBroken: isFileBroken(error), message: error.message }));
    }
    process.exit(0);
  `;
  const limited = `ulimit -f 512 && exec "$0" "$@"`;
  const child = spawn("bash", ["-c", limited, process.execPath, "--input-type=module", "-e", script, source, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await text(child.stdout);
  const { written, isBroken } = JSON.parse(said) as { written: number; isBroken: boolean };
  expect(written).toBeGreaterThan(100);
  expect(isBroken).toBe(false);
  const database = openTrackDatabase(sqlite, file);
  onTestFinished(() => database.close());
  expect(database.fixes("cat", ALL, 10_000_000)).toHaveLength(written);
});

test("killed while it writes, a store is whole: all that was written, and no span without its fixes", async ({
  onTestFinished,
}) => {
  const file = join(temporaryFolder(onTestFinished).path, "positions.sqlite");
  const source = new URL("../../src/track/database.ts", import.meta.url).href;
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, source, file], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await until(() => said.split("\n").length > 100 + round * 37, "the writer writes");
    child.kill("SIGKILL");
    await once(child, "close");
    const written = Number(said.trimEnd().split("\n").at(-1));
    const reader = readTrackDatabase(sqlite, file);
    const [covered] = reader.covered("cat");
    const fixes = reader.fixes("cat", ALL, 10_000_000);
    reader.close();
    expect(fixes.length).toBeGreaterThanOrEqual(written);
    expect(covered).toEqual({ fromAt: 0, toAt: fixes.length - 1 });
    const database = openTrackDatabase(sqlite, file);
    database.save([{ device: "cat", fix: fixAt(0) }], []);
    database.close();
  }
});
