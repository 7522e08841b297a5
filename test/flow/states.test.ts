/** From a frame at the cloud to the state and the position of a cat at the broker. */
import { expect, test, vi } from "vitest";
import {
  account,
  BRIDGE_INFO,
  type House,
  type HouseOptions,
  moveIn,
  OREO,
  OWNER,
  oreo,
  STATION,
  shown,
  station,
  time,
  topicsOf,
  withBeacon,
} from "../support/house.ts";
import { type Json, json } from "../support/recorder.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;
const withFence: HouseOptions = { furnish: withBeacon };

/** What `news` of Oreo make of its topics: all messages about it, in their order. */
async function tell(house: House, ...news: readonly Json[]) {
  const from = house.mqtt.mark;
  for (const each of news) house.push(14758, each);
  await house.fence();
  return house.mqtt.messages.slice(from).filter(({ topic }) => !topic.includes("pettracer_99"));
}

function state(house: House): Json {
  return json(house.mqtt.latest(oreo.state) ?? "");
}

function position(house: House): Json {
  return json(house.mqtt.latest(oreo.position) ?? "");
}

const FIRST_STATE = {
  at_home: false,
  battery: 83,
  charging: false,
  last_fix: "2026-06-01T09:59:41.000+00:00",
  last_contact: "2026-06-01T10:05:00.310+00:00",
  home_since: null,
  accuracy: 16,
  distance: 131,
  time_outside: 0,
  live_remaining: 0,
  mode: "Fast",
  live: false,
  find: null,
  light: false,
  buzzer: false,
  power_off: null,
  pending: false,
  battery_voltage: 4,
  battery_warning: 3.63,
  satellites: 8,
  signal: -55,
  signal_quality: 78,
  nearest_station: null,
  firmware_version: "10.4.9",
  hardware_version: "10.5.3",
  boot_loader_version: "10.4.2",
  status: 0,
  station_status: "ACTIVE",
  flags: 0,
  telegram_number: 1,
  birth: null,
  safety_zone: false,
  search: false,
  bluetooth: false,
  developer_mode: false,
  owner: true,
  color: "#24b8f8",
  pending_command: null,
  pending_since: null,
  pending_until: null,
};
const FIRST_POSITION = {
  latitude: 51.4010701,
  longitude: -1.0832267,
  gps_accuracy: 16,
  measured_at: "2026-06-01T09:59:41.000+00:00",
  satellites: 8,
  source: "gps",
};

/** What a station says of itself and its cats besides its contact. */
const STATION_STATE = { pets_at_home: 0, pets_at_home_names: [], signal: -70, wifi: "garden" };

test_("what the snapshot says is there after the start", async (context) => {
  const house = await moveIn(context);
  expect(state(house)).toEqual(FIRST_STATE);
  expect(position(house)).toEqual(FIRST_POSITION);
  expect(house.mqtt.latest(oreo.availability)).toBe("online");
  expect(json(house.mqtt.latest(station.state) ?? "")).toEqual({
    ...STATION_STATE,
    online: false,
    last_contact: "2026-06-01T10:05:00.310+00:00",
  });
  expect(json(house.mqtt.latest(oreo.firmware) ?? "")).toEqual({
    installed_version: "10.4.9",
    title: "PetTracer GPS collar",
  });
  expect(json(house.mqtt.latest(account.state) ?? "")).toEqual({
    problem: false,
    problem_message: null,
    stream: true,
    subscription_ends: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\+00:00$/),
  });
});

test_("one frame is one position and one state, the position first", async (context) => {
  const house = await moveIn(context, withFence);
  const messages = await tell(house, {
    lastPos: { posLat: 51.402, posLong: -1.0842267, acc: 5, sat: 11, timeMeasure: time(0), timeDb: time(1) },
    lastContact: time(2),
    lastRssi: -30,
    bat: 3900,
    chg: 1,
    home: false,
  });
  // What happened is told last, and it is noted that it was.
  expect(messages.map(({ topic }) => topic)).toEqual([oreo.position, oreo.state, oreo.event, BRIDGE_INFO]);
  expect(json(messages[0]?.payload ?? "")).toEqual({
    latitude: 51.402,
    longitude: -1.0842267,
    gps_accuracy: 5,
    measured_at: shown(0),
    satellites: 11,
    source: "gps",
  });
  // A battery that is being charged does not show less than before.
  expect(json(messages[1]?.payload ?? "")).toEqual({
    ...FIRST_STATE,
    battery: 83,
    battery_voltage: 3.9,
    charging: true,
    last_fix: shown(0),
    last_contact: shown(2),
    accuracy: 5,
    satellites: 11,
    distance: 215,
    signal: -17,
    signal_quality: 100,
  });
  expect(json(messages[2]?.payload ?? "")).toEqual({
    event_type: "charging_started",
    at: expect.stringMatching(/\+00:00$/),
    battery: 83,
  });
  expect((await house.mqtt.retained()).get(oreo.position)).toBe(messages[0]?.payload);
});

