/** `pawline track`: what the cloud keeps of a collar's way, as GPX, GeoJSON and CSV. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { elementsOf, parseXml, pythonElements, type XmlElement } from "../support/xml.ts";
import { runHere, runInLab, sleepyReader } from "./in-process.ts";
import { type Lab, logins, MISO, OREO, openLab } from "./lab.ts";

const DAY = 86_400_000;
/** Far from any summer time's beginning, and long ago: the lab's own positions are new. */
const NOON = Date.UTC(2026, 2, 10, 12);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function iso(at: number): string {
  return new Date(at).toISOString();
}

function cloudTime(at: number): string {
  return iso(at).replace("Z", "+0000");
}

interface Fields {
  readonly [name: string]: unknown;
}

/** A position of the cloud, each at its own place. */
function position(at: number, fields: Fields = {}): Fields {
  const time = cloudTime(at);
  return { posLat: 51.5, posLong: -0.12, acc: 16, sat: 8, timeMeasure: time, timeDb: time, ...fields };
}

/** Positions from `from` on, `everyMs` apart, on a way to the north-east. */
function way(from: number, count: number, everyMs: number): Fields[] {
  return Array.from({ length: count }, (_, index) =>
    position(from + index * everyMs, { posLat: 51.5 + index / 1e5, posLong: -0.12 + index / 1e5, acc: index % 40 }),
  );
}

/** The bodies of the calls for positions. */
function asked(lab: Lab): { devId: number; filterTime: number; toTime: number }[] {
  return lab.cloud.calls
    .filter(({ path }) => path === "/map/getccpositions")
    .map(({ body }) => body as { devId: number; filterTime: number; toTime: number });
}

function between(from: number, to: number): string[] {
  return ["--from", iso(from), "--to", iso(to)];
}

function childOf(element: XmlElement | undefined, ...names: string[]): XmlElement {
  const found = names.reduce<XmlElement | undefined>(
    (inner, name) => inner?.children.find((child) => child.name === name),
    element,
  );
  if (found === undefined) throw new Error(`no ${names.join(" in ")}`);
  return found;
}

/** What the schema of GPX 1.1 says of all that we write: which elements there may be, and in which order. */
function checkGpx(root: XmlElement): void {
  expect(root.name).toBe("gpx");
  expect(root.attributes).toMatchObject({ version: "1.1", creator: "Pawline" });
  expect(root.attributes.xmlns).toBe("http://www.topografix.com/GPX/1/1");
  expect(root.children.map(({ name }) => name)).toEqual(["trk"]);
  const track = childOf(root, "trk");
  expect(track.children.map(({ name }) => name)).toEqual(["name", "trkseg"]);
  for (const point of childOf(track, "trkseg").children) checkPoint(point);
}

const ORDER = ["time", "sat", "extensions"];

function checkPoint({ name, attributes, children }: XmlElement): void {
  const decimals = Object.entries(attributes).filter(([, value]) => /^-?\d+(\.\d+)?$/.test(value));
  const { lat, lon } = Object.fromEntries(decimals.map(([key, value]) => [key, Number(value)]));
  const names = children.map((child) => child.name);
  const time = children[0]?.text ?? "";
  const isRight =
    name === "trkpt" &&
    Math.abs(lat ?? Number.NaN) <= 90 &&
    (lon ?? Number.NaN) >= -180 &&
    (lon ?? Number.NaN) < 180 &&
    names.join() === ORDER.filter((one) => names.includes(one)).join() &&
    names[0] === "time" &&
    iso(Date.parse(time)) === time &&
    children.every((child) => child.name !== "sat" || /^\d+$/.test(child.text));
  if (!isRight) throw new Error(`no track point of GPX 1.1: ${JSON.stringify({ name, attributes, children })}`);
}

/** The document as both readers have it, after both agreed. */
function readGpx(document: string): XmlElement {
  const root = parseXml(document);
  checkGpx(root);
  const second = pythonElements(document);
  if (second !== undefined) expect(elementsOf(root)).toEqual(second);
  return root;
}

