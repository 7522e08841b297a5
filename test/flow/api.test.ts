/** The live API by HTTP, in a whole house: what the cloud says can be read, and what is asked for reaches the cloud. */
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import {
  commandAnswer,
  devicesAnswer,
  eventsAnswer,
  featureCollection,
} from "../../src/publishers/live/api/requests.ts";
import { bridge, device, stats, track } from "../../src/publishers/live/api/schema.ts";
import { eventually } from "../e2e/support/waiting.ts";
import { type Api, OREO_ID, openApi, problemOf } from "../support/api.ts";
import { OREO, OTHER_OWNER, OWNER, oreo, stationAndOreo } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { PATIENCE_MS, until } from "../support/until.ts";
import { parseXml } from "../support/xml.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 60_000 });

const test_ = test.concurrent;

const STATION_ID = "pettracer_hs_10775";
const ACCOUNT_ID = "pettracer_account_15979";

/** So many minutes ago, as the cloud writes it. */
function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString().replace("Z", "+0000");
}

function fixAt(minutes: number, posLat: number) {
  return { lastPos: { ...OREO.lastPos, posLat, timeMeasure: ago(minutes), timeDb: ago(minutes) } };
}

test_("what MQTT says of a device is what the API says of it, as soon as the cloud has said it", async (context) => {
  const api = await openApi(context);
  const { devices } = await api.read("devices", devicesAnswer);
  expect(new Map(devices.map(({ id, kind }) => [id, kind]))).toEqual(
    new Map([
      [OREO_ID, "collar"],
      [ACCOUNT_ID, "account"],
      [STATION_ID, "home_station"],
    ]),
  );
  api.house.push(14758, { bat: 3_777, ...fixAt(1, 51.5) });
  const shown = await api.becomes(OREO_ID, ({ position }) => position?.latitude === 51.5);
  await api.house.mqtt.waitForJson(oreo.position, { latitude: 51.5 });
  await api.house.mqtt.waitForJson(oreo.state, { battery_voltage: 3.777, distance: shown.state.distance });
  expect(shown.position).toEqual(json(api.house.mqtt.latest(oreo.position) ?? ""));
  expect(shown.state).toEqual(json(api.house.mqtt.latest(oreo.state) ?? ""));
  expect(shown).toMatchObject({
    name: "Oreo",
    accounts: ["pettracer"],
    available: true,
    color: "#24b8f8",
    home_station: STATION_ID,
    firmware: json(api.house.mqtt.latest(oreo.firmware) ?? ""),
    pending: [],
  });
  expect(shown.commands.map(({ command }) => command).toSorted()).toEqual(["buzzer", "find", "light", "live", "mode"]);
  const place = await api.read(`devices/${STATION_ID}`, device);
  expect(place.position).toMatchObject({ latitude: 51.4000701, longitude: -1.0842267, source: "station" });
});

test_("an answer that has not changed is not sent again", async (context) => {
  const api = await openApi(context);
  for (const path of ["devices", `devices/${OREO_ID}`, "events", "bridge", "openapi.json", "session"]) {
    const { headers, body } = await api.ask(path);
    const etag = headers.etag ?? "";
    expect(etag).toMatch(/^"[\w-]{20,}"$/);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await api.ask(path, { headers: { "if-none-match": known } });
      expect([path, again.status, again.body, again.headers.etag]).toEqual([path, 304, "", etag]);
    }
    const other = await api.ask(path, { headers: { "if-none-match": '"x"' } });
    expect([path, other.status, other.body]).toEqual([path, 200, body]);
    const head = await api.ask(path, { method: "HEAD" });
    expect([head.status, head.body, head.headers.etag]).toEqual([200, "", etag]);
    expect(head.headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  }
  const before = await api.ask(`devices/${OREO_ID}`);
  api.house.push(14758, { bat: 3_700 });
  await eventually(PATIENCE_MS, "another tag", async () => {
    const now = await api.ask(`devices/${OREO_ID}`, { headers: { "if-none-match": before.headers.etag ?? "" } });
    return now.status === 200 || undefined;
  });
});

function twoOwners(cloud: Cloud): void {
  stationAndOreo(cloud);
  cloud.addAccount(OTHER_OWNER);
  cloud.addCollar(OTHER_OWNER.login, { id: 777_123, details: { id: 777_123, name: "Whiskers" } });
}