test_("an older fix never replaces a newer one, by stream or snapshot", async (context) => {
  const house = await moveIn(context, { ...withFence, account: { refresh: "1s" } });
  // With its satellites: a listing that is under way would add those of the record.
  await tell(house, { lastPos: { posLat: 51.403, posLong: -1.08, acc: 5, sat: 8, timeMeasure: time(30) } });
  const newest = position(house);
  expect(newest).toMatchObject({ latitude: 51.403, measured_at: shown(30) });
  const listings = (): number => house.cloud.calls.filter(({ path }) => path === "/map/getccs").length;
  // From now on the cloud itself holds the older one, and tells it with each listing.
  const [before, from] = [listings(), house.mqtt.mark];
  await tell(house, { lastPos: { posLat: 51.1, posLong: -1.1, acc: 3, timeMeasure: time(29) } });
  await house.cloud.waitFor(() => listings() >= before + 3, 20_000);
  await house.fence();
  expect(position(house)).toEqual(newest);
  expect(house.mqtt.of(oreo.position, from)).toEqual([]);
});

test_("a partial message keeps the rest", async (context) => {
  const house = await moveIn(context, withFence);
  await tell(house, { bat: 3900 });
  expect(state(house)).toEqual({ ...FIRST_STATE, battery: 67, battery_voltage: 3.9 });
  await tell(house, { details: { color: 0xfc316e } });
  expect(state(house)).toEqual({ ...FIRST_STATE, battery: 67, battery_voltage: 3.9, color: "#fc316e" });
  await tell(house, { lastPos: { posLat: 51.4, posLong: -1.08, timeMeasure: time(1) } });
  expect(state(house)).toMatchObject({ battery: 67, color: "#fc316e", signal: -55, last_fix: shown(1) });
  expect(position(house)).toMatchObject({ latitude: 51.4, longitude: -1.08, measured_at: shown(1), source: "gps" });
  expect(house.mqtt.of(oreo.config)).toHaveLength(1);
});

test_("a partial home station keeps its place", async (context) => {
  const house = await moveIn(context, { ...withFence, account: { exclude: [10775] } });
  expect(state(house)).toMatchObject({ distance: 131 });
  await tell(house, { masterHs: { id: 10775, lastContact: time(1) }, bat: 3900 });
  expect(state(house)).toMatchObject({ distance: 131, battery: 67 });
});

test_("null clears what can be none, and nothing else", async (context) => {
  const house = await moveIn(context, withFence);
  await tell(house, {
    details: { color: null },
    lastPos: null,
    bat: null,
    chg: null,
    lastRssi: null,
    lastContact: null,
  });
  expect(state(house)).toEqual({ ...FIRST_STATE, color: null });
  expect(position(house)).toEqual(FIRST_POSITION);
});

test_("a value that cannot be is left out, and the rest of its message counts", async (context) => {
  const house = await moveIn(context, withFence);
  await tell(house, {
    bat: "full",
    chg: 7,
    lastRssi: 9_999,
    home: "yes",
    lastContact: "yesterday",
    lastPos: { posLat: 91, posLong: 0, timeMeasure: time(1) },
    details: { color: "red" },
    accuWarn: Number.NaN,
    sw: 656394,
  });
  // With other firmware there is another description, for which the state may have to wait.
  await house.mqtt.waitForJson(oreo.state, { firmware_version: "10.4.10" });
  expect(state(house)).toEqual({ ...FIRST_STATE, firmware_version: "10.4.10" });
  expect(position(house)).toEqual(FIRST_POSITION);
  await house.mqtt.waitFor(oreo.config, (text) => text.includes('"sw_version":"10.4.10"'));
});