describe.concurrent("documents", () => {
  test("a day of 2,880 positions as GPX", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.settings.positionsKept = 10_000;
    lab.cloud.addPositions(OREO, way(NOON, 2_880, 30_000));
    const { code, stdout, stderr } = await lab.run(["track", "Oreo", ...between(NOON, NOON + DAY - 1)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const track = childOf(readGpx(stdout), "trk");
    expect(childOf(track, "name").text).toBe("Oreo");
    const points = childOf(track, "trkseg").children;
    expect(points).toHaveLength(2_880);
    expect(points.map((point) => childOf(point, "time").text)).toEqual(
      Array.from({ length: 2_880 }, (_, index) => iso(NOON + index * 30_000)),
    );
    expect(points[7]).toMatchObject({ attributes: { lat: "51.50007", lon: "-0.11993" } });
    expect(childOf(points[7], "sat").text).toBe("8");
    expect(childOf(points[7], "extensions", "pawline:accuracy").text).toBe("7");
    expect(asked(lab)).toEqual([{ devId: OREO, filterTime: NOON, toTime: NOON + DAY - 1 }]);
    expect(logins(lab.cloud)).toBe(1);
  });

  test("as GeoJSON", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [
      position(NOON, { posLat: 51.5, posLong: -0.25 }),
      position(NOON + 1_500, { acc: undefined, horiPrec: undefined, sat: undefined }),
    ]);
    const args = ["track", "oreo", "--format", "geojson", ...between(NOON, NOON + DAY)];
    const { code, stdout, stderr } = await runInLab(lab, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      type: "FeatureCollection",
      features: [
        {
          type: "Feature",
          geometry: { type: "Point", coordinates: [-0.25, 51.5] },
          properties: { measured_at: "2026-03-10T12:00:00.000+00:00", accuracy: 16, satellites: 8 },
        },
        {
          type: "Feature",
          geometry: { type: "Point", coordinates: [-0.12, 51.5] },
          properties: { measured_at: "2026-03-10T12:00:01.500+00:00", accuracy: null, satellites: null },
        },
      ],
    });
  });

  test("as CSV", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [
      position(NOON, { posLat: 1e-7, posLong: 180, acc: 2.5 }),
      position(NOON + 1_000, { acc: undefined, horiPrec: undefined, sat: undefined }),
    ]);
    const { stdout } = await runInLab(lab, ["track", "Oreo", "--format", "csv", ...between(NOON, NOON + DAY)]);
    expect(stdout.split("\n")).toEqual([
      "measured_at,latitude,longitude,accuracy,satellites",
      "2026-03-10T12:00:00.000+00:00,0.000000100000,180,2.5,8",
      "2026-03-10T12:00:01.000+00:00,51.5,-0.12,,",
      "",
    ]);
  });

  test("numbers at the edges of GPX's types", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [
      position(NOON, { posLat: 1e-7, posLong: 180 }),
      position(NOON + 1, { posLat: -90, posLong: -180, acc: undefined, horiPrec: undefined, sat: undefined }),
      // None of these is a position.
      position(NOON + 2, { posLat: 0, posLong: 0 }),
      position(NOON + 3, { posLat: null, posLong: null }),
      position(NOON + 4, { posLat: 91 }),
      position(NOON + 5, { posLat: "51.5" }),
    ]);
    const { code, stdout } = await runInLab(lab, ["track", "Oreo", ...between(NOON, NOON + DAY)]);
    expect(code).toBe(0);
    const points = childOf(readGpx(stdout), "trk", "trkseg").children;
    expect(points.map(({ attributes }) => attributes)).toEqual([
      { lat: "0.000000100000", lon: "-180" },
      { lat: "-90", lon: "-180" },
    ]);
  });

  test.for([
    ["Mo & <Jo> \"the\" 'Cat'", "Mo & <Jo> \"the\" 'Cat'"],
    ["🐈‍⬛ Ñandú ]]>", "🐈‍⬛ Ñandú ]]>"],
    ["Bell\u0007\ufffe\uffff\ud800 end", "Bell end"],
  ])("the name %j in GPX", async ([name = "", shown], { onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.push(OREO, { details: { name } });
    lab.cloud.addPositions(OREO, [position(NOON)]);
    const { code, stdout, stderr } = await runInLab(lab, ["track", String(OREO), ...between(NOON, NOON + DAY)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(childOf(readGpx(stdout), "trk", "name").text.replace(/\s+/g, " ")).toBe(shown);
  });

  test.for(["gpx", "geojson", "csv"])("without positions: an empty %s, and a sentence", async (format, context) => {
    const lab = await openLab(context.onTestFinished);
    const { code, stdout, stderr } = await runInLab(lab, [
      "track",
      "Oreo",
      "--format",
      format,
      ...between(NOON, NOON + DAY),
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe(`No positions of Oreo are kept from ${iso(NOON)} to ${iso(NOON + DAY)}.\n`);
    if (format === "gpx") expect(childOf(readGpx(stdout), "trk", "trkseg").children).toEqual([]);
    else if (format === "geojson") expect(JSON.parse(stdout)).toEqual({ type: "FeatureCollection", features: [] });
    else expect(stdout).toBe("measured_at,latitude,longitude,accuracy,satellites\n");
  });
});

describe.concurrent("slices", () => {
  test("a day each, one request at a time, without a gap", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.settings.positionsKept = 10_000;
    const to = NOON + 3.5 * DAY;
    lab.cloud.addPositions(OREO, way(NOON, 336, 900_000));
    lab.cloud.faults.latency(30);
    const { code, stdout } = await runInLab(lab, ["track", "Oreo", "--format", "csv", ...between(NOON, to)]);
    expect(code).toBe(0);
    expect(asked(lab)).toEqual(
      [0, 1, 2, 3].map((day) => ({
        devId: OREO,
        filterTime: NOON + day * DAY,
        toTime: Math.min(NOON + (day + 1) * DAY, to),
      })),
    );
    const times = lab.cloud.calls.filter(({ path }) => path === "/map/getccpositions").map(({ at }) => at);
    // Each was asked for when the one before had been answered, 30 ms later.
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(29);
    const measured = stdout
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(",")[0] ?? "");
    expect(measured).toHaveLength(336);
    expect(measured).toEqual(measured.toSorted());
  });

  test("what lies on a border is told once; what only looks alike is told as it is", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const border = NOON + DAY;
    lab.cloud.addPositions(OREO, [
      position(NOON),
      position(border - 1),
      position(border),
      position(border, { posLat: 51.6 }),
      position(border + 1),
      position(NOON + 2 * DAY),
    ]);
    const { stdout } = await runInLab(lab, ["track", "Oreo", "--format", "csv", ...between(NOON, NOON + 2 * DAY)]);
    const rows = stdout.trimEnd().split("\n").slice(1);
    expect(rows.map((row) => row.split(",").slice(0, 2).join())).toEqual([
      "2026-03-10T12:00:00.000+00:00,51.5",
      "2026-03-11T11:59:59.999+00:00,51.5",
      "2026-03-11T12:00:00.000+00:00,51.5",
      "2026-03-11T12:00:00.000+00:00,51.6",
      "2026-03-11T12:00:00.001+00:00,51.5",
      "2026-03-12T12:00:00.000+00:00,51.5",
    ]);
  });

  test("a cloud that goes by the time of storing, in any order", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await answerPositions(
      lab,
      [position(NOON + 5_000), position(NOON - 1), position(NOON + 2_000), position(NOON + 2_000)],
      // Measured on the first day, stored on the second; and one of a stranger's time.
      [
        position(NOON + DAY + 1_000),
        position(NOON + DAY - 1_000),
        position(NOON, { timeMeasure: "soon", timeDb: null }),
      ],
    );
    const { code, stdout } = await runInLab(lab, [
      "track",
      "Oreo",
      "--format",
      "csv",
      ...between(NOON, NOON + 2 * DAY),
    ]);
    expect(code).toBe(0);
    const rows = stdout.trimEnd().split("\n").slice(1);
    expect(rows.map((row) => row.slice(0, 23))).toEqual([
      "2026-03-10T12:00:02.000",
      "2026-03-10T12:00:05.000",
      "2026-03-11T11:59:59.000",
      "2026-03-11T12:00:01.000",
    ]);
  });

  test("a reader who takes nothing is waited for", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.settings.positionsKept = 10_000;
    lab.cloud.addPositions(OREO, way(NOON, 5 * 96, 900_000));
    const stdout = sleepyReader();
    const running = runInLab(lab, ["track", "Oreo", "--format", "csv", ...between(NOON, NOON + 5 * DAY)], { stdout });
    await lab.cloud.waitFor(() => asked(lab).length > 0, 10_000);
    await pause(300);
    expect(asked(lab)).toHaveLength(1);
    stdout.wake();
    expect(await running).toMatchObject({ code: 0, stderr: "" });
    expect(stdout.text().trimEnd().split("\n")).toHaveLength(5 * 96 + 1);
    expect(asked(lab)).toHaveLength(5);
  });

  test("a token that is refused on the way is renewed", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [position(NOON)]);
    lab.cloud.faults.answer("/map/getccpositions", "refuse", 1);
    const { code, stdout } = await runInLab(lab, ["track", "Oreo", "--format", "csv", ...between(NOON, NOON + DAY)]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(3);
    expect(logins(lab.cloud)).toBe(2);
  });
});

