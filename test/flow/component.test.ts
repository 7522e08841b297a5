/** One discovery message for each entity, for hubs that read no others; and the way there, back, and out. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { VERSION } from "../../src/lib/about.ts";
import { Child } from "../support/child.ts";
import {
  BRIDGE_STATE,
  configOf,
  describedBy,
  HA_STATUS,
  type House,
  moveIn,
  OREO,
  OWNER,
  openHouse,
  oreo,
  stationAndOreo,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { type Json, json, type Message } from "../support/recorder.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 90_000 });

const test_ = test.concurrent;

type Mode = "device" | "component" | "off";

function by(mode: Mode) {
  return { mqtt: { discovery: { mode } } };
}

const MOVING = '{"migrate_discovery": true}';
/** What is long enough for a move, and for the states behind it. */
const MOVE_MS = 40_000;

function entityTopic(platform: string, key: string, device = "pettracer_14758"): string {
  return `homeassistant/${platform}/${device}/${key}/config`;
}

/** The discovery topics of all entities that these device-based messages describe. */
function entityTopics(retained: ReadonlyMap<string, string>): string[] {
  return [...retained].flatMap(([topic, payload]) => {
    const device = /^homeassistant\/device\/(.+)\/config$/.exec(topic)?.[1];
    if (device === undefined) return [];
    const components = Object.entries(configOf(payload).components);
    return components.map(([key, { platform }]) => entityTopic(platform, key, device));
  });
}

function isDiscovery(topic: string): boolean {
  return topic.startsWith("homeassistant/");
}

/** What is announced, whatever the mode: by unique id, all that Home Assistant makes the entity of. */
/** The bridge's serial number, made up by each house for itself. */
const OWN_NUMBER = /pawline-[0-9a-f]{8}/;

function entitiesOf(retained: ReadonlyMap<string, string>): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const [topic, payload] of retained) {
    if (!isDiscovery(topic) || !topic.endsWith("/config")) continue;
    const { components, ...root } = configOf(payload.replace(OWN_NUMBER, "pawline-of-any-house"));
    const [, platform = ""] = topic.split("/");
    const configs = platform === "device" ? Object.values(components) : [{ platform }];
    for (const config of configs) {
      const entity = { ...root, ...config } as Json;
      found.set(String(entity.unique_id), entity);
    }
  }
  return found;
}

/** The topics that a house has in each mode, learned from one in mode `device`. */
interface Expected {
  readonly device: readonly string[];
  readonly component: readonly string[];
  readonly off: readonly string[];
  readonly entities: ReadonlyMap<string, Json>;
}

async function learn(house: House): Promise<Expected> {
  const retained = await house.mqtt.retained();
  const own = [...retained.keys()].filter((topic) => !isDiscovery(topic));
  return {
    device: [...retained.keys()].toSorted(),
    component: [...own, ...entityTopics(retained)].toSorted(),
    off: own.toSorted(),
    entities: entitiesOf(retained),
  };
}

/** Nothing is missing, nothing is left behind, and each entity is what it was. */
async function expectMoved(house: House, mode: Mode, expected: Expected): Promise<void> {
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].toSorted()).toEqual(expected[mode]);
  if (mode !== "off") expect(entitiesOf(retained)).toEqual(expected.entities);
  expect(house.mqtt.latest(BRIDGE_STATE)).toBe("online");
}

/** The bridge and all devices stand in this mode since `from`, and their states are said again. */
async function moved(house: House, mode: "device" | "component", from: number): Promise<void> {
  const lastOf = (device: string): string =>
    mode === "device" ? topicsOf(device).config : entityTopic("sensor", LAST[device] ?? "", device);
  for (const device of Object.keys(LAST)) {
    await house.mqtt.waitFor(lastOf(device), (text) => text !== "" && text !== MOVING, { from, ms: MOVE_MS });
  }
  await house.settled(from);
}

/** A sensor that each device has. */
const LAST: Readonly<Record<string, string>> = {
  pettracer_hs_10775: "last_contact",
  pettracer_account_15979: "subscription_ends",
  bridge: "started",
  pettracer_14758: "telegram_number",
};

