import { afterEach, beforeEach, expect, test } from "vitest";
import type { Bridge } from "../../../src/model/device.ts";
import { type HomeAssistant, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { brokerCondition, isServedByBroker } from "../../../src/publishers/homeassistant/second-way.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";

const STARTED = Date.UTC(2026, 5, 1, 12, 0, 0, 345);

let fake: FakeHomeAssistant;
let ha: HomeAssistant;

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
  const options = homeAssistantOptions.parse({ url: fake.url, token: fake.moods.token });
  ha = await openConnection(await endpointOf(options), new AbortController().signal);
});

afterEach(async () => {
  ha.close();
  await fake.close();
});

function stateWith(...publishers: readonly ["mqtt" | "homeassistant", "running" | "waiting"][]) {
  const components = publishers.map(([name, state]) => ({ role: "publisher" as const, name, state, sinceAt: 0 }));
  const bridge: Bridge = {
    kind: "bridge",
    key: "bridge",
    version: "0",
    startedAt: STARTED,
    logLevel: "info",
    components,
  };
  return new Map([["bridge", bridge]]);
}

const CLIENT = "pawline-1a2b3c4d";

/** The device "Pawline" by MQTT, with its entity for the connection, which the user has renamed. */
function show(serial: string, connection: string, disabled_by?: string): void {
  fake.moods.devices = [
    { id: "d", config_entries: ["broker"], identifiers: [["mqtt", "pawline_bridge"]], serial_number: serial },
  ];
  const entity = { entity_id: "binary_sensor.mine", platform: "mqtt", unique_id: "bridge_connection", device_id: "d" };
  fake.moods.entities = [{ ...entity, ...(disabled_by !== undefined && { disabled_by }) }];
  fake.moods.states = [{ entity_id: "binary_sensor.mine", state: connection }];
}

const served = (state = stateWith(["mqtt", "running"])): Promise<boolean> =>
  isServedByBroker(state, { ha } as never, CLIENT);

test("how the broker's publisher does", () => {
  expect(brokerCondition(stateWith(["homeassistant", "running"]))).toBeUndefined();
  expect(brokerCondition(stateWith(["mqtt", "running"]))).toBe("running");
  expect(brokerCondition(stateWith(["mqtt", "waiting"]))).toBe("down");
});

test("a Home Assistant that has the bridge of our broker's publisher hears us by the broker", async () => {
  show(CLIENT, "on");
  expect(await served()).toBe(true);
});

test("also where the entity for the connection is disabled or excluded", async () => {
  show(CLIENT, "unavailable", "user");
  expect(await served()).toBe(true);
  fake.moods.entities = [];
  expect(await served()).toBe(true);
});

test("what an earlier configuration has left at a broker is no second way", async () => {
  show(CLIENT, "off");
  expect(await served()).toBe(false);
});

test("without a broker of ours nothing is asked", async () => {
  show(CLIENT, "on");
  expect(await served(stateWith(["homeassistant", "running"]))).toBe(false);
  expect(fake.commands).toEqual([]);
});

test.each([`${CLIENT}-websocket`, "pawline-another"])("the bridge %s comes by another way", async (serial) => {
  show(serial, "on");
  expect(await served()).toBe(false);
});

test("a Home Assistant without our devices is another one", async () => {
  expect(await served()).toBe(false);
});
