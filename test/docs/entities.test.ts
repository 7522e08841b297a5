/** What the reference of entities and topics says is what is published. */
import { expect, test } from "vitest";
import {
  activityMessage,
  bridgeInfo,
  type Message,
  positionMessage,
  stateMessages,
} from "../../src/discovery/messages.ts";
import { answer, obey } from "../../src/discovery/orders.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import { ACCOUNT_ENTITIES } from "../../src/entities/account.ts";
import { BRIDGE_ENTITIES } from "../../src/entities/bridge.ts";
import { COLLAR_ENTITIES } from "../../src/entities/collar.ts";
import type { Entity } from "../../src/entities/entity.ts";
import { STATION_ENTITIES } from "../../src/entities/station.ts";
import { ACTIVITY_TYPES, type Happening } from "../../src/model/activity.ts";
import type { Account, Bridge, Collar, Component, Device, Entry, HomeStation } from "../../src/model/device.ts";
import { OFFERED_MODES } from "../../src/model/mode.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import { happenings } from "../../src/store/happenings.ts";
import { createStore } from "../../src/store/store.ts";
import { idleBridge } from "../support/idle-bridge.ts";
import { code, codeBlock, read, section, tableRows } from "./markdown.ts";

const reference = read("docs/entities.md");
const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });

/** Home Assistant's own names for entities that have none but their device class. */
const NAMES: Readonly<Record<string, string>> = {
  battery: "Battery",
  battery_charging: "Charging",
  connectivity: "Connectivity",
  firmware: "Firmware",
  problem: "Problem",
  signal_strength: "Signal strength",
  voltage: "Voltage",
};

type Told = Pick<
  Entity<never>,
  "key" | "platform" | "name" | "deviceClass" | "unit" | "category" | "enabled" | "attributes"
>;

function told({ key, platform, name, deviceClass, unit, category, enabled }: Told): (string | undefined)[] {
  const shownName = name === null ? "the pet's" : (name ?? NAMES[deviceClass ?? ""]);
  const place = [...(category === undefined ? [] : [category]), ...(enabled === false ? ["hidden"] : [])].join(", ");
  return [key, platform, shownName, unit ?? "–", place || "–"];
}

const TABLES: readonly (readonly [heading: string, entities: readonly Told[]])[] = [
  ["A collar", COLLAR_ENTITIES],
  ["A home station", STATION_ENTITIES],
  ["An account", ACCOUNT_ENTITIES],
  ["Pawline itself", BRIDGE_ENTITIES],
];

test.each(TABLES)("%s has the entities of the table", (heading, entities) => {
  const [, ...rows] = tableRows(section(reference, heading));
  const inDocument = rows.map(([key, ...cells]) => [code(key), ...cells.slice(0, 4)]);
  expect(inDocument).toHaveLength(entities.length);
  expect(inDocument).toEqual(expect.arrayContaining(entities.map(told)));
  expect(rows.filter((cells) => (cells[5] ?? "").length < 10)).toEqual([]);
});