test_("devices by account, by source and by kind; what is no question is refused with a sentence", async (context) => {
  const api = await openApi(context, { furnish: twoOwners });
  await api.house.reload({ accounts: [api.house.account(OWNER), api.house.account(OTHER_OWNER)] });
  const ids = async (query: string): Promise<string[]> =>
    (await api.read(`devices?${query}`, devicesAnswer)).devices.map(({ id }) => id).toSorted();
  await eventually(PATIENCE_MS, "Whiskers", async () => (await ids("")).includes("pettracer_777123") || undefined);
  const mine = [OREO_ID, ACCOUNT_ID, STATION_ID].toSorted();
  const others = ["pettracer_777123", "pettracer_account_15980"];
  const [
    {
      accounts: [source = ""],
    },
    {
      accounts: [otherSource = ""],
    },
  ] = await Promise.all([api.read(`devices/${OREO_ID}`, device), api.read("devices/pettracer_777123", device)]);
  expect(await ids("")).toEqual([...mine, ...others].toSorted());
  expect(await ids(`account=${ACCOUNT_ID}`)).toEqual(mine);
  expect(await ids("account=pettracer_account_15980")).toEqual(others);
  expect(await ids(`source=${encodeURIComponent(source)}`)).toEqual(mine);
  expect(await ids(`source=${encodeURIComponent(otherSource)}`)).toEqual(others);
  expect(await ids("kind=collar")).toEqual([OREO_ID, "pettracer_777123"]);
  expect(await ids(`kind=account&account=${ACCOUNT_ID}`)).toEqual([ACCOUNT_ID]);
  expect(await ids("account=pettracer_account_1")).toEqual([]);
  for (const [query, path] of [
    ["kind=cat", "kind"],
    ["colour=red", ""],
    ["kind=collar&kind=account", "kind"],
    ["source=", "source"],
  ]) {
    const told = problemOf(await api.ask(`devices?${query}`));
    expect([told.status, told.code, told.errors?.[0]?.path]).toEqual([400, "invalid_request", path]);
  }
});

test_.for(["devices/pettracer_1", "devices/bridge", "devices/account:pettracer", "devices/__proto__", "devices/%00"])(
  "%s is no device",
  async (path, context) => {
    const api = await openApi(context);
    for (const more of ["", "/photo", "/track"]) {
      expect(problemOf(await api.ask(path + more))).toMatchObject({ status: 404, code: "unknown_device" });
    }
    const refused = await api.command({ command: "light", value: true }, {}, path.slice("devices/".length));
    expect(problemOf(refused)).toMatchObject({ status: 404, code: "unknown_device" });
  },
);

/** Oreo with a light and a buzzer, in the mode Normal. */
function withControls(cloud: Cloud): void {
  stationAndOreo(cloud);
  cloud.push(14758, { led: false, buz: false, mode: 2, modeSet: 2, search: false });
}

const AT_ONCE = { cloud: { pollScale: 0.001 }, furnish: withControls };
const NEVER = { furnish: withControls };

function callsOf(api: Api): string[] {
  return api.house.cloud.calls.map(({ path }) => path).filter((path) => path.startsWith("/map/setcc"));
}

test_("a command reaches the cloud, and its echo is the answer", async (context) => {
  const api = await openApi(context, AT_ONCE);
  const answer = await api.command({ command: "light", value: true });
  expect(commandAnswer.parse(JSON.parse(answer.body))).toEqual({
    status: "done",
    device: OREO_ID,
    command: "light",
    value: true,
    accepted: true,
    until: null,
  });
  expect(answer.status).toBe(200);
  expect(callsOf(api)).toEqual(["/map/setccled/14758/1"]);
  expect((await api.read(`devices/${OREO_ID}`, device)).state.light).toBe(true);
});

test_.for([
  { command: "live", value: true, shown: { live: true, mode: "Live" } },
  { command: "mode", value: "Fast+", shown: { mode: "Fast+", live: false } },
  { command: "mode", value: "fast", shown: { mode: "Fast" } },
  { command: "buzzer", value: "ON", shown: { buzzer: true } },
  { command: "find", shown: { live: true, light: true, buzzer: true } },
])("$command $value", async ({ shown, ...body }, context) => {
  const api = await openApi(context, AT_ONCE);
  const { status } = await api.command(body, { prefer: "wait=60" });
  expect(status).toBe(200);
  expect((await api.read(`devices/${OREO_ID}`, device)).state).toMatchObject(shown);
});