test_("each entity has a message of its own, which says all that the device's would", async (context) => {
  const house = await moveIn(context);
  const expected = await learn(house);
  const other = await moveIn(context, by("component"));
  const retained = await other.mqtt.retained();
  expect([...retained.keys()].toSorted()).toEqual(expected.component);
  expect(entitiesOf(retained)).toEqual(expected.entities);
  expect(json(retained.get(entityTopic("sensor", "battery")) ?? "")).toEqual({
    unique_id: "pettracer_14758_battery",
    default_entity_id: "sensor.oreo_battery",
    device_class: "battery",
    unit_of_measurement: "%",
    state_class: "measurement",
    entity_category: "diagnostic",
    state_topic: "pawline/pettracer_14758/state",
    value_template: "{{ value_json.battery }}",
    device: {
      identifiers: ["pettracer_14758"],
      name: "Oreo",
      manufacturer: "PetTracer",
      model: "GPS collar",
      serial_number: "14758",
      hw_version: "10.5.3",
      sw_version: "10.4.9",
      configuration_url: "https://portal.pettracer.com",
      via_device: "pettracer_hs_10775",
    },
    origin: { name: "Pawline", sw_version: VERSION },
    availability: [{ topic: "pawline/bridge/state" }, { topic: "pawline/pettracer_14758/availability" }],
    availability_mode: "all",
    qos: 1,
  });
});

test_(
  "states come before the messages that read them, parents before children, and once more behind",
  async (context) => {
    const house = await moveIn(context, by("component"));
    const configs = house.mqtt.messages.filter(({ topic }) => topic.endsWith("/config"));
    const first = (topic: string): number => house.mqtt.of(topic)[0]?.index ?? Number.NaN;
    const ofOreo = configs.filter(({ topic }) => describedBy(topic) === "pettracer_14758");
    for (const { index } of ofOreo) {
      for (const topic of [oreo.state, oreo.position, oreo.availability, oreo.firmware]) {
        expect(first(topic)).toBeLessThan(index);
      }
      expect(first(entityTopic("sensor", "pets_at_home", "pettracer_hs_10775"))).toBeLessThan(index);
      expect(first(BRIDGE_STATE)).toBeGreaterThan(index);
    }
    expect(house.mqtt.of(oreo.state).at(-1)?.index).toBeGreaterThan(ofOreo.at(-1)?.index ?? Number.NaN);
    expect(configs.map(({ qos, payload }) => [qos, payload === ""])).toEqual(configs.map(() => [0, false]));
  },
);

/** Told on each old topic, more than once; then the old topics go; then the new ones come. */
function expectOrder(messages: readonly Message[], from: Mode, device: string): void {
  const isOld = ({ topic }: Message): boolean => topic.startsWith("homeassistant/device/") === (from === "device");
  const ofDevice = messages.filter(({ topic }) => topic.endsWith("/config") && describedBy(topic) === device);
  const old = ofDevice.filter((message) => isOld(message) && !message.retain);
  const [first] = ofDevice.filter((message) => !isOld(message));
  const topics = new Set(old.map(({ topic }) => topic));
  for (const topic of topics) {
    const said = old.filter((message) => message.topic === topic);
    const payloads = said.map(({ payload }) => payload);
    expect(payloads.slice(0, -1)).toEqual(payloads.slice(0, -1).map(() => MOVING));
    expect(payloads.length).toBeGreaterThan(2);
    expect(payloads.at(-1)).toBe("");
    // Home Assistant has had the time to let go, however busy it was.
    expect((said.at(-1)?.at ?? 0) - (said[0]?.at ?? 0)).toBeGreaterThan(4_000);
    expect(said.at(-1)?.index).toBeLessThan(first?.index ?? Number.NaN);
  }
  expect(topics.size).toBeGreaterThan(0);
}

test_("device, component and device again, over restarts", async (context) => {
  const house = await moveIn(context);
  const expected = await learn(house);
  for (const [from, to] of [
    ["device", "component"],
    ["component", "device"],
  ] as const) {
    await house.stop();
    const mark = house.mqtt.mark;
    await house.launch(by(to));
    await house.online(mark);
    await moved(house, to, mark);
    await expectMoved(house, to, expected);
    for (const device of Object.keys(LAST)) expectOrder(house.mqtt.messages.slice(mark), from, device);
  }
});

