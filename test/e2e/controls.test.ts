/**
 * Every control, operated as a person does it in Home Assistant, and seen where it has to arrive: at the cloud, as
 * exactly one right call. A control shows what the cloud says; until then something is pending, or has failed.
 */
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EntityState } from "./support/home-assistant-states.ts";
import { fixAt, HOME, type House, OWNER, openHouse } from "./support/house.ts";
import { type MqttWatcher, watchMqtt } from "./support/mqtt-watcher.ts";
import { StateHistory } from "./support/state-history.ts";

const WAIT_MS = 30_000;

/** Each cat has its own test: commands for one collar go out at least two seconds apart. */
const CATS = {
  Ada: { id: 14801, mode: 2 },
  Bea: { id: 14802, mode: 2 },
  Tim: { id: 14803, mode: 5 },
  Zoe: { id: 14804, mode: 1 },
  Gus: { id: 14805, mode: 14 },
  Fin: { id: 14806, mode: 14 },
  Liv: { id: 14807, mode: 3 },
  Ret: { id: 14808, mode: 1 },
  Off: { id: 14809, mode: 1 },
  Err: { id: 14810, mode: 1 },
  Old: { id: 14818, mode: 1 },
  Ban: { id: 14819, mode: 1 },
  Kit1: { id: 14811, mode: 9 },
  Kit2: { id: 14812, mode: 9 },
  Kit3: { id: 14813, mode: 9 },
  Kit4: { id: 14814, mode: 9 },
  Kit5: { id: 14815, mode: 9 },
  Kit6: { id: 14816, mode: 9 },
  Kit7: { id: 14817, mode: 9 },
} as const;

type Cat = keyof typeof CATS;

const COLLARS = Object.keys(CATS).length;
/** The collars, their home station, the account and the bridge. */
const DEVICES = COLLARS + 3;

const CLIENT_ID = "pawline-controls";

let house: House;
let watcher: MqttWatcher;
let history: StateHistory;
/** All that each cat's collar was to be told, in this order and no more. */
const told = new Map<Cat, string[]>();

function entity(domain: string, cat: Cat, key: string): string {
  return `${domain}.${cat.toLowerCase()}_${key}`;
}

async function choose(entity_id: string, option: string): Promise<void> {
  await house.home.callService("select", "select_option", { option }, { entity_id });
}

async function turn(to: "on" | "off", entity_id: string): Promise<void> {
  await house.home.callService("switch", `turn_${to}`, {}, { entity_id });
}

async function press(entity_id: string): Promise<void> {
  await house.home.callService("button", "press", {}, { entity_id });
}

async function waitFor(entityId: string, state: string, ms = WAIT_MS): Promise<EntityState> {
  return await house.home.waitForState(entityId, state, ms);
}

/** The latest thing that happened to the cat, once it is this. */
async function happening(cat: Cat, type: string, ms = WAIT_MS): Promise<EntityState["attributes"]> {
  const isIt = ({ attributes }: EntityState): boolean => attributes.event_type === type;
  return (await house.home.waitForState(entity("event", cat, "activity"), isIt, ms)).attributes;
}

/** The calls that told this collar something, as `POST /map/setccled/14801/1 {}`. */
function callsTo(id: number): string[] {
  return house.cloud.calls
    .filter(({ path, body }) =>
      path === "/map/setccmode"
        ? (body as { devId: unknown }).devId === id
        : path.startsWith("/map/setcc") && path.split("/")[3] === String(id),
    )
    .map(({ method, path, body }) => `${method} ${path} ${JSON.stringify(body)}`);
}

function modeCall(cat: Cat, mode: number): string {
  return `POST /map/setccmode {"devType":0,"devId":${CATS[cat].id},"cmdNr":${mode}}`;
}

function lightCall(cat: Cat, code: 1 | 2): string {
  return `POST /map/setccled/${CATS[cat].id}/${code} {}`;
}

function buzzerCall(cat: Cat, code: 1 | 2): string {
  return `POST /map/setccbuz/${CATS[cat].id}/${code} {}`;
}

