/** Discovery as text: topics there and back, messages for each entity, and what is read back of them. Pure. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type DiscoveryContext, describeDiscovery } from "../../src/discovery/config.ts";
import { createMemory, forgetDeleted, outdatedTopics, recall, standingOn } from "../../src/discovery/memory.ts";
import type { Message } from "../../src/discovery/messages.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import type { Collar } from "../../src/model/device.ts";
import { collarReport, NEW_COLLAR, NOON } from "../support/arbitraries.ts";
import { complaints } from "../support/hygiene.ts";
import { json } from "../support/recorder.ts";

const KEY = "pettracer_7";
const MOVING = '{"migrate_discovery": true}';
const topics = createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" });
const elsewhere = createTopics({ base: "attic", prefix: "homeassistant", statusTopic: "homeassistant/status" });

const level = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const prefix = fc.array(level, { minLength: 1, maxLength: 3 }).map((levels) => levels.join("/"));

test("a discovery topic is read as it was written", () => {
  fc.assert(
    fc.property(prefix, level, level, level, (first, device, platform, key) => {
      fc.pre(platform !== "device");
      const own = createTopics({ base: "pawline", prefix: first, statusTopic: "x" });
      expect(own.discovered(own.discovery(device))).toEqual({ device });
      expect(own.discovered(own.entityDiscovery(device, platform, key))).toEqual({ device, entity: { platform, key } });
    }),
  );
});

test("whatever else is read as a discovery topic is one", () => {
  const part = fc.oneof(level, fc.constantFrom("device", "config", "homeassistant", "", "+", "#", "\u0000"));
  const topic = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/")),
    fc.array(part, { maxLength: 4 }).map((parts) => `homeassistant/${parts.join("/")}/config`),
  );
  fc.assert(
    fc.property(topic, (text) => {
      const about = topics.discovered(text);
      if (about === undefined) return;
      const { device, entity } = about;
      const written = entity ? topics.entityDiscovery(device, entity.platform, entity.key) : topics.discovery(device);
      expect(written).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

function contextOf(collar: Collar, more: Partial<DiscoveryContext> = {}): DiscoveryContext {
  const view = { state: new Map([[KEY, collar]]), preferredPosition: "station" as const };
  const about = { version: "1", instance: "pawline-test", exclude: [] };
  return { mode: "component", topics, view, deleted: new Set(), qos: 1, ...about, ...more };
}

const collar = collarReport.map(({ fix, ...report }): Collar => {
  return { ...NEW_COLLAR, ...report, key: KEY, ...(fix && { fix: { measuredAt: NOON, ...fix } }) };
});

function textOf({ payload }: Message): string {
  return String(payload);
}

test("each entity's message is sound, and says what the device's message would", () => {
  fc.assert(
    fc.property(collar, (one) => {
      const { messages, components } = describeDiscovery(one, KEY, new Map(), contextOf(one));
      const said = messages().map((message, index) => ({ ...message, payload: textOf(message), index, at: 0 }));
      expect(complaints(said, { base: "pawline", prefix: "homeassistant" })).toEqual([]);
      expect(said.map(({ topic }) => topic)).toEqual(
        [...components].map(([key, platform]) => topics.entityDiscovery(KEY, platform, key)),
      );
      const whole = describeDiscovery(one, KEY, new Map(), contextOf(one, { mode: "device" })).messages();
      const { components: parts, ...root } = json(whole.map(textOf).join("")) as Record<string, object>;
      for (const { payload } of said) {
        const entity = json(payload);
        const key = String(entity.unique_id).slice(KEY.length + 1);
        const { platform, ...part } = (parts as Record<string, { platform: string }>)[key] ?? { platform: "" };
        expect(components.get(key)).toBe(platform);
        expect(entity).toEqual({ ...part, ...root });
      }
    }),
    { numRuns: 50 },
  );
});

test("what was published is read back, by the Pawline whose it is", () => {
  fc.assert(
    fc.property(collar, fc.constantFrom("device" as const, "component" as const), (one, mode) => {
      const { messages, components } = describeDiscovery(one, KEY, new Map(), contextOf(one, { mode }));
      const [memory, foreign] = [createMemory(), createMemory()];
      for (const message of messages()) {
        const about = topics.discovered(message.topic);
        if (about === undefined) throw new Error(`${message.topic} is no discovery topic`);
        expect(recall(message.topic, about, textOf(message), { memory, topics, mode })).toBe(true);
        const other = { memory: foreign, topics: elsewhere, mode };
        expect(recall(message.topic, about, textOf(message), other)).toBe(false);
      }
      expect(memory.components.get(KEY)).toEqual(components);
      expect(standingOn(KEY, { memory, topics, mode }).toSorted()).toEqual(
        messages()
          .map(({ topic }) => topic)
          .toSorted(),
      );
      expect(foreign).toEqual(createMemory());
    }),
    { numRuns: 50 },
  );
});

test("nothing that stands at a discovery topic makes the reader stumble, or is taken for ours", () => {
  const about = { device: KEY, entity: { platform: "sensor", key: "battery" } };
  const topic = topics.entityDiscovery(KEY, "sensor", "battery");
  const payload = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(
      '{"origin":{"name":"Pawline"}}',
      '{"origin":"Pawline","unique_id":"pettracer_7_battery","state_topic":"pawline/x"}',
      '{"origin":{"name":"Pawline"},"unique_id":"pettracer_7_signal","state_topic":"pawline/x"}',
      '{"origin":{"name":"Pawline"},"unique_id":"pettracer_7_battery","state_topic":["pawline/x"]}',
      '{"origin":{"name":"Pawline"},"unique_id":"pettracer_7_battery","state_topic":"pawline2/x"}',
      '{"origin":{"name":"Pawline"},"unique_id":"pettracer_7_battery","name":"pawline/x"}',
      '["Pawline"]',
    ),
  );
  fc.assert(
    fc.property(payload, (text) => {
      const memory = createMemory();
      expect(recall(topic, about, text, { memory, topics, mode: "component" })).toBe(false);
      expect(memory).toEqual(createMemory());
    }),
  );
});

test("a half moved entity is ours only once its device is known", () => {
  const memory = createMemory();
  const place = { memory, topics, mode: "device" } as const;
  const topic = topics.entityDiscovery(KEY, "sensor", "battery");
  expect(recall(topic, { device: KEY, entity: { platform: "sensor", key: "battery" } }, MOVING, place)).toBe(true);
  expect([memory.components.size, memory.outdated.size]).toEqual([0, 0]);
  expect([...outdatedTopics(KEY, place)]).toEqual([topic]);
  expect([...(memory.components.get(KEY) ?? [])]).toEqual([["battery", "sensor"]]);
});

test("an excluded or a deleted entity is not described; one that stood there is taken away", () => {
  const one: Collar = { ...NEW_COLLAR, key: KEY, batteryMv: 4_000, charging: true, signalDbm: -55 };
  const published = new Map([
    ["battery", "sensor"],
    ["steps", "sensor"],
  ]);
  const context = contextOf(one, { exclude: ["battery"], deleted: new Set([`${KEY}/charging`]) });
  const { messages, components, dropped } = describeDiscovery(one, KEY, published, context);
  expect(dropped).toEqual(published);
  expect(["battery", "charging", "signal"].filter((key) => components.has(key))).toEqual(["signal"]);
  const empty = messages().filter(({ payload }) => payload === "");
  expect(empty.map(({ topic }) => topic)).toEqual([
    topics.entityDiscovery(KEY, "sensor", "battery"),
    topics.entityDiscovery(KEY, "sensor", "steps"),
  ]);
  expect(messages().every(({ retain, qos }) => retain && qos === 1)).toBe(true);
});

test("a device counts as deleted when the last of its entities is", () => {
  const memory = createMemory();
  memory.components.set(
    KEY,
    new Map([
      ["battery", "sensor"],
      ["light", "switch"],
    ]),
  );
  const deleted = (platform: string, key: string) => forgetDeleted({ device: KEY, entity: { platform, key } }, memory);
  expect(deleted("switch", "battery")).toBeUndefined();
  expect(deleted("sensor", "signal")).toBeUndefined();
  expect(deleted("sensor", "battery")).toBe(`${KEY}/battery`);
  expect(deleted("sensor", "battery")).toBeUndefined();
  expect(deleted("switch", "light")).toBe(KEY);
  expect(memory.components.has(KEY)).toBe(false);
  expect([...memory.deleted].toSorted()).toEqual([KEY, `${KEY}/battery`, `${KEY}/light`]);
});
