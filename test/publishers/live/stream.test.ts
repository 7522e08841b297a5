/** Snapshots and news: what a client knows is what the store knows, however both come about. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { deviceOf } from "../../../src/publishers/live/api/device.ts";
import { type ServerMessage, serverMessage } from "../../../src/publishers/live/api/messages.ts";
import type { ApiDevice } from "../../../src/publishers/live/api/schema.ts";
import { createHerd, type Herd } from "../../support/herd.ts";
import { openSockets, type TestClient } from "../../support/sockets.ts";
import { until } from "../../support/until.ts";

/** What a client holds that does what the documentation says. */
function follow(client: TestClient, first: { devices?: ApiDevice[]; positions?: Record<string, unknown> }) {
  const devices = new Map((first.devices ?? []).map((one) => [one.id, one]));
  const positions = new Map(Object.entries(first.positions ?? {}));
  for (const message of client.heard) {
    if (message.type !== "message") continue;
    const [kind, id = ""] = message.topic.split("/");
    if (kind === "position") positions.set(id, message.data);
    if (kind !== "devices") continue;
    const data = message.data as { device: ApiDevice } | { removed: string };
    if ("removed" in data) {
      devices.delete(data.removed);
      positions.delete(data.removed);
    } else devices.set(data.device.id, data.device);
  }
  return { devices: Object.fromEntries(devices), positions: Object.fromEntries(positions) };
}

/** What the store knows, in the same shape. */
function known({ store }: Herd) {
  const view = { state: store.state, preferredPosition: "station" as const };
  const devices = [...store.state.values()].flatMap((entry) => deviceOf(entry, view) ?? []);
  const places = devices.filter(({ kind }) => kind !== "account");
  return JSON.parse(
    JSON.stringify({
      devices: Object.fromEntries(devices.map((one) => [one.id, one])),
      positions: Object.fromEntries(places.map(({ id, position }) => [id, position])),
    }),
  );
}

type Step =
  | { readonly kind: "move"; readonly collar: number; readonly latitude: number }
  | { readonly kind: "home"; readonly collar: number; readonly home: boolean }
  | { readonly kind: "list"; readonly collars: readonly number[] }
  | { readonly kind: "station"; readonly latitude: number }
  | { readonly kind: "subscribe" }
  | { readonly kind: "pause" };

const collar = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("move" as const), collar, latitude: fc.integer({ min: 1, max: 80 }) }),
  fc.record({ kind: fc.constant("home" as const), collar, home: fc.boolean() }),
  fc.record({ kind: fc.constant("list" as const), collars: fc.uniqueArray(collar) }),
  fc.record({ kind: fc.constant("station" as const), latitude: fc.integer({ min: 1, max: 80 }) }),
  fc.constant({ kind: "subscribe" as const }),
  fc.constant({ kind: "pause" as const }),
);

function take(herd: Herd, one: Step): void {
  if (one.kind === "move") herd.move(one.collar, one.latitude);
  if (one.kind === "home") herd.report(one.collar, { home: one.home, station: STATION });
  if (one.kind === "list") herd.list("one", one.collars, [1]);
  if (one.kind === "station") herd.reportStation(1, { latitude: one.latitude, longitude: 10 });
}
const STATION = { key: "pettracer_hs_1", id: 1, latitude: 50, longitude: 10 };

test("whenever a client subscribes, between any two changes, it ends with what the store knows", async (context) => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const herd = createHerd();
    herd.list("one", [1, 2, 3], [1]);
    const sockets = await openSockets(context, herd.store);
    const clients: { client: TestClient; first: Promise<{ snapshot: object; event: number }> }[] = [];
    const [early, ...others] = await Promise.all([1, 2, 3].map(() => sockets.connect()));
    const subscribe = (client: TestClient) =>
      clients.push({ client, first: client.subscribe(["devices", "position/+", "events/*"]) });
    if (early) subscribe(early);
    for (const one of steps) {
      const next = one.kind === "subscribe" ? others.pop() : undefined;
      if (next) subscribe(next);
      // What is asked for arrives while the next changes happen.
      if (one.kind === "pause") await new Promise((resolve) => setImmediate(resolve));
      take(herd, one);
    }
    for (const { client, first } of clients) {
      const { snapshot, event } = await first;
      const told = () =>
        client.heard.flatMap((one) => (isEvent(one) ? [(one.data as { sequence: number }).sequence] : []));
      const events = herd.store.activities(event).map(({ sequence }) => sequence);
      const isThere = () => isDeepStrictEqual([follow(client, snapshot), told()], [known(herd), events]);
      await until(isThere, "the client knows what the store knows", 10_000).catch(() => {});
      expect(follow(client, snapshot)).toEqual(known(herd));
      // A second one would come before this.
      await client.settled();
      expect(told()).toEqual(events);
    }
    await sockets.close();
  });
  await fc.assert(property, { numRuns: 30 });
}, 120_000);