/** Waits for these calls behind the ones that were expected before, and looks at all of them once more at the end. */
async function expectCalls(cat: Cat, calls: readonly string[], ms = WAIT_MS): Promise<void> {
  const all = [...(told.get(cat) ?? []), ...calls];
  told.set(cat, all);
  await expect.poll(() => callsTo(CATS[cat].id), { timeout: ms, message: cat }).toEqual(all);
}

function logins(): number {
  return house.cloud.calls.filter(({ path }) => path === "/user/login").length;
}

beforeAll(async () => {
  house = await openHouse("controls");
  const { cloud, broker } = house;
  cloud.addHomeStation(OWNER.login, { id: 10775, posLat: HOME.latitude, posLong: HOME.longitude });
  for (const [name, { id, mode }] of Object.entries(CATS)) {
    cloud.addCollar(OWNER.login, { id, mode, modeSet: mode, details: { name }, lastPos: fixAt(100) });
    cloud.setPollDelay(id, 0);
  }
  watcher = await watchMqtt(broker.url);
  // Such a command comes back at every connection.
  await watcher.publish(`pawline/pettracer_${CATS.Ret.id}/light/set`, "ON", true);
  house.start({ pettracer: { find_minutes: 1, live_minutes: 0.5 }, mqtt: { client_id: CLIENT_ID } });
  await Promise.all(Object.keys(CATS).map((cat) => waitFor(entity("switch", cat as Cat, "light"), "off", 60_000)));
  history = await StateHistory.begin(house.home);
  await watcher.subscribe(
    "pawline/bridge/state",
    "pawline/bridge/event",
    "pawline/+/availability",
    "homeassistant/device/+/config",
  );
});

afterAll(async () => {
  await watcher?.close();
  await house?.close();
});

describe("what ends by itself", () => {
  test("is begun: find my cat is live tracking, light and buzzer at once", async () => {
    await press(entity("button", "Fin", "find"));
    await expectCalls("Fin", [modeCall("Fin", 11), lightCall("Fin", 1), buzzerCall("Fin", 1)]);
    await waitFor(entity("switch", "Fin", "live"), "on");
    await waitFor(entity("switch", "Fin", "light"), "on");
    await waitFor(entity("switch", "Fin", "buzzer"), "on");
    await waitFor(entity("select", "Fin", "mode"), "Live");
    await waitFor(entity("binary_sensor", "Fin", "pending"), "off");
  });

  test("is begun: live tracking", async () => {
    await turn("on", entity("switch", "Liv", "live"));
    await expectCalls("Liv", [modeCall("Liv", 11)]);
    await waitFor(entity("switch", "Liv", "live"), "on");
  });
});