test_("device, component and device again, over reloads, and no `offline`", async (context) => {
  const house = await moveIn(context);
  const expected = await learn(house);
  for (const mode of ["component", "device"] as const) {
    const mark = house.mqtt.mark;
    await house.reload(by(mode));
    await moved(house, mode, mark);
    await expectMoved(house, mode, expected);
    expect(house.mqtt.of(BRIDGE_STATE, mark).map(({ payload }) => payload)).not.toContain("offline");
  }
});

test_("back again before the move is done", async (context) => {
  const house = await moveIn(context);
  const expected = await learn(house);
  const mark = house.mqtt.mark;
  await house.reload(by("component"));
  await house.mqtt.waitFor(oreo.config, (text) => text === MOVING, { from: mark });
  const back = house.mqtt.mark;
  await house.reload(by("device"));
  await moved(house, "device", back);
  await expectMoved(house, "device", expected);
});

/** Waits for the moment at which the program is killed. */
type Moment = (house: House, from: number) => Promise<unknown>;

const moments: readonly (readonly [name: string, to: "device" | "component", moment: Moment])[] = [
  [
    "told that it moves to component",
    "component",
    (house, from) => house.mqtt.waitFor(oreo.config, (text) => text === MOVING, { from, ms: MOVE_MS }),
  ],
  [
    "taken from its old topic",
    "component",
    (house, from) => house.mqtt.waitFor(oreo.config, (text) => text === "", { from, ms: MOVE_MS }),
  ],
  [
    "half in component",
    "component",
    (house, from) => house.mqtt.waitFor(entityTopic("switch", "light"), undefined, { from, ms: MOVE_MS }),
  ],
  [
    "told that it moves to device",
    "device",
    (house, from) =>
      house.mqtt.waitFor(entityTopic("sensor", "battery"), (text) => text === MOVING, { from, ms: MOVE_MS }),
  ],
  [
    "half taken from its old topics",
    "device",
    (house, from) => house.mqtt.waitFor(entityTopic("switch", "light"), (text) => text === "", { from, ms: MOVE_MS }),
  ],
];

test_.for(moments)("killed when a device is %s, it goes on at the next start", async ([, to, moment], context) => {
  const house = await moveIn(context);
  const expected = await learn(house);
  await house.stop();
  if (to === "device") {
    const mark = house.mqtt.mark;
    await house.launch(by("component"));
    await moved(house, "component", mark);
    await house.stop();
  }
  const child = new Child(house, context, by(to).mqtt);
  const killed = house.mqtt.mark;
  child.launch();
  await moment(house, killed);
  await child.kill();

  const from = house.mqtt.mark;
  await house.launch(by(to));
  await house.online(from);
  await moved(house, to, from);
  await expectMoved(house, to, expected);
});

test_("killed in a move, it goes back where the user changes his mind", async (context) => {
  const house = await moveIn(context, by("component"));
  await house.stop();
  const child = new Child(house, context, by("device").mqtt);
  const killed = house.mqtt.mark;
  child.launch();
  await house.mqtt.waitFor(entityTopic("switch", "light"), (text) => text === "", { from: killed, ms: MOVE_MS });
  await child.kill();
  const before = await moveIn(context);
  const expected = await learn(before);

  const from = house.mqtt.mark;
  await house.launch(by("component"));
  await house.online(from);
  await moved(house, "component", from);
  await expectMoved(house, "component", expected);
});

test_(
  "a Home Assistant that starts in the middle of a move is told again before the old topics go",
  async (context) => {
    const house = await moveIn(context);
    await house.reload(by("component"));
    const told = (from: number): Promise<Message> =>
      house.mqtt.waitFor(oreo.config, (text) => text === MOVING, { from, ms: MOVE_MS });
    await told((await told(house.mqtt.mark)).index + 1);
    const born = house.mqtt.mark;
    await house.mqtt.publish(HA_STATUS, "online");
    const gone = await house.mqtt.waitFor(oreo.config, (text) => text === "", { from: born, ms: MOVE_MS });
    expect(house.mqtt.of(oreo.config, born).filter(({ payload }) => payload === MOVING).length).toBeGreaterThan(3);
    house.push(14758, { bat: 3_600, lastContact: new Date().toISOString().replace("Z", "+0000") });
    await house.mqtt.waitFor(oreo.event, undefined, { from: gone.index, ms: MOVE_MS });
    await house.mqtt.waitFor(entityTopic("sensor", "battery"), undefined, { from: gone.index });
    await house.settled(gone.index);
  },
);

