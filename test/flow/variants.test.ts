/** Other topics, other qualities of service, no discovery. */
import { expect, test, vi } from "vitest";
import {
  configOf,
  HA_STATUS,
  moveIn,
  OWNER,
  openHouse,
  oreo,
  station,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { json } from "../support/recorder.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;

test_("all topics follow base_topic, prefix and status_topic", async (context) => {
  const discovery = { prefix: "ha/disco", status_topic: "ha/born" };
  const house = await moveIn(context, { mqtt: { base_topic: "house/cats", discovery } });
  const own = topicsOf("pettracer_14758", "house/cats", "ha/disco");
  const retained = await house.mqtt.retained();
  const base = "house/cats";
  expect([...retained.keys()].toSorted()).toEqual([
    "ha/disco/device/bridge/config",
    own.config,
    "ha/disco/device/pettracer_account_15979/config",
    "ha/disco/device/pettracer_hs_10775/config",
    `${base}/bridge/info`,
    `${base}/bridge/state`,
    own.availability,
    own.firmware,
    own.position,
    own.state,
    `${base}/pettracer_account_15979/state`,
    `${base}/pettracer_hs_10775/availability`,
    `${base}/pettracer_hs_10775/firmware`,
    `${base}/pettracer_hs_10775/state`,
  ]);
  const { availability, components } = configOf(retained.get(own.config));
  expect(availability).toEqual([{ topic: `${base}/bridge/state` }, { topic: own.availability }]);
  expect(components.battery?.state_topic).toBe(own.state);
  expect(components.tracker?.json_attributes_topic).toBe(own.position);
  expect(components.firmware?.state_topic).toBe(own.firmware);
  expect(components.activity?.state_topic).toBe(own.event);
  expect(components.light?.command_topic).toBe(own.command("light"));

  // The usual status topic is somebody else's here.
  const from = house.mqtt.mark;
  await house.mqtt.publish(HA_STATUS, "offline");
  await house.mqtt.publish("ha/born", "online");
  await house.online(from);
  expect(house.mqtt.of(own.config, from)).toHaveLength(1);
  const info = json(house.mqtt.latest(`${base}/bridge/info`) ?? "");
  expect(info.home_assistant).toMatchObject({ status: "online" });
});

test_("two bridges with topics of their own share a broker", async (context) => {
  const house = await moveIn(context);
  const other = await openHouse(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addCollar(OWNER.login, { id: 30 });
    },
    mqtt: { base_topic: "neighbour", discovery: { prefix: "homeassistant" } },
  });
  const from = house.mqtt.mark;
  await other.launch({ mqtt: { url: house.broker.url } });
  await house.mqtt.waitFor("neighbour/bridge/state", (text) => text === "online");
  await house.mqtt.waitFor(topicsOf("pettracer_30").config);
  const said = house.mqtt.messages.slice(from);
  expect(said.filter(({ topic }) => topic.includes("14758") || topic.startsWith("pawline/"))).toEqual([]);
});

test_.for([0, 1, 2] as const)("states and positions have the wanted quality of service, %i", async (qos, context) => {
  const house = await moveIn(context, { furnish: withBeacon, mqtt: { qos }, recorder: { qos: 2 } });
  house.push(14758, { bat: 3600, lastPos: { posLat: 51.5, posLong: -1, timeMeasure: "2026-07-01T00:00:00.000+0000" } });
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  await house.mqtt.waitForJson(oreo.position, { latitude: 51.5 });
  const qosOf = (topic: string): Set<number> =>
    new Set(
      house.mqtt
        .of(topic)
        .filter(({ retain }) => !retain)
        .map((message) => message.qos),
    );
  for (const topic of [oreo.state, oreo.position, station.state]) expect(qosOf(topic)).toEqual(new Set([qos]));
  for (const topic of [oreo.config, oreo.availability, "pawline/bridge/state", "pawline/bridge/info"]) {
    expect(qosOf(topic)).toEqual(new Set([1]));
  }
  const retained = await house.mqtt.retained();
  expect(configOf(retained.get(oreo.config)).qos).toBe(qos);
  expect(json(retained.get(oreo.state) ?? "")).toMatchObject({ battery: 17 });
  expect(retained.get("pawline/bridge/state")).toBe("online");
});

test_("the client id is kept over a restart, or is the configured one", async (context) => {
  const house = await moveIn(context);
  const daemons = (): string[] => house.broker.clients.filter((id) => id.startsWith("pawline-"));
  const [first] = daemons();
  expect(daemons()).toEqual([expect.stringMatching(/^pawline-[0-9a-f]{8}$/)]);
  await house.stop();
  await house.start();
  expect(daemons()).toEqual([first]);
  await house.stop();
  await house.start({ mqtt: { client_id: "pawline-of-the-attic" } });
  expect(daemons()).toEqual(["pawline-of-the-attic"]);
});

test_("the broker's credentials may hold any character", async (context) => {
  const login = { username: "cat@home:1", password: "p@ss:w/ör d#?%41" };
  const house = await moveIn(context, { broker: { authenticate: login }, mqtt: login, recorder: login });
  expect(house.mqtt.latest(oreo.availability)).toBe("online");
  expect(house.log).not.toContain("ör d#");
});

test_("the account's token is told nowhere", async (context) => {
  const house = await moveIn(context);
  const token = house.cloud.calls.at(-1)?.headers.authorization?.slice("Bearer ".length) ?? "";
  expect(token.length).toBeGreaterThan(20);
  house.cloud.faults.refuseConnections("closed");
  house.cloud.faults.dropStreams();
  await house.logged(/cannot be reached|ECONNREFUSED/);
  expect(house.log).not.toContain(token);
  expect(house.mqtt.messages.some(({ payload }) => payload.includes(token))).toBe(false);
});
