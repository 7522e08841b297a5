/** From a message at the broker to the cloud, and back: what is obeyed, what is refused, what is answered. */
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import {
  BRIDGE_INFO,
  BRIDGE_STATE,
  callsOf,
  configOf,
  type House,
  moveIn,
  OREO,
  OWNER,
  openHouse,
  oreo,
  station,
  stationAndOreo,
  topicsOf,
} from "../support/house.ts";
import { type Json, json } from "../support/recorder.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 60_000 });

const test_ = test.concurrent;

const BRIDGE_EVENT = "pawline/bridge/event";

/** Every command that reached the cloud for this collar, in words. */
function commandsFor({ cloud }: House, id: number): string[] {
  return cloud.calls.flatMap(({ method, path, body }) => {
    const [, kind = "", device, value] = /^\/map\/setcc(mode|led|buz)(?:\/(\d+)\/(\d+))?$/.exec(path) ?? [];
    if (kind === "") return [];
    if (kind !== "mode") return Number(device) === id ? [`${method} ${kind} ${value}`] : [];
    const { devType, devId, cmdNr } = body as Json;
    return devId === id ? [`${method} mode ${String(cmdNr)} for a device of type ${String(devType)}`] : [];
  });
}

function allCommands({ cloud }: House): string[] {
  return cloud.calls.map(({ path }) => path).filter((path) => path.startsWith("/map/setcc"));
}

function state(house: House, topics = oreo): Json {
  return json(house.mqtt.latest(topics.state) ?? "");
}

function eventsOf(house: House, topic = oreo.event): Json[] {
  return house.mqtt.of(topic).map(({ payload }) => json(payload));
}

const mode = (id: number): string => `POST mode ${id} for a device of type 0`;

interface Trial {
  readonly id: number;
  readonly control: string;
  readonly payload: string;
  /** What the collar is before. */
  readonly before?: Json;
  readonly commands: readonly string[];
  /** What its state shows afterwards. */
  readonly shown: Json;
}

const TRIALS: readonly Trial[] = [
  ...[
    ["Slow", 3],
    ["Slow+", 7],
    ["Normal", 2],
    ["Normal+", 14],
    ["Fast", 1],
    ["Fast+", 8],
    ["Live", 11],
  ].map(
    ([name, number], index): Trial => ({
      id: 100 + index,
      control: "mode",
      payload: String(name),
      commands: [mode(Number(number))],
      shown: { mode: name, live: name === "Live" },
    }),
  ),
  { id: 110, control: "live", payload: "ON", commands: [mode(11)], shown: { live: true, mode: "Live", search: true } },
  {
    id: 111,
    control: "live",
    payload: "OFF",
    before: { mode: 11, modeSet: 11 },
    commands: [mode(2)],
    shown: { live: false, mode: "Normal" },
  },
  { id: 112, control: "light", payload: "ON", commands: ["POST led 1"], shown: { light: true } },
  {
    id: 113,
    control: "light",
    payload: "OFF",
    before: { led: true },
    commands: ["POST led 2"],
    shown: { light: false },
  },
  { id: 114, control: "buzzer", payload: "ON", commands: ["POST buz 1"], shown: { buzzer: true } },
  {
    id: 115,
    control: "buzzer",
    payload: "OFF",
    before: { buz: true },
    commands: ["POST buz 2"],
    shown: { buzzer: false },
  },
  {
    id: 116,
    control: "find",
    payload: "PRESS",
    commands: [mode(11), "POST led 1", "POST buz 1"],
    shown: { live: true, light: true, buzzer: true },
  },
  { id: 117, control: "power_off", payload: "PRESS", commands: [mode(12)], shown: { mode: "Off" } },
];

/** A collar for each trial, that takes its commands at once. */
function withTrials(trials: readonly Trial[]) {
  return (cloud: Cloud): void => {
    cloud.addAccount(OWNER);
    for (const { id, before } of trials) {
      cloud.addCollar(OWNER.login, { ...OREO, id, details: { name: `Cat ${id}` }, ...before });
      cloud.setPollDelay(id, 20);
    }
  };
}

async function tryAll(house: House, trials: readonly Trial[]): Promise<void> {
  for (const { id, control, payload } of trials) {
    const { components } = configOf(house.mqtt.latest(topicsOf(`pettracer_${id}`).config));
    // Where Home Assistant sends it.
    await house.mqtt.publish(String(components[control]?.command_topic), payload);
  }
  for (const { id, commands, shown } of trials) {
    await house.mqtt.waitForJson(topicsOf(`pettracer_${id}`).state, { ...shown, pending: false });
    expect(commandsFor(house, id)).toEqual(commands);
  }
  expect(allCommands(house)).toHaveLength(trials.flatMap(({ commands }) => commands).length);
  expect(house.mqtt.messages.map(({ topic }) => topic)).not.toContain(BRIDGE_EVENT);
}