test_("what takes longer than the wait is answered as what it is: on its way", async (context) => {
  const api = await openApi(context, NEVER);
  api.house.cloud.setPollDelay(14758, null);
  const answer = await api.command({ command: "light", value: true }, { prefer: "wait=1" });
  expect([answer.status, answer.headers["preference-applied"]]).toEqual([202, "wait=1"]);
  const told = commandAnswer.parse(JSON.parse(answer.body));
  expect(told).toMatchObject({ status: "pending", accepted: true, command: "light", value: true });
  const { pending, state } = await api.read(`devices/${OREO_ID}`, device);
  expect(pending).toMatchObject([{ command: "light", value: true, accepted: true, until: told.until }]);
  expect(state).toMatchObject({ light: false, pending: true });
  api.house.cloud.poll(14758);
  await api.becomes(OREO_ID, ({ pending: left, state: now }) => left.length === 0 && now.light === true);
});

test_.for(["respond-async", "wait=0"])("who does not want to wait (%s) need not", async (prefer, context) => {
  const api = await openApi(context, NEVER);
  api.house.cloud.faults.latency(5_000);
  const startedAt = performance.now();
  const answer = await api.command({ command: "light", value: true }, { prefer });
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect([answer.status, JSON.parse(answer.body)]).toMatchObject([202, { status: "pending", accepted: false }]);
});

test_("a command that the cloud refuses has failed, and the answer tells why", async (context) => {
  const api = await openApi(context, AT_ONCE);
  api.house.cloud.faults.answer("/map/setccled", { status: 403 });
  const told = problemOf(await api.command({ command: "light", value: true }));
  expect(told).toMatchObject({ status: 502, code: "command_failed", detail: expect.stringContaining("HTTP 403") });
  const { events } = await api.read("events?type=command_failed", eventsAnswer);
  expect(events).toMatchObject([{ device: OREO_ID, name: "Oreo", command: "light" }]);
});

test_("a newer command takes the place of one that waits, and whoever asked for that is told", async (context) => {
  const api = await openApi(context, NEVER);
  // The first one keeps the lane busy for two seconds.
  const first = api.command({ command: "light", value: true }, { prefer: "respond-async" });
  await until(() => callsOf(api).length === 1, "the first call");
  const second = api.command({ command: "mode", value: "Slow" }, { prefer: "wait=60" });
  await api.becomes(OREO_ID, ({ pending }) => pending.some(({ value }) => value === "Slow"));
  const third = api.command({ command: "mode", value: "Fast" }, { prefer: "respond-async" });
  expect(problemOf(await second)).toMatchObject({ status: 409, code: "command_failed" });
  expect([(await first).status, (await third).status]).toEqual([202, 202]);
});

test_.for<[unknown, number, string, RegExp]>([
  [{ command: "power_off" }, 422, "command_refused", /does not take power_off/],
  [{ command: "mode", value: "Turbo" }, 422, "command_refused", /must be "Slow", "Slow\+", .* or "Live"\.$/],
  [{ command: "mode" }, 422, "command_refused", /must be "Slow"/],
  [{ command: "light" }, 422, "command_refused", /must be true or false\.$/],
  [{ command: "light", value: "maybe" }, 422, "command_refused", /must be true or false\.$/],
  [{ command: "find", value: true }, 422, "command_refused", /takes no value/],
  [{ command: "explode" }, 400, "invalid_request", /command: /],
  [{ command: "light", value: 1 }, 400, "invalid_request", /value: /],
  [{ command: "light", value: true, now: true }, 400, "invalid_request", /now/],
  [[], 400, "invalid_request", /./],
  ["null", 400, "invalid_request", /./],
  ["{", 400, "invalid_json", /must be JSON/],
  ["", 400, "invalid_json", /must be JSON/],
  [`"${"x".repeat(20_000)}"`, 413, "too_large", /16384 bytes/],
])("%j is refused: %i %s", async ([body, status, code, sentence], context) => {
  const api = await openApi(context, AT_ONCE);
  const told = problemOf(await api.command(body));
  expect(told).toMatchObject({ status, code, detail: expect.stringMatching(sentence) });
  expect(callsOf(api)).toEqual([]);
});

test_("a command to what takes none, and one that is no JSON", async (context) => {
  const api = await openApi(context, AT_ONCE);
  const light = { command: "light", value: true };
  const toStation = problemOf(await api.command(light, {}, STATION_ID));
  expect(toStation).toMatchObject({ status: 422, code: "command_refused", detail: expect.stringContaining("collar") });
  for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
    const refused = problemOf(await api.command(light, { "content-type": type }));
    expect(refused).toMatchObject({ status: 415, code: "invalid_request" });
  }
  expect(callsOf(api)).toEqual([]);
});

