/** What the stream can suffer: it is noticed, mended with few calls, and the newest state is right afterwards. */
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { countCalls } from "../support/counts.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  callsOf,
  type House,
  moveIn,
  OWNER,
  openHouse,
  oreo,
  shown,
  stationAndOreo,
  time,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { startRelay } from "../support/relay.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;

function fix(minutes: number) {
  return { lastPos: { posLat: 51.4 + minutes / 1_000, posLong: -1.08, acc: 5, timeMeasure: time(minutes) } };
}

/** The fix of that minute is at the broker, and nothing older came behind a newer one. */
async function expectFix(house: House, minutes: number, from = 0): Promise<void> {
  await house.mqtt.waitForJson(oreo.position, { measured_at: shown(minutes) }, { from });
  const times = house.mqtt.of(oreo.position).map(({ payload }) => String(json(payload).measured_at));
  expect(times.toSorted()).toEqual(times);
}

/** The source is waiting for its next try, and says why. */
async function expectNoticed(house: House, from: number): Promise<void> {
  await house.logged(/the live stream ended: [^"]+/);
  const isWaiting = (text: string): boolean => {
    const { sources } = json(text) as { sources: { state: string; error: string | null }[] };
    return sources.some(({ state, error }) => state === "waiting" && error !== null);
  };
  await house.mqtt.waitFor(BRIDGE_INFO, isWaiting, { from });
}

test_.for<[string, (cloud: Cloud) => number, RegExp]>([
  ["closed in order", ({ faults }) => faults.dropStreams(), /the connection was closed \(1000\)/],
  ["closed for a restart", ({ faults }) => faults.dropStreams(1012, "restart"), /closed \(1012 restart\)/],
  ["reset", ({ faults }) => faults.resetStreams(), /ECONNRESET|closed \(1006\)/],
  ["closed by SockJS", ({ faults }) => faults.closeSockjs(3000, "Go away!"), /closed the session \(3000 Go away!\)/],
  [
    "ended by a STOMP error",
    ({ faults }) => faults.stompError("Session closed."),
    /reported an error \(Session closed\.\)/,
  ],
])("a stream that is %s is opened again, and what was missed is there", async ([, interrupt, reason], context) => {
  const house = await moveIn(context);
  house.push(14758, fix(1));
  await expectFix(house, 1);
  await house.confirmed();
  const [before, from] = [countCalls(house.cloud), house.mqtt.mark];
  expect(interrupt(house.cloud)).toBe(1);
  await house.cloud.waitFor(() => house.cloud.endedSessions.length === 1, 20_000);
  expect(house.cloud.push(14758, fix(2))).toBe(0);
  await expectNoticed(house, from);
  expect(house.log).toMatch(reason);
  await expectFix(house, 2);
  await house.live();
  house.push(14758, fix(3));
  await expectFix(house, 3);
  expect(countCalls(house.cloud, before)).toEqual({ logins: 0, listings: 1, upgrades: 1, calls: 2 });
  // A stream that comes back in time is nobody's business.
  expect(house.mqtt.of(BRIDGE_STATE, from)).toEqual([]);
  expect(house.mqtt.of(oreo.availability, from).map(({ payload }) => payload)).not.toContain("offline");
  await house.mqtt.waitFor(BRIDGE_INFO, (text) => !text.includes('"waiting"'), { from });
});

test_("a stream that freezes is given up after three heart-beats, and a new one is opened", async (context) => {
  const beat = 800;
  const house = await moveIn(context, { cloud: { heartBeatMs: [beat, beat] }, heartbeatMs: beat });
  const [frozen] = house.cloud.sessions;
  // Through some beats nothing happens: the server's are heard, and ours are.
  await house.cloud.waitFor(() => (frozen?.heartBeats ?? 0) >= 4, 20_000);
  expect(house.cloud.sessions[0]).toBe(frozen);
  house.push(14758, fix(1));
  await expectFix(house, 1);
  const before = countCalls(house.cloud);
  house.cloud.faults.freeze();
  const frozenAt = performance.now();
  house.cloud.push(14758, fix(2));
  await house.logged(/nothing was heard for three heart-beats/);
  expect(performance.now() - frozenAt).toBeGreaterThan(2 * beat);
  house.cloud.faults.thaw();
  await expectFix(house, 2);
  await house.cloud.waitFor(() => house.cloud.sessions.some((session) => session !== frozen), 20_000);
  await house.live();
  house.push(14758, fix(3));
  await expectFix(house, 3);
  expect(countCalls(house.cloud, before)).toMatchObject({ logins: 0, upgrades: 1 });
});

/** Thirty collars besides Oreo, so that each good message is told from every other. */
const many = Array.from({ length: 60 }, (_, index) => 1_000 + index);

function manyCollars(cloud: Cloud): void {
  stationAndOreo(cloud);
  for (const id of many) cloud.addCollar(OWNER.login, { id });
}

async function expectAll(house: House, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    const { position } = topicsOf(`pettracer_${id}`);
    await house.mqtt.waitForJson(position, { latitude: 51 + id / 10_000, measured_at: shown(1) });
  }
}

function pushOne(house: House, id: number): void {
  house.push(id, { lastPos: { posLat: 51 + id / 10_000, posLong: -1.08, acc: 5, timeMeasure: time(1) } });
}

const HEAD = "destination:/user/queue/messages\ncontent-type:application/json;charset=UTF-8\nsubscription:sub-0";
const message = (body: string, more = ""): string => `MESSAGE\n${HEAD}\nmessage-id:x-1${more}\n\n${body}\0`;
const inSockjs = (...texts: string[]): string => `a${JSON.stringify(texts)}`;

const MALFORMED: readonly string[] = [
  "",
  "x",
  "hello",
  "oo",
  "h h",
  "a",
  "a[",
  "a{}",
  'a"text"',
  "a[null]",
  "a[1,2]",
  'a[{"a":1}]',
  "c",
  "c{}",
  "m",
  'm"broken',
  inSockjs(""),
  inSockjs("\0"),
  inSockjs("\0\0\0"),
  inSockjs("MESSAGE"),
  inSockjs("MESSAGE\n"),
  inSockjs("MESSAGE\0"),
  inSockjs(`MESSAGE\n${HEAD}`),
  inSockjs(`MESSAGE\n${HEAD}\0`),
  inSockjs("MESSAGE\nno colon\n\n{}\0"),
  inSockjs("MESSAGE\n:no name\n\n{}\0"),
  inSockjs(message("{}", "\ncontent-length:-1")),
  inSockjs(message("{}", "\ncontent-length:many")),
  inSockjs(message("{}", "\ncontent-length:1")),
  inSockjs(message("{}", "\ncontent-length:100000")),
  inSockjs(message("")),
  inSockjs(message("not JSON")),
  inSockjs(message("{")),
  inSockjs(message("[]")),
  inSockjs(message("null")),
  inSockjs(message("14758")),
  inSockjs(message("{}")),
  inSockjs(message('{"id":"14758"}')),
  inSockjs(message('{"id":-1,"bat":4000}')),
  inSockjs(message('{"id":1e99,"bat":4000}')),
  inSockjs(message('{"id":14758,"lastPos":"here","details":7,"masterHs":[],"fiFo":{"a":1}}')),
  inSockjs(message('{"id":14758,"fiFo":[null,1,{"telegram":null,"receivedBy":[null,{"hsId":"x"}]}]}')),
  inSockjs(message('{"__proto__":{"id":14758},"constructor":{}}')),
  inSockjs(message(`{"id":14758,"x":${"[".repeat(5_000)}${"]".repeat(5_000)}}`)),
  inSockjs("MESSAGE\ndestination:/user/queue/portal\nsubscription:sub-1\nmessage-id:x-2\n\n<html>\0"),
  inSockjs("MESSAGE\nsubscription:sub-99\nmessage-id:x-3\n\n{}\0"),
  inSockjs("MESSAGE\nmessage-id:x-4\n\n{}\0"),
  inSockjs("RECEIPT\nreceipt-id:nobody\n\n\0"),
  inSockjs("CONNECTED\nversion:1.1\nheart-beat:0,0\n\n\0"),
  inSockjs("UNKNOWN\nheader:value\n\nbody\0"),
  inSockjs("message\n\n{}\0"),
  inSockjs("\r\n\n\n"),
  inSockjs("garbage ".repeat(10_000)),
];

test_("broken frames between good ones cost none of the good ones, and no reconnect", async (context) => {
  const house = await moveIn(context, { furnish: manyCollars });
  await house.confirmed();
  const before = countCalls(house.cloud);
  const [stream] = house.cloud.sessions;
  const used = many.slice(0, MALFORMED.length);
  for (const [index, text] of MALFORMED.entries()) {
    house.cloud.faults.malformed(text);
    pushOne(house, used[index] ?? 0);
  }
  await expectAll(house, used);
  expect(house.cloud.sessions[0]).toBe(stream);
  expect(house.cloud.endedSessions).toEqual([]);
  expect(countCalls(house.cloud, before)).toEqual({ logins: 0, listings: 0, upgrades: 0, calls: 0 });
  expect(house.log).toMatch(/an unreadable message of the cloud is left out/);
  // One warning is enough: the rest is for those who look for it.
  expect(house.log.match(/"level":"warn"[^\n]*unreadable message/g)).toHaveLength(1);
});

test_("a frame with a name of JavaScript's own is as strange as any other", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  context.onTestFinished(() => print.mockRestore());
  for (const name of ["toString", "__proto__", "constructor"]) {
    house.cloud.faults.malformed(
      inSockjs(`MESSAGE\nsubscription:${name}\nmessage-id:x-5\n\n{}\0`),
      inSockjs(`RECEIPT\nreceipt-id:${name}\n\n\0`),
      inSockjs(`${name}\n\n\0`),
    );
  }
  await house.fence();
  expect(print.mock.calls).toEqual([]);
});