test_("every control is the right call at the cloud, once, and its echo moves the state", async (context) => {
  const house = await moveIn(context, { furnish: withTrials(TRIALS), account: { allow_power_off: true } });
  await tryAll(house, TRIALS);
});

test_("a command may be written as people write", async (context) => {
  const trials: readonly Trial[] = [
    { id: 1, control: "light", payload: "on", commands: ["POST led 1"], shown: { light: true } },
    { id: 2, control: "buzzer", payload: " On\n", commands: ["POST buz 1"], shown: { buzzer: true } },
    { id: 3, control: "mode", payload: "slow+", commands: [mode(7)], shown: { mode: "Slow+" } },
    { id: 4, control: "live", payload: "on", commands: [mode(11)], shown: { live: true } },
  ];
  await tryAll(await moveIn(context, { furnish: withTrials(trials) }), trials);
});

test_("`off_code` is what switches light and buzzer off", async (context) => {
  const trials: readonly Trial[] = [
    {
      id: 1,
      control: "light",
      payload: "OFF",
      before: { led: true },
      commands: ["POST led 0"],
      shown: { light: false },
    },
    {
      id: 2,
      control: "buzzer",
      payload: "OFF",
      before: { buz: true },
      commands: ["POST buz 0"],
      shown: { buzzer: false },
    },
  ];
  const house = await moveIn(context, {
    furnish: withTrials(trials),
    cloud: { offCommand: 0 },
    account: { off_code: 0 },
  });
  await tryAll(house, trials);
});

test_("commands and requests go by another base topic, too", async (context) => {
  const house = await moveIn(context, { mqtt: { base_topic: "home/cats" } });
  const { command, state: topic } = topicsOf("pettracer_14758", "home/cats");
  house.cloud.setPollDelay(14758, 20);
  await house.mqtt.publish("pawline/pettracer_14758/buzzer/set", "ON");
  await house.mqtt.publish(command("light"), "ON");
  await house.mqtt.waitForJson(topic, { light: true, buzzer: false, pending: false });
  await house.mqtt.publish("home/cats/bridge/request/devices", "");
  await house.mqtt.waitForJson("home/cats/bridge/response/devices", { status: "ok" });
  expect(commandsFor(house, 14758)).toEqual(["POST led 1"]);
});

test_("what is no valid command is refused with a warning, and changes nothing", async (context) => {
  const house = await moveIn(context);
  const before = state(house);
  const long = "ON".repeat(5_000);
  const refused: readonly (readonly [device: string, control: string, payload: string])[] = [
    ["pettracer_14758", "light", "maybe"],
    ["pettracer_14758", "light", ""],
    ["pettracer_14758", "light", "   "],
    ["pettracer_14758", "light", "1"],
    ["pettracer_14758", "light", "true"],
    ["pettracer_14758", "light", '{"state":"ON"}'],
    ["pettracer_14758", "light", "ON OFF"],
    ["pettracer_14758", "light", "ON\u0000"],
    ["pettracer_14758", "buzzer", long],
    ["pettracer_14758", "buzzer", "TOGGLE"],
    ["pettracer_14758", "mode", "Turbo"],
    ["pettracer_14758", "mode", "1"],
    ["pettracer_14758", "mode", "Off"],
    ["pettracer_14758", "mode", "Battery low"],
    ["pettracer_14758", "mode", '["Slow"]'],
    ["pettracer_14758", "live", "PRESS"],
    ["pettracer_14758", "find", "ON"],
    ["pettracer_14758", "find", ""],
    ["pettracer_14758", "power_off", "PRESS"],
    ["pettracer_14758", "battery", "100"],
    ["pettracer_14758", "tracker", "home"],
    ["pettracer_14758", "door", "ON"],
    ["pettracer_14758", "constructor", "ON"],
    ["pettracer_14759", "light", "ON"],
    ["14758", "light", "ON"],
    ["Oreo", "light", "ON"],
    ["account:pettracer", "problem", "OFF"],
    ["pettracer_account_15979", "light", "ON"],
    ["pettracer_hs_10775", "light", "ON"],
    ["bridge", "log_level", "loud"],
    ["bridge", "restart", "now"],
    ["bridge", "light", "ON"],
    ["d".repeat(500), "c".repeat(500), "ON"],
  ];
  const from = house.mqtt.mark;
  for (const [device, control, payload] of refused) {
    const mark = house.mqtt.mark;
    await house.mqtt.publish(`pawline/${device}/${control}/set`, payload);
    const told = await house.mqtt.waitForJson(BRIDGE_EVENT, { type: "command_refused" }, { from: mark });
    expect(device.startsWith(String(told.device)) && control.startsWith(String(told.control))).toBe(true);
    expect(String(told.reason).length).toBeLessThan(300);
  }
  const said = house.mqtt.messages.slice(from).map(({ topic }) => topic);
  expect(said.filter((topic) => topic === BRIDGE_EVENT)).toHaveLength(refused.length);
  expect(said.filter((topic) => topic.endsWith("/state") || topic.endsWith("/event"))).toEqual(
    refused.map(() => BRIDGE_EVENT),
  );
  const told = [...house.log.matchAll(/"level":"(?:warn|debug)".*(a command was refused: .*)/g)].map(
    ([, text]) => text,
  );
  expect(told).toHaveLength(refused.length);
  // One that repeats is a warning once.
  const warnings = house.log.match(/"level":"warn".*a command was refused/g);
  expect(warnings).toHaveLength(new Set(told).size);
  // No line of the log grows with what somebody sends.
  expect(house.log).not.toContain(long.slice(0, 200));
  expect([allCommands(house), state(house)]).toEqual([[], before]);
});

