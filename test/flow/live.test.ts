/** The publisher `live` in a whole house: what it tells while the cloud, the broker or its own port fails. */
import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, type TestContext, test, vi } from "vitest";
import { startDaemon } from "../../src/daemon.ts";
import type { Cloud } from "../../src/demo/cloud.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { ApiBridge, ApiDevice } from "../../src/publishers/live/api/schema.ts";
import { freePort } from "../e2e/support/network.ts";
import { eventually } from "../e2e/support/waiting.ts";
import {
  BRIDGE_INFO,
  type House,
  type HouseOptions,
  moveIn,
  OREO,
  OTHER_OWNER,
  OWNER,
  openHouse,
  oreo,
  STATION,
  station,
  stationAndOreo,
  withBeacon,
} from "../support/house.ts";
import { ask } from "../support/http.ts";
import { readMetrics } from "../support/prometheus.ts";
import { json } from "../support/recorder.ts";
import { memoryStream } from "../support/stream.ts";
import { PATIENCE_MS } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 60_000 });

const test_ = test.concurrent;

interface Served {
  readonly house: House;
  readonly url: string;
  readonly port: number;
}

/** A house with the page; its daemon is online unless the test starts it. */
async function serve(context: TestContext, options: HouseOptions = {}, isStarted = true): Promise<Served> {
  const port = await freePort();
  const withPage = { ...options, live: { port, ...options.live } };
  const house = await (isStarted ? moveIn(context, withPage) : openHouse(context, withPage));
  return { house, port, url: `http://127.0.0.1:${port}` };
}

async function sample({ url }: Served, name: string, labels = ""): Promise<number | undefined> {
  const { status, body } = await ask(`${url}/metrics`);
  expect(status).toBe(200);
  return readMetrics(body).get(name)?.samples.get(labels);
}

function becomes(served: Served, name: string, labels: string, value: number): Promise<unknown> {
  return eventually(PATIENCE_MS, `${name}{${labels}} ${value}`, async () => {
    const found = await sample(served, name, labels);
    return found === value || undefined;
  });
}

interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly missing: readonly { readonly role: string; readonly name: string; readonly reason: string }[];
}

async function readiness({ url }: Served): Promise<Readiness> {
  const { status, body } = await ask(`${url}/readyz`);
  return { ...(json(body) as unknown as Omit<Readiness, "status">), status };
}

function becomesReady(served: Served, isReady: boolean): Promise<Readiness> {
  return eventually(PATIENCE_MS, `ready: ${isReady}`, async () => {
    const found = await readiness(served);
    return found.ready === isReady ? found : undefined;
  });
}

async function bridge({ url }: Served): Promise<ApiBridge> {
  return JSON.parse((await ask(`${url}/api/bridge`)).body) as ApiBridge;
}

test_("healthy is who answers; ready is who has all devices", async (context) => {
  const served = await serve(context, {}, false);
  served.house.cloud.faults.answer("/map/getccs", { status: 500 });
  await served.house.launch();
  const { status: code, missing } = await eventually(PATIENCE_MS, "the reason", async () => {
    const found = await readiness(served).catch(() => undefined);
    return found?.missing.some(({ reason }) => reason.includes("500")) ? found : undefined;
  });
  expect([code, missing]).toEqual([
    503,
    [{ role: "source", name: "pettracer", reason: expect.stringMatching(/answer to \/map\/getccs was an error/) }],
  ]);
  expect(await ask(`${served.url}/healthz`)).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
  expect(await sample(served, "pawline_account_listed", 'account="0"')).toBe(0);
  await served.house.cloud.faults.clear();
  expect(await becomesReady(served, true)).toMatchObject({ status: 200, missing: [] });
  expect(await sample(served, "pawline_account_listed", 'account="0"')).toBe(1);
});

test_("a login that was refused: not ready, and healthy all the same", async (context) => {
  const served = await serve(context, {}, false);
  served.house.cloud.faults.login("refuse");
  await served.house.launch();
  await served.house.logged(/PetTracer refused the login/);
  expect(await readiness(served)).toMatchObject({ status: 503, missing: [{ role: "source", name: "pettracer" }] });
  expect((await ask(`${served.url}/healthz`)).status).toBe(200);
  expect(await sample(served, "pawline_reconnects_total", 'account="0",cause="refused"')).toBe(1);
  expect(await sample(served, "pawline_source_state", 'account="0",state="parked"')).toBe(1);
  const { components, last_error: error } = await bridge(served);
  expect(components.filter(({ role }) => role === "source")).toMatchObject([
    { state: "parked", error: expect.stringContaining("check pettracer.username") },
  ]);
  expect(error).toContain("and pettracer.password");
});

