/** A judge that finds nothing proves nothing: here each rule is broken once. */
import { expect, test } from "vitest";
import type { GivenOrder, Heard, Trouble } from "../records.ts";
import type { Fault } from "../schedule.ts";
import { judgeEvents } from "./events.ts";
import { ACCOUNT_ID, fixAt, historyOf, homecoming, ID, moment, quietHouse, START, shown, told } from "./house.ts";
import { judgeLog } from "./log.ts";
import { judgeOrders } from "./orders.ts";
import { judgeStates } from "./states.ts";
import { judgePositions, judgeTrack, readCsv } from "./track.ts";

const after = (seconds: number): number => START + seconds * 1_000;

function trouble(lane: Fault["lane"], from: number, until: number): Trouble {
  const fault: Fault = { lane, kind: "freeze", atMs: 0, untilMs: 1, amount: 0 };
  return { fault, fromAt: after(from), untilAt: after(until) };
}

const cameHome = told("came_home", 10);

test("states that are the cloud's are fine", () => {
  const { collar, retained } = quietHouse();
  expect(judgeStates(retained, [collar], [ACCOUNT_ID])).toEqual([]);
});

test.each([
  ["at_home", true],
  ["mode", "Slow"],
  ["battery", 69],
  ["last_fix", shown(after(-60))],
  ["last_contact", shown(after(-600))],
  ["distance", 140],
  ["pending", true],
  ["light", undefined],
])("a state whose %s is another one is found", (key, value) => {
  const { collar, retained } = quietHouse();
  const topic = `pawline/pettracer_${ID}/state`;
  retained.set(topic, JSON.stringify({ ...JSON.parse(retained.get(topic) ?? ""), [key]: value }));
  expect(judgeStates(retained, [collar], [ACCOUNT_ID])).toEqual([expect.stringContaining(key)]);
});

test("each topic that is missing is found", () => {
  const { collar, retained } = quietHouse();
  for (const topic of retained.keys()) {
    const rest = new Map([...retained].filter(([other]) => other !== topic));
    expect(judgeStates(rest, [collar], [ACCOUNT_ID]), topic).not.toEqual([]);
  }
});

test("a cat at home since after its last fix has to be shown at its station", () => {
  const { collar, retained } = quietHouse();
  const [, home] = homecoming();
  const failures = judgeStates(retained, [{ ...collar, record: home?.record ?? collar.record }], [ACCOUNT_ID]);
  expect(failures).toContainEqual(expect.stringContaining('"source":"station"'));
  expect(failures).toContainEqual(expect.stringContaining("pets_at_home is 0"));
});

test("a homecoming that is told once is fine", () => {
  const verdict = judgeEvents([cameHome], [historyOf(homecoming())], []);
  expect(verdict).toEqual({ failures: [], told: 1, seen: 1 });
});

test("one that is told twice is found, also with another time", () => {
  const again = { ...told("came_home", 30), at: after(60) };
  expect(judgeEvents([cameHome, cameHome], [historyOf(homecoming())], []).failures).not.toEqual([]);
  expect(judgeEvents([cameHome, again], [historyOf(homecoming())], []).failures).not.toEqual([]);
});

test("one that is not told is found, whatever faults there were", () => {
  const troubles = [trouble("stream link", 0, 100)];
  expect(judgeEvents([], [historyOf(homecoming())], troubles).failures).toEqual([
    expect.stringContaining("in the end"),
  ]);
});

test("one that was never true, or has another time, is found", () => {
  expect(judgeEvents([told("left_home", 5)], [historyOf([moment(0)])], []).failures).not.toEqual([]);
  expect(judgeEvents([told("contact_lost", 5)], [historyOf([moment(0)])], []).failures).not.toEqual([]);
  const late = { ...told("came_home", 12), at: after(13) };
  expect(judgeEvents([late], [historyOf(homecoming())], []).failures).toEqual([
    expect.stringContaining("another time"),
  ]);
});