describe("a mode", () => {
  test.each([
    { name: "Slow", mode: 3, cat: "Kit1" },
    { name: "Slow+", mode: 7, cat: "Kit2" },
    { name: "Normal", mode: 2, cat: "Kit3" },
    { name: "Normal+", mode: 14, cat: "Kit4" },
    { name: "Fast", mode: 1, cat: "Kit5" },
    { name: "Fast+", mode: 8, cat: "Kit6" },
    { name: "Live", mode: 11, cat: "Kit7" },
  ] as const)("$name is the number $mode", async ({ name, mode, cat }) => {
    await choose(entity("select", cat, "mode"), name);
    await expectCalls(cat, [modeCall(cat, mode)]);
    await waitFor(entity("select", cat, "mode"), name);
    await waitFor(entity("switch", cat, "live"), mode === 11 ? "on" : "off");
    await waitFor(entity("binary_sensor", cat, "pending"), "off");
  });

  test("is pending until the collar has taken it, and shown as soon as the cloud says so", async () => {
    const { cloud } = house;
    const [select, pending] = [entity("select", "Ada", "mode"), entity("binary_sensor", "Ada", "pending")];
    const from = await history.mark();
    cloud.setPollDelay(CATS.Ada.id, null);
    cloud.faults.latency(500);
    const askedAt = Date.now();
    await choose(select, "Slow");
    const { attributes } = await waitFor(pending, "on");
    expect(attributes.command).toBe("mode Slow");
    const [since, expectedBy] = [Date.parse(String(attributes.since)), Date.parse(String(attributes.expected_by))];
    expect(Math.abs(since - askedAt)).toBeLessThan(5_000);
    // A collar in the mode Normal asks for commands every three minutes.
    expect(expectedBy - since).toBe(180_000);
    await waitFor(select, "Slow");
    expect(await happening("Ada", "mode_changed")).toMatchObject({ mode: "Slow", previous: "Normal" });
    cloud.faults.latency(0);
    await expectCalls("Ada", [modeCall("Ada", 3)]);
    expect((await waitFor(pending, "on")).attributes.command).toBe("mode Slow");
    expect(cloud.poll(CATS.Ada.id)).toBe(1);
    const after = await waitFor(pending, "off");
    expect(after.attributes).toMatchObject({ command: null, since: null, expected_by: null });
    expect(await history.of(select, from)).toEqual(["Slow"]);
    expect(await history.of(pending, from)).toEqual(["on", "off"]);
  });

  test("that was chosen twelve times in a moment is told at most twice, the last choice last", async () => {
    const select = entity("select", "Zoe", "mode");
    const options = ["Slow", "Slow+", "Normal", "Normal+", "Fast", "Live", "Slow", "Normal", "Fast", "Slow+", "Slow"];
    for (const option of [...options, "Fast+"]) await choose(select, option);
    await waitFor(select, "Fast+");
    await waitFor(entity("binary_sensor", "Zoe", "pending"), "off");
    const calls = callsTo(CATS.Zoe.id);
    expect(calls.length).toBeLessThanOrEqual(2);
    expect(calls.at(-1)).toBe(modeCall("Zoe", 8));
    told.set("Zoe", calls);
  });

  test("that is shown but not offered is refused, and so is one that there is not", async () => {
    const select = entity("select", "Tim", "mode");
    const { attributes } = await waitFor(select, "Test");
    expect(attributes.options).toEqual(["Slow", "Slow+", "Normal", "Normal+", "Fast", "Fast+", "Live", "Test"]);
    const [from, fromOutput] = [watcher.messages.length, house.daemon.output().length];
    await choose(select, "Test");
    await house.daemon.waitForOutput(
      /"level":"warn".*command was refused: mode does not take \\"Test\\"/,
      WAIT_MS,
      fromOutput,
    );
    await watcher.waitFor("the refusal", WAIT_MS, from, (all) => all.some(isRefusal("mode")));
    const then = watcher.messages.length;
    await watcher.publish(`pawline/pettracer_${CATS.Tim.id}/mode/set`, "Turbo");
    await watcher.waitFor("the refusal", WAIT_MS, then, (all) => all.some(isRefusal("mode")));
    await waitFor(select, "Test");
    await expectCalls("Tim", []);
  });
});

function isRefusal(control: string): (message: MqttWatcher["messages"][number]) => boolean {
  return ({ topic, payload }) => {
    if (topic !== "pawline/bridge/event") return false;
    const event = JSON.parse(payload) as Record<string, unknown>;
    return event.type === "command_refused" && event.control === control;
  };
}

describe("light and buzzer", () => {
  test.each([
    ["light", lightCall],
    ["buzzer", buzzerCall],
  ] as const)("the %s is switched when the collar has taken it", async (key, call) => {
    const { cloud } = house;
    const [control, pending] = [entity("switch", "Bea", key), entity("binary_sensor", "Bea", "pending")];
    cloud.setPollDelay(CATS.Bea.id, null);
    for (const [to, code] of [
      ["on", 1],
      ["off", 2],
    ] as const) {
      const from = await history.mark();
      await turn(to, control);
      expect((await waitFor(pending, "on")).attributes.command).toBe(`${key} ${to}`);
      await expectCalls("Bea", [call("Bea", code)]);
      expect(cloud.poll(CATS.Bea.id)).toBe(1);
      await waitFor(control, to);
      await waitFor(pending, "off");
      expect(await history.of(control, from)).toEqual([to]);
      expect(await history.of(pending, from)).toEqual(["on", "off"]);
    }
  });

  test("a payload that is no command changes nothing", async () => {
    const from = watcher.messages.length;
    await watcher.publish(`pawline/pettracer_${CATS.Bea.id}/light/set`, "BANANA");
    await watcher.waitFor("the refusal", WAIT_MS, from, (all) => all.some(isRefusal("light")));
    await expectCalls("Bea", []);
  });
});