function isEvent(message: ServerMessage): message is Extract<ServerMessage, { type: "message" }> {
  return message.type === "message" && message.topic.startsWith("events/");
}

describe("a subscription", () => {
  test("answers with what is known, and every message keeps to the schema", async (context) => {
    const herd = createHerd();
    herd.list("one", [1, 2], [1]);
    herd.move(1, 51);
    const sockets = await openSockets(context, herd.store);
    const client = await sockets.connect();
    const { snapshot, topics, subscription } = await client.subscribe(["#"]);
    expect(topics).toEqual(["#"]);
    expect(snapshot.devices?.map(({ id }) => id).toSorted()).toEqual([
      "pettracer_1",
      "pettracer_2",
      "pettracer_account_one",
      "pettracer_hs_1",
    ]);
    expect(snapshot.positions).toMatchObject({ pettracer_1: { latitude: 51 }, pettracer_2: null });
    expect(snapshot.bridge).toMatchObject({ version: "1", healthy: true });
    herd.move(2, 52);
    herd.report(1, { home: true });
    herd.report(1, { home: false });
    await client.settled();
    herd.list("one", [1], [1]);
    await client.hear("the removal", (one) => one.type === "message" && JSON.stringify(one.data).includes("removed"));
    expect(client.news("position/pettracer_2")).toMatchObject([{ latitude: 52 }, null]);
    expect(client.news("events/left_home")).toMatchObject([
      { device: "pettracer_1", name: "Cat 1", type: "left_home" },
    ]);
    expect(client.heard.flatMap((one) => (one.type === "message" ? [one.subscription] : []))).toContain(subscription);
    for (const one of client.heard) expect(serverMessage.safeParse(one).error).toBeUndefined();
  });

  test("tells nothing of what does not change, and nothing after unsubscribe", async (context) => {
    const herd = createHerd();
    herd.list("one", [1, 2]);
    const sockets = await openSockets(context, herd.store);
    const client = await sockets.connect();
    const { subscription } = await client.subscribe(["position/pettracer_1"]);
    herd.move(2, 51);
    herd.report(1, { batteryMv: 4_000 });
    await client.settled();
    expect(client.heard.filter(({ type }) => type === "message")).toEqual([]);
    herd.move(1, 51);
    await client.hear("the move", ({ type }) => type === "message");
    expect(await client.ask({ type: "unsubscribe", subscription })).toMatchObject({
      type: "unsubscribed",
      subscription,
    });
    herd.move(1, 52);
    await client.settled();
    expect(client.news("position/pettracer_1")).toHaveLength(1);
    expect(sockets.counts.subscriptions).toBe(0);
  });

  test.each([
    [{ devices: ["pettracer_1"] }, ["pettracer_1"]],
    [{ sources: ["two"] }, ["pettracer_2", "pettracer_3", "pettracer_account_two"]],
    [{ accounts: ["pettracer_account_one"] }, ["pettracer_1", "pettracer_2", "pettracer_account_one"]],
    [{ sources: ["two"], devices: ["pettracer_1", "pettracer_2"] }, ["pettracer_2"]],
    [{ devices: [] }, []],
  ])("with the filter %j is about %j", async (filter, expected) => {
    const herd = createHerd();
    herd.list("one", [1, 2]);
    herd.list("two", [2, 3]);
    const sockets = await openSockets({ onTestFinished }, herd.store);
    const client = await sockets.connect();
    const { snapshot } = await client.subscribe(["devices", "position/+", "events/+"], { filter });
    expect(snapshot.devices?.map(({ id }) => id).toSorted()).toEqual(expected);
    for (const id of [1, 2, 3]) {
      herd.report(id, { home: true });
      herd.report(id, { home: false });
      herd.move(id, 40 + id);
    }
    await client.settled();
    const collars = expected.filter((id) => /_\d$/.test(id));
    expect(client.news("events/left_home").map((event) => (event as { device: string }).device)).toEqual(collars);
    for (const id of [1, 2, 3])
      expect(client.news(`position/pettracer_${id}`)).toHaveLength(collars.includes(`pettracer_${id}`) ? 1 : 0);
  });

  test("with an interval tells the latest at its end, once, and loses no event", async (context) => {
    const herd = createHerd();
    herd.list("one", [1]);
    const sockets = await openSockets(context, herd.store);
    const client = await sockets.connect();
    await client.subscribe(["position/+", "events/+"], { filter: { interval_ms: 400 } });
    const at: number[] = [];
    client.ws.on("message", (data: Buffer) => data.includes('"position/') && at.push(performance.now()));
    for (let latitude = 1; latitude <= 60; latitude += 1) {
      herd.move(1, latitude);
      herd.report(1, { home: latitude % 2 === 0 });
      await client.settled();
    }
    const isLatest = (): boolean =>
      (client.news("position/pettracer_1").at(-1) as { latitude: number }).latitude === 60;
    await until(isLatest, "the latest position");
    for (const [index, time] of at.entries()) expect(time - (at[index - 1] ?? -1_000)).toBeGreaterThan(350);
    expect(at.length).toBeLessThan(40);
    expect(client.news("events/came_home")).toHaveLength(30);
  });
});