test("a change there and back has to be told where it was seen, and need not where a fault was near", () => {
  const story = historyOf([...homecoming(), moment(20, { home: false, homeSince: null })]);
  expect(judgeEvents([], [story], []).failures).toHaveLength(2);
  expect(judgeEvents([], [story], [trouble("stream link", 8, 25)])).toEqual({ failures: [], told: 0, seen: 0 });
  expect(judgeEvents([], [story], [trouble("broker link", 8, 25)]).failures).toHaveLength(2);
});

test("twice is no failure only if the broker ended in the moment of the first time", () => {
  const again = { ...cameHome, at: after(40) };
  const ended = (at: number): Trouble => ({
    ...trouble("broker", at, 15),
    fault: { ...trouble("broker", at, 15).fault, kind: "restart" },
  });
  expect(judgeEvents([cameHome, again], [historyOf(homecoming())], [ended(10.2)]).failures).toEqual([]);
  expect(judgeEvents([cameHome, again], [historyOf(homecoming())], [ended(11)]).failures).not.toEqual([]);
});

test("what comes late is taken back at once, and only where something was held up", () => {
  const [ended, started] = [told("live_ended", 50), told("live_started", 50.1)];
  const story = historyOf([moment(0), moment(10, { mode: 11 })]);
  const first = told("live_started", 10);
  expect(judgeEvents([first, ended, started], [story], []).failures).not.toEqual([]);
  expect(judgeEvents([first, ended, started], [story], [trouble("stream link", 30, 49)]).failures).toEqual([]);
  expect(judgeEvents([first, ended], [story], [trouble("stream link", 30, 49)]).failures).not.toEqual([]);
  const late = told("live_started", 55);
  expect(judgeEvents([first, ended, late], [story], [trouble("stream link", 30, 49)]).failures).not.toEqual([]);
});

test("modes tell what was before: one that is missing in between is found", () => {
  const story = historyOf([moment(0), moment(10, { modeSet: 3 }), moment(20, { modeSet: 14 })]);
  const first = told("mode_changed", 10, { mode: "Slow", previous: "Fast" });
  const second = told("mode_changed", 20, { mode: "Normal+", previous: "Slow" });
  expect(judgeEvents([first, second], [story], []).failures).toEqual([]);
  expect(judgeEvents([second], [story], []).failures).not.toEqual([]);
  expect(judgeEvents([second, first], [story], []).failures).not.toEqual([]);
});

test("a low battery is told once for each time that it gets low", () => {
  const story = historyOf([moment(0), moment(10, { bat: 3_600 }), moment(20, { bat: 3_590 })]);
  const low = told("battery_low", 10);
  expect(judgeEvents([low], [story], []).failures).toEqual([]);
  expect(judgeEvents([], [story], []).failures).toHaveLength(1);
  expect(judgeEvents([low, told("battery_low", 20)], [story], []).failures).toHaveLength(1);
});

test("a track with every fix once is fine; a lost, a doubled, a changed and an invented one are found", () => {
  const fixes = [fixAt(START), fixAt(after(10), { accuracyM: 400 })];
  const history = historyOf([moment(0)], fixes);
  const [first = fixAt(0), second = fixAt(0)] = fixes;
  expect(judgeTrack(history, fixes)).toEqual([]);
  expect(judgeTrack(history, [first])).toEqual([expect.stringContaining("lost")]);
  expect(judgeTrack(history, [first, second, second])).toEqual([expect.stringContaining("doubled")]);
  expect(judgeTrack(history, [first, { ...second, latitude: 1 }])).toEqual([expect.stringContaining("is not")]);
  expect(judgeTrack(history, [...fixes, fixAt(after(20))])).toEqual([expect.stringContaining("never measured")]);
});

test("the document of the track is read as it was written", () => {
  const text = `measured_at,latitude,longitude,accuracy,satellites\n${shown(START)},51.401,-1.081,10,8\n`;
  expect(readCsv(text)).toEqual([fixAt(START)]);
});

