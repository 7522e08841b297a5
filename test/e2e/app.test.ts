/**
 * The Home Assistant app from its options to the entities: a Supervisor that tells the broker, a broker that lets nobody
 * in without a password, a real Home Assistant, and the program started as the image starts it.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { parse } from "yaml";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { read } from "../docs/markdown.ts";
import { type Json, renderOptions } from "../packaging/supervisor-rules.ts";
import { type Supervisor, startSupervisor } from "../support/supervisor.ts";
import { artifact } from "./support/artifacts.ts";
import { type HomeAssistant, startHomeAssistant } from "./support/home-assistant.ts";
import { fixAt, HOME, OWNER } from "./support/house.ts";
import { type Image, layImage } from "./support/image.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";
import type { StartedProcess } from "./support/processes.ts";

const [APP_USER, CORE_USER] = ["addons", "homeassistant"];
const PASSWORDS = { core: "core-milk-1", first: "app-milk-1", second: "app-milk-2" };
const START_MS = 30_000;

let cloud: Cloud;
let broker: Mosquitto;
let home: HomeAssistant;
let supervisor: Supervisor;
let image: Image;
let app: StartedProcess | undefined;

/** What the user has entered, as the Supervisor writes it down by the app's own schema. */
function writeOptions(): void {
  const { options, schema } = parse(read("addon/config.yaml")) as { readonly options: Json; readonly schema: Json };
  const pettracer = { username: OWNER.login, password: OWNER.password };
  image.writeOptions(renderOptions(schema, { ...options, pettracer, log: { level: "debug" } }));
}

function startApp(): StartedProcess {
  const { portalUrl, streamUrl } = cloud;
  return image.run(["run"], {
    env: {
      ...supervisor.environment,
      // Where a real app finds PetTracer by itself.
      PAWLINE_PETTRACER_PORTAL_URL: portalUrl,
      PAWLINE_PETTRACER_STREAM_URL: streamUrl,
    },
  });
}

beforeAll(async () => {
  cloud = await startCloud();
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, { id: 10775, posLat: HOME.latitude, posLong: HOME.longitude });
  cloud.addCollar(OWNER.login, { id: 14758, bat: 3950, details: { name: "Oreo" }, lastPos: fixAt(300) });
  [broker, image] = await Promise.all([startMosquitto({ username: CORE_USER, password: PASSWORDS.core }), layImage()]);
  await broker.setPassword(APP_USER, PASSWORDS.first);
  const mqtt = { host: "127.0.0.1", port: broker.port, username: CORE_USER, password: PASSWORDS.core };
  home = await startHomeAssistant({ mqtt });
  supervisor = await startSupervisor({ homeAssistant: home });
  writeOptions();
});

afterAll(async () => {
  if (app) writeFileSync(artifact("app.log"), app.output());
  await app?.stop();
  await supervisor?.close();
  await home?.stop();
  await broker?.stop();
  await cloud?.close();
});