test_("a cloud that goes away later leaves it ready; a broker that does, not", async (context) => {
  const served = await serve(context);
  const { house } = served;
  house.cloud.faults.refuseConnections();
  house.cloud.faults.resetStreams();
  await becomes(served, "pawline_source_state", 'account="0",state="waiting"', 1);
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true });
  await house.closeBroker();
  const { missing } = await becomesReady(served, false);
  expect(missing).toEqual([{ role: "publisher", name: "mqtt", reason: expect.stringContaining("broker") }]);
  expect((await ask(`${served.url}/healthz`)).status).toBe(200);
  expect((await bridge(served)).components.map(({ name, state }) => [name, state])).toEqual(
    expect.arrayContaining([
      ["live", "running"],
      ["mqtt", "waiting"],
    ]),
  );
  await house.replaceBroker();
  await becomesReady(served, true);
});

test_("frames are counted, those that cannot be read too, and their age begins anew", async (context) => {
  const served = await serve(context, { furnish: withBeacon });
  const { house } = served;
  const frames = await sample(served, "pawline_frames_total", 'account="0"');
  expect(await sample(served, "pawline_undecodable_frames_total", 'account="0"')).toBe(0);
  for (const bat of [3_900, 3_910, 3_920]) house.push(14758, { bat });
  await becomes(served, "pawline_frames_total", 'account="0"', (frames ?? 0) + 3);
  house.cloud.pushRaw(14758, "{no json");
  await becomes(served, "pawline_undecodable_frames_total", 'account="0"', 1);
  house.cloud.faults.malformed("what is this");
  await becomes(served, "pawline_undecodable_frames_total", 'account="0"', 2);
  const age = await sample(served, "pawline_last_frame_age_seconds", 'account="0"');
  const later = await sample(served, "pawline_last_frame_age_seconds", 'account="0"');
  expect(age).toBeGreaterThanOrEqual(0);
  expect(later).toBeGreaterThan(age ?? Number.NaN);
  house.push(14758, { bat: 3_930 });
  await becomes(served, "pawline_frames_total", 'account="0"', (frames ?? 0) + 5);
});

test_("before the first frame there is no age", async (context) => {
  const served = await serve(context);
  expect(await sample(served, "pawline_frames_total", 'account="0"')).toBe(0);
  expect(await sample(served, "pawline_last_frame_age_seconds", 'account="0"')).toBeUndefined();
});

test_.for<[string, (cloud: Cloud) => unknown]>([
  ["closed", ({ faults }) => faults.dropStreams()],
  ["closed", ({ faults }) => faults.closeSockjs(3000, "Go away!")],
  ["network", ({ faults }) => faults.resetStreams()],
  ["error", ({ faults }) => faults.stompError("Session closed.")],
])("a stream that ended is counted as %s, once", async ([cause, interrupt], context) => {
  const served = await serve(context);
  interrupt(served.house.cloud);
  await becomes(served, "pawline_reconnects_total", `account="0",cause="${cause}"`, 1);
  await served.house.live();
  const all = readMetrics((await ask(`${served.url}/metrics`)).body).get("pawline_reconnects_total")?.samples;
  expect([...(all?.values() ?? [])].reduce((sum, one) => sum + one)).toBe(1);
});

test_("a stream that fell silent is counted as silence", async (context) => {
  const beat = 250;
  const port = await freePort();
  const house = await openHouse(context, { cloud: { heartBeatMs: [beat, beat] }, heartbeatMs: beat, live: { port } });
  const served = { house, port, url: `http://127.0.0.1:${port}` };
  await house.launch();
  await house.live();
  house.cloud.faults.freeze();
  await becomes(served, "pawline_reconnects_total", 'account="0",cause="silence"', 1);
});

test_.for<[string, Parameters<Cloud["faults"]["answer"]>]>([
  ["http", ["/user/login", { status: 503 }]],
  ["http", ["/map/getccs", "html"]],
])("a request that fails before there is a stream is counted as %s (%j)", async ([cause, fault], context) => {
  const served = await serve(context, {}, false);
  served.house.cloud.faults.answer(...fault);
  await served.house.launch();
  await served.house.logged(/next try in/);
  expect(await sample(served, "pawline_reconnects_total", `account="0",cause="${cause}"`)).toBeGreaterThanOrEqual(1);
});

