/** What the Supervisor says about its broker, read with care. */
import { expect, onTestFinished, test } from "vitest";
import { findBroker, supervisorOf } from "../../src/lib/supervisor.ts";
import { type Supervisor, startSupervisor } from "../support/supervisor.ts";

const BROKER = { host: "core-mosquitto", port: 1883, username: "addons", password: "s3cret-milk" };

async function open(options: Parameters<typeof startSupervisor>[0] = {}): Promise<Supervisor> {
  const supervisor = await startSupervisor(options);
  onTestFinished(() => supervisor.close().catch(() => {}));
  return supervisor;
}

function find(supervisor: Supervisor, token = supervisor.token) {
  return findBroker({ apiUrl: supervisor.url, token }, new AbortController().signal);
}

test("the app is known by its token, and the address is the usual one unless told", () => {
  expect(supervisorOf({})).toBeUndefined();
  expect(supervisorOf({ SUPERVISOR_TOKEN: "", SUPERVISOR_API: "http://x" })).toBeUndefined();
  expect(supervisorOf({ SUPERVISOR_TOKEN: "t" })).toEqual({ apiUrl: "http://supervisor", token: "t" });
  expect(supervisorOf({ SUPERVISOR_TOKEN: "t", SUPERVISOR_API: "http://127.0.0.1:1/" })).toEqual({
    apiUrl: "http://127.0.0.1:1",
    token: "t",
  });
});

test.each([
  ["as it is", {}, {}],
  ["a port as text", { port: "8883" }, { port: 8883 }],
  ["a localhost that is not ours", { host: "localhost" }, { host: "core-mosquitto" }],
  ["encrypted", { ssl: true }, { ssl: true }],
  ["MQTT 5", { protocol: "5" }, { isVersion5: true }],
  ["another broker's host", { host: "a0d7b954-emqx" }, { host: "a0d7b954-emqx" }],
])("the broker, %s", async (_, told, read) => {
  const supervisor = await open({ broker: { ...BROKER, ...told } });
  expect(await find(supervisor)).toEqual({ ...BROKER, ssl: false, isVersion5: false, ...read });
});

test("credentials that are null or empty are none", async () => {
  const supervisor = await open({ broker: { ...BROKER, username: "", password: null as unknown as string } });
  expect(await find(supervisor)).toEqual({ host: "core-mosquitto", port: 1883, ssl: false, isVersion5: false });
});

test("without a broker's app there is none", async () => {
  expect(await find(await open())).toBeUndefined();
});

test.each([
  [{ status: 200, body: "<html>" }, /makes no sense/],
  [{ status: 200, body: '{"result":"ok","data":{"host":"","port":"x"}}' }, /makes no sense/],
  [{ status: 403, body: "" }, /does not tell us its MQTT broker \(HTTP 403\): restart the app/],
  [{ status: 503, body: "" }, /answered HTTP 503/],
])("%j is a failure that may pass", async (failure, sentence) => {
  const supervisor = await open();
  supervisor.failure = failure;
  await expect(find(supervisor)).rejects.toMatchObject({
    name: "RecoverableError",
    message: expect.stringMatching(sentence),
  });
});

test("a wrong token, and a Supervisor that is not there, are told without the token", async () => {
  const supervisor = await open({ broker: BROKER });
  await expect(find(supervisor, "s3cret-token")).rejects.toThrow(/HTTP 401/);
  await supervisor.close();
  const gone = find(supervisor);
  await expect(gone).rejects.toThrow(/the Supervisor cannot be reached: .*ECONNREFUSED/);
  await expect(gone).rejects.not.toThrow(supervisor.token);
});