describe("after a reconnect", () => {
  async function withEvents(context: Parameters<typeof openSockets>[0], count: number) {
    const herd = createHerd();
    herd.list("one", [1]);
    herd.report(1, { home: false });
    for (let index = 0; index < count; index += 1) herd.report(1, { home: index % 2 === 0 });
    return { herd, sockets: await openSockets(context, herd.store) };
  }

  test("what was missed is told by the last event's number", async (context) => {
    const { sockets, herd } = await withEvents(context, 5);
    const client = await sockets.connect();
    expect(client.welcome.event).toBe(5);
    const { resumed, events, event } = await client.subscribe(["events/+"], { after: 3 });
    expect({ resumed, event, events: events?.map(({ sequence }) => sequence) }).toEqual({
      resumed: true,
      event: 5,
      events: [4, 5],
    });
    herd.report(1, { home: false });
    await client.hear("the next one", ({ type }) => type === "message");
    expect(client.news("events/left_home")).toMatchObject([{ sequence: 6 }]);
  });

  test("nothing missed is nothing told", async (context) => {
    const { sockets } = await withEvents(context, 5);
    const client = await sockets.connect();
    const { instance } = client.welcome;
    expect(await client.subscribe(["events/+"], { after: 5, instance })).toMatchObject({ resumed: true, events: [] });
  });

  test("of what is too long ago it is told that it is not all", async (context) => {
    const { sockets } = await withEvents(context, 600);
    const client = await sockets.connect();
    const { resumed, events, snapshot } = await client.subscribe(["events/+", "devices"], { after: 3 });
    expect({ resumed, count: events?.length, first: events?.[0]?.sequence }).toEqual({
      resumed: false,
      count: 500,
      first: 101,
    });
    expect(snapshot.devices).toHaveLength(2);
  });

  test("a number that there has never been is no resumption", async (context) => {
    const { sockets } = await withEvents(context, 5);
    const client = await sockets.connect();
    expect(await client.subscribe(["events/+"], { after: 9 })).toMatchObject({ resumed: false, events: [], event: 5 });
  });

  test("the numbers of an earlier start hold, unless they are of events since", async (context) => {
    const { herd, sockets } = await withEvents(context, 4);
    const later = createHerd({ devices: new Map(), activities: herd.store.activities(0) }, Date.UTC(2026, 5, 2));
    const next = await openSockets(context, later.store);
    const client = await next.connect();
    const kept = await client.subscribe(["events/+"], { after: 2, instance: "earlier" });
    expect(kept.events?.map(({ sequence }) => sequence)).toEqual([3, 4]);
    const stranger = await sockets.connect();
    const lost = await stranger.subscribe(["events/+"], { after: 2, instance: "earlier" });
    expect(lost).toMatchObject({ resumed: false, events: [] });
  });
});