test_("what the user excludes together with a move is removed in the old way, and not moved", async (context) => {
  const house = await moveIn(context);
  const signal = entityTopic("sensor", "signal");
  const there = house.mqtt.mark;
  await house.reload({ ...by("component"), entities: { exclude: ["signal"] } });
  await moved(house, "component", there);
  const [removal, ...others] = house.mqtt.of(oreo.config, there).filter(({ retain }) => !retain);
  expect(configOf(removal?.payload).components.signal).toEqual({ platform: "sensor" });
  expect(others[0]?.payload).toBe(MOVING);
  expect(house.mqtt.of(signal, there)).toEqual([]);

  const back = house.mqtt.mark;
  await house.reload({ ...by("device"), entities: { exclude: ["signal", "charging"] } });
  await moved(house, "device", back);
  const charging = house.mqtt.of(entityTopic("binary_sensor", "charging"), back).filter(({ retain }) => !retain);
  expect(charging.map(({ payload }) => payload)).toEqual([""]);
  const components = configOf((await house.mqtt.retained()).get(oreo.config)).components;
  expect(["signal", "charging", "battery"].filter((key) => key in components)).toEqual(["battery"]);
});

test_("what happens during a move waits until there is an entity to hear it", async (context) => {
  const house = await moveIn(context, { home: { flap_time: "0s" } });
  const from = house.mqtt.mark;
  await house.reload(by("component"));
  await house.mqtt.waitFor(oreo.config, (text) => text === MOVING, { from });
  house.push(14758, { bat: 3_600, lastContact: new Date().toISOString().replace("Z", "+0000") });
  const told = await house.mqtt.waitFor(oreo.event, undefined, { from, ms: MOVE_MS });
  const activity = await house.mqtt.waitFor(entityTopic("event", "activity"), undefined, { from, ms: MOVE_MS });
  expect(json(told.payload)).toMatchObject({ event_type: "battery_low" });
  expect(told.at - activity.at).toBeGreaterThan(1_500);
});

test_.for<readonly [Mode]>([["device"], ["component"]])(
  "off takes back what %s has announced, and nothing else",
  async ([mode], context) => {
    const house = await openHouse(context, by(mode));
    const foreign = { "homeassistant/sensor/pettracer_1/x/config": MOVING, "homeassistant/sensor/y/config": "{}" };
    for (const [topic, payload] of Object.entries(foreign)) await house.mqtt.publish(topic, payload, true);
    await house.start();
    const own = [...(await house.mqtt.retained()).keys()].filter((topic) => !isDiscovery(topic));
    const from = house.mqtt.mark;
    await house.reload(by("off"));
    const last = entityTopic("sensor", "telegram_number");
    await house.mqtt.waitFor(mode === "device" ? oreo.config : last, (text) => text === "", { from });
    await house.mqtt.waitFor(oreo.state, undefined, { from });
    const retained = await house.mqtt.retained();
    expect([...retained.keys()].toSorted()).toEqual([...own, ...Object.keys(foreign)].toSorted());
    await house.logged(/pettracer_14758 leaves the messages of another mqtt.discovery.mode/);
  },
);

test_("an entity that is excluded goes by its topic, and comes back", async (context) => {
  const house = await moveIn(context, by("component"));
  const signal = entityTopic("sensor", "signal");
  const from = house.mqtt.mark;
  await house.reload({ ...by("component"), entities: { exclude: ["signal"] } });
  await house.mqtt.waitFor(signal, (text) => text === "", { from });
  const retained = await house.mqtt.retained();
  expect([...retained.keys()].filter((topic) => topic.includes("signal"))).toEqual([
    entityTopic("sensor", "signal_quality"),
  ]);
  const back = house.mqtt.mark;
  await house.reload({ ...by("component"), entities: { exclude: [] } });
  await house.mqtt.waitFor(signal, (text) => text.includes("unique_id"), { from: back });
});

