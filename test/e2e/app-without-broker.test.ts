/**
 * The app where the Supervisor knows no broker and Home Assistant has MQTT all the same, by a broker somewhere else: the
 * pets come through Home Assistant's own MQTT integration, by the Supervisor's token.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, test } from "vitest";
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

const WAIT_MS = 30_000;
const OREO = 14758;

let cloud: Cloud;
let broker: Mosquitto;
let home: HomeAssistant;
let supervisor: Supervisor;
let image: Image;
let app: StartedProcess | undefined;

async function seesOreoMove(northM: number): Promise<void> {
  const fix = fixAt(northM) as { readonly posLat: number };
  cloud.push(OREO, { lastPos: fix });
  await home.waitForState("device_tracker.oreo", ({ attributes }) => attributes.latitude === fix.posLat, WAIT_MS);
}

beforeAll(async () => {
  cloud = await startCloud();
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, { id: 10775, posLat: HOME.latitude, posLong: HOME.longitude });
  cloud.addCollar(OWNER.login, { id: OREO, details: { name: "Oreo" }, lastPos: fixAt(300) });
  [broker, image] = await Promise.all([startMosquitto(), layImage()]);
  home = await startHomeAssistant({ mqtt: { host: "127.0.0.1", port: broker.port } });
  supervisor = await startSupervisor({ homeAssistant: home });
  const { options, schema } = parse(read("addon/config.yaml")) as { readonly options: Json; readonly schema: Json };
  const pettracer = { username: OWNER.login, password: OWNER.password };
  image.writeOptions(renderOptions(schema, { ...options, pettracer }));
});

afterAll(async () => {
  if (app) writeFileSync(artifact("app-without-broker.log"), app.output());
  await app?.stop();
  await supervisor?.close();
  await home?.stop();
  await broker?.stop();
  await cloud?.close();
});

describe.runIf(process.getuid?.() === 0)("no broker of the Supervisor's, but MQTT", () => {
  test("the pets come through Home Assistant", async () => {
    const { portalUrl, streamUrl } = cloud;
    const env = { PAWLINE_PETTRACER_PORTAL_URL: portalUrl, PAWLINE_PETTRACER_STREAM_URL: streamUrl };
    app = image.run(["run"], { env: { ...supervisor.environment, ...env } });
    await app.waitForOutput(/the route is mqtt/, WAIT_MS);
    await home.waitForState("device_tracker.oreo", "not_home", WAIT_MS);
    await seesOreoMove(310);
  });
});