describe.runIf(process.getuid?.() === 0)("from options to entities", () => {
  test("without a broker everything comes by Home Assistant's own API", async () => {
    app = startApp();
    await app.waitForOutput(/Pawline \S+, configuration from \/data\/options\.json/, START_MS);
    await app.waitForOutput(/there is no MQTT broker: install the app Mosquitto broker/, START_MS);
    await app.waitForOutput(/Home Assistant at the Supervisor: the route is mqtt/, START_MS);
    await home.waitForState("device_tracker.oreo", "not_home", START_MS);
  });

  test("as soon as there is one it comes by that, and once only", async () => {
    if (app === undefined) throw new Error("the app does not run");
    // As some versions tell it: the port as text.
    supervisor.broker = {
      host: "127.0.0.1",
      port: String(broker.port),
      username: APP_USER,
      password: PASSWORDS.first,
    };
    await app.waitForOutput(/connected to the broker/, START_MS);
    await app.waitForOutput(/the route is none, because the broker brings the pets here/, START_MS);
    const { attributes } = await home.waitForState("sensor.oreo_battery", "75", START_MS);
    expect(attributes.device_class).toBe("battery");
    cloud.push(14758, { bat: 3600 });
    await home.waitForState("sensor.oreo_battery", "17", START_MS);
    expect(broker.log()).toMatch(/u'addons'/);
  });

  test("a password that the broker changed is asked for again", async () => {
    if (app === undefined) throw new Error("the app does not run");
    const from = app.output().length;
    await broker.setPassword(APP_USER, PASSWORDS.second);
    await app.waitForOutput(/the broker refuses the credentials that the Supervisor has for it/, START_MS, from);
    await app.waitForOutput(/the Supervisor has no new credentials/, START_MS, from);
    const { broker: known } = supervisor;
    if (known === undefined) throw new Error("the Supervisor knows no broker");
    supervisor.broker = { ...known, password: PASSWORDS.second };
    // As a retry comes, a minute later at most.
    await app.waitForOutput(/connected to the broker/, 70_000, from);
    cloud.push(14758, { bat: 4000 });
    await home.waitForState("sensor.oreo_battery", "83", START_MS);
    // The broker saw one wrong login, not a loop of them.
    expect(
      app
        .output()
        .slice(from)
        .match(/refuses the credentials/g),
    ).toHaveLength(1);
  });

  test("no secret is in the log, and nothing in Home Assistant's", async () => {
    const secrets = [supervisor.token, OWNER.password, ...Object.values(PASSWORDS), home.adminToken];
    for (const secret of secrets) expect(app?.output()).not.toContain(secret);
    const complaints = await home.logComplaints();
    expect(complaints.filter((line) => /pawline|oreo|pettracer/i.test(line))).toEqual([]);
  });

  test("the end says offline, within five seconds", async () => {
    expect(await app?.stop("SIGTERM", 5_000)).toBe(0);
    await home.waitForState("device_tracker.oreo", "unavailable", START_MS);
  });
});

describe("the way through the Supervisor to Home Assistant", () => {
  test("its WebSocket takes the Supervisor's token for an administrator's", async () => {
    // The app's address ends in /core/websocket, Home Assistant's own in /api/websocket.
    const socket = new WebSocket(`${supervisor.url.replace(/^http/, "ws")}/core/websocket`);
    const said: { readonly type: string; readonly result?: { readonly is_admin?: boolean } }[] = [];
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as (typeof said)[number];
      said.push(message);
      if (message.type === "auth_required")
        socket.send(JSON.stringify({ type: "auth", access_token: supervisor.token }));
      if (message.type === "auth_ok") socket.send(JSON.stringify({ id: 1, type: "auth/current_user" }));
    });
    await expect.poll(() => said.at(-1)?.result?.is_admin, { timeout: START_MS }).toBe(true);
    expect(said.map(({ type }) => type)).toEqual(["auth_required", "auth_ok", "result"]);
    socket.close();
  });

  test("its WebSocket takes no other token", async () => {
    const socket = new WebSocket(`${supervisor.url.replace(/^http/, "ws")}/core/websocket`);
    const types: unknown[] = [];
    socket.on("message", (data: Buffer) => {
      types.push((JSON.parse(data.toString()) as { readonly type: string }).type);
      if (types.length === 1) socket.send(JSON.stringify({ type: "auth", access_token: home.adminToken }));
    });
    await expect.poll(() => types, { timeout: START_MS }).toEqual(["auth_required", "auth_invalid"]);
    socket.close();
  });

  test("its REST API is there, with the Supervisor's token alone", async () => {
    const ask = (token: string): Promise<Response> =>
      fetch(`${supervisor.url}/core/api/config`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await ask(supervisor.token)).json()).toMatchObject({ state: "RUNNING" });
    expect((await ask(home.adminToken)).status).toBe(401);
    const fired = await fetch(`${supervisor.url}/core/api/events/pawline_test`, {
      method: "POST",
      headers: { authorization: `Bearer ${supervisor.token}`, "content-type": "application/json" },
      body: JSON.stringify({ fish: 1 }),
    });
    expect(await fired.json()).toMatchObject({ message: expect.stringContaining("pawline_test") });
  });
});