test_(
  "what the cloud tells of for the first time is one more message, and the others are not said again",
  async (context) => {
    const house = await moveIn(context, {
      ...by("component"),
      furnish(cloud) {
        cloud.addAccount(OWNER);
        cloud.addCollar(OWNER.login, { ...OREO, chg: undefined, masterHs: undefined });
      },
    });
    const from = house.mqtt.mark;
    house.push(14758, { chg: 1 });
    await house.mqtt.waitFor(entityTopic("binary_sensor", "charging"), undefined, { from });
    const configs = house.mqtt.messages.slice(from).filter(({ topic }) => topic.endsWith("/config"));
    expect(configs.map(({ topic }) => topic)).toEqual([entityTopic("binary_sensor", "charging")]);
  },
);

test_("a rename is told in every message, with the same ids", async (context) => {
  const house = await moveIn(context, by("component"));
  const before = entitiesOf(await house.mqtt.retained());
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Cookie" } });
  await house.mqtt.waitFor(entityTopic("binary_sensor", "owner"), undefined, { from });
  const after = entitiesOf(await house.mqtt.retained());
  expect([...after.keys()]).toEqual(expect.arrayContaining([...before.keys()]));
  expect(after.size).toBe(before.size);
  for (const [id, { device }] of after) {
    if (id.startsWith("pettracer_14758_")) expect(device).toMatchObject({ name: "Cookie" });
  }
});

test_("a photo is an entity as long as there is one; its message goes first", async (context) => {
  const photo = entityTopic("image", "photo");
  const house = await moveIn(context, {
    ...by("component"),
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.removeDevice(14758);
      cloud.addImage("oreo", Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      cloud.addCollar(OWNER.login, { ...OREO, details: { ...OREO.details, img: "oreo" } });
    },
  });
  const { payload } = await house.mqtt.waitFor(photo);
  expect(json(payload)).toMatchObject({ image_topic: "pawline/pettracer_14758/photo", content_type: "image/jpeg" });
  await house.mqtt.waitFor("pawline/pettracer_14758/photo", (text) => text !== "");
  const from = house.mqtt.mark;
  house.push(14758, { details: { name: "Oreo", img: null, image: null } });
  const gone = await house.mqtt.waitFor(photo, (text) => text === "", { from });
  const cleared = await house.mqtt.waitFor("pawline/pettracer_14758/photo", (text) => text === "", { from });
  expect(cleared.at - gone.at).toBeGreaterThan(1_000);
});

test_("a component that was published once stays, though the cloud is silent about it", async (context) => {
  const house = await moveIn(context, by("component"));
  await house.stop();
  rmSync(join(house.dataDir, "devices.json"));
  house.cloud.removeDevice(14758);
  house.cloud.addCollar(OWNER.login, { ...OREO, chg: undefined });
  const before = [...(await house.mqtt.retained()).keys()].toSorted();
  await house.start();
  expect([...(await house.mqtt.retained()).keys()].toSorted()).toEqual(before);
});

test_("a device that leaves the account goes by all its topics, discovery first", async (context) => {
  const house = await moveIn(context, { ...by("component"), account: { refresh: "2s" } });
  const from = house.mqtt.mark;
  house.cloud.removeDevice(14758);
  const gone = await house.mqtt.waitFor(entityTopic("sensor", "battery"), (text) => text === "", { from });
  const cleared = await house.mqtt.waitFor(oreo.state, (text) => text === "", { from });
  expect(cleared.at - gone.at).toBeGreaterThan(1_000);
  await house.mqtt.waitFor(oreo.position, (text) => text === "", { from });
  const left = [...(await house.mqtt.retained()).keys()].filter((topic) => topic.includes("pettracer_14758"));
  expect(left).toEqual([]);
});

test_.for<readonly [Mode, Mode]>([
  ["device", "component"],
  ["component", "device"],
  ["component", "component"],
])("a device that left while the program was down in mode %s goes in mode %s", async ([before, after], context) => {
  const house = await moveIn(context, by(before));
  await house.stop();
  house.cloud.removeDevice(14758);
  const from = house.mqtt.mark;
  await house.launch(by(after));
  await house.mqtt.waitFor(oreo.position, (text) => text === "", { from, ms: MOVE_MS });
  const left = [...(await house.mqtt.retained()).keys()].filter((topic) => topic.includes("pettracer_14758"));
  expect(left).toEqual([]);
});

/** As Home Assistant does when its user deletes a device. */
async function deleteDevice(house: House, device: string): Promise<void> {
  const topics = [...(await house.mqtt.retained()).keys()].filter((topic) => topic.endsWith("/config"));
  for (const topic of topics) if (describedBy(topic) === device) await house.mqtt.publish(topic, "", true);
}