test_("messages that come in one frame, in pieces, and late are all there, in their order", async (context) => {
  const house = await moveIn(context, { furnish: manyCollars });
  const { faults } = house.cloud;
  faults.batch(10);
  for (const id of many.slice(0, 10)) pushOne(house, id);
  await expectAll(house, many.slice(0, 10));

  faults.split(7);
  for (const id of many.slice(10, 20)) pushOne(house, id);
  house.push(14758, { details: { name: "Zoë 🐈 ﷽" } });
  await expectAll(house, many.slice(10, 20));
  await house.mqtt.waitFor(oreo.config, (text) => text.includes("Zoë 🐈 ﷽"));
  faults.split(1);

  faults.latency(700);
  for (let minutes = 1; minutes <= 20; minutes += 1) house.push(14758, fix(minutes));
  await expectFix(house, 20);
  expect(house.cloud.endedSessions).toEqual([]);
  expect(house.log).not.toMatch(/unreadable message/);
});

test_("a listing that was on its way when news came does not take them back", async (context) => {
  const house = await openHouse(context);
  const { cloud } = house;
  const relay = await startRelay(cloud.port);
  context.onTestFinished(() => relay.close());
  // Only REST goes through the relay: its answers can be held while the stream goes on.
  await house.start({ account: { portal_url: `http://127.0.0.1:${relay.port}/api`, refresh: "1s" } });
  const answered = (from: number): number =>
    callsOf(cloud, "/map/getccs", from).filter(({ status }) => status === 200).length;
  relay.hold();
  const held = cloud.calls.length;
  await cloud.waitFor(() => answered(held) === 1, 20_000);
  const from = house.mqtt.mark;
  house.push(14758, { bat: 3600, lastRssi: -30, details: { name: "Cookie" }, ...fix(1) });
  await house.mqtt.waitForJson(oreo.state, { battery: 17, signal: -17 }, { from });
  relay.release();
  await cloud.waitFor(() => answered(held) >= 3, 20_000);
  const states = house.mqtt.of(oreo.state, from).map(({ payload }) => json(payload));
  expect(states.filter(({ battery, signal }) => battery !== 17 || signal !== -17)).toEqual([]);
  expect(house.mqtt.latest(oreo.config)).toContain("Cookie");
  await expectFix(house, 1);
});

test_("a frame that is cut off by the end of its stream is forgotten with it", async (context) => {
  const house = await moveIn(context);
  house.cloud.faults.malformed(inSockjs(`MESSAGE\n${HEAD}\nmessage-id:x-1\n\n{"id":14758,"bat":`));
  house.cloud.faults.dropStreams();
  await house.logged(/the live stream ended/);
  await house.live();
  house.push(14758, { bat: 3600 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
});

test_("news of a device that no listing has named change nothing, and hurt nobody", async (context) => {
  const house = await moveIn(context, { furnish: withBeacon });
  await house.confirmed();
  const before = countCalls(house.cloud);
  house.cloud.faults.malformed(inSockjs(message('{"id":4711,"bat":4000,"details":{"name":"Stranger"}}')));
  await house.fence();
  expect(house.mqtt.messages.filter(({ topic }) => topic.includes("4711"))).toEqual([]);
  expect(countCalls(house.cloud, before)).toEqual({ logins: 0, listings: 0, upgrades: 0, calls: 0 });
});