test_("a retained command or request is ignored at each connection", async (context) => {
  const house = await openHouse(context);
  for (const [topic, payload] of [
    [oreo.command("light"), "ON"],
    [oreo.command("mode"), "Turbo"],
    ["pawline/bridge/request/devices", ""],
    ["pawline/bridge/request/restart", "{}"],
    ["pawline/bridge/restart/set", "PRESS"],
  ] as const) {
    await house.mqtt.publish(topic, payload === "" ? " " : payload, true);
  }
  await house.start();
  const first = house.mqtt.mark;
  house.broker.dropClients();
  await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from: first });
  // One that is said now is obeyed.
  house.cloud.setPollDelay(14758, 20);
  await house.mqtt.publish(oreo.command("buzzer"), "ON");
  await house.mqtt.waitForJson(oreo.state, { buzzer: true, pending: false });
  expect(commandsFor(house, 14758)).toEqual(["POST buz 1"]);
  const topics = house.mqtt.messages.map(({ topic }) => topic);
  expect(topics.filter((topic) => topic === BRIDGE_EVENT || topic.startsWith("pawline/bridge/response"))).toEqual([]);
  expect(callsOf(house.cloud, "/user/login")).toHaveLength(1);
});

test_("a command is pending until the collar has taken it", async (context) => {
  const house = await moveIn(context);
  house.cloud.setPollDelay(14758, null);
  const from = Date.now();
  await house.mqtt.publish(oreo.command("light"), "ON");
  const asked = await house.mqtt.waitForJson(oreo.state, { pending: true });
  expect(asked).toMatchObject({ pending_command: "light on", light: false });
  const [since, until] = [Date.parse(String(asked.pending_since)), Date.parse(String(asked.pending_until))];
  expect(since).toBeGreaterThanOrEqual(from);
  expect(until - since).toBe(60_000);
  await house.logged(/light on was accepted/);
  const accepted = house.mqtt.mark;
  house.cloud.poll(14758);
  const taken = await house.mqtt.waitForJson(oreo.state, { pending: false }, { from: accepted });
  expect(taken).toMatchObject({ light: true, pending_command: null, pending_since: null, pending_until: null });

  // A mode shows what was asked for at once, and is pending until the collar is in it.
  await house.mqtt.publish(oreo.command("mode"), "Slow");
  const waiting = await house.mqtt.waitForJson(oreo.state, { mode: "Slow", pending: true });
  expect(waiting).toMatchObject({ pending_command: "mode Slow" });
  const moved = house.mqtt.mark;
  house.cloud.poll(14758);
  await house.mqtt.waitForJson(oreo.state, { mode: "Slow", pending: false, pending_command: null }, { from: moved });
  expect(commandsFor(house, 14758)).toEqual(["POST led 1", mode(3)]);
});

