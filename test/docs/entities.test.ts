/** What the reference of entities and topics says is what is published. */
import { expect, test } from "vitest";
import { bridgeInfo, deviceMessages } from "../../src/discovery/messages.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import { BRIDGE_ENTITIES } from "../../src/entities/bridge.ts";
import { COLLAR_ENTITIES } from "../../src/entities/collar.ts";
import type { Entity } from "../../src/entities/entity.ts";
import { STATION_ENTITIES } from "../../src/entities/station.ts";
import type { Bridge, Collar, Component, Device, HomeStation } from "../../src/model/device.ts";
import { code, codeBlock, read, section, tableRows } from "./markdown.ts";

const reference = read("docs/entities.md");
const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });

/** Home Assistant's own names for entities that have none but their device class. */
const NAMES: Readonly<Record<string, string>> = {
  battery: "Battery",
  battery_charging: "Charging",
  connectivity: "Connectivity",
  signal_strength: "Signal strength",
};

type Told = Pick<Entity<never>, "key" | "platform" | "name" | "deviceClass" | "unit" | "category" | "enabled">;

function told({ key, platform, name, deviceClass, unit, category, enabled }: Told): (string | undefined)[] {
  const shownName = name === null ? "the pet's" : (name ?? NAMES[deviceClass ?? ""]);
  const place = [...(category === undefined ? [] : [category]), ...(enabled === false ? ["hidden"] : [])].join(", ");
  return [key, platform, shownName, unit ?? "–", place || "–"];
}

const TABLES: readonly (readonly [heading: string, entities: readonly Told[]])[] = [
  ["A collar", COLLAR_ENTITIES],
  ["A home station", STATION_ENTITIES],
  ["Pawline itself", BRIDGE_ENTITIES],
];

test.each(TABLES)("%s has the entities of the table", (heading, entities) => {
  const [, ...rows] = tableRows(section(reference, heading));
  const inDocument = rows.map(([key, ...cells]) => [code(key), ...cells.slice(0, 4)]);
  expect(inDocument).toHaveLength(entities.length);
  expect(inDocument).toEqual(expect.arrayContaining(entities.map(told)));
  expect(rows.filter((cells) => (cells[5] ?? "").length < 10)).toEqual([]);
});

test("every topic is told of", () => {
  const { state, position, availability, discovery, bridgeState, bridgeInfo: info } = topics;
  const all = [bridgeState, info, ...[state, position, availability, discovery].map((of) => of("<device>"))];
  const rows = tableRows(section(reference, "Topics")).map(([topic]) => code(topic));
  expect(rows).toEqual(expect.arrayContaining(all));
  expect(reference).toContain(`\`${topics.homeAssistantStatus}\``);
  expect(reference).toContain(`\`${topics.everyDiscovery}\``);
});

const PRODUCT = { manufacturer: "M", model: "M", website: "https://example.com" };
const listed = { id: 1, product: PRODUCT, accounts: { one: true } };
const station: HomeStation = { ...listed, kind: "homeStation", key: "station" };
const fix = { latitude: 51, longitude: 0, accuracyM: 5, satellites: 7, measuredAt: 0 };
const collar: Collar = { ...listed, kind: "collar", key: "collar", fix };

/** The keys of a JSON object, and of the objects in it, in their order. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value).map(([key, inner]) => [key, shape(inner)]);
}

function published(device: Device, topic: string): unknown {
  const messages = deviceMessages(device, { state: new Map(), preferredPosition: "station" }, topics, 1);
  return JSON.parse(messages.find((message) => message.topic === topic)?.payload ?? "");
}

const COMPONENT = { name: "n", state: "running", sinceAt: 0 } as const;
const components: Component[] = [
  { ...COMPONENT, role: "source" },
  { ...COMPONENT, role: "publisher" },
];
const bridge: Bridge = { kind: "bridge", key: "bridge", version: "0", startedAt: 0, components };

test.each([
  ["Position", published(collar, topics.position("collar"))],
  ["State of a home station", published(station, topics.state("station"))],
  ["How Pawline is", JSON.parse(bridgeInfo(bridge, { status: null, seenAt: null }, topics).payload)],
])("the example of %s has the keys of the message, in their order", (heading, message) => {
  const written: unknown = JSON.parse(codeBlock(section(reference, heading), "json"));
  expect(shape(written)).toEqual(shape(message));
});

test("the example of a collar's state has the keys of the message", () => {
  const written = JSON.parse(codeBlock(section(reference, "State of a collar"), "json")) as object;
  const message = published(collar, topics.state("collar")) as object;
  expect(Object.keys(written).toSorted()).toEqual(Object.keys(message).toSorted());
});