test("the attributes of every entity are told of", () => {
  for (const [heading, entities] of TABLES) {
    const rows = new Map(tableRows(section(reference, heading)).map((cells) => [code(cells[0]), cells[5] ?? ""]));
    for (const { key, attributes = {} } of entities) {
      const told = rows.get(key) ?? "";
      expect(Object.keys(attributes).filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
    }
  }
});

test("every topic is told of", () => {
  const { state, position, availability, discovery, event, firmware, photo, response } = topics;
  const { bridgeState, bridgeInfo: info, bridgeEvent } = topics;
  const ofDevices = [state, position, availability, discovery, event, firmware, photo].map((of) => of("<device>"));
  const rows = tableRows(section(reference, "What is published")).map(([topic]) => code(topic));
  const ofEntities = topics.entityDiscovery("<device>", "<platform>", "<key>");
  const all = [bridgeState, info, bridgeEvent, response("<command>"), ...ofDevices, ofEntities];
  expect(new Set(rows.slice(1))).toEqual(new Set(all));
  const { homeAssistantStatus, everyDiscovery, everyCommand, everyRequest } = topics;
  const heard = [homeAssistantStatus, ...everyDiscovery, everyCommand, everyRequest];
  expect(heard.filter((topic) => !reference.includes(`\`${topic}\``))).toEqual([]);
});

test("every control has its topic and a payload that it takes", () => {
  const [, ...rows] = tableRows(section(reference, "Commands"));
  const controls = (entities: readonly Entity<never>[], device: string): (string | undefined)[] =>
    entities.filter(({ request }) => request).map(({ key }) => topics.command(device, key));
  const all = [...controls(COLLAR_ENTITIES, "<device>"), ...controls(BRIDGE_ENTITIES, "bridge")];
  expect(new Set(rows.map(([topic]) => code(topic)))).toEqual(new Set(all));
  for (const [topic, payloads = ""] of rows) {
    const key = topic?.split("/").at(-2);
    const row = [...COLLAR_ENTITIES, ...BRIDGE_ENTITIES].find((entity) => entity.key === key);
    const offered = [...payloads.matchAll(/`([^`]+)`/g)].map(([, payload = ""]) => payload);
    expect(offered).not.toEqual([]);
    expect(offered.filter((payload) => row?.request?.(payload, collar as never) === undefined)).toEqual([]);
  }
});

test("every mode that can be chosen is told of", () => {
  const told = tableRows(section(reference, "The modes")).flatMap(([names = ""]) => names.split(", "));
  expect(told.slice(1).toSorted()).toEqual(OFFERED_MODES.map(({ name }) => name).toSorted());
});

const PRODUCT = { manufacturer: "M", model: "M", website: "https://example.com" };
const latestFirmware = { version: "2", notes: "new" };
const listed = { id: 1, product: PRODUCT, accounts: { one: true }, firmware: "1", latestFirmware };
const station: HomeStation = { ...listed, kind: "homeStation", key: "station" };
const fix = { latitude: 51, longitude: 0, accuracyM: 5, satellites: 7, measuredAt: 0 };
const collar: Collar = { ...listed, kind: "collar", key: "collar", fix };
const account: Account = {
  kind: "account",
  key: "account:one",
  source: "one",
  deviceKey: "account",
  silentMs: 0,
  reachable: true,
  listed: true,
  confirmed: true,
};

/** The keys of a JSON object, and of the objects in it, in their order. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value).map(([key, inner]) => [key, shape(inner)]);
}

function published(entry: Device | Account, topic: string): unknown {
  const view = { state: new Map(), preferredPosition: "station" } as const;
  const position = positionMessage(entry, view, topics, 1);
  const messages = [...stateMessages(entry, view, topics, 1), ...(position ? [position] : [])];
  return parsed(messages.find((message) => message.topic === topic));
}

function parsed(message: Message | undefined): unknown {
  return JSON.parse(String(message?.payload ?? ""));
}

const COMPONENT = { name: "n", state: "running", sinceAt: 0 } as const;
const components: Component[] = [
  { ...COMPONENT, role: "publisher" },
  { ...COMPONENT, role: "source" },
];
const bridge: Bridge = { kind: "bridge", key: "bridge", version: "0", startedAt: 0, logLevel: "info", components };

test.each([
  ["Position", published(collar, topics.position("collar"))],
  ["Firmware", published(collar, topics.firmware("collar"))],
  ["State of an account", published(account, topics.state("account"))],
  ["How Pawline is", parsed(bridgeInfo(bridge, { status: null, seenAt: null }, topics))],
])("the example of %s has the keys of the message, in their order", (heading, message) => {
  const written: unknown = JSON.parse(codeBlock(section(reference, heading), "json"));
  expect(shape(written)).toEqual(shape(message));
});

test.each([
  ["State of a collar", published(collar, topics.state("collar"))],
  ["State of a home station", published(station, topics.state("station"))],
])("the example of %s has the keys of the message, in their order", (heading, message) => {
  const written: unknown = JSON.parse(codeBlock(section(reference, heading), "json"));
  expect(Object.keys(Object(written))).toEqual(Object.keys(Object(message)));
});

/** A command that failed; it is no difference between two states. */
function failure(): Happening[] {
  const store = createStore({ version: "0", startedAt: 0, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 0 });
  const collars = [{ key: "collar", id: 1, product: PRODUCT, report: {} }];
  store.dispatch({ type: "devicesListed", account: "one", at: 0, isConfirmed: true, collars, stations: [] });
  const command = { kind: "light", value: true } as const;
  store.dispatch({ type: "commandAsked", key: "collar", at: 0, command });
  store.dispatch({ type: "commandFailed", key: "collar", at: 0, command, reason: "why" });
  return [...store.activities(0)];
}

function between(before: Partial<Collar>, after: Partial<Collar>): Happening[] {
  return happenings({ ...collar, ...before }, { ...collar, ...after }, 0);
}

const HAPPENED: readonly Happening[] = [
  ...between({ atHome: false }, { atHome: true }),
  ...between({ atHome: true }, { atHome: false }),
  ...between({ batteryLow: false }, { batteryLow: true }),
  ...between({ charging: false }, { charging: true }),
  ...between({ charging: true }, { charging: false }),
  ...between({ mode: 1, modeSet: 1 }, { mode: 11, modeSet: 11 }),
  ...between({ mode: 11 }, { mode: 1 }),
  ...between({ contactLost: false }, { contactLost: true }),
  ...between({ contactLost: true }, { contactLost: false }),
  ...failure(),
];

test("every event is told of, with its fields", () => {
  const [, ...rows] = tableRows(section(reference, "What happened"));
  expect(rows.map(([type]) => code(type))).toEqual(ACTIVITY_TYPES);
  expect(new Set(HAPPENED.map(({ type }) => type))).toEqual(new Set(ACTIVITY_TYPES));
  for (const { type, details = {} } of HAPPENED) {
    const [, , told = ""] = rows.find(([cell]) => code(cell) === type) ?? [];
    // What stands in brackets or behind a comma explains the field.
    expect([...told.replace(/\([^)]*\)/g, "").matchAll(/`(\w+)`/g)].map(([, field]) => field)).toEqual(
      Object.keys(details),
    );
  }
});

test("the example of what happened has the keys of the message, in their order", () => {
  const [happened] = failure();
  if (happened === undefined) throw new Error("nothing happened");
  const message = parsed(activityMessage({ ...happened, device: "collar", sequence: 1 }, topics));
  expect(shape(JSON.parse(codeBlock(section(reference, "What happened to a collar"), "json")))).toEqual(shape(message));
});

function orders(): { context: Parameters<typeof obey>[3]; sent: Message[] } {
  const sent: Message[] = [];
  const state = new Map<string, Entry>([
    ["bridge", bridge],
    ["collar", { ...collar, light: true }],
  ]);
  const feed: Feed = {
    state,
    changes: () => (async function* () {})(),
    activities: () => [],
    ...idleBridge,
  };
  const view = { state, preferredPosition: "station" } as const;
  const log = { warn() {} };
  const publish = (message: Message): Promise<void> => {
    sent.push(message);
    return Promise.resolve();
  };
  return { context: { feed, view, topics, log: log as never, publish }, sent };
}

test("the example of a refused command has the keys of the message, in their order", () => {
  const { context, sent } = orders();
  obey("collar", "light", "MAYBE", context);
  const written: unknown = JSON.parse(codeBlock(section(reference, "Commands"), "json"));
  expect(shape(written)).toEqual(shape(parsed(sent[0])));
});

test("the examples of answers have the keys of the messages, in their order", () => {
  const { context, sent } = orders();
  answer("health", '{"transaction": 42}', context);
  answer("log_level", '{"level": "loud"}', context);
  const written = [0, 1].map((index): unknown => JSON.parse(codeBlock(section(reference, "Requests"), "json", index)));
  expect(written.map(shape)).toEqual(sent.map(parsed).map(shape));
  expect(written[1]).toEqual(parsed(sent[1]));
});

test("every request is told of", () => {
  const { context, sent } = orders();
  answer("x", "", context);
  const [, known = ""] = /there are ([a-z_, ]+)/.exec(String(sent[0]?.payload)) ?? [];
  const [, ...rows] = tableRows(section(reference, "Requests"));
  expect(new Set(rows.map(([command]) => code(command)))).toEqual(new Set(known.split(", ")));
  for (const [command, , data = ""] of rows) {
    const name = code(command) ?? "";
    const { context: fresh, sent: answers } = orders();
    answer(name, name === "log_level" ? '{"level": "debug"}' : "", fresh);
    const answered: unknown = Object(parsed(answers[0])).data;
    if (answered === undefined) expect(data).toBe("–");
    else if (!Array.isArray(answered)) {
      expect([...data.matchAll(/`(\w+)`/g)].map(([, key]) => key)).toEqual(Object.keys(Object(answered)));
    }
  }
});
