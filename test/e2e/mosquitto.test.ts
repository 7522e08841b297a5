/** A broker of another make: MQTT 5, TLS and WebSockets, which the embedded one does not speak. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IClientOptions } from "mqtt";
import { expect, type TestContext, test } from "vitest";
import { BRIDGE_STATE, configOf, type House, openHouse, oreo, shown, station, time } from "../support/house.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { certify } from "./support/certificates.ts";
import { startMosquitto } from "./support/mosquitto.ts";
import { freePort, portAccepts } from "./support/network.ts";
import { StartedProcess, temporaryFolder } from "./support/processes.ts";

type Mqtt = NonNullable<Parameters<House["launch"]>[0]>["mqtt"];

/** A daemon that publishes to the broker at this address, and a recorder there. */
async function publishTo(context: TestContext, mqtt: Mqtt, recording: IClientOptions & { url: string }) {
  const { url, ...options } = recording;
  const recorder = await startRecorder(url, options);
  context.onTestFinished(() => recorder.end());
  const house = await openHouse(context);
  await house.launch({ mqtt: { url, ...mqtt } });
  return { house, recorder };
}

async function expectWorks({ house, recorder }: { house: House; recorder: Recorder }): Promise<void> {
  await recorder.waitFor(BRIDGE_STATE, (text) => text === "online");
  expect(configOf(recorder.latest(oreo.config)).device.name).toBe("Oreo");
  expect(recorder.latest(station.availability)).toBe("online");
  await house.live();
  house.push(14758, { bat: 3600, lastPos: { posLat: 51.5, posLong: -1, timeMeasure: time(1) } });
  await recorder.waitForJson(oreo.state, { battery: 17 });
  await recorder.waitForJson(oreo.position, { latitude: 51.5, measured_at: shown(1) });
}

function expectOrder(recorder: Recorder, from = 0): void {
  const first = (topic: string): number => recorder.of(topic, from)[0]?.index ?? Number.NaN;
  for (const device of [oreo, station]) {
    expect(first(device.state)).toBeLessThan(first(device.config));
    expect(first(device.availability)).toBeLessThan(first(device.config));
    expect(first(device.config)).toBeLessThan(first(BRIDGE_STATE));
  }
  expect(first(station.config)).toBeLessThan(first(oreo.config));
}

test.for([4, 5] as const)("MQTT version %i, and its end", async (version, context) => {
  const broker = await startMosquitto({ username: "cat", password: "p@ss:wörd" });
  context.onTestFinished(() => broker.stop());
  const login = { username: "cat", password: "p@ss:wörd" };
  const url = broker.url;
  const running = await publishTo(context, { ...login, protocol_version: version }, { ...login, url });
  await expectWorks(running);
  expect(broker.log()).toMatch(new RegExp(` as pawline-\\w+ \\(p${version === 4 ? 2 : 5}, c1, k20, u'cat'\\)`));
  expectOrder(running.recorder);
  await running.house.stop();
  expect(running.recorder.latest(BRIDGE_STATE)).toBe("offline");
});

test.for([4, 5] as const)("a refused login over MQTT version %i is told as such", async (version, context) => {
  const broker = await startMosquitto({ username: "cat", password: "right" });
  context.onTestFinished(() => broker.stop());
  const house = await openHouse(context);
  const mqtt = { url: broker.url, username: "cat", password: "wrong-fish" };
  await house.launch({ mqtt: { ...mqtt, protocol_version: version } });
  await house.logged(/the broker at 127\.0\.0\.1:\d+ refused the login: check mqtt\.username and mqtt\.password/);
});

test.for([0, 1, 2] as const)("the order of a start with quality of service %i", async (qos, context) => {
  const broker = await startMosquitto();
  context.onTestFinished(() => broker.stop());
  const running = await publishTo(context, { qos }, { url: broker.url });
  await expectWorks(running);
  expectOrder(running.recorder);
});

test("WebSockets", async (context) => {
  const broker = await startMosquitto({ protocol: "websockets" });
  context.onTestFinished(() => broker.stop());
  await expectWorks(await publishTo(context, {}, { url: broker.url }));
});