/** Three positions within the last hour, and one that is two days old. */
async function walk(api: Api): Promise<void> {
  const places: readonly [number, number][] = [
    [2_880, 51.1],
    [30, 51.2],
    [20, 51.3],
    [10, 51.4],
  ];
  for (const [minutes, latitude] of places) api.house.push(14758, fixAt(minutes, latitude));
  await eventually(PATIENCE_MS, "the last position in the track", async () => {
    const { fixes } = await api.read(`devices/${OREO_ID}/track`, track);
    return fixes.at(-1)?.latitude === 51.4 || undefined;
  });
}

test_("the track: of the last day, of another time, in three formats", async (context) => {
  const api = await openApi(context);
  await walk(api);
  const path = `devices/${OREO_ID}/track`;
  const day = await api.read(path, track);
  expect(day.fixes.map(({ latitude }) => latitude)).toEqual([51.2, 51.3, 51.4]);
  expect(day.fixes[0]).toMatchObject({ longitude: -1.0832267, gps_accuracy: 16, satellites: 8 });
  expect([day.device, day.name, Date.parse(day.to) - Date.parse(day.from)]).toEqual([OREO_ID, "Oreo", 86_400_000]);
  // Before it was heard of, something may be missing; since then nothing is.
  expect(day.gaps.map(({ from }) => from)).toEqual([day.from]);
  const [from, to] = [Date.now() - 3 * 86_400_000, Date.now() - 86_400_000];
  for (const span of [
    `from=${from}&to=${to}`,
    `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`,
    `from=${new Date(from).toISOString().replace("Z", "+00:00")}&to=${new Date(to).toISOString()}`,
  ]) {
    const old = await api.read(`${path}?${span}`, track);
    expect([old.fixes.map(({ latitude }) => latitude), Date.parse(old.from)]).toEqual([[51.1], from]);
  }
  const geo = await api.ask(`${path}?format=geojson`);
  expect(geo.headers).toMatchObject({ "content-type": "application/geo+json; charset=utf-8" });
  const { features } = featureCollection.parse(JSON.parse(geo.body));
  expect(features.map(({ geometry }) => geometry.coordinates)).toEqual(
    [51.2, 51.3, 51.4].map((at) => [-1.0832267, at]),
  );
  const gpx = await api.ask(`${path}?format=gpx`);
  const today = new Date().toISOString().slice(0, 10);
  expect(gpx.headers).toMatchObject({
    "content-type": "application/gpx+xml; charset=utf-8",
    "content-disposition": `attachment; filename="oreo-${today}.gpx"`,
  });
  expect(parseXml(gpx.body).name).toBe("gpx");
  expect([...gpx.body.matchAll(/<trkpt lat="([\d.]+)"/g)].map(([, at]) => at)).toEqual(["51.2", "51.3", "51.4"]);
  expect((await api.ask(`${path}?format=gpx`, { method: "HEAD" })).body).toBe("");
});

test_("a track that has not changed is not sent again, although its end moves on", async (context) => {
  const api = await openApi(context);
  await walk(api);
  for (const format of ["json", "geojson", "gpx"]) {
    const path = `devices/${OREO_ID}/track?format=${format}&from=${Date.now() - 3_600_000}`;
    // What is known up to now is known up to a moment later, once the stream has been heard of again.
    await eventually(PATIENCE_MS, "the same track", async () => {
      const { headers } = await api.ask(path);
      const again = await api.ask(path, { headers: { "if-none-match": headers.etag ?? "" } });
      return (again.status === 304 && again.body === "") || undefined;
    });
  }
});

test_.for<[string, RegExp]>([
  ["from=yesterday", /from: must be a time such as/],
  ["from=2026-02-30", /from: must be a time/],
  ["to=9999999999999999", /to: must be a time/],
  ["from=2026-06-02&to=2026-06-01", /from: must not lie after "to"/],
  ["from=2026-01-01&to=2026-03-01", /31 days/],
  ["format=kml", /format: /],
  ["until=2026-03-01", /until/],
  ["from=2026-06-01&from=2026-06-02", /twice/],
])("a track of %s is refused with a sentence", async ([query, sentence], context) => {
  const api = await openApi(context);
  const told = problemOf(await api.ask(`devices/${OREO_ID}/track?${query}`));
  expect(told).toMatchObject({ status: 400, code: "invalid_request" });
  expect(`${told.detail} ${told.errors?.map(({ path, message }) => `${path} ${message}`).join()}`).toMatch(sentence);
});

test_("where no track is kept, the answer says so", async (context) => {
  const api = await openApi(context, { track: { retention: 0 } });
  const told = problemOf(await api.ask(`devices/${OREO_ID}/track`));
  expect(told).toMatchObject({ status: 404, code: "unavailable", detail: expect.stringContaining("track.retention") });
});

