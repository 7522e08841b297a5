import { afterEach, beforeEach, expect, test } from "vitest";
import { demoAccount, startCats } from "../../src/demo/cats.ts";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { catPicture } from "../../src/demo/picture.ts";
import { type CatState, seededRandom, step } from "../../src/demo/walk.ts";
import { bodyOf, connectFrame, devicesFrame, messagesFrame, openStream, restOf, token } from "./client.ts";

let cloud: Cloud;
let stop: () => void;

beforeEach(async () => {
  cloud = await startCloud({ pollScale: 0.0001 });
  stop = startCats(cloud, { intervalMs: 5 });
});

afterEach(async () => {
  stop();
  await cloud.close();
});

type Collar = Record<string, unknown> & { id: number; bat: number; lastPos: Record<string, number> };

async function collars(): Promise<Collar[]> {
  const response = await restOf(cloud, await token(cloud, demoAccount)).get("/map/getccs");
  return (await response.json()) as Collar[];
}

test("the account has three cats of their own names, a home station and pictures", async () => {
  const rest = restOf(cloud, await token(cloud, demoAccount));
  const cats = await collars();
  expect(new Set(cats.map((cat) => (cat.details as { name: string }).name)).size).toBe(3);
  expect(await (await rest.get("/user/gethomestations")).json()).toHaveLength(1);
  const details = cats[0]?.details as { img: string } | undefined;
  expect((await rest.get(`/image/${details?.img}`)).headers.get("content-type")).toBe("image/png");
  const span = { devId: cats[0]?.id, filterTime: Date.now() - 3_600_000, toTime: Date.now() };
  expect(((await (await rest.post("/map/getccpositions", span)).json()) as unknown[]).length).toBeGreaterThan(10);
});

test("every cat moves within its first turns, the charging one gains, all say partial things", async () => {
  const accessToken = await token(cloud, demoAccount);
  const before = await collars();
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => {
    stream.send(connectFrame(accessToken), messagesFrame, devicesFrame(...before.map((cat) => cat.id)));
  });
  const charging = before.find((cat) => cat.chg === 1);
  const moved = new Map<unknown, Record<string, unknown>>();
  while (moved.size < 3) {
    const message = bodyOf(await stream.next(/MESSAGE/)) as Record<string, unknown>;
    moved.set(message.id, message);
  }
  for (const cat of before) {
    expect(moved.get(cat.id)).not.toHaveProperty("details");
    expect(cloud.collar(cat.id).lastPos).not.toMatchObject({ posLat: cat.lastPos.posLat });
  }
  await cloud.waitFor(() => Number(cloud.collar(charging?.id ?? 0).bat) > (charging?.bat ?? 0), 2000);
});

test("in time one comes home, and the charged one goes out", async () => {
  const before = await collars();
  const roamer = before.find((cat) => cat.home === false);
  const charging = before.find((cat) => cat.chg === 1);
  await cloud.waitFor(() => cloud.collar(charging?.id ?? 0).chg === 0, 5000);
  await cloud.waitFor(() => cloud.collar(charging?.id ?? 0).home === false, 5000);
  await cloud.waitFor(() => before.some((cat) => !cat.home && cloud.collar(cat.id).home), 5000);
  expect(roamer).toBeDefined();
});

test("a cat tracked live says how long, and goes back to its mode at the end", async () => {
  cloud.settings.searchMinutes = 0.002;
  const id = (await collars())[0]?.id ?? 0;
  const rest = restOf(cloud, await token(cloud, demoAccount));
  await rest.post("/map/setccmode", { devType: 0, devId: id, cmdNr: 11 });
  await cloud.waitFor(() => cloud.collar(id).mode === 11 && cloud.collar(id).searchModeDuration === 1, 2000);
  await cloud.waitFor(() => cloud.collar(id).mode === 1, 2000);
  expect(cloud.collar(id)).toMatchObject({ modeSet: 1, search: false, searchModeDuration: -1 });
});

test("a cat that is switched off says nothing", async () => {
  const id = (await collars())[0]?.id ?? 0;
  cloud.push(id, { mode: 12 });
  const silent = cloud.collar(id);
  for (let turns = 0; turns < 3; turns++) {
    const other = cloud.collar(id + 1);
    await cloud.waitFor(() => cloud.collar(id + 1) !== other, 2000);
  }
  expect(cloud.collar(id)).toBe(silent);
});

test("the same seed is the same walk", () => {
  const habits = { rangeM: 50, stepM: 5, outSteps: 20, homeSteps: 5 };
  const start: CatState = { phase: "out", steps: 0, eastM: 3, northM: 4, heading: 0, batteryMv: 3900 };
  const walk = (seed: number): CatState => {
    const random = seededRandom(seed);
    let state = start;
    for (let count = 0; count < 200; count++) state = step(habits, state, random);
    return state;
  };
  expect(walk(5)).toEqual(walk(5));
  expect(walk(5)).not.toEqual(walk(6));
});

test("a portrait is a PNG", () => {
  expect(catPicture(0xff912c).subarray(1, 4).toString()).toBe("PNG");
});