test.for([4, 5] as const)("a broker that restarts empty gets everything, version %i", async (version, context) => {
  const broker = await startMosquitto();
  context.onTestFinished(() => broker.stop());
  const running = await publishTo(context, { protocol_version: version }, { url: broker.url });
  await expectWorks(running);
  const from = running.recorder.mark;
  await broker.restart();
  await running.recorder.waitFor(BRIDGE_STATE, (text) => text === "online", { from });
  expect(configOf(running.recorder.of(oreo.config, from).at(-1)?.payload).device.name).toBe("Oreo");
  expect(running.recorder.of(oreo.state, from).at(-1)?.payload).toContain('"battery":17');
});

test("a broker that is frozen is noticed, and gets the newest when it thaws", async (context) => {
  const broker = await startMosquitto();
  context.onTestFinished(() => broker.stop());
  const running = await publishTo(context, {}, { url: broker.url });
  await expectWorks(running);
  broker.freeze();
  running.house.push(14758, { lastPos: { posLat: 51.6, posLong: -1, timeMeasure: time(2) } });
  await running.house.logged(/the broker at 127\.0\.0\.1:\d+ (?:cannot be reached|did not answer)/, 60_000);
  running.house.push(14758, { lastPos: { posLat: 51.7, posLong: -1, timeMeasure: time(3) } });
  broker.thaw();
  await running.recorder.waitForJson(oreo.position, { measured_at: shown(3) }, { ms: 90_000 });
  await running.recorder.waitUntil(() => running.recorder.latest(BRIDGE_STATE) === "online", "online", 90_000);
});

async function startSecure(context: TestContext, asksForCertificate: boolean) {
  const folder = temporaryFolder("tls");
  const authority = await certify(folder, "authority");
  const [server, client] = [await certify(folder, "server", authority), await certify(folder, "client", authority)];
  const port = await freePort();
  const lines = [
    "user root",
    `listener ${port} 127.0.0.1`,
    `cafile ${authority.cert}`,
    `certfile ${server.cert}`,
    `keyfile ${server.key}`,
    `require_certificate ${asksForCertificate}`,
    "allow_anonymous true",
    "",
  ];
  const configFile = join(folder, "mosquitto.conf");
  writeFileSync(configFile, lines.join("\n"));
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin` };
  const broker = new StartedProcess("mosquitto", ["-v", "-c", configFile], { env });
  context.onTestFinished(async () => void (await broker.stop()));
  await broker.waitForOutput(/ running$/m, 10_000);
  await portAccepts(port, 10_000);
  return { url: `mqtts://127.0.0.1:${port}`, authority, client };
}

test("TLS with an authority of one's own", async (context) => {
  const { url, authority } = await startSecure(context, false);
  await expectWorks(await publishTo(context, { ca: authority.cert }, { url, rejectUnauthorized: false }));
});

test("TLS with a certificate that nobody knows is refused, unless it is taken on trust", async (context) => {
  const { url } = await startSecure(context, false);
  const { house, recorder } = await publishTo(context, {}, { url, rejectUnauthorized: false });
  await house.logged(/the broker at 127\.0\.0\.1:\d+ cannot be reached: .*certificate/);
  expect(recorder.messages).toEqual([]);
  await house.reload({ mqtt: { url, reject_unauthorized: false } });
  await expectWorks({ house, recorder });
});

test("TLS with a certificate of ours", async (context) => {
  const { url, authority, client } = await startSecure(context, true);
  const own = { ca: authority.cert, cert: client.cert, key: client.key };
  const { readFile } = await import("node:fs/promises");
  const pems = { cert: await readFile(client.cert), key: await readFile(client.key) };
  await expectWorks(await publishTo(context, own, { url, rejectUnauthorized: false, ...pems }));
});

test("TLS without the certificate that the broker asks for, or with a file that is not there", async (context) => {
  const { url, authority } = await startSecure(context, true);
  const house = await openHouse(context);
  await house.launch({ mqtt: { url, ca: authority.cert } });
  await house.logged(/the broker at 127\.0\.0\.1:\d+ cannot be reached/);
  await house.reload({ mqtt: { url, ca: `${authority.cert}.gone` } });
  await house.logged(/mqtt\.ca: the file .*authority\.pem\.gone cannot be read/);
});