test_("what the cloud answers to a command is no echo yet", async (context) => {
  const house = await moveIn(context, { cloud: { commandAnswer: "collar" } });
  house.cloud.setPollDelay(14758, null);
  await house.mqtt.publish(oreo.command("light"), "ON");
  await house.mqtt.waitForJson(oreo.state, { pending: true });
  await house.logged(/light on was accepted/);
  expect(state(house)).toMatchObject({ light: false, pending: true });
  house.cloud.poll(14758);
  await house.mqtt.waitForJson(oreo.state, { light: true, pending: false });
});

test_("twelve quick changes are at most two calls, and the last one wins", async (context) => {
  const house = await moveIn(context);
  house.cloud.setPollDelay(14758, 20);
  for (const name of ["Slow", "Slow+", "Normal", "Normal+", "Fast", "Fast+"]) {
    await house.mqtt.publish(oreo.command("mode"), name);
    await house.mqtt.publish(oreo.command("mode"), "Normal+");
  }
  await house.mqtt.waitForJson(oreo.state, { mode: "Normal+", pending: false });
  const commands = commandsFor(house, 14758);
  expect(commands.length).toBeLessThanOrEqual(2);
  expect(commands.at(-1)).toBe(mode(14));
  expect(eventsOf(house).map(({ event_type }) => event_type)).not.toContain("command_failed");
});

test_("a command that the cloud refuses is told with its reason, and was for nothing", async (context) => {
  const house = await moveIn(context);
  const before = state(house);
  house.cloud.faults.answer("/map/setccled", { status: 500 });
  await house.mqtt.publish(oreo.command("light"), "ON");
  const failed = await house.mqtt.waitForJson(oreo.event, { event_type: "command_failed" });
  expect(failed).toMatchObject({ command: "light", value: "on", reason: expect.stringContaining("500") as string });
  await house.mqtt.waitUntil(() => JSON.stringify(state(house)) === JSON.stringify(before), "the state as before");
  expect(commandsFor(house, 14758)).toEqual(["POST led 1"]);
  await house.logged(/"level":"warn".*light on failed/);

  // The next one may do better.
  house.cloud.faults.answer("/map/setccled", "ok");
  house.cloud.setPollDelay(14758, 20);
  await house.mqtt.publish(oreo.command("light"), "ON");
  await house.mqtt.waitForJson(oreo.state, { light: true, pending: false });
  expect(eventsOf(house)).toHaveLength(1);
});

test_("a command without an echo has failed after two polls", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      stationAndOreo(cloud);
      // One that asks for commands every five seconds.
      cloud.push(14758, { mode: 19, modeSet: 19 });
    },
  });
  house.cloud.setPollDelay(14758, null);
  const startedAt = performance.now();
  await house.mqtt.publish(oreo.command("buzzer"), "ON");
  const { at } = await house.mqtt.waitFor(oreo.event);
  expect(at - startedAt).toBeGreaterThan(9_900);
  expect(eventsOf(house)).toMatchObject([
    { event_type: "command_failed", command: "buzzer", value: "on", reason: expect.stringContaining("10 s") as string },
  ]);
  await house.mqtt.waitUntil(() => state(house).pending === false, "nothing pending");
  expect(state(house)).toMatchObject({ buzzer: false, pending_command: null });
});

test_("live tracking that was switched on here ends by itself", async (context) => {
  const house = await moveIn(context, { account: { live_minutes: 0.1 } });
  house.cloud.setPollDelay(14758, 20);
  await house.mqtt.publish(oreo.command("live"), "ON");
  await house.mqtt.waitForJson(oreo.state, { live: true, live_remaining: 15, pending: false });
  const from = house.mqtt.mark;
  await house.mqtt.waitForJson(oreo.state, { live: false, mode: "Fast", live_remaining: 0, pending: false }, { from });
  await house.mqtt.waitForJson(oreo.event, { event_type: "live_ended" });
  expect(commandsFor(house, 14758)).toEqual([mode(11), mode(1)]);
  expect(eventsOf(house).map(({ event_type }) => event_type)).toEqual([
    "mode_changed",
    "live_started",
    "mode_changed",
    "live_ended",
  ]);
});

/** Asks the program, and returns its answer. */
async function request(house: House, command: string, payload: string | Json = ""): Promise<Json> {
  const from = house.mqtt.mark;
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  await house.mqtt.publish(`pawline/bridge/request/${command}`, text);
  const { payload: answer } = await house.mqtt.waitFor(`pawline/bridge/response/${command}`, undefined, { from });
  return json(answer);
}

