/**
 * Home Assistant behind TLS, with a certificate of the user's own authority: both its WebSocket API and its REST API,
 * which registrations and template helpers go through.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFolder } from "./support/artifacts.ts";
import { type Certificate, certify } from "./support/certificates.ts";
import { fixAt, HOME, OWNER } from "./support/house.ts";
import { type MobileHouse, openMobileHouse } from "./support/mobile-house.ts";
import { StartedProcess, temporaryFolder } from "./support/processes.ts";

const WAIT_MS = 60_000;
const OREO = 14758;

let house: MobileHouse;
let authority: Certificate;
let proxy: Server;
let url = "";

async function startProxy({ cert, key }: Certificate, port: number): Promise<Server> {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (client) => {
    const target = connect(port, "127.0.0.1");
    for (const socket of [client, target]) {
      socket.on("error", () => {
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target).pipe(client);
  }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => {});
  await once(server, "listening");
  return server;
}

beforeAll(async () => {
  const folder = temporaryFolder("home-assistant-tls");
  authority = await certify(folder, "authority");
  house = await openMobileHouse("home-assistant-tls");
  proxy = await startProxy(await certify(folder, "server", authority), house.home.port);
  url = `https://localhost:${(proxy.address() as AddressInfo).port}`;
  house.cloud.addHomeStation(OWNER.login, { id: 10775, posLat: HOME.latitude, posLong: HOME.longitude });
  house.cloud.addCollar(OWNER.login, { id: OREO, mode: 2, modeSet: 2, details: { name: "Oreo" }, lastPos: fixAt(100) });
  house.cloud.setPollDelay(OREO, 0);
});

afterAll(async () => {
  await house?.close();
  proxy?.close();
});

test("a private authority: registered, shown and commanded", async () => {
  house.start({ home_assistant: { url, ca: authority.cert, controls: true } });
  await house.home.waitForState("select.oreo_mode", "Normal", WAIT_MS);
  await house.home.callService("select", "select_option", { option: "Fast" }, { entity_id: "select.oreo_mode" });
  await house.home.waitForState("sensor.oreo_mode", "Fast", WAIT_MS);
});

test("check takes the same certificate", async () => {
  const { folder: cwd } = house.daemon;
  const check = new StartedProcess(process.execPath, [join(projectFolder, "dist/main.js"), "check"], { cwd });
  expect(await check.ended).toBe(0);
  expect(check.output()).toMatch(/✓ Home Assistant: connected to localhost:\d+/);
});

test("without the authority the remedy is named", async () => {
  await house.stop();
  house.start({ home_assistant: { url } });
  const [said] = await house.daemon.waitForOutput(/homeassistant: .*next try/, WAIT_MS);
  expect(said).toMatch(/home_assistant\.ca/);
});