test_("a poor fix does not move the cat, and counts as contact", async (context) => {
  const house = await moveIn(context, withFence);
  const messages = await tell(house, { lastPos: { posLat: 51.5, posLong: -1.2, acc: 201, timeMeasure: time(60) } });
  expect(messages.map(({ topic }) => topic)).toEqual([oreo.state]);
  expect(state(house)).toEqual({ ...FIRST_STATE, last_contact: shown(60) });
  expect(position(house)).toEqual(FIRST_POSITION);
  await tell(house, { lastPos: { posLat: 51.5, posLong: -1.2, acc: 200, timeMeasure: time(61) } });
  expect(position(house)).toMatchObject({ latitude: 51.5, gps_accuracy: 200 });
});

test_("home.max_accuracy decides which fix is poor; the first one counts in any case", async (context) => {
  const house = await moveIn(context, {
    home: { max_accuracy: 15 },
    furnish(cloud) {
      withBeacon(cloud);
      cloud.addCollar(OWNER.login, { id: 78 });
    },
  });
  await tell(house, { lastPos: { posLat: 51.5, posLong: -1.2, acc: 16, timeMeasure: time(60) } });
  // Its first fix of 16 m is a poor one, too, and better than none.
  expect(position(house)).toEqual(FIRST_POSITION);
  house.push(78, { lastPos: { posLat: 51.5, posLong: -1.2, acc: 900, timeMeasure: time(60) } });
  await house.fence();
  const { position: other } = topicsOf("pettracer_78");
  expect(json(house.mqtt.latest(other) ?? "")).toMatchObject({ latitude: 51.5, gps_accuracy: 900 });
});

const AT_STATION = { latitude: 51.4000701, longitude: -1.0842267, gps_accuracy: 25, source: "station" };

test_("home since after the fix is at the station, and away is where the fix is", async (context) => {
  // Days of moments: whatever changes counts at once.
  const house = await moveIn(context, { ...withFence, home: { flap_time: "0s" } });
  await tell(house, { home: true, homeSince: time(5) });
  expect(position(house)).toEqual({ ...AT_STATION, measured_at: shown(5) });
  expect(state(house)).toEqual({ ...FIRST_STATE, at_home: true, home_since: shown(5), distance: 0 });

  // A fix that is newer says where it is in and around the house.
  await tell(house, { lastPos: { posLat: 51.4001, posLong: -1.0842, acc: 9, timeMeasure: time(6) } });
  expect(position(house)).toMatchObject({ latitude: 51.4001, source: "gps", measured_at: shown(6) });
  expect(state(house)).toMatchObject({ at_home: true });

  await tell(house, { home: false, homeSince: null });
  expect(position(house)).toMatchObject({ latitude: 51.4001, source: "gps" });
  expect(state(house)).toMatchObject({ at_home: false, home_since: null });

  await tell(house, { home: true, homeSince: time(9) });
  expect(position(house)).toEqual({ ...AT_STATION, measured_at: shown(9) });
  await tell(house, { home: false });
  expect(position(house)).toMatchObject({ latitude: 51.4001, source: "gps", measured_at: shown(6) });
});

test_("home since before the fix stays at the fix", async (context) => {
  const house = await moveIn(context, withFence);
  await tell(house, { home: true, homeSince: "2026-06-01T09:00:00.000+0000" });
  expect(position(house)).toEqual(FIRST_POSITION);
  expect(state(house)).toMatchObject({ at_home: true, distance: 131 });
});

test_("a cat that is home and was never located is at the station", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      cloud.addHomeStation(OWNER.login, STATION);
      cloud.addCollar(OWNER.login, { ...OREO, lastPos: undefined, home: true, homeSince: time(5) });
    },
  });
  expect(position(house)).toEqual({ ...AT_STATION, measured_at: shown(5) });
  expect(state(house)).toMatchObject({ last_fix: null, accuracy: null, distance: 0, at_home: true });
});

test_("with home.prefer gps the fix stands, home or not", async (context) => {
  const house = await moveIn(context, { ...withFence, home: { prefer: "gps" } });
  await tell(house, { home: true, homeSince: time(5) });
  expect(position(house)).toEqual(FIRST_POSITION);
  expect(state(house)).toEqual({ ...FIRST_STATE, at_home: true, home_since: shown(5) });
});

test_("a station that is moved takes the cats along that are home", async (context) => {
  const house = await moveIn(context, { ...withFence, account: { refresh: "1s" } });
  await tell(house, { home: true, homeSince: time(5) });
  house.cloud.removeDevice(10775);
  house.cloud.addHomeStation(OWNER.login, { ...STATION, posLat: 51.41, posLong: -1.09 });
  await house.mqtt.waitForJson(oreo.position, { latitude: 51.41, longitude: -1.09, source: "station" });
  expect(state(house)).toMatchObject({ distance: 0, at_home: true });
});