test_("requests are answered, with their transaction", async (context) => {
  const house = await moveIn(context);
  for (const transaction of [7, "x-1", { a: [1] }, null, false]) {
    expect(await request(house, "devices", { transaction })).toMatchObject({ status: "ok", transaction });
  }
  expect(Object.keys(await request(house, "devices"))).not.toContain("transaction");

  const { data } = await request(house, "devices");
  expect(data).toMatchObject([
    { key: "pettracer_hs_10775", kind: "home_station", id: 10775 },
    { key: "pettracer_14758", kind: "collar", id: 14758, name: "Oreo", battery: 83, home: false, distance: 131 },
  ]);

  const health = (await request(house, "health", {})) as Json & { data: Json & { components: Json[] } };
  expect(health).toMatchObject({ status: "ok", data: { healthy: true, version: expect.any(String) as string } });
  expect(health.data.components.toSorted((a, b) => String(a.role).localeCompare(String(b.role)))).toEqual([
    { role: "publisher", name: "mqtt", state: "running", error: null },
    { role: "source", name: "pettracer", state: "running", error: null },
  ]);

  const listings = callsOf(house.cloud, "/map/getccs").length;
  expect(await request(house, "refresh", { transaction: 1 })).toEqual({ status: "ok", transaction: 1 });
  await house.cloud.waitFor(() => callsOf(house.cloud, "/map/getccs").length > listings, 10_000);
});

test_("the health tells what is wrong", async (context) => {
  const house = await moveIn(context);
  house.cloud.faults.refuseConnections();
  house.cloud.faults.dropStreams();
  await house.mqtt.waitFor(BRIDGE_INFO, (text) => text.includes('"waiting"'));
  const { data } = (await request(house, "health")) as { data: { healthy: boolean; components: Json[] } };
  expect(data.healthy).toBe(false);
  expect(data.components).toContainEqual({
    role: "source",
    name: "pettracer",
    state: "waiting",
    error: expect.any(String) as string,
  });
});

test_("what is no request is answered with what is wrong", async (context) => {
  const house = await moveIn(context);
  const wrong: readonly (readonly [command: string, payload: string])[] = [
    ["devices", "{"],
    ["devices", "[]"],
    ["devices", '"devices"'],
    ["devices", "5"],
    ["devices", "null"],
    ["health", `{"transaction":"${"x".repeat(10_000)}"}`],
    ["reboot", ""],
    ["constructor", "{}"],
    ["log_level", "{}"],
    ["log_level", '{"level":"loud"}'],
    ["log_level", '{"level":5}'],
  ];
  for (const [command, payload] of wrong) {
    const { status, error } = await request(house, command, payload);
    expect([status, typeof error, String(error).length > 10]).toEqual(["error", "string", true]);
  }
  expect(await request(house, "reboot", { transaction: "t" })).toMatchObject({ status: "error", transaction: "t" });
  expect(await request(house, "log_level", { level: "loud", transaction: 9 })).toMatchObject({ transaction: 9 });
  expect(await request(house, "reboot")).toMatchObject({ error: expect.stringContaining("republish") as string });
  expect(allCommands(house)).toEqual([]);
});

test_("the log level can be set by request and by its control, and counts at once", async (context) => {
  const house = await moveIn(context);
  house.cloud.setPollDelay(14758, 20);
  const level = (name: string) => (text: string) => json(text).log_level === name;
  expect(await request(house, "log_level", { level: "error" })).toEqual({ status: "ok", data: { level: "error" } });
  await house.mqtt.waitFor(BRIDGE_INFO, level("error"));
  await house.mqtt.publish(oreo.command("light"), "ON");
  await house.mqtt.waitForJson(oreo.state, { light: true, pending: false });
  expect(house.log).not.toContain("light on was accepted");

  const { components } = configOf(house.mqtt.latest("homeassistant/device/bridge/config"));
  await house.mqtt.publish(String(components.log_level?.command_topic), "info");
  await house.mqtt.waitFor(BRIDGE_INFO, level("info"));
  await house.mqtt.publish(oreo.command("light"), "OFF");
  await house.logged(/light off was accepted/);
  expect(house.log).not.toContain("light on was accepted");
});

/** Nothing was said to be away, or taken back. */
function expectNoGap(house: House, from: number): void {
  const said = house.mqtt.messages.slice(from).map(({ topic, payload }) => `${topic} ${payload}`);
  expect(said.filter((text) => text.endsWith(" offline") || text.endsWith("config "))).toEqual([]);
}

