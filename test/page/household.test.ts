/** What the page knows: snapshots, news, groups of cats, and how Pawline is. */
import { describe, expect, test, vi } from "vitest";
import { fold, fromSnapshot, NOBODY, type Subscribed, withEvents } from "../../src/page/live/household.ts";
import { accountsOf, catsOf, groupsOf } from "../../src/page/model/groups.ts";
import { healthOf } from "../../src/page/model/health.ts";
import { createPainter, type Dirty } from "../../src/page/paint.ts";
import type { ApiBridge, ApiDevice, ApiEvent } from "../../src/publishers/live/api/schema.ts";
import { at, collar, reader } from "./device.ts";

const BRIDGE: ApiBridge = {
  version: "1.2.3",
  schema: 1,
  started: at(60),
  healthy: true,
  last_error: null,
  components: [{ role: "source", name: "pettracer", state: "running", since: at(60), error: null, details: {} }],
};

function snapshot(devices: readonly ApiDevice[]): Subscribed {
  const known = { devices: [...devices], bridge: BRIDGE };
  return { type: "subscribed", id: "1", subscription: 1, topics: [], snapshot: known, event: 0 };
}

const news = (topic: string, data: object | null) =>
  ({ type: "message", subscription: 1, topic, data }) as Parameters<typeof fold>[1];
const event = (sequence: number): ApiEvent => ({
  sequence,
  device: "pettracer_14758",
  name: "Oreo",
  type: "came_home",
  at: at(sequence),
});

describe("the household", () => {
  const home = fromSnapshot(NOBODY, snapshot([collar()]));

  test("a snapshot replaces everything but what has happened", () => {
    const before = withEvents(home, [event(1)]);
    const after = fromSnapshot(before, snapshot([collar({ id: "pettracer_2", name: "Mochi" })]));
    expect([...after.devices.keys()]).toEqual(["pettracer_2"]);
    expect(after.events).toEqual([event(1)]);
  });

  test("a position moves its cat alone, and nobody that is not known", () => {
    const position = { latitude: 1, longitude: 2, gps_accuracy: 3, measured_at: at(0), source: "gps" };
    const moved = fold(home, news("position/pettracer_14758", position));
    expect(moved?.change).toEqual({ kind: "device", id: "pettracer_14758" });
    expect(moved?.household.devices.get("pettracer_14758")).toMatchObject({ name: "Oreo", position });
    expect(fold(home, news("position/pettracer_14758", null))?.household.devices.get("pettracer_14758")?.position).toBe(
      null,
    );
    expect(fold(home, news("position/pettracer_9", position))).toBeUndefined();
  });

  test("a device changes, moves in the list, comes and goes", () => {
    const change = (device: ApiDevice) => fold(home, news("devices", { device }))?.change;
    expect(change(collar({}, { battery: 20 }))).toEqual({ kind: "device", id: "pettracer_14758" });
    expect(change(collar({ name: "Zorro" }))).toEqual({ kind: "devices" });
    expect(change(collar({ id: "pettracer_2" }))).toEqual({ kind: "devices" });
    const gone = fold(home, news("devices", { removed: "pettracer_14758" }));
    expect([gone?.change.kind, gone?.household.devices.size]).toEqual(["devices", 0]);
  });

  test("events are numbered once, the newest first, and not without end", () => {
    const all = withEvents(withEvents(NOBODY, [event(1), event(3)]), [event(2), event(3)]);
    expect(all.events.map(({ sequence }) => sequence)).toEqual([3, 2, 1]);
    expect(fold(home, news("events/came_home", event(9)))?.change).toEqual({ kind: "events" });
    expect(
      withEvents(
        NOBODY,
        Array.from({ length: 500 }, (_, index) => event(index + 1)),
      ).events,
    ).toHaveLength(200);
  });

  test("what is of no use here is left alone", () => {
    expect(fold(home, news("something/else", null))).toBeUndefined();
    expect(fold(home, news("something/else", { what: 1 }))).toBeUndefined();
    expect(fold(home, news("bridge", { ...BRIDGE, version: "2" }))?.household.bridge?.version).toBe("2");
  });
});