/** Puts a server before the cloud that answers for positions itself, one answer after the other. */
async function answerPositions(lab: Lab, ...answers: readonly unknown[]): Promise<void> {
  const rest = [...answers];
  const server = createServer((request, response) => {
    void forwarded(request, lab.cloud.portalUrl).then(async (answer) => {
      const isOurs = request.url?.endsWith("/map/getccpositions");
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(isOurs ? JSON.stringify(rest.shift() ?? []) : await answer.text());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  lab.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  lab.configure({ pettracer: { portal_url: `http://127.0.0.1:${address.port}` } });
}

async function forwarded(request: IncomingMessage, to: string): Promise<Response> {
  const { method = "GET", url = "", headers } = request;
  return await fetch(to + url, {
    method,
    headers: { "content-type": "application/json", authorization: headers.authorization ?? "" },
    ...(method === "POST" && { body: await text(request) }),
  });
}

describe.concurrent("which collar", () => {
  test.for(["Oreo", " oREO ", String(OREO), `pettracer_${OREO}`, `PETTRACER_${OREO}`])(
    "%j",
    async (called, context) => {
      const lab = await openLab(context.onTestFinished);
      const { code } = await runInLab(lab, ["track", called, ...between(NOON, NOON + 1)]);
      expect(code).toBe(0);
      expect(asked(lab).map(({ devId }) => devId)).toEqual([OREO]);
    },
  );

  test("one that there is not: 2, and all that there are", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { code, stdout, stderr } = await runInLab(lab, ["track", "Felix"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`there is no collar Felix; the account has ${OREO} (Oreo), ${MISO} (Miso)\n`);
    expect(asked(lab)).toEqual([]);
  });

  test("two of one name: 2, and the number helps", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.push(MISO, { details: { name: "OREO" } });
    const { code, stderr } = await runInLab(lab, ["track", "oreo"]);
    expect(code).toBe(2);
    expect(stderr).toBe(`there are 2 collars called oreo; the account has ${OREO} (Oreo), ${MISO} (OREO)\n`);
    expect(await runInLab(lab, ["track", String(MISO), ...between(NOON, NOON + 1)])).toMatchObject({ code: 0 });
  });

  test("one of the second account is asked for there", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addAccount({ login: "dog@example.com", password: "bone", id: 16000, name: "Robin" });
    lab.cloud.addCollar("dog@example.com", { id: 14800, details: { name: "Rex" } });
    lab.cloud.addPositions(14800, [position(NOON)]);
    lab.configure({ pettracer: [lab.account, { ...lab.account, username: "dog@example.com", password: "bone" }] });
    const { code, stdout } = await runInLab(lab, ["track", "Rex", "--format", "csv", ...between(NOON, NOON + 1)]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(3);
  });
});

describe.concurrent("times", () => {
  test("the last 24 hours, unless told otherwise", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const before = Date.now();
    expect(await runInLab(lab, ["track", "Oreo"])).toMatchObject({ code: 0, stderr: "" });
    const [{ filterTime, toTime } = { filterTime: 0, toTime: 0 }] = asked(lab);
    expect(toTime - filterTime).toBe(DAY);
    expect(toTime).toBeGreaterThanOrEqual(before);
    expect(toTime).toBeLessThanOrEqual(Date.now());
  });

  test("how long ago", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await runInLab(lab, ["track", "Oreo", "--from", "90m", "--to", "30m"]);
    const [{ filterTime, toTime } = { filterTime: 0, toTime: 0 }] = asked(lab);
    expect(toTime - filterTime).toBe(3_600_000);
    expect(Date.now() - toTime).toBeLessThan(1_830_000);
  });

  test.for([
    ["2026-03-10", "2026-03-10T06:30", Date.UTC(2026, 2, 9, 11), Date.UTC(2026, 2, 9, 17, 30)],
    [
      "2026-03-10 01:00:00.250",
      "2026-03-10T06:30:15",
      Date.UTC(2026, 2, 9, 12, 0, 0, 250),
      Date.UTC(2026, 2, 9, 17, 30, 15),
    ],
    ["2026-03-10T00:00Z", "2026-03-10T00:00:00+02:00", undefined, undefined],
    ["2026-03-10t00:00+02", "2026-03-10T00:00z", Date.UTC(2026, 2, 9, 22), Date.UTC(2026, 2, 10)],
    ["2026-03-10T00:00-0330", "2026-03-10T04:00:00.000Z", Date.UTC(2026, 2, 10, 3, 30), Date.UTC(2026, 2, 10, 4)],
  ] as const)("from %s to %s, in Auckland", async ([from, to, filterTime, toTime], { onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    // Thirteen hours before UTC in March.
    const script = 'process.env.TZ = "Pacific/Auckland";';
    const { code } = await lab.startWith(script, "track", "Oreo", "--from", from, "--to", to).ended(20_000);
    expect(code).toBe(filterTime === undefined ? 2 : 0);
    expect(asked(lab)).toEqual(filterTime === undefined ? [] : [{ devId: OREO, filterTime, toTime }]);
  });

  test.for([
    [["--from", "yesterday"], /^--from: must be a time such as 2026-06-01, .* or how long ago: 90m, 24h or 7d$/],
    [["--from", "2026-02-30"], /^--from: must be a time/],
    [["--from", "2026-02-03T25:00"], /^--from: must be a time/],
    [["--from", "2026-13-01"], /^--from: must be a time/],
    [["--from", "1741600000"], /^--from: must be a time/],
    [["--from", ""], /^--from: must be a time/],
    [["--from", "-5d"], /^--from: must be a time/],
    [["--from", "999999999999d"], /^--from: must be a time/],
    [["--to", "2026-02-03T10:00+0"], /^--to: must be a time/],
    [["--from", "2026-02-03", "--to", "2026-02-02"], /^--from \(.*\) lies after --to \(.*\)$/],
    [["--from", "1h", "--to", "2h"], /^--from \(.*\) lies after --to/],
    [["--from", "1990-01-01"], /^--from and --to may be ten years apart at most$/],
    [["--format", "kml"], /gpx, geojson, csv/],
  ] as const)("%j is wrong usage", async ([args, sentence]) => {
    const { code, stdout, stderr } = await runHere(["track", "Oreo", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trimEnd()).toMatch(sentence);
  });

  test("without a collar, and with two, is wrong usage", async () => {
    expect(await runHere(["track"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/argument 'device'/) });
    expect(await runHere(["track", "a", "b"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/too many/) });
  });
});

describe.concurrent("--output", () => {
  test("replaces the file when all is there, and says so", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [position(NOON)]);
    const file = join(lab.folder, "way.csv");
    symlinkSync(file, join(lab.folder, "link.csv"));
    for (const [name, rows] of [
      ["way.csv", 2],
      ["link.csv", 2],
    ] as const) {
      const { code, stdout, stderr } = await lab.run(["track", "Oreo", ...between(NOON, NOON + 1), "--output", name]);
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: "",
        stderr: `1 position of Oreo written to ${name}\n`,
      });
      expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(rows);
    }
    expect(readdirSync(lab.folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test.for([
    ["way.geojson", /^\{"type":"FeatureCollection"/],
    ["way.CSV", /^measured_at/],
    ["way.gpx", /^<\?xml/],
    ["way.txt", /^<\?xml/],
  ] as const)("%s is written as its name says", async ([name, beginning], { onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    expect(await lab.run(["track", "Oreo", ...between(NOON, NOON + 1), "--output", name])).toMatchObject({ code: 0 });
    expect(readFileSync(join(lab.folder, name), "utf8")).toMatch(beginning);
  });

  test("what goes wrong on the way leaves what was there", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const file = join(lab.folder, "way.csv");
    lab.cloud.addPositions(OREO, [position(NOON)]);
    const args = ["track", "Oreo", ...between(NOON, NOON + 2 * DAY), "--output", file];
    await runInLab(lab, args);
    const before = readFileSync(file, "utf8");
    lab.cloud.faults.answer("/map/getccpositions", { status: 500 });
    expect(await runInLab(lab, args)).toMatchObject({ code: 4, stdout: "", stderr: expect.stringMatching(/HTTP 500/) });
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readdirSync(lab.folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("stopped on the way: no file, and nothing beside it", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const file = join(lab.folder, "way.csv");
    lab.cloud.faults.answer("/map/getccpositions", "hang");
    const running = lab.start("track", "Oreo", "--output", file);
    await lab.cloud.waitFor(() => asked(lab).length > 0, 10_000);
    running.signal("SIGINT");
    expect(await running.ended(5_000)).toEqual({ code: 1, stdout: "", stderr: "stopped\n" });
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(lab.folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test.for(["missing/way.csv", "."])("%s cannot be written: 2, before anything is asked for", async (name, context) => {
    const lab = await openLab(context.onTestFinished);
    const { code, stdout, stderr } = await lab.run(["track", "Oreo", "--output", name]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^--output: /);
    expect(logins(lab.cloud)).toBe(0);
  });

  test("a device stays a device", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    expect(await runInLab(lab, ["track", "Oreo", "--output", "/dev/null"])).toMatchObject({ code: 0 });
    expect(readFileSync("/dev/null", "utf8")).toBe("");
  });
});

describe.concurrent("the terminal", () => {
  test("a bar on long spans, and it is gone at the end", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addPositions(OREO, [position(NOON)]);
    const long = await runInLab(lab, ["track", "Oreo", ...between(NOON, NOON + 4 * DAY)], { isTerminal: true });
    expect(long.code).toBe(0);
    for (const percent of [25, 50, 75, 100])
      expect(long.stderr).toMatch(new RegExp(`\\r.* ${percent} %  1 position\\b`));
    expect(long.stderr.endsWith("\r\u001b[K")).toBe(true);
    const short = await runInLab(lab, ["track", "Oreo", ...between(NOON, NOON + 2 * DAY)], { isTerminal: true });
    expect(short).toMatchObject({ code: 0, stderr: "" });
  });

  test("a reader who has had enough is no failure", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.settings.positionsKept = 10_000;
    lab.cloud.addPositions(OREO, way(NOON, 4_000, 60_000));
    const args = [MAIN, "track", "Oreo", ...between(NOON, NOON + 3 * DAY), "--config", lab.configure()];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => {
      stderr += text.toString();
    });
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [code] = await once(child, "close", { signal: AbortSignal.timeout(15_000) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe.concurrent("what fails", () => {
  test("a refused login: 3, once", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { password: "wrong-s3cret" } });
    const { code, stdout, stderr } = await lab.run(["track", "Oreo"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^PetTracer refused the login \(401\): /);
    expect(logins(lab.cloud)).toBe(1);
  });

  test("a cloud that cannot be reached: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.faults.refuseConnections("closed");
    expect(await runInLab(lab, ["track", "Oreo"])).toMatchObject({ code: 4, stdout: "" });
  });

  test("an answer that is no list: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await answerPositions(lab, { error: "none" });
    const { code, stderr } = await runInLab(lab, ["track", "Oreo"]);
    expect({ code, stderr }).toEqual({ code: 4, stderr: "PetTracer's answer is no list of positions\n" });
  });

  test("no broker is needed", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    expect(await runInLab(lab, ["track", "Oreo"])).toMatchObject({ code: 0 });
  });
});
