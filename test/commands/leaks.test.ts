/** Marked secrets through the daemon, whatever happens to it; and files that nobody else may read, whatever the umask. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { freePort } from "../e2e/support/network.ts";
import { startFakeHomeAssistant } from "../support/fake-home-assistant.ts";
import { ask } from "../support/http.ts";
import { type Lab, listening, OREO, OWNER, openLab } from "./lab.ts";
import { said, subscribe } from "./subscriber.ts";

vi.setConfig({ testTimeout: 90_000 });

const MARK = "MARKED7xQ";
const PASSWORD = `cloud-${MARK}-ü"pass`;
const BROKER = { username: "paw", password: `broker-${MARK}` };
const HA_TOKEN = `ha-${MARK}-token`;
const owner = { ...OWNER, password: PASSWORD };

/** All that has a mark, and every token that the cloud gave out. */
function expectNone(what: string, text: string, { cloud }: Lab): void {
  expect(
    text.includes(MARK),
    `${what}: ${text.slice(Math.max(0, text.indexOf(MARK) - 200), text.indexOf(MARK) + 50)}`,
  ).toBe(false);
  expect(text).not.toContain(Buffer.from(PASSWORD).toString("base64"));
  for (const token of tokensOf(cloud)) expect(text.includes(token), `${what}: a token`).toBe(false);
}

function tokensOf(cloud: Lab["cloud"]): string[] {
  const tokens = cloud.calls.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ""));
  return [...new Set(tokens)].filter((token) => token !== undefined);
}

/** Every process that runs the program, as others on this computer see it. */
function processList(): string {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return all
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, "utf8") + readFileSync(`/proc/${id}/comm`, "utf8");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes("main.ts"))
    .join("\n");
}

function expectPrivate(folder: string): void {
  expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
  for (const name of readdirSync(folder)) {
    expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, "600"]);
  }
}

test("no secret in any output, in the process list, in what crashes tell, or in a file", async ({ onTestFinished }) => {
  const lab = await openLab(onTestFinished, { owner, broker: { authenticate: BROKER } });
  const home = await startFakeHomeAssistant();
  onTestFinished(() => home.close());
  home.moods.token = HA_TOKEN;
  const port = await freePort();
  const url = lab.broker.url.replace("://", `://${BROKER.username}:${BROKER.password}@`);
  lab.configure({
    mqtt: { url },
    home_assistant: { url: home.url, token: HA_TOKEN },
    live: { port },
    log: { level: "trace" },
  });
  const subscriber = await subscribe(lab.broker.url, onTestFinished, BROKER);
  // A defect that nobody has caught, with all that it could know of in its message, its stack and its fields.
  const crash = `
    process.umask(0);
    process.on("SIGUSR2", () => {
      const secrets = ${JSON.stringify([PASSWORD, BROKER.password, HA_TOKEN, url])};
      setImmediate(() => { throw Object.assign(new Error("crash " + secrets.join()), { secrets, cause: new Error(secrets[0]) }); });
      Promise.reject(new Error("rejected " + secrets.join()));
    });`;
  const daemon = lab.startWith(crash, "run");
  await said(subscriber, "pawline/bridge/state", "online");
  await listening(lab.cloud);
  const page = `http://127.0.0.1:${port}`;
  const read = async (): Promise<string> => {
    const answers = await Promise.all(["/", "/api/status", "/metrics", "/readyz"].map((path) => ask(page + path)));
    return answers.map(({ body, headers }) => body + JSON.stringify(headers)).join("\n");
  };
  let served = await read();
  expectNone("the process list", processList(), lab);
  expect(processList()).toContain("run");
  await subscriber.publish("pawline/bridge/request/devices", "{}");
  // Whatever fails may repeat what it was given.
  lab.cloud.faults.answer("/map", { status: 500 });
  lab.cloud.faults.expireTokens();
  lab.cloud.faults.dropStreams();
  await daemon.output(/HTTP 401/, 15_000);
  served += await read();
  home.say("no JSON at all");
  await lab.cloud.faults.clear();
  await listening(lab.cloud, 30_000);
  const [token = ""] = tokensOf(lab.cloud).slice(-1);
  lab.cloud.pushRaw(OREO, `no JSON ${token} ${PASSWORD}`);
  lab.cloud.faults.stompError(`refused ${token} ${PASSWORD} ?access_token=${token}`);
  await daemon.output(/reported an error \(refused \*\*\*/, 15_000);
  daemon.signal("SIGUSR2");
  await daemon.output(/an unexpected error[\s\S]*an unexpected error/, 15_000);
  served += await read();
  const shown = [
    await lab.run(["config"]),
    await lab.run(["check", "--log-level", "trace"], 40_000),
    await lab.run(["diagnostics"], 40_000),
  ];
  const folder = join(lab.folder, "data");
  expectPrivate(folder);
  daemon.signal("SIGTERM");
  const { code, stdout, stderr } = await daemon.ended(8_000);
  expect(code).toBe(0);
  for (const trace of [/crash \*\*\*/, /rejected \*\*\*/, /no JSON \*\*\*/, /stream message/])
    expect(stderr).toMatch(trace);
  expect(tokensOf(lab.cloud).length).toBeGreaterThan(1);
  expectNone("the log", stdout + stderr, lab);
  expectNone("the broker", subscriber.messages.map(({ topic, payload }) => `${topic} ${payload}`).join("\n"), lab);
  expectNone("HTTP", served, lab);
  for (const result of shown) expectNone("a command", result.stdout + result.stderr, lab);
  for (const name of readdirSync(folder)) expectNone(name, readFileSync(join(folder, name), "latin1"), lab);
  expect(readdirSync(folder)).toEqual(
    expect.arrayContaining(["client.json", "devices.json", "logins.json", "positions.sqlite"]),
  );
});

test("every file is its owner's alone: new ones, those of a looser time, and a half-written one", async ({
  onTestFinished,
}) => {
  const lab = await openLab(onTestFinished);
  const folder = join(lab.folder, "data");
  mkdirSync(folder, { mode: 0o700 });
  for (const name of ["devices.json", "devices.json.tmp", "client.json.tmp", "positions.sqlite"]) {
    writeFileSync(join(folder, name), "");
    chmodSync(join(folder, name), 0o666);
  }
  const subscriber = await subscribe(lab.broker.url, onTestFinished);
  const daemon = lab.startWith("process.umask(0);", "run");
  await said(subscriber, "pawline/bridge/state", "online");
  await listening(lab.cloud);
  lab.cloud.push(OREO, { home: true, lastPos: { posLat: 51.5, posLong: -0.1, timeMeasure: new Date().toISOString() } });
  await subscriber.message(({ topic, payload }) => topic.endsWith("/position") && payload.includes("51.5"), 15_000);
  await lab.cloud.waitFor(() => readdirSync(folder).includes("positions.sqlite-wal"), 10_000);
  expect(readdirSync(folder)).toContain("positions.sqlite-shm");
  for (const name of readdirSync(folder).filter((one) => one.startsWith("positions"))) {
    expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, "600"]);
  }
  daemon.signal("SIGTERM");
  expect((await daemon.ended(8_000)).code).toBe(0);
  expectPrivate(folder);
});