test_("commands are counted by their outcome, events by their type, messages by their way out", async (context) => {
  const served = await serve(context, { cloud: { pollScale: 0.001 } });
  const { mqtt, cloud } = served.house;
  const published = await eventually(PATIENCE_MS, "the number of messages", async () => {
    const count = await sample(served, "pawline_publishes_total", 'publisher="mqtt"');
    return count === mqtt.messages.length ? count : undefined;
  });
  await mqtt.publish(oreo.command("light"), "ON");
  await becomes(served, "pawline_commands_total", 'kind="light",outcome="accepted"', 1);
  cloud.faults.answer("/map/setccbuz", { status: 403 });
  await mqtt.publish(oreo.command("buzzer"), "ON");
  await becomes(served, "pawline_commands_total", 'kind="buzzer",outcome="refused"', 1);
  await becomes(served, "pawline_events_total", 'type="command_failed"', 1);
  expect(await sample(served, "pawline_commands_total", 'kind="buzzer",outcome="accepted"')).toBe(0);
  expect(await sample(served, "pawline_publishes_total", 'publisher="mqtt"')).toBeGreaterThan(published);
});

test_("after a restart only what is new is counted", async (context) => {
  const served = await serve(context);
  served.house.push(14758, { chg: 1 });
  await becomes(served, "pawline_events_total", 'type="charging_started"', 1);
  await served.house.stop();
  await served.house.start();
  expect(await sample(served, "pawline_events_total", 'type="charging_started"')).toBe(0);
  for (const chg of [0, 1]) served.house.push(14758, { chg });
  await served.house.mqtt.waitUntil(() => served.house.mqtt.of(oreo.event).length >= 2, "the second event");
  expect(await sample(served, "pawline_events_total", 'type="charging_started"')).toBe(1);
});

const WIFI = "Home sweet home";

test_("no metric tells whose it is", async (context) => {
  const furnish = (cloud: Cloud): void => {
    stationAndOreo(cloud);
    cloud.addAccount(OTHER_OWNER);
    cloud.addCollar(OTHER_OWNER.login, { id: 777_123, details: { id: 777_123, name: "Whiskers" } });
    cloud.push(STATION.id, { wlanSsid: WIFI });
  };
  const port = await freePort();
  const house = await openHouse(context, { furnish, live: { port } });
  const accounts = [house.account(OWNER), house.account(OTHER_OWNER)];
  await house.launch({ accounts });
  await house.online();
  await house.live(2);
  const served = { house, port, url: `http://127.0.0.1:${port}` };
  await house.mqtt.publish(oreo.command("light"), "ON");
  await becomes(served, "pawline_commands_total", 'kind="light",outcome="accepted"', 1);
  house.push(14758, { lastPos: { ...OREO.lastPos, timeMeasure: "2026-06-01T10:59:41.000+0000" } });
  await becomes(served, "pawline_frames_total", 'account="0"', 1);
  house.push(777_123, { bat: 4_000 });
  await becomes(served, "pawline_frames_total", 'account="1"', 1);
  await house.mqtt.waitForJson(station.state, { wifi: WIFI });
  const { body } = await ask(`${served.url}/metrics`);
  readMetrics(body);
  const personal = [
    ...[OWNER, OTHER_OWNER].flatMap(({ login, name, id, password }) => [login, name, String(id), password]),
    "Oreo",
    "Whiskers",
    WIFI,
    "14758",
    "777123",
    "10775",
    "51.4",
    "1.08",
    "@",
    "127.0.0.1",
  ];
  expect(personal.filter((text) => body.includes(text))).toEqual([]);
  const devices = await ask(`${served.url}/api/devices`);
  // The search finds what is there.
  expect(personal.filter((text) => devices.body.includes(text))).toEqual(expect.arrayContaining(["Oreo", "Whiskers"]));
  expect(devices.body).not.toMatch(/tuna|bone/);
  expect(readMetrics(body).get("pawline_devices")?.samples).toEqual(
    new Map([
      ['kind="collar"', 2],
      ['kind="home_station"', 1],
    ]),
  );
});

test_("an account that was taken out has no age any more", async (context) => {
  const furnish = (cloud: Cloud): void => {
    stationAndOreo(cloud);
    cloud.addAccount(OTHER_OWNER);
    cloud.addCollar(OTHER_OWNER.login, { id: 777_123 });
  };
  const port = await freePort();
  const house = await openHouse(context, { furnish, live: { port } });
  const accounts = [house.account(OWNER), house.account(OTHER_OWNER)];
  await house.launch({ accounts });
  await house.live(2);
  const served = { house, port, url: `http://127.0.0.1:${port}` };
  house.push(777_123, { bat: 4_000 });
  await becomes(served, "pawline_frames_total", 'account="1"', 1);
  expect(await sample(served, "pawline_last_frame_age_seconds", 'account="1"')).toBeGreaterThanOrEqual(0);
  await house.reload({});
  await becomes(served, "pawline_accounts", "", 1);
  expect(await sample(served, "pawline_last_frame_age_seconds", 'account="1"')).toBeUndefined();
  expect(await sample(served, "pawline_frames_total", 'account="1"')).toBe(1);
});