describe("live tracking", () => {
  test("goes back to the mode before", async () => {
    const [live, select] = [entity("switch", "Gus", "live"), entity("select", "Gus", "mode")];
    await waitFor(select, "Normal+");
    await turn("on", live);
    await expectCalls("Gus", [modeCall("Gus", 11)]);
    await waitFor(live, "on");
    await waitFor(select, "Live");
    await waitFor(entity("sensor", "Gus", "live_remaining"), "15");
    await happening("Gus", "live_started");
    await turn("off", live);
    await expectCalls("Gus", [modeCall("Gus", 14)]);
    await waitFor(live, "off");
    await waitFor(select, "Normal+");
    await waitFor(entity("sensor", "Gus", "live_remaining"), "0");
    await happening("Gus", "live_ended");
  });

  test.each([
    { cat: "Liv", mode: 3, name: "Slow" },
    { cat: "Kit7", mode: 9, name: "Fast 3" },
  ] as const)("that was switched on here, or chosen as a mode, ends by itself: $cat is back in $name", async (one) => {
    const { cat, mode, name } = one;
    await expectCalls(cat, [modeCall(cat, mode)], 45_000);
    await waitFor(entity("switch", cat, "live"), "off");
    await waitFor(entity("select", cat, "mode"), name);
    await waitFor(entity("binary_sensor", cat, "pending"), "off");
  });
});

describe("a command that fails", () => {
  test("because the cloud has a problem says so", async () => {
    const [light, pending] = [entity("switch", "Err", "light"), entity("binary_sensor", "Err", "pending")];
    const from = await history.mark();
    house.cloud.faults.answer("/map/setccled", { status: 500 });
    await turn("on", light);
    const failure = await happening("Err", "command_failed");
    expect(failure).toMatchObject({ command: "light", value: "on" });
    expect(failure.reason).toContain("HTTP 500, the cloud has a problem");
    await waitFor(pending, "off");
    house.cloud.faults.answer("/map/setccled", "ok");
    await expectCalls("Err", [lightCall("Err", 1)]);
    expect(await history.of(light, from)).toEqual([]);
    expect(await history.of(pending, from)).toEqual(["on", "off"]);
  });

  test("because the token is over is made again with a new one", async () => {
    const light = entity("switch", "Old", "light");
    const [before, from] = [logins(), house.cloud.calls.length];
    house.cloud.faults.expireTokens();
    await turn("on", light);
    await waitFor(light, "on");
    await expectCalls("Old", [lightCall("Old", 1), lightCall("Old", 1)]);
    const answers = house.cloud.calls.slice(from).filter(({ path }) => path.startsWith("/map/setccled/"));
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(logins()).toBe(before + 1);
  });

  test("because the cloud refuses it says so", async () => {
    const [light, pending] = [entity("switch", "Ban", "light"), entity("binary_sensor", "Ban", "pending")];
    const from = await history.mark();
    house.cloud.faults.answer("/map/setccled", "refuse");
    await turn("on", light);
    const failure = await happening("Ban", "command_failed");
    expect(failure).toMatchObject({ command: "light", value: "on" });
    expect(failure.reason).toContain("HTTP 401, the token was refused");
    await waitFor(pending, "off");
    house.cloud.faults.answer("/map/setccled", "ok");
    // Once with the token of before, and once with a new one.
    await expectCalls("Ban", [lightCall("Ban", 1), lightCall("Ban", 1)]);
    expect(await history.of(light, from)).toEqual([]);
    expect(await history.of(pending, from)).toEqual(["on", "off"]);
    await turn("on", light);
    await waitFor(light, "on");
    await expectCalls("Ban", [lightCall("Ban", 1)]);
  });

  test("because the collar never takes it says so after two of its polls", async () => {
    const [light, pending] = [entity("switch", "Tim", "light"), entity("binary_sensor", "Tim", "pending")];
    const from = await history.mark();
    house.cloud.setPollDelay(CATS.Tim.id, null);
    await turn("on", light);
    const { attributes } = await waitFor(pending, "on");
    expect(attributes.command).toBe("light on");
    expect(Date.parse(String(attributes.expected_by)) - Date.parse(String(attributes.since))).toBe(10_000);
    const begunAt = Date.now();
    const failure = await happening("Tim", "command_failed", 40_000);
    expect(failure).toMatchObject({ command: "light", value: "on" });
    expect(failure.reason).toBe("the collar did not take it within 20 s");
    expect(Date.now() - begunAt).toBeGreaterThan(18_000);
    await waitFor(pending, "off");
    await waitFor(light, "off");
    await expectCalls("Tim", [lightCall("Tim", 1)]);
    expect(await history.of(light, from)).toEqual([]);
    expect(await history.of(pending, from)).toEqual(["on", "off"]);
  });

  test("leaves the next one a chance", async () => {
    house.cloud.setPollDelay(CATS.Tim.id, 0);
    const select = entity("select", "Tim", "mode");
    await choose(select, "Slow");
    await expectCalls("Tim", [modeCall("Tim", 3)]);
    await house.home.waitForState(
      select,
      ({ state, attributes }) => state === "Slow" && !(attributes.options as string[]).includes("Test"),
      WAIT_MS,
    );
  });
});