test_("an entity that was deleted in Home Assistant stays away until it is asked for again", async (context) => {
  const house = await moveIn(context, { ...by("component"), furnish: withBeacon });
  const battery = entityTopic("sensor", "battery");
  const from = house.mqtt.mark;
  await house.mqtt.publish(battery, "", true);
  await house.logged(/pettracer_14758\/battery was deleted in Home Assistant/);
  house.push(14758, { details: { name: "Cookie" } });
  await house.mqtt.waitFor(entityTopic("sensor", "distance"), undefined, { from });
  const born = house.mqtt.mark;
  await house.mqtt.publish(HA_STATUS, "online");
  await house.online(born);
  await house.fence();
  expect(house.mqtt.of(battery, from).map(({ payload }) => payload)).toEqual([""]);
  expect(house.mqtt.of(entityTopic("sensor", "distance"), born)).toHaveLength(1);
  const again = house.mqtt.mark;
  await house.mqtt.publish("pawline/bridge/request/republish", "");
  await house.mqtt.waitFor(battery, (text) => text.includes("Cookie"), { from: again });
});

test_(
  "a device that was deleted in Home Assistant stays away until the next start, and is no parent",
  async (context) => {
    const house = await moveIn(context, { ...by("component"), furnish: withBeacon });
    const from = house.mqtt.mark;
    await deleteDevice(house, "pettracer_hs_10775");
    await house.logged(/"pettracer_hs_10775 was deleted in Home Assistant/);
    const { payload } = await house.mqtt.waitFor(entityTopic("sensor", "battery"), undefined, { from });
    expect(json(payload).device).not.toHaveProperty("via_device");
    const born = house.mqtt.mark;
    await house.mqtt.publish(HA_STATUS, "online");
    await house.online(born);
    await house.fence();
    const said = house.mqtt.messages.slice(born).filter(({ topic }) => describedBy(topic) === "pettracer_hs_10775");
    expect(said).toEqual([]);
    await house.stop();
    const again = house.mqtt.mark;
    await house.start();
    await house.mqtt.waitFor(entityTopic("sensor", "pets_at_home", "pettracer_hs_10775"), undefined, { from: again });
  },
);

test_.for<readonly [Mode]>([["device"], ["component"]])(
  "an account that was deleted in Home Assistant stays away, in mode %s",
  async ([mode], context) => {
    const house = await moveIn(context, { ...by(mode), furnish: withBeacon });
    await deleteDevice(house, "pettracer_account_15979");
    await house.logged(/"pettracer_account_15979 was deleted in Home Assistant/);
    const born = house.mqtt.mark;
    await house.mqtt.publish(HA_STATUS, "online");
    await house.online(born);
    await house.fence();
    const configs = house.mqtt.messages.slice(born).filter(({ topic }) => topic.endsWith("/config"));
    expect(configs.length).toBeGreaterThan(2);
    expect(configs.filter(({ topic }) => describedBy(topic) === "pettracer_account_15979")).toEqual([]);
  },
);

test_(
  "other programs' entities are left alone, also with names like ours, and in the middle of their own move",
  async (context) => {
    const house = await openHouse(context, by("component"));
    const entity = { unique_id: "x", state_topic: "zigbee2mqtt/x", origin: { name: "zigbee2mqtt" } };
    const foreign: Readonly<Record<string, string>> = {
      "homeassistant/sensor/0x1234/battery/config": JSON.stringify(entity),
      "homeassistant/sensor/0x1234/signal/config": MOVING,
      "homeassistant/device/0x1234/config": MOVING,
      "homeassistant/sensor/elsewhere/battery/config": JSON.stringify({
        ...entity,
        unique_id: "elsewhere_battery",
        origin: { name: "Pawline" },
        state_topic: "pawline2/elsewhere/state",
      }),
      "homeassistant/sensor/broken/battery/config": '{"origin":{"name":"Pawline"}',
    };
    for (const [topic, payload] of Object.entries(foreign)) await house.mqtt.publish(topic, payload, true);
    await house.start();
    await house.confirmed();
    const retained = await house.mqtt.retained();
    for (const [topic, payload] of Object.entries(foreign)) expect(retained.get(topic)).toBe(payload);
  },
);