test_("a port in use is a clear sentence, and the page comes when it is free", async (context) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const served = await serve(context, { live: { port } });
  const at = { ...served, port, url: `http://127.0.0.1:${port}` };
  const sentence = `port ${port} at 127.0.0.1 is in use by another program: end that one, or set live.port to another number`;
  await served.house.logged(new RegExp(`live: ${sentence}; next try in`));
  const isTold = (text: string): boolean => {
    const { publishers } = json(text) as { publishers: { name: string; state: string; error: string | null }[] };
    return publishers.some(({ name, state, error }) => name === "live" && state === "waiting" && error === sentence);
  };
  await served.house.mqtt.waitFor(BRIDGE_INFO, isTold);
  other.close();
  await eventually(PATIENCE_MS, "the page", async () => (await ask(`${at.url}/healthz`)).status === 200 || undefined);
  await served.house.mqtt.waitFor(BRIDGE_INFO, (text) => /"name":"live","state":"running"/.test(text));
});

test_.for([
  ["203.0.113.77", "this computer has no address 203.0.113.77: correct live.host"],
  ["no-such-host.invalid", "this computer has no address no-such-host.invalid: correct live.host"],
])("a host that does not exist (%s) is a clear sentence, and no end", async ([host = "", sentence = ""], context) => {
  const { house } = await serve(context, { live: { host, ingress: true } });
  await house.logged(new RegExp(`live: ${sentence}; next try in`));
  house.push(14758, { bat: 3_800 });
  await house.mqtt.waitForJson(oreo.state, {});
});

test_("a reload leaves the page alone, unless its own section has changed", async (context) => {
  const served = await serve(context);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  context.onTestFinished(() => agent.destroy());
  const askKept = async (): Promise<number | undefined> => {
    const call = get(`${served.url}/healthz`, { agent });
    const [response] = (await once(call, "response")) as [import("node:http").IncomingMessage];
    response.resume();
    await once(response, "end");
    return call.socket?.localPort;
  };
  const before = await askKept();
  await served.house.reload({ home: { max_accuracy: 100 }, mqtt: { qos: 0 } });
  expect(await askKept()).toBe(before);
  const port = await freePort();
  await served.house.reload({ live: { port } });
  await eventually(PATIENCE_MS, "the new port", async () => {
    return (await ask(`http://127.0.0.1:${port}/healthz`)).status === 200 || undefined;
  });
  await expect(ask(`${served.url}/healthz`)).rejects.toThrow(/ECONNREFUSED/);
  served.house.push(14758, { bat: 3_700 });
});

test_("the page by itself is a way out, and enough", async (context) => {
  const { house, url } = await serve(context, {}, false);
  const { mqtt: _, ...config } = house.config();
  const stop = new AbortController();
  const scrubber = createScrubber();
  const log = await createLog({ level: "info", format: "json", scrubber, output: memoryStream() });
  const daemon = await startDaemon(config, { log, scrubber, signal: stop.signal });
  await becomesReady({ house, url, port: 0 }, true);
  const { devices } = JSON.parse((await ask(`${url}/api/devices?kind=collar`)).body) as { devices: ApiDevice[] };
  expect(devices).toMatchObject([{ name: "Oreo", state: { at_home: false } }]);
  stop.abort();
  await daemon.ended;
  await expect(ask(`${url}/healthz`)).rejects.toThrow(/ECONNREFUSED/);
  const { live: __, ...nothing } = config;
  const tools = { log, scrubber, signal: new AbortController().signal };
  await expect(startDaemon(nothing, tools)).rejects.toThrow(/nowhere to publish to.*`live: \{\}`/);
});

test_("the end of the program closes its connections", async (context) => {
  const served = await serve(context);
  const socket = connect(served.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "data");
  const closed = once(socket, "close");
  await served.house.stop();
  await closed;
});

/** An address of this computer that others can see. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;

test_("open to the network, it serves nobody in the network", async (context) => {
  if (outside === undefined) return context.skip("this computer has no address but its own");
  const served = await serve(context, { live: { host: "0.0.0.0", ingress: true } });
  for (const path of ["/", "/api/bridge", "/healthz", "/readyz", "/metrics", "/nothing"]) {
    const { status: code, body } = await ask(`http://${outside}:${served.port}${path}`, { from: outside });
    expect([code, body]).toEqual([
      403,
      expect.stringMatching(/"detail":"This page is served through Home Assistant alone/),
    ]);
  }
  expect((await ask(`${served.url}/healthz`)).status).toBe(200);
  expect((await ask(`${served.url}/`)).status).toBe(403);
});