describe("groups", () => {
  const account = (source: string, name: string): ApiDevice =>
    collar({ id: `account_${source}`, kind: "account", name, accounts: [source], position: null });
  const cat = (id: string, name: string, ...accounts: string[]): ApiDevice => collar({ id, name, accounts });
  const devices = new Map(
    [
      account("pettracer 1", "Alex"),
      account("pettracer 2", "Sam"),
      cat("3", "äpfel", "pettracer 1"),
      cat("1", "Zorro", "pettracer 2"),
      cat("2", "Cat 10", "pettracer 1", "pettracer 2"),
      cat("4", "Cat 9", "pettracer 1"),
      cat("5", "Stray"),
    ].map((device) => [device.id, device]),
  );
  const named = (choice: Parameters<typeof groupsOf>[2]) =>
    groupsOf(catsOf(devices, "de"), accountsOf(devices), choice).map(({ heading, devices: cats }) => [
      heading,
      cats.map(({ name }) => name),
    ]);

  test("all, by account; a cat of two under the first", () => {
    expect(named({ source: undefined, search: "" })).toEqual([
      ["Alex", ["äpfel", "Cat 9", "Cat 10"]],
      ["Sam", ["Zorro"]],
      [undefined, ["Stray"]],
    ]);
  });

  test("one account, and a part of a name", () => {
    expect(named({ source: "pettracer 2", search: "" })).toEqual([[undefined, ["Cat 10", "Zorro"]]]);
    expect(named({ source: "pettracer 1", search: " CAT 1" })).toEqual([[undefined, ["Cat 10"]]]);
  });

  test("a single account needs no heading", () => {
    const cats = catsOf(devices, "en");
    expect(groupsOf(cats, [{ source: "pettracer 1", name: "Alex" }], { source: undefined, search: "" })).toEqual([
      { key: "", heading: undefined, devices: cats },
    ]);
  });

  test("two accounts of the same name are two groups", () => {
    const accounts = ["pettracer 1", "pettracer 2"].map((source) => ({ source, name: "Alex" }));
    const groups = groupsOf(catsOf(devices, "en"), accounts, { source: undefined, search: "" });
    expect(groups.map(({ key, heading }) => [key, heading])).toEqual([
      ["pettracer 1", "Alex"],
      ["pettracer 2", "Alex"],
      ["", undefined],
    ]);
  });
});

describe("how Pawline is", () => {
  const mqtt = (state: "running" | "starting" | "waiting" | "parked", error: string | null) =>
    ({ role: "publisher", name: "mqtt", state, since: at(5), error, details: {} }) as const;
  const health = (bridge: Partial<ApiBridge>, devices: readonly ApiDevice[] = [], language?: "de-DE") =>
    healthOf({ ...BRIDGE, ...bridge }, new Map(devices.map((one) => [one.id, one])), reader(language));

  test("all is well", () => {
    expect(health({})).toMatchObject({ tone: "good", summary: "Everything works.", lastError: undefined, outputs: [] });
    expect(health({}).running).toMatch(/^Pawline 1\.2\.3, running since 11:00/);
  });

  test.each([
    ["waiting", /^It is tried again by itself/],
    ["parked", /^Correct the configuration/],
    ["starting", /^It is about to be tried again/],
  ] as const)("what is %s is told with its remedy", (state, remedy) => {
    const { lastError, outputs } = health({ last_error: "no broker", components: [mqtt(state, "no broker")] });
    expect(lastError).toEqual({ sentence: "no broker", remedy: expect.stringMatching(remedy) });
    expect(outputs[0]).toMatchObject({ name: "MQTT broker", sentences: ["no broker"] });
  });

  test("what is over is told as over", () => {
    expect(health({ last_error: "no broker", components: [mqtt("running", null)] })).toMatchObject({
      tone: "good",
      lastError: { remedy: "It is over; nothing is left to do." },
    });
    const failing = health({ components: [mqtt("waiting", "x"), mqtt("parked", "y")] }, [], "de-DE");
    expect(failing.summary).toBe("2 Teile funktionieren nicht.");
  });

  test("accounts by their name, with the end of their subscription", () => {
    const account = collar(
      { id: "account", kind: "account", name: "Alex" },
      { subscription_ends: "2026-01-31T00:00:00+00:00" },
    );
    expect(health({}, [account]).accounts).toEqual([
      {
        name: "Alex",
        tone: "good",
        state: "Works",
        sentences: [],
        details: [{ label: "Subscription ends", text: "31 Jan 2026 (over)" }],
      },
    ]);
    expect(health({}).accounts).toMatchObject([{ name: "pettracer", details: [] }]);
  });

  test("home stations, and what other ways out have to say", () => {
    const station = collar(
      { id: "hs", kind: "home_station", name: "Kitchen" },
      { online: false, last_contact: at(90) },
    );
    const route = { ...mqtt("running", null), name: "homeassistant", details: { route: "mobile_app" } };
    const { stations, outputs } = health({ components: [route] }, [station]);
    expect(stations).toMatchObject([{ name: "Kitchen", tone: "bad", state: "Offline" }]);
    expect(outputs).toMatchObject([{ name: "Home Assistant", sentences: ["route: mobile_app"] }]);
  });
});

test("however much comes, it is drawn once for each picture", () => {
  const frames: (() => void)[] = [];
  const paint = vi.fn<(dirty: Dirty) => void>();
  const painter = createPainter(paint, (callback) => frames.push(callback));
  for (let index = 0; index < 1_000; index++) painter.mark({ kind: "device", id: `cat ${index % 200}` });
  painter.mark({ kind: "events" });
  expect(frames).toHaveLength(1);
  frames.shift()?.();
  expect(paint).toHaveBeenCalledTimes(1);
  const [dirty] = paint.mock.calls[0] ?? [];
  expect(dirty).toMatchObject({ isAll: false, events: true, bridge: false, trail: false });
  expect(dirty?.devices.size).toBe(200);
  painter.mark({ kind: "trail" });
  frames.shift()?.();
  expect(paint.mock.calls[1]?.[0]).toMatchObject({ trail: true, events: false, devices: new Set() });
});
