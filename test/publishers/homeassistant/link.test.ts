import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "../../../src/discovery/link.ts";
import type { Message } from "../../../src/discovery/messages.ts";
import { createLog } from "../../../src/lib/log.ts";
import { z } from "../../../src/lib/schema.ts";
import { createScrubber } from "../../../src/lib/scrub.ts";
import { type HomeAssistant, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { createLink } from "../../../src/publishers/homeassistant/mqtt/link.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";
import { topics } from "../../support/slow-link.ts";
import { memoryStream } from "../../support/stream.ts";
import { until } from "../../support/until.ts";

const STATE = topics.state("pettracer_1");
const CONFIG = topics.discovery("pettracer_1");

let fake: FakeHomeAssistant;
let ha: HomeAssistant;
let link: Link;
let output: ReturnType<typeof memoryStream>;
let stop: AbortController;

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
  const options = homeAssistantOptions.parse({ url: fake.url, token: fake.moods.token });
  ha = await openConnection(await endpointOf(options), new AbortController().signal);
  output = memoryStream();
  stop = new AbortController();
  const log = await createLog({ level: "debug", format: "json", scrubber: createScrubber(), output });
  link = createLink({ ha, topics, log, signal: stop.signal });
});

afterEach(async () => {
  stop.abort();
  ha.close();
  await fake.close();
});

function message(topic: string, payload: Message["payload"], retain = true): Message {
  return { topic, payload, retain, qos: 1 };
}

const payloads = (): string[] => fake.published().map(({ payload }) => payload);

/** Returns when all that was said before has been read, at both ends. */
async function fence(): Promise<void> {
  await ha.call({ type: "auth/current_user" }, z.unknown());
}

/** Holds the answers to all calls back until they are let go. */
function holdAnswers(): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  fake.moods.answer = () => promise;
  return () => {
    fake.moods.answer = () => Promise.resolve(undefined);
    resolve(undefined);
  };
}

test("what the broker retains already is not sent again; what is not retained always is", async () => {
  fake.moods.retained.set(STATE, "old");
  await link.subscribe([], () => {});
  await link.publish(message(STATE, "old"));
  await link.publish(message(STATE, "new"));
  await link.publish(message(STATE, "new"));
  await link.publish(message(topics.bridgeState, "online", false));
  await link.publish(message(topics.bridgeState, "online", false));
  await link.flush();
  expect(payloads()).toEqual(["new", "online", "online"]);
});

test("what somebody else has cleared is sent again", async () => {
  await link.subscribe([], () => {});
  await link.publish(message(STATE, "state"));
  await link.flush();
  fake.publish(STATE, "", false);
  await fence();
  await link.publish(message(STATE, "state"));
  await link.flush();
  expect(payloads()).toEqual(["state", "state"]);
});

test("when Home Assistant has found back to its broker, nothing is known of what that retains", async () => {
  await link.subscribe([topics.homeAssistantStatus], () => {});
  await link.publish(message(STATE, "state"));
  await link.flush();
  fake.publish(topics.homeAssistantStatus, "online", false);
  await fence();
  await link.publish(message(STATE, "state"));
  await link.flush();
  expect(payloads()).toEqual(["state", "state"]);
});

test("eight messages are under way at most, and two on one topic never", async () => {
  await link.publish(message(topics.state("pioneer"), "x"));
  await link.flush();
  const letGo = holdAnswers();
  const all = [
    link.publish(message(STATE, "first")),
    link.publish(message(STATE, "second")),
    ...Array.from({ length: 12 }, (_, index) => link.publish(message(topics.state(`other_${index}`), "x"))),
  ];
  await until(() => fake.published().length === 9, "eight messages");
  await fence();
  expect(fake.published()).toHaveLength(9);
  expect(payloads().filter((payload) => payload !== "x")).toEqual(["first"]);
  letGo();
  await Promise.all(all);
  await link.flush();
  expect(fake.published()).toHaveLength(15);
  expect(payloads().filter((payload) => payload !== "x")).toEqual(["first", "second"]);
});

test("a description waits for all before it, and is done when it is answered", async () => {
  const letGo = holdAnswers();
  await link.publish(message(STATE, "before"));
  let isThrough = false;
  const described = link.publish(message(CONFIG, "description")).then(() => {
    isThrough = true;
  });
  await fence();
  expect(payloads()).toEqual(["before"]);
  letGo();
  const letDescriptionGo = holdAnswers();
  await until(() => payloads().includes("description"), "the description");
  await fence();
  expect(isThrough).toBe(false);
  letDescriptionGo();
  await described;
});

