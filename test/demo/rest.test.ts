import { afterEach, beforeEach, expect, test } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { cloudWithCollars, owner, type Rest, restOf, token } from "./client.ts";

let cloud: Cloud;
let rest: Rest;

beforeEach(async () => {
  cloud = await cloudWithCollars({ pollScale: 0.001 });
  rest = restOf(cloud, await token(cloud));
});

afterEach(() => cloud.close());

const login = (body: string): Promise<Response> => fetch(`${cloud.portalUrl}/user/login`, { method: "POST", body });
const goodLogin = JSON.stringify({ login: owner.login, password: owner.password });

test("a login answers the account with a token and its end", async () => {
  const response = await login(goodLogin);
  const answer = (await response.json()) as Record<string, unknown>;
  expect(response.status).toBe(200);
  expect(Object.keys(answer)).toEqual(
    expect.arrayContaining(["id", "login", "name", "lang", "partner_id", "partnerId", "country_id", "access_token"]),
  );
  expect(answer).toMatchObject({ id: 15979, login: owner.login, numberOfCCs: 3, show_is_home: true });
  expect(answer.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  expect(answer.abo).toMatchObject({ userId: 15979, dateExpires: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
});

test("expires is a bare date, or missing, as told", async () => {
  cloud.settings.expires = "date";
  expect(((await (await login(goodLogin)).json()) as { expires: string }).expires).toMatch(/^\d{4}-\d\d-\d\d$/);
  cloud.settings.expires = "missing";
  expect(await (await login(goodLogin)).json()).not.toHaveProperty("expires");
});

test("wrong credentials are 401, a body that is no JSON or no login is 400", async () => {
  expect((await login('{"login":"cat@example.com","password":"mouse"}')).status).toBe(401);
  expect((await login('{"login":"dog@example.com","password":"tuna"}')).status).toBe(401);
  expect((await login("{")).status).toBe(400);
  expect((await login("{}")).status).toBe(400);
});

test("a changed password counts from then on", async () => {
  cloud.addAccount({ ...owner, password: "salmon" });
  expect((await login(goodLogin)).status).toBe(401);
  expect((await (await rest.get("/map/getccs")).json()) as unknown[]).toHaveLength(3);
});

test("without a good token everything is 401, also what does not exist", async () => {
  expect((await fetch(`${cloud.portalUrl}/map/getccs`)).status).toBe(401);
  expect((await restOf(cloud, "nonsense").get("/map/getccs")).status).toBe(401);
  expect((await restOf(cloud, "nonsense").get("/map/nothing")).status).toBe(401);
});

test("a token whose life is over is 401", async () => {
  cloud.settings.tokenLifeMs = -1;
  const late = restOf(cloud, await token(cloud));
  expect((await late.get("/user/profile")).status).toBe(401);
});

test("what does not exist is 404, for the wrong method too", async () => {
  expect((await rest.get("/map/nothing")).status).toBe(404);
  expect((await rest.get("/map/getccinfo")).status).toBe(404);
  expect((await rest.get("/image/none")).status).toBe(404);
});

test("the profile names the account", async () => {
  expect(await (await rest.get("/user/profile")).json()).toMatchObject({
    id: 15979,
    email: owner.login,
    name: "Alex",
    country_id: expect.any(Number),
  });
});

test("getccs answers full collars without telegrams, times without the colon", async () => {
  const collars = (await (await rest.get("/map/getccs")).json()) as Record<string, unknown>[];
  expect(collars.map((collar) => collar.id)).toEqual([1, 2, 3]);
  expect(collars[0]).toMatchObject({ fiFo: [], masterHs: { id: 10775, userId: null }, details: { name: "Cat 1" } });
  expect(collars[0]?.lastContact).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
});

test("getccinfo answers one collar with its telegrams, as an object or in an array", async () => {
  const collar = await (await rest.post("/map/getccinfo", { devId: 2 })).json();
  expect(collar).toMatchObject({ id: 2, fiFo: [{ receivedBy: [{ hsId: 10775 }] }] });
  cloud.settings.getccinfo = "array";
  expect(await (await rest.post("/map/getccinfo", { devId: 2 })).json()).toEqual([collar]);
});

test("getccinfo is 404 for strangers' collars and 400 for bad bodies", async () => {
  expect((await rest.post("/map/getccinfo", { devId: 99 })).status).toBe(404);
  expect((await rest.post("/map/getccinfo", { devId: "2" })).status).toBe(400);
  expect((await rest.post("/map/getccinfo", "not json")).status).toBe(400);
});

test("one account does not see another's devices", async () => {
  const other = { login: "dog@example.com", password: "bone", id: 7, name: "Sam" };
  cloud.addAccount(other);
  cloud.addCollar(other.login, { id: 50 });
  const strange = restOf(cloud, await token(cloud, other));
  expect(await (await strange.get("/map/getccs")).json()).toMatchObject([{ id: 50, userId: 7, masterHs: null }]);
  expect((await strange.post("/map/getccinfo", { devId: 1 })).status).toBe(404);
  expect((await strange.post("/map/setccled/1/1")).status).toBe(404);
});

test("getccpositions answers what was measured in the span, oldest first", async () => {
  const at = (minute: number): string => `2025-12-27T10:${String(minute).padStart(2, "0")}:00.000+0000`;
  for (const minute of [10, 30, 20, 40]) cloud.push(1, { lastPos: { id: minute, timeMeasure: at(minute) } });
  const from = Date.parse("2025-12-27T10:10:00Z");
  const body = { devId: 1, filterTime: from, toTime: from + 20 * 60_000 };
  const positions = (await (await rest.post("/map/getccpositions", body)).json()) as { id: number }[];
  expect(positions.map((position) => position.id)).toEqual([10, 20, 30]);
  expect(positions[0]).toMatchObject({ posLat: 51.5, timeMeasure: at(10) });
  expect((await rest.post("/map/getccpositions", { devId: 1 })).status).toBe(400);
  expect((await rest.post("/map/getccpositions", { ...body, devId: 9 })).status).toBe(404);
});

test("the track is bounded, and can be filled without messages", async () => {
  cloud.settings.positionsKept = 5;
  cloud.addPositions(
    1,
    Array.from({ length: 20 }, (_, id) => ({ id, timeMeasure: "2025-01-01T00:00:00.000+0000" })),
  );
  const all = { devId: 1, filterTime: 0, toTime: Date.now() + 1000 };
  const positions = (await (await rest.post("/map/getccpositions", all)).json()) as { id: number }[];
  expect(positions.map((position) => position.id)).toEqual([15, 16, 17, 18, 19]);
});

test("home stations have their coordinates at the top", async () => {
  expect(await (await rest.get("/user/gethomestations")).json()).toMatchObject([
    { id: 10775, type: 1, bat: 0, posLat: 51.5, posLong: -0.12 },
  ]);
});

test("a mode shows as asked at once, and as taken after the poll", async () => {
  cloud.setPollDelay(1, 40);
  expect((await rest.post("/map/setccmode", { devType: 0, devId: 1, cmdNr: 11 })).status).toBe(200);
  expect(cloud.collar(1)).toMatchObject({ mode: 1, modeSet: 11, search: false });
  await cloud.waitFor(() => cloud.collar(1).mode === 11, 2000);
  expect(cloud.collar(1)).toMatchObject({ modeSet: 11, search: true, searchModeDuration: 15 });
});

test("the mode's own poll interval counts, scaled", async () => {
  const before = performance.now();
  await rest.post("/map/setccmode", { devType: 0, devId: 1, cmdNr: 2 });
  await cloud.waitFor(() => cloud.collar(1).mode === 2, 2000);
  expect(performance.now() - before).toBeGreaterThanOrEqual(55);
});

test("a collar that never polls takes nothing until it does", async () => {
  cloud.settings.pollScale = null;
  await rest.post("/map/setccmode", { devType: 0, devId: 1, cmdNr: 3 });
  await rest.post("/map/setccled/1/1");
  expect(cloud.collar(1)).toMatchObject({ mode: 1, modeSet: 3, led: false });
  cloud.poll(1);
  expect(cloud.collar(1)).toMatchObject({ mode: 3, modeSet: 3, led: true });
});

test("light and buzzer go on by 1 and off by the number that is set", async () => {
  for (const [call, field] of [
    ["setccled", "led"],
    ["setccbuz", "buz"],
  ] as const) {
    expect((await rest.post(`/map/${call}/2/1`)).status).toBe(200);
    await cloud.waitFor(() => cloud.collar(2)[field] === true, 2000);
    expect((await rest.post(`/map/${call}/2/0`)).status).toBe(400);
    expect((await rest.post(`/map/${call}/2/2`)).status).toBe(200);
    await cloud.waitFor(() => cloud.collar(2)[field] === false, 2000);
  }
  cloud.settings.offCommand = 0;
  expect((await rest.post("/map/setccled/2/0")).status).toBe(200);
});

test("commands that make no sense are 400, for no collar 404", async () => {
  expect((await rest.post("/map/setccmode", { devType: 0, devId: 1, cmdNr: 13 })).status).toBe(400);
  expect((await rest.post("/map/setccmode", { devType: 1, devId: 1, cmdNr: 1 })).status).toBe(400);
  expect((await rest.post("/map/setccmode", { devType: 0, devId: 10775, cmdNr: 1 })).status).toBe(404);
  expect((await rest.post("/map/setccled/77/1")).status).toBe(404);
});

test("a command answers nothing, or the collar", async () => {
  expect(await (await rest.post("/map/setccled/1/1")).text()).toBe("");
  cloud.settings.commandAnswer = "collar";
  expect(await (await rest.post("/map/setccled/1/1")).json()).toMatchObject({ id: 1 });
});

test("a registered picture is served with its type", async () => {
  cloud.addImage("img1", Buffer.from([1, 2, 3]), "image/png");
  const response = await rest.get("/image/img1");
  expect(response.headers.get("content-type")).toBe("image/png");
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([1, 2, 3]));
});

test("fields given as undefined are left out of the answers", async () => {
  cloud.addCollar(owner.login, { id: 4, bat: undefined, details: { name: undefined } });
  const collar = (await (await rest.post("/map/getccinfo", { devId: 4 })).json()) as Record<string, unknown>;
  expect(collar).not.toHaveProperty("bat");
  expect(collar.details).not.toHaveProperty("name");
  expect(collar.details).toHaveProperty("color");
});

test("every call is on record", async () => {
  await rest.post("/map/getccinfo", { devId: 2 });
  await (await rest.get("/map/nothing?x=1")).text();
  expect(cloud.calls.map(({ method, path, status, login }) => [method, path, status, login])).toEqual([
    ["POST", "/user/login", 200, owner.login],
    ["POST", "/map/getccinfo", 200, owner.login],
    ["GET", "/map/nothing", 404, owner.login],
  ]);
  expect(cloud.calls[1]).toMatchObject({ body: { devId: 2 }, at: expect.any(Number) });
});