test_("a restart answers first, begins everything anew, and never says `offline`", async (context) => {
  const house = await moveIn(context);
  const from = house.mqtt.mark;
  for (const transaction of [1, 2]) {
    const mark = house.mqtt.mark;
    expect(await request(house, "restart", { transaction })).toEqual({ status: "ok", transaction });
    await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from: mark });
    await house.cloud.waitFor(() => house.cloud.upgrades.length === 1 + transaction, 10_000);
    await house.live();
  }
  // By the button, as Home Assistant does it.
  const mark = house.mqtt.mark;
  const { components } = configOf(house.mqtt.latest("homeassistant/device/bridge/config"));
  await house.mqtt.publish(String(components.restart?.command_topic), "PRESS");
  await house.mqtt.waitFor(BRIDGE_STATE, (payload) => payload === "online", { from: mark });
  await house.cloud.waitFor(() => house.cloud.upgrades.length === 4, 10_000);
  await house.live();
  house.push(14758, { bat: 3600 });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 }, { from: mark });
  expect(house.cloud.sessions).toHaveLength(1);
  expect(house.broker.clients.filter((id) => id.startsWith("pawline"))).toHaveLength(1);
  expectNoGap(house, from);
  expect(house.mqtt.of("pawline/bridge/response/restart")).toHaveLength(2);
});

test_.for([
  ["request", "pawline/bridge/request/republish", ""],
  ["button", "pawline/bridge/republish/set", "PRESS"],
] as const)("republish by %s brings back what was deleted in Home Assistant", async ([, topic, payload], context) => {
  const house = await moveIn(context);
  const config = house.mqtt.latest(oreo.config);
  // So does Home Assistant, when its user deletes the device.
  await house.mqtt.publish(oreo.config, "", true);
  await house.logged(/pettracer_14758 was deleted in Home Assistant/);
  house.push(14758, { bat: 3600, details: { name: "Oreo II" } });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(house.mqtt.latest(oreo.config)).toBeUndefined();
  const from = house.mqtt.mark;
  await house.mqtt.publish(topic, payload);
  await house.mqtt.waitFor(oreo.config, (text) => text.includes("Oreo II"), { from });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 }, { from });
  await house.mqtt.waitFor(station.state, undefined, { from });
  const back = configOf((await house.mqtt.retained()).get(oreo.config));
  expect(Object.keys(back.components)).toEqual(Object.keys(configOf(config).components));
  expectNoGap(house, from);
});

test_("what is excluded is not described, and the state has its key nevertheless", async (context) => {
  const exclude = [
    "signal",
    "pettracer_14758/buzzer",
    "Oreo/accuracy",
    "10775/last_contact",
    "nothing/at_all",
    "stream",
  ];
  const house = await moveIn(context, { entities: { exclude } });
  const keys = (topic: string): string[] => Object.keys(configOf(house.mqtt.latest(topic)).components);
  for (const key of ["signal", "buzzer", "accuracy"]) expect(keys(oreo.config)).not.toContain(key);
  for (const key of ["light", "last_contact", "tracker", "activity"]) expect(keys(oreo.config)).toContain(key);
  expect(keys(station.config)).toContain("online");
  for (const key of ["signal", "last_contact"]) expect(keys(station.config)).not.toContain(key);
  expect(keys("homeassistant/device/pettracer_account_15979/config")).toEqual(["problem", "subscription_ends"]);
  expect(state(house)).toMatchObject({ signal: -55, buzzer: false, accuracy: 16 });
});

test_("what is excluded later is removed from Home Assistant, and comes back when it is wanted", async (context) => {
  const house = await moveIn(context);
  const before = Object.keys(configOf(house.mqtt.latest(oreo.config)).components);
  await house.stop();
  const from = house.mqtt.mark;
  await house.start({ entities: { exclude: ["Oreo/light", "mode"] } });
  const removal = configOf(house.mqtt.of(oreo.config, from)[0]?.payload).components;
  expect([removal.light, removal.mode]).toEqual([{ platform: "switch" }, { platform: "select" }]);
  const gone = (text: string): boolean => configOf(text).components.light === undefined;
  await house.mqtt.waitFor(oreo.config, (text) => text !== "" && gone(text), { from });
  const kept = Object.keys(configOf((await house.mqtt.retained()).get(oreo.config)).components);
  expect(kept).toEqual(before.filter((key) => key !== "light" && key !== "mode"));
  const wanted = house.mqtt.mark;
  await house.reload({});
  await house.mqtt.waitFor(oreo.config, (text) => text.includes(`"command_topic":"${oreo.command("light")}"`), {
    from: wanted,
  });
});