test("find my cat ends by itself, and the collar is back in its mode", async () => {
  const since = house.cloud.calls.find(({ path }) => path === `/map/setccbuz/${CATS.Fin.id}/1`)?.at ?? 0;
  await house.cloud.waitFor(() => callsTo(CATS.Fin.id).length >= 6, since + 75_000 - Date.now());
  await expectCalls("Fin", [buzzerCall("Fin", 2), lightCall("Fin", 2), modeCall("Fin", 14)]);
  await waitFor(entity("switch", "Fin", "buzzer"), "off");
  await waitFor(entity("switch", "Fin", "light"), "off");
  await waitFor(entity("switch", "Fin", "live"), "off");
  await waitFor(entity("select", "Fin", "mode"), "Normal+");
});

/** How many devices these messages describe. */
function described(messages: MqttWatcher["messages"]): number {
  const descriptions = messages.filter(({ topic, payload }) => topic.startsWith("homeassistant/") && payload !== "");
  return new Set(descriptions.map(({ topic }) => topic)).size;
}

describe("the bridge", () => {
  test("changes its log level", async () => {
    const select = "select.pawline_log_level";
    await choose(select, "trace");
    await waitFor(select, "trace");
    const from = house.daemon.output().length;
    house.cloud.push(CATS.Ada.id, { lastTlgNr: 2 });
    await house.daemon.waitForOutput(/"level":"trace".*stream message/, WAIT_MS, from);
    await choose(select, "info");
    await waitFor(select, "info");
    const then = house.daemon.output().length;
    house.cloud.push(CATS.Ada.id, { lastPos: fixAt(222) });
    await waitFor(entity("sensor", "Ada", "distance"), "222");
    expect(house.daemon.output().slice(then)).not.toContain("stream message");
  });

  test("restarts, and all is back without having been gone", async () => {
    const [fromState, fromMessage, fromOutput] = [
      await history.mark(),
      watcher.messages.length,
      house.daemon.output().length,
    ];
    await press("button.pawline_restart");
    await house.daemon.waitForOutput(/connected to the broker/, WAIT_MS, fromOutput);
    await house.daemon.waitForOutput(new RegExp(`live, ${COLLARS} collars`), WAIT_MS, fromOutput);
    await watcher.waitFor("every description", WAIT_MS, fromMessage, (all) => described(all) === DEVICES);
    house.cloud.push(CATS.Ada.id, { lastPos: fixAt(333) });
    await waitFor(entity("sensor", "Ada", "distance"), "333");
    await turn("on", entity("switch", "Ada", "buzzer"));
    await expectCalls("Ada", [buzzerCall("Ada", 1)]);
    expect(watcher.messages.slice(fromMessage).filter(({ payload }) => payload === "offline")).toEqual([]);
    expect(await history.idsIn("unavailable", fromState)).toEqual([]);
    expect(await history.idsIn("unknown", fromState)).toEqual([]);
  });

  test("publishes everything anew, also what was deleted in Home Assistant", async () => {
    const kit = (await house.devices()).get(`pettracer_${CATS.Kit1.id}`);
    await house.home.api.call({ type: "config/device_registry/remove", device_id: kit?.id });
    await house.home.waitForRemoval(entity("device_tracker", "Kit1", "").slice(0, -1), WAIT_MS);
    // News of it, and of another cat behind it, do not bring it back, even where they would change its description.
    house.cloud.push(CATS.Kit1.id, { bat: 3800, sw: 656394 });
    house.cloud.push(CATS.Ada.id, { lastPos: fixAt(444) });
    await waitFor(entity("sensor", "Ada", "distance"), "444");
    expect((await house.devices()).has(`pettracer_${CATS.Kit1.id}`)).toBe(false);
    const from = watcher.messages.length;
    await press("button.pawline_republish");
    await watcher.waitFor("every description", WAIT_MS, from, (all) => described(all) === DEVICES);
    await waitFor(entity("sensor", "Kit1", "battery"), "42");
  });
});