test_("what happened: the latest, what follows a number, of a type, of a device", async (context) => {
  const api = await openApi(context);
  for (const chg of [1, 0, 1, 0]) api.house.push(14758, { chg });
  const all = await eventually(PATIENCE_MS, "four events", async () => {
    const found = await api.read("events", eventsAnswer);
    return found.events.length === 4 ? found : undefined;
  });
  const [first, second, third, fourth] = all.events;
  expect(all.events.map(({ type }) => type)).toEqual([
    "charging_started",
    "charging_finished",
    "charging_started",
    "charging_finished",
  ]);
  expect(first).toMatchObject({ device: OREO_ID, name: "Oreo", battery: expect.any(Number) });
  expect([all.last, all.missed]).toEqual([fourth?.sequence, false]);
  const get = async (query: string) => (await api.read(`events?${query}`, eventsAnswer)).events;
  expect(await get(`after=${second?.sequence}`)).toEqual([third, fourth]);
  expect(await get(`after=${first?.sequence}&limit=1`)).toEqual([second]);
  expect(await get("limit=1")).toEqual([fourth]);
  expect(await get("limit=0")).toEqual([]);
  expect(await get("type=charging_started")).toEqual([first, third]);
  expect(await get("device=pettracer_1")).toEqual([]);
  expect(await get(`after=${fourth?.sequence}`)).toEqual([]);
  for (const query of ["after=-1", "after=x", "limit=501", "limit=1.5", "type=purred"]) {
    expect(problemOf(await api.ask(`events?${query}`))).toMatchObject({ status: 400, code: "invalid_request" });
  }
});

test_("a picture is there where the cloud has one", async (context) => {
  const bytes = Buffer.from("89504e470d0a1a0a0000", "hex");
  const furnish = (cloud: Cloud): void => {
    stationAndOreo(cloud);
    cloud.addImage("oreo.png", bytes, "image/png");
    cloud.push(14758, { details: { name: "Oreo", img: "oreo.png", image: "oreo.png" } });
  };
  const api = await openApi(context, { furnish });
  const { photo } = await api.becomes(OREO_ID, (found) => found.photo !== null);
  const { status, headers, body } = await api.ask(photo ?? "");
  expect([status, headers["content-type"], headers["content-length"]]).toEqual([200, "image/png", "10"]);
  expect(body).toBe(bytes.toString("utf8"));
  const again = await api.ask(photo ?? "", { headers: { "if-none-match": headers.etag ?? "" } });
  expect(again.status).toBe(304);
  const none = problemOf(await api.ask(`devices/${STATION_ID}/photo`));
  expect(none).toMatchObject({ status: 404, code: "not_found" });
});

test_("how Pawline is, and what the API has done", async (context) => {
  const api = await openApi(context);
  const { components, healthy, schema, started } = await api.read("bridge", bridge);
  expect(components.map(({ role, name }) => `${role} ${name}`).toSorted()).toEqual([
    "publisher live",
    "publisher mqtt",
    "source pettracer",
  ]);
  expect([healthy, schema, Math.abs(Date.parse(started ?? "") - Date.now()) < 120_000]).toEqual([true, 1, true]);
  const before = await api.read("stats", stats);
  await api.ask("devices?kind=cat");
  await api.ask("devices", { headers: { authorization: "Bearer wrong" } });
  const after = await api.read("stats", stats);
  expect(after.requests.answered - before.requests.answered).toBe(3);
  expect(after.requests.malformed - before.requests.malformed).toBe(1);
  expect(after.requests.refused - before.requests.refused).toBe(1);
  expect(after).toMatchObject({
    connections: { open: 1, websocket: 0, most: 1_100, refused: 0 },
    memory: { resident_bytes: 50_000_000 },
    components: expect.arrayContaining([expect.objectContaining({ name: "mqtt", state: "running" })]),
  });
});

test_.for<[string, string, string]>([
  ["POST", "devices", "GET, HEAD"],
  ["DELETE", `devices/${OREO_ID}`, "GET, HEAD"],
  ["GET", `devices/${OREO_ID}/commands`, "POST"],
  ["PUT", "session", "GET, HEAD, POST, DELETE"],
  ["OPTIONS", "stats", "GET, HEAD"],
])("%s %s is refused with what can be done there", async ([method, path, allow], context) => {
  const api = await openApi(context);
  const refused = await api.ask(path, { method });
  expect(problemOf(refused)).toMatchObject({ status: 405, code: "method_not_allowed" });
  expect(refused.headers.allow).toBe(allow);
});