test_("a message that tells nothing new publishes nothing", async (context) => {
  const house = await moveIn(context, withFence);
  const { fiFo: _, ...same } = house.cloud.collar(14758);
  expect(await tell(house, same, { bat: 4000 }, { lastPos: OREO.lastPos }, {}, { unknown: 1 })).toEqual([]);
  // Other telegrams, and a contact that is hardly newer: nothing that is shown.
  expect(await tell(house, { fiFo: [], lastContact: "2026-06-01T10:06:00.000+0000" })).toEqual([]);
  expect((await tell(house, { lastTlgNr: 5 })).map(({ topic }) => topic)).toEqual([oreo.state]);
  expect(state(house)).toEqual({ ...FIRST_STATE, telegram_number: 5 });
});

test_("a contact after a silence is shown at once", async (context) => {
  const house = await moveIn(context, withFence);
  const messages = await tell(house, { lastContact: "2026-06-01T10:20:00.310+0000" });
  expect(messages.map(({ topic }) => topic)).toEqual([oreo.state]);
  expect(state(house)).toEqual({ ...FIRST_STATE, last_contact: "2026-06-01T10:20:00.310+00:00" });
});

test_("the battery's warning threshold stands in where no voltage was ever told", async (context) => {
  const house = await moveIn(context, {
    furnish(cloud) {
      withBeacon(cloud);
      cloud.removeDevice(14758);
      cloud.addCollar(OWNER.login, { ...OREO, bat: undefined, accuWarn: 3760 });
    },
  });
  expect(state(house)).toMatchObject({ battery: 34 });
  await tell(house, { bat: 4150 });
  // The voltage is new: the state may have to wait for the description that has it.
  await house.mqtt.waitForJson(oreo.state, { battery: 100, battery_voltage: 4.15, battery_warning: 3.76 });
  await tell(house, { accuWarn: 3600 });
  expect(state(house)).toMatchObject({ battery: 100, battery_warning: 3.6 });
});

test_("the station in a collar's message is news of the station", async (context) => {
  const house = await moveIn(context, withFence);
  const now = new Date();
  await tell(house, { masterHs: { ...STATION, lastContact: now.toISOString().replace("Z", "+0000") } });
  expect(json(house.mqtt.latest(station.state) ?? "")).toEqual({
    ...STATION_STATE,
    online: true,
    last_contact: now.toISOString().replace("Z", "+00:00"),
  });
});

test_("many frames at once end with the last of them, and never go back", async (context) => {
  const house = await moveIn(context, withFence);
  const news = Array.from({ length: 200 }, (_, index) => ({
    lastPos: { posLat: 51.4 + index / 10_000, posLong: -1.08, acc: 5, timeMeasure: time(index) },
  }));
  const messages = await tell(house, ...news);
  const times = messages
    .filter(({ topic }) => topic === oreo.position)
    .map(({ payload }) => String(json(payload).measured_at));
  expect(times.at(-1)).toBe(shown(199));
  expect(times.toSorted()).toEqual(times);
});

test_("devices are unavailable while nothing was heard for longer than five minutes", async (context) => {
  const house = await moveIn(context);
  house.cloud.faults.refuseConnections("closed");
  house.cloud.faults.dropStreams();
  await house.mqtt.waitFor("pawline/bridge/info", (text) => text.includes('"waiting"'));
  const from = house.mqtt.mark;
  house.daemon.store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 299_000 });
  house.daemon.store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 2_000 });
  await house.mqtt.waitFor(oreo.availability, (text) => text === "offline", { from });
  await house.mqtt.waitFor(station.availability, (text) => text === "offline", { from });
  expect(house.mqtt.latest("pawline/bridge/state")).toBe("online");
  const offline = house.mqtt.mark;
  await house.cloud.faults.acceptConnections();
  await house.mqtt.waitFor(oreo.availability, (text) => text === "online", { from: offline });
  await house.mqtt.waitFor(station.availability, (text) => text === "online", { from: offline });
});

test_("devices stay available through a silence of less than five minutes", async (context) => {
  const house = await moveIn(context, withFence);
  // The silence begins with these news; the daemon counts the seconds of the test, too.
  await house.fence();
  house.daemon.store.dispatch({ type: "timePassed", at: Date.now(), elapsedMs: 290_000 });
  await house.fence();
  expect(house.mqtt.of(oreo.availability).map(({ payload }) => payload)).not.toContain("offline");
});