test("a command that the broker has retained is ignored when it comes at a connection, and others are not", async () => {
  const light = entity("switch", "Ret", "light");
  const from = house.daemon.output().length;
  // Another client of this name takes the daemon's connection away.
  const thief = await connectAsync(house.broker.url, { clientId: CLIENT_ID, reconnectPeriod: 0 });
  await thief.endAsync(true);
  await waitFor(light, "unavailable");
  await house.daemon.waitForOutput(/connected to the broker/, WAIT_MS, from);
  await waitFor(light, "off");
  await expectCalls("Ret", []);
  await turn("on", light);
  await waitFor(light, "on");
  await turn("off", light);
  await waitFor(light, "off");
  await expectCalls("Ret", [lightCall("Ret", 1), lightCall("Ret", 2)]);
});

describe("switching a collar off", () => {
  const button = entity("button", "Off", "power_off");

  async function buttons(): Promise<string[]> {
    return (await house.home.entityRegistry())
      .map(({ entity_id }) => entity_id)
      .filter((id) => id.endsWith("_power_off"));
  }

  test("is not offered unless the user wants it", async () => {
    expect(await buttons()).toEqual([]);
    const from = watcher.messages.length;
    await watcher.publish(`pawline/pettracer_${CATS.Off.id}/power_off/set`, "PRESS");
    await watcher.waitFor("the refusal", WAIT_MS, from, (all) => all.some(isRefusal("power_off")));
    await expectCalls("Off", []);
  });

  test("is possible where the user wants it", async () => {
    house.reconfigure({ pettracer: { allow_power_off: true }, mqtt: { client_id: CLIENT_ID } });
    await waitFor(button, "unknown");
    expect((await house.home.registryEntity(button)).entity_category).toBe("config");
    await press(button);
    await expectCalls("Off", [modeCall("Off", 12)]);
    await waitFor(entity("select", "Off", "mode"), "Off");
  });

  test("is not offered any more when the user has thought better of it", async () => {
    house.reconfigure({ mqtt: { client_id: CLIENT_ID } });
    await house.home.waitForRemoval(button, WAIT_MS);
    expect(await buttons()).toEqual([]);
    const from = watcher.messages.length;
    await watcher.publish(`pawline/pettracer_${CATS.Off.id}/power_off/set`, "PRESS");
    await watcher.waitFor("the refusal", WAIT_MS, from, (all) => all.some(isRefusal("power_off")));
    await expectCalls("Off", []);
  });
});

test("no collar was told anything else", () => {
  const commands = house.cloud.calls.filter(({ path }) => path.startsWith("/map/setcc"));
  expect(commands.length).toBe([...told.values()].flat().length);
  for (const [cat, calls] of told) expect(callsTo(CATS[cat].id), cat).toEqual(calls);
});

test("Home Assistant's log has no complaint about us", async () => {
  const complaints = await house.home.logComplaints();
  // Of a deleted device, Home Assistant clears the description once for each entity, and complains of doing so.
  const own = `No device components to cleanup for pettracer_${CATS.Kit1.id}`;
  expect(complaints.filter((record) => !record.includes(own))).toEqual([]);
});
