/** Every step of the container image that can be taken without Docker: bundle, start, rights, signals, health. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { connectAsync } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LEAVES } from "../../src/config/leaves.ts";
import { startSupervisor } from "../support/supervisor.ts";
import { type Image, identityOf, layImage } from "./support/image.ts";
import { freePort, portAccepts } from "./support/network.ts";
import { StartedProcess, temporaryFolder } from "./support/processes.ts";
import { within } from "./support/waiting.ts";

const MB = 1_000_000;
const START_MS = 20_000;
const STOP_MS = 5_000;
const ACCOUNT = { username: "cat@example.com", password: "tuna-tuna-tuna" };
/** Nothing listens there. */
const NOWHERE = { portal_url: "http://127.0.0.1:9/api", stream_url: "ws://127.0.0.1:9/sc" };
const OPTIONS = { pettracer: { ...ACCOUNT, ...NOWHERE }, mqtt: {}, home: {}, entities: {}, log: {} };

let image: Image;

beforeAll(async () => {
  image = await layImage();
});

/** The bundle and nothing else, without any variable. */
function bundleAlone(args: readonly string[]): StartedProcess {
  const cwd = temporaryFolder("bundle");
  copyFileSync(join(image.folder, "opt/pawline/pawline.mjs"), join(cwd, "pawline.mjs"));
  const bundle = new StartedProcess(process.execPath, ["pawline.mjs", ...args], { cwd, env: {} });
  onTestFinished(async () => void (await bundle.kill()));
  return bundle;
}

function started(program: StartedProcess): StartedProcess {
  onTestFinished(async () => void (await program.kill()));
  return program;
}

describe("the bundle in an empty folder", () => {
  test("knows its version", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const bundle = bundleAlone(["--version"]);
    expect([await bundle.ended, bundle.output()]).toEqual([0, `${version}\n`]);
  });

  test("runs the demo, with cats, cloud and broker, and ends on SIGTERM", async () => {
    const bundle = bundleAlone(["demo", "--port", "0"]);
    await bundle.waitForOutput(/Mochi: 51\./, START_MS);
    expect(await bundle.stop("SIGTERM", STOP_MS)).toBe(0);
    expect(bundle.output()).toMatch(/^Pawline's demo/);
    expect(bundle.output()).not.toMatch(/[Ww]arning|Error/);
  });

  test("brings each command along", async () => {
    for (const command of ["check", "devices", "diagnostics", "cleanup", "config"]) {
      const bundle = bundleAlone([command]);
      expect(await bundle.ended).toBe(2);
      expect(bundle.output()).toMatch(/^pettracer\.username: missing; write it into pawline\.yaml/);
    }
  });

  test("writes a log for people, too", async () => {
    const bundle = bundleAlone(["demo", "--port", "0", "--log-level", "info"]);
    await bundle.waitForOutput(/"level":"info".*connected to the broker/, START_MS);
    const folder = temporaryFolder("pretty");
    copyFileSync(join(image.folder, "opt/pawline/pawline.mjs"), join(folder, "pawline.mjs"));
    writeFileSync(
      join(folder, "pawline.yaml"),
      JSON.stringify({ ...OPTIONS, mqtt: { url: "mqtt://127.0.0.1:9" }, log: { format: "pretty" } }),
    );
    const pretty = started(new StartedProcess(process.execPath, ["pawline.mjs"], { cwd: folder, env: {} }));
    await pretty.waitForOutput(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Pawline /m, START_MS);
  });

  test("is small, and comes with the licences of what it holds", () => {
    const bundle = readFileSync(join(image.folder, "opt/pawline/pawline.mjs"));
    expect(gzipSync(bundle).length).toBeLessThan(MB);
    const licenses = readFileSync(join(image.folder, "opt/pawline/LICENSES.txt"), "utf8");
    for (const name of ["mqtt", "@stomp/stompjs", "ws", "pino", "zod", "yaml", "commander", "aedes"])
      expect(licenses).toMatch(new RegExp(`^${name} \\d.*: \\S`, "m"));
  });

  test("has the page beside it, with the licence of its map", async () => {
    const folder = join(image.folder, "opt/pawline/page");
    expect(readFileSync(join(folder, "LICENSES.txt"), "utf8")).toMatch(/^leaflet \d.*: BSD-2-Clause/);
    const demo = started(new StartedProcess(process.execPath, [join(folder, "../pawline.mjs"), "demo", "--port", "0"]));
    const [, url = ""] = await demo.waitForOutput(/Live page +(http:\S+)/, START_MS);
    await demo.waitForOutput(/Mochi: 51\./, START_MS);
    const page = await (await fetch(url)).text();
    for (const [, file = ""] of page.matchAll(/(?:src|href)="\.\/([^"]+)"/g))
      expect([file, (await fetch(new URL(file, url))).status]).toEqual([file, 200]);
  });
});