test("a position that goes back to an older fix is found; what the broker had kept is none", () => {
  const heard = (seconds: number, isRetained = false): Heard => ({
    at: after(seconds),
    topic: `pawline/pettracer_${ID}/position`,
    payload: JSON.stringify({ source: "gps", measured_at: shown(after(seconds)) }),
    isRetained,
  });
  expect(judgePositions([heard(1), heard(2), heard(2), heard(1, true)])).toEqual([]);
  expect(judgePositions([heard(2), heard(1)])).toHaveLength(1);
});

function order(control: string, payload: string): GivenOrder {
  return { order: { atMs: 0, collar: 0, control, payload }, id: ID, at: after(60), onlineSinceAt: START };
}

test("a command that nothing came of is found; taken, failed and replaced ones are fine", () => {
  const given = order("light", "ON");
  expect(judgeOrders([given], [], [], []).failures).toHaveLength(1);
  const taken = { id: ID, at: after(62), kind: "light", value: true } as const;
  expect(judgeOrders([given], [taken], [], [])).toEqual({ failures: [], heard: 1 });
  expect(judgeOrders([given], [{ ...taken, value: false }], [], []).failures).toHaveLength(1);
  expect(judgeOrders([given], [{ ...taken, at: after(59) }], [], []).failures).toHaveLength(1);
  expect(judgeOrders([given], [], [told("command_failed", 70, { command: "light" })], []).failures).toEqual([]);
  const later = { ...order("light", "OFF"), at: after(61) };
  expect(judgeOrders([given, later], [{ ...taken, value: false }], [], []).failures).toEqual([]);
});

test("a command for a collar that is not listed has to be refused at once", () => {
  const given = order("light", "ON");
  const payload = JSON.stringify({ device: `pettracer_${ID}`, reason: `there is no device pettracer_${ID}` });
  const refusal = { at: after(61), topic: "pawline/bridge/event", payload, isRetained: false };
  expect(judgeOrders([given], [], [refusal], []).failures).toEqual([]);
  expect(judgeOrders([given], [], [{ ...refusal, at: after(90) }], []).failures).toHaveLength(1);
});

test("a command that may have found nobody has no end to look for", () => {
  const given = order("light", "ON");
  expect(judgeOrders([{ ...given, onlineSinceAt: undefined }], [], [], []).heard).toBe(0);
  expect(judgeOrders([given], [], [], [trouble("broker link", 50, 58)]).heard).toBe(0);
  expect(judgeOrders([given], [], [], [trouble("daemon", 80, 85)]).heard).toBe(0);
  expect(judgeOrders([given], [], [], [trouble("portal link", 50, 90)]).failures).toHaveLength(1);
});

test("nonsense that is not refused is found", () => {
  const given = order("light", "nonsense 1");
  expect(judgeOrders([given], [], [], []).failures).toHaveLength(1);
  const payload = `{"device":"pettracer_${ID}","reason":"light does not take \\"nonsense 1\\""}`;
  const refusal = { at: after(61), topic: "pawline/bridge/event", payload, isRetained: false };
  expect(judgeOrders([given], [], [refusal], []).failures).toEqual([]);
});

test.each([
  '{"level":"error","msg":"an unexpected error; please report it"}',
  "mqtt: x is not a function; next try in 1.0 s (this is a defect; please report it)",
  "TypeError: x is not a function",
  "    at Socket.emit (node:events:508:28)",
  "(node:123) MaxListenersExceededWarning: Possible EventTarget memory leak detected",
  '{"level":"error","err":{"type":"Error","stack":"Error: x"}}',
])("what nobody foresaw is found in the log: %s", (line) => {
  expect(judgeLog(`all is well\n${line}\n`, [])).toHaveLength(1);
});

test("what was foreseen is fine in the log, a secret is not", () => {
  const log = '{"level":"warn","msg":"pettracer: the live stream ended: silence; next try in 1.0 s"}';
  expect(judgeLog(log, ["tuna"])).toEqual([]);
  expect(judgeLog(`${log} tuna`, ["tuna"])).toEqual(["a secret is in the log"]);
});