test("behind another description the states are sent again, behind a first one not", async () => {
  await link.subscribe([], () => {});
  await link.publish(message(CONFIG, "first"));
  await link.publish(message(STATE, "state"));
  await link.publish(message(CONFIG, "second"));
  await link.publish(message(STATE, "state"));
  await link.flush();
  expect(payloads()).toEqual(["first", "state", "second", "state"]);
});

test("a device is cleared away with all that it had, even behind its description", async () => {
  fake.moods.retained.set(CONFIG, "description");
  fake.moods.retained.set(STATE, "state");
  await link.subscribe(topics.everyDiscovery, () => {});
  await link.publish(message(CONFIG, ""));
  await link.publish(message(STATE, ""));
  await link.publish(message(topics.position("pettracer_2"), ""));
  await link.flush();
  expect(fake.published().map(({ topic }) => topic)).toEqual([CONFIG, STATE]);
});

test("that the bridge is there is said again all the same, as a sign of life", async () => {
  fake.moods.retained.set(topics.bridgeState, "online");
  await link.subscribe([], () => {});
  await link.publish(message(topics.bridgeState, "online"));
  expect(fake.published()).toEqual([{ topic: topics.bridgeState, payload: "online", retain: false }]);
});

test("bytes go as base64, and nothing goes that Home Assistant would not keep", async () => {
  await link.publish(message(topics.photo("pettracer_1"), new Uint8Array([1, 2, 3])));
  await link.publish(message(STATE, "x".repeat(33_000)));
  await link.flush();
  expect(payloads()).toEqual(["AQID"]);
  expect(output.text()).toMatch(
    /pettracer_1\/state: left out, since it is larger than Home Assistant stores \(32 kB\)/,
  );
});

test("while the broker is away one message waits for it; when it is back, everything goes on", async () => {
  await link.subscribe([topics.homeAssistantStatus], () => {});
  fake.moods.answer = () => Promise.resolve("The client is not currently connected.");
  const all = [link.publish(message(STATE, "first")), link.publish(message(topics.state("other"), "second"))];
  await until(() => output.text().includes("does not reach its broker"), "a word about it");
  await fence();
  expect(payloads()).toEqual(["first"]);
  fake.moods.answer = () => Promise.resolve(undefined);
  fake.publish(topics.homeAssistantStatus, "online", false);
  await Promise.all(all);
  await link.flush();
  expect(payloads()).toEqual(["first", "first", "second"]);
});

test("whoever waits for the broker is let down at the end", async () => {
  fake.moods.answer = () => Promise.resolve("The client is not currently connected.");
  await link.publish(message(STATE, "state"));
  await until(() => output.text().includes("does not reach its broker"), "a word about it");
  stop.abort();
  await expect(link.flush()).rejects.toThrow("stopped while the broker was away");
  await expect(link.publish(message(STATE, "next"))).rejects.toThrow("stopped while the broker was away");
});

test("a refusal of another kind ends the session", async () => {
  fake.moods.refusal = "unauthorized";
  fake.moods.answer = () => Promise.resolve("Unauthorized");
  await link.publish(message(STATE, "state"));
  await expect(link.flush()).rejects.toThrow("Home Assistant refused a message");
});

test("messages are heard with what they are: retained or not", async () => {
  const heard: object[] = [];
  fake.moods.retained.set(topics.bridgeInfo, "{}");
  await link.subscribe([topics.bridgeInfo, topics.everyCommand], (received) => heard.push(received));
  fake.publish("pawline/pettracer_1/light/set", "ON", false);
  await until(() => heard.length === 2, "two messages");
  expect(heard).toEqual([
    { topic: topics.bridgeInfo, payload: "{}", retained: true },
    { topic: "pawline/pettracer_1/light/set", payload: "ON", retained: false },
  ]);
});

test("Home Assistant's own filters are not used: it would read what comes as we asked for it", async () => {
  await link.subscribe(
    [topics.bridgeInfo, topics.homeAssistantStatus, ...topics.everyDiscovery, "pawline/#"],
    () => {},
  );
  const filters = fake.commands.filter(({ type }) => type === "mqtt/subscribe").map(({ topic }) => String(topic));
  expect(filters.toSorted()).toEqual([
    "homeassistant/+",
    "homeassistant/+/+/+/+",
    "homeassistant/device/+/+",
    "pawline/+/#",
    "pawline/+/+",
    "pawline/bridge/+",
  ]);
});

test("what two filters fit is heard once", async () => {
  const heard: string[] = [];
  await link.subscribe([topics.bridgeInfo, "pawline/#"], ({ topic }) => heard.push(topic));
  fake.publish(topics.bridgeInfo, "{}", false);
  fake.publish("pawline", "whole", false);
  fake.publish("pawline/a/b/c/d", "deep", false);
  await fence();
  expect(heard).toEqual([topics.bridgeInfo, "pawline/a/b/c/d"]);
});