describe.runIf(process.getuid?.() === 0)("the image", () => {
  test("as the app: root's data is handed over, and the program is a plain user", async () => {
    const supervisor = await startSupervisor();
    onTestFinished(() => supervisor.close());
    image.writeOptions(OPTIONS);
    const app = started(image.run(["run"], { env: supervisor.environment }));
    await app.waitForOutput(/configuration from \/data\/options\.json/, START_MS);
    await app.waitForOutput(/mqtt: there is no MQTT broker/, START_MS);
    const plain = [10_001, 10_001, 10_001, 10_001];
    expect(identityOf(app.pid ?? 0)).toEqual({ user: plain, group: plain, others: [] });
    const kept = readdirSync(image.data);
    expect(kept).toContain("client.json");
    for (const name of kept) expect(statSync(join(image.data, name)).uid).toBe(10_001);
    expect(app.output()).not.toContain("cannot be written");
    expect(await app.stop("SIGTERM", STOP_MS)).toBe(0);
    expect(app.output()).not.toContain(supervisor.token);
  });

  test("as the app, started again: the Supervisor has written new options as root", async () => {
    image.writeOptions({ ...OPTIONS, log: { level: "debug" } });
    const app = started(image.run(["config"], { env: { SUPERVISOR_TOKEN: "s3cret" } }));
    expect(await app.ended).toBe(0);
    expect(app.output()).toMatch(/^log\.level +debug +\/data\/options\.json:/m);
    expect(app.output()).toMatch(/^data_dir +\/data +default of the app/m);
  });

  test("as the app with nothing filled in: a sentence for each field", async () => {
    image.writeOptions({ ...OPTIONS, pettracer: { username: "", password: "" } });
    const app = started(image.run(["run"], { env: { SUPERVISOR_TOKEN: "s3cret" } }));
    expect(await app.ended).toBe(2);
    expect(app.output()).toMatch(/pettracer\.username: must not be empty; fill it in on the app's Configuration tab/);
    expect(app.output()).toMatch(/pettracer\.password: must not be empty; fill it in on the app's Configuration tab/);
  });

  test("in Docker as another user: nothing is handed over, and an unwritable /data is no end", async () => {
    image.writeOptions(OPTIONS);
    const before = statSync(image.data).uid;
    const secret = join(image.folder, "config/secret");
    writeFileSync(secret, "tuna-tuna-tuna\n");
    const env = {
      PAWLINE_PETTRACER_USERNAME: ACCOUNT.username,
      PAWLINE_PETTRACER_PASSWORD_FILE: "/config/secret",
      PAWLINE_PETTRACER_PORTAL_URL: NOWHERE.portal_url,
      PAWLINE_PETTRACER_STREAM_URL: NOWHERE.stream_url,
      PAWLINE_MQTT_URL: "mqtt://127.0.0.1:9",
      PAWLINE_CONFIG: "/config/pawline.yaml",
    };
    writeFileSync(join(image.folder, "config/pawline.yaml"), "home: {prefer: gps}\n");
    const container = started(image.run(["run"], { env, as: "4242:4243" }));
    await container.waitForOutput(/data_dir: \.\/data cannot be written to/, START_MS);
    await container.waitForOutput(/the broker at 127\.0\.0\.1:9 cannot be reached/, START_MS);
    expect(identityOf(container.pid ?? 0)).toMatchObject({ user: [4242, 4242, 4242, 4242] });
    expect(statSync(image.data).uid).toBe(before);
    expect(await container.stop("SIGTERM", STOP_MS)).toBe(0);
  });

  test("in Docker with PUID and PGID: that user's", async () => {
    const container = started(image.run(["demo", "--port", "0"], { env: { PUID: "4000", PGID: "4001" } }));
    await container.waitForOutput(/Mochi: 51\./, START_MS);
    expect(identityOf(container.pid ?? 0)).toMatchObject({ user: [4000, 4000, 4000, 4000], others: [] });
    expect(statSync(image.data).uid).toBe(4000);
    expect(await container.stop("SIGINT", STOP_MS)).toBe(0);
  });

  test.each(["0", "root", "-1", "1.5"])("PUID %s is refused", async (PUID) => {
    const container = started(image.run(["--version"], { env: { PUID } }));
    expect([await container.ended, container.output()]).toEqual([
      2,
      "PUID: must be the number of a user or group, and not root's\n",
    ]);
  });

  test("root without the right to give its rights up is told what to do", async () => {
    const command = ["/usr/bin/setpriv", "--bounding-set", "-setuid,-setgid", "--inh-caps", "-setuid,-setgid"];
    const container = started(image.enter([...command, "/node", "/opt/pawline/start.mjs", "--version"]));
    expect(await container.ended).toBe(1);
    expect(container.output()).toMatch(/Pawline does not run as root, and cannot become user 10001 .*--user/);
  });

  test("its root is read-only in these tests", async () => {
    const container = started(image.enter(["/bin/sh", "-c", "touch /opt/pawline/x || touch /x || echo none"]));
    expect(await container.ended).toBe(0);
    expect(container.output()).toMatch(/Read-only file system[\s\S]*Read-only file system[\s\S]*none/);
    expect(existsSync(join(image.folder, "x"))).toBe(false);
  });
});

test("the broker of compose.yaml starts with its configuration, and lets nobody in without a password", async () => {
  const folder = temporaryFolder("compose-broker");
  const port = await freePort();
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin` };
  const passwords = ["-b", "-c", join(folder, "passwords"), "pawline", "milk"];
  expect(await new StartedProcess("mosquitto_passwd", passwords, { env }).ended).toBe(0);
  const text = readFileSync("config/mosquitto/mosquitto.conf", "utf8")
    .replace("listener 1883", `user root\nlistener ${port} 127.0.0.1`)
    .replace("/run/mosquitto/", `${folder}/`)
    .replace("/mosquitto/data/", `${folder}/`);
  writeFileSync(join(folder, "mosquitto.conf"), text);
  started(new StartedProcess("mosquitto", ["-c", join(folder, "mosquitto.conf")], { env }));
  await portAccepts(port, START_MS);
  const login = { port, host: "127.0.0.1", reconnectPeriod: 0 };
  const client = await connectAsync({ ...login, username: "pawline", password: "milk" });
  await client.endAsync();
  await expect(connectAsync(login)).rejects.toThrow(/Not authorized/);
});

describe("the health check", () => {
  async function check(port: number): Promise<number> {
    const env = { PATH: process.env.PATH, PAWLINE_LIVE_PORT: String(port), http_proxy: "http://127.0.0.1:9" };
    return await new StartedProcess("sh", ["tools/image/healthcheck.sh"], { env }).ended;
  }

  test.each([
    [200, true],
    [503, false],
  ])("an answer %i means healthy: %s", async (status, isHealthy) => {
    const asked: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(status).end();
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    expect((await check((server.address() as AddressInfo).port)) === 0).toBe(isHealthy);
    expect(new Set(asked)).toEqual(new Set(["/healthz"]));
  });

  test("a process that hangs is not healthy, and the check does not wait for ever", async () => {
    const server = createServer(() => {});
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const answer = check((server.address() as AddressInfo).port);
    // Docker would end it after its own time-out.
    expect(await within(10_000, answer, () => "the check waits")).not.toBe(0);
  });

  test("nobody there is not healthy", async () => {
    expect(await check(await freePort())).not.toBe(0);
  });

  // The page it asks for is the live page's server's.
  test.runIf(LEAVES.some(({ path }) => path[0] === "live"))("the program is healthy while nothing works", async () => {
    const port = await freePort();
    const folder = temporaryFolder("health");
    const config = { ...OPTIONS, mqtt: { url: "mqtt://127.0.0.1:9" }, live: { port } };
    writeFileSync(join(folder, "pawline.yaml"), JSON.stringify(config));
    const program = [join(image.folder, "opt/pawline/pawline.mjs"), "run"];
    const daemon = started(new StartedProcess(process.execPath, program, { cwd: folder, env: {} }));
    await daemon.waitForOutput(/the broker at 127\.0\.0\.1:9 cannot be reached/, START_MS);
    expect(await check(port)).toBe(0);
    daemon.signal("SIGSTOP");
    expect(await check(port)).not.toBe(0);
    daemon.signal("SIGCONT");
  });
});
