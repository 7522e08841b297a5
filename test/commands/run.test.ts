/** `pawline run` as a process: how it ends, how it reads its configuration again, and what it does with a bad login. */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Faults } from "../../src/demo/faults.ts";
import type { Cli } from "../support/cli.ts";
import { type Lab, listening, logins, MISO, OREO, openLab } from "./lab.ts";
import { startRelay } from "./relay.ts";
import { type Subscriber, said, subscribe } from "./subscriber.ts";

const STATE = "pawline/bridge/state";
const INFO = "pawline/bridge/info";
const POSITION = `pawline/pettracer_${OREO}/position`;

interface Running {
  readonly daemon: Cli;
  readonly subscriber: Subscriber;
}

/** Starts the daemon and waits until everything stands. */
async function startOnline(lab: Lab, args: readonly string[] = []): Promise<Running> {
  const subscriber = await subscribe(lab.broker.url, lab.atEnd);
  const daemon = lab.start("run", ...args);
  await said(subscriber, STATE, "online");
  await listening(lab.cloud);
  return { daemon, subscriber };
}

/** Ends it by a signal: exit 0 within 5 s, and without a defect in its log. */
async function endsInTime(daemon: Cli, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  daemon.signal(signal);
  const { code, stderr } = await daemon.ended(5_000);
  expect(stderr).not.toMatch(/defect|unexpected error/);
  expect(code).toBe(0);
}

/** What stays at the broker for those who come later. */
async function retained(lab: Lab, topic: string): Promise<string> {
  const late = await subscribe(lab.broker.url, lab.atEnd);
  const { payload, retained: isRetained } = await late.message((one) => one.topic === topic, 5_000, topic);
  expect(isRetained).toBe(true);
  return payload;
}

async function moves(lab: Lab, { subscriber }: Running, latitude: number, ms = 10_000): Promise<void> {
  const timeMeasure = new Date().toISOString().replace("Z", "+0000");
  lab.cloud.push(OREO, { lastPos: { posLat: latitude, posLong: -0.13, acc: 5, timeMeasure } });
  await said(subscriber, POSITION, new RegExp(`"latitude":${latitude},`), ms);
}

// The longest waits first: they pass while the others run.
describe.concurrent("the login at a start", () => {
  test.for([
    ["no answer", (faults: Faults) => faults.login("hang")],
    ["500", (faults: Faults) => faults.login({ status: 500 })],
    ["a web page", (faults: Faults) => faults.login("html")],
    ["a reset", (faults: Faults) => faults.refuseConnections()],
    ["nobody there", (faults: Faults) => faults.refuseConnections("closed")],
  ] as const)(
    "%s: it comes up by itself when that is over",
    { timeout: 40_000 },
    async ([name, spoil], { onTestFinished }) => {
      const lab = await openLab(onTestFinished);
      spoil(lab.cloud.faults);
      const daemon = lab.start("run");
      if (name === "no answer") await lab.cloud.waitFor(() => logins(lab.cloud) === 1, 10_000);
      else await daemon.output(/pettracer: .*; next try in/, 10_000);
      await lab.cloud.faults.clear();
      await listening(lab.cloud, 25_000);
      await daemon.output(/pettracer: live, 2 collars/, 5_000);
      await endsInTime(daemon);
    },
  );

  test("refused: the daemon stays, says so, and does not try again", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { password: "wrong" } });
    const subscriber = await subscribe(lab.broker.url, onTestFinished);
    const daemon = lab.start("run");
    await said(subscriber, STATE, "online", 18_000);
    const info: unknown = JSON.parse(await retained(lab, INFO));
    const error = "PetTracer refused the login (401): check pettracer.username and pettracer.password.";
    expect(info).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      sources: [{ name: "pettracer", state: "parked", error }],
      publishers: [{ name: "mqtt", state: "running", error: null }],
    });
    expect(logins(lab.cloud)).toBe(1);
    expect(lab.cloud.upgrades).toEqual([]);
    await endsInTime(daemon);
  }, 30_000);

  test("429: it waits as long as it is told, and comes up", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.faults.login({ status: 429, retryAfter: 5 }, 1);
    const daemon = lab.start("run");
    await listening(lab.cloud, 15_000);
    const [first, second, ...others] = lab.cloud.calls.filter(({ path }) => path === "/user/login");
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(5_000);
    expect(others).toEqual([]);
    await endsInTime(daemon);
  });
});

describe.concurrent("the end", () => {
  test.for(["SIGTERM", "SIGINT"] as const)("%s: offline, retained, and exit 0", async (signal, { onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { daemon, subscriber } = await startOnline(lab);
    await endsInTime(daemon, signal);
    expect(subscriber.payloads(STATE)).toEqual(["online", "offline"]);
    expect(await retained(lab, STATE)).toBe("offline");
    expect(daemon.stdout).toBe("");
    await lab.cloud.waitFor(() => lab.cloud.sessions.length === 0, 2_000);
  });

  test("while the cloud is frozen", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { daemon } = await startOnline(lab);
    lab.cloud.faults.freeze();
    await endsInTime(daemon);
    expect(await retained(lab, STATE)).toBe("offline");
  });

  test("while the login hangs", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.faults.freeze();
    const daemon = lab.start("run");
    await daemon.output(/connected to the broker/, 10_000);
    await lab.cloud.waitFor(() => logins(lab.cloud) === 1, 5_000);
    await endsInTime(daemon);
    expect(await retained(lab, STATE)).toBe("offline");
  });

  test("while the broker is frozen", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const relay = await startRelay(lab.broker.port, onTestFinished);
    lab.configure({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
    const { daemon } = await startOnline(lab);
    relay.freeze();
    await endsInTime(daemon);
  });

  test("while a broker that was frozen from the start is waited for", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const relay = await startRelay(lab.broker.port, onTestFinished);
    relay.freeze();
    lab.configure({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
    const daemon = lab.start("run");
    await listening(lab.cloud);
    await endsInTime(daemon);
  });

  test("while nobody is at the broker's address", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    const daemon = lab.start("run");
    await daemon.output(/mqtt: .*cannot be reached.*; next try in/, 10_000);
    await endsInTime(daemon);
  });

  test("a second signal ends at once", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const relay = await startRelay(lab.broker.port, onTestFinished);
    lab.configure({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
    const { daemon } = await startOnline(lab);
    relay.freeze();
    daemon.signal("SIGTERM");
    // The goodbye to a frozen broker takes seconds; that the stream is closed tells that it is under way.
    await lab.cloud.waitFor(() => lab.cloud.sessions.length === 0, 3_000);
    const before = performance.now();
    daemon.signal("SIGTERM");
    expect(await daemon.ended(5_000)).toMatchObject({ code: 1 });
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test("a signal that comes while it starts", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const daemon = lab.startWith(
      "process.on('newListener', (name) => name === 'SIGHUP' && process.emit('SIGTERM'));",
      "run",
    );
    await expect(daemon.ended(5_000)).resolves.toMatchObject({ code: 0 });
  });

  test("a daemon that is killed leaves its will", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { daemon, subscriber } = await startOnline(lab);
    daemon.signal("SIGKILL");
    await said(subscriber, STATE, "offline");
    expect(await retained(lab, STATE)).toBe("offline");
  });
});

describe.concurrent("SIGHUP", () => {
  test("a bad file is refused with its errors, and the old one stays in force", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab);
    lab.spoil("pettracer: {username: a, password: s3cret}\nmqtt: {url: nowhere, qos: 9}\nhome: {max_accuracy: 1}\n");
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration is refused, the old one stays in force/, 5_000);
    const { stderr } = running.daemon;
    expect(stderr).toMatch(/pawline\.yaml:2:8 mqtt\.url: must be an address/);
    expect(stderr).toMatch(/pawline\.yaml:2:22 mqtt\.qos: must be 0, 1 or 2/);
    expect(stderr).not.toContain("s3cret");
    await moves(lab, running, 51.611);
    expect(running.subscriber.payloads(STATE)).toEqual(["online"]);
    expect(logins(lab.cloud)).toBe(1);
    await endsInTime(running.daemon);
  });

  test.for([
    ["is gone", (lab: Lab) => rmSync(lab.configure())],
    ["is empty", (lab: Lab) => lab.spoil("")],
    ["names nowhere to publish to", (lab: Lab) => lab.spoil("pettracer: {username: a, password: b}\n")],
  ] as const)("a file that %s is refused, too", async ([, spoil], { onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab);
    spoil(lab);
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration is refused, the old one stays in force/, 5_000);
    await moves(lab, running, 51.612);
    await endsInTime(running.daemon);
  });

  test("nothing of a refused file is in force", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab);
    // A file that is right in itself, and has nowhere to publish to.
    lab.spoil("pettracer: {username: a, password: b}\nhome: {max_accuracy: 1}\n");
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration is refused/, 5_000);
    await moves(lab, running, 51.613, 2_000);
  });

  test("an unchanged file disturbs nothing", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab);
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration was read again/, 5_000);
    await moves(lab, running, 51.614);
    expect(running.subscriber.payloads(STATE)).toEqual(["online"]);
    expect([lab.cloud.upgrades.length, logins(lab.cloud)]).toEqual([1, 1]);
  });

  test("another log level", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ log: { level: "error" } });
    const running = await startOnline(lab);
    expect(running.daemon.stderr).toBe("");
    lab.configure({ log: { level: "trace" } });
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration was read again/, 5_000);
    await moves(lab, running, 51.615);
    await running.daemon.output(/stream message/, 5_000);
    expect(running.subscriber.payloads(STATE)).toEqual(["online"]);
    expect(lab.cloud.upgrades).toHaveLength(1);
  });

  test("a level that the command line gave stays", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab, ["--log-level", "info"]);
    lab.configure({ log: { level: "trace" } });
    running.daemon.signal("SIGHUP");
    await running.daemon.output(/the configuration was read again/, 5_000);
    await moves(lab, running, 51.616);
    expect(running.daemon.stderr).not.toContain('"level":"trace"');
  });

  test("another home.prefer", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const now = new Date().toISOString().replace("Z", "+0000");
    lab.cloud.push(OREO, { home: true, homeSince: now, lastPos: { timeMeasure: "2026-01-01T10:00:00.000+0000" } });
    const running = await startOnline(lab);
    await said(running.subscriber, POSITION, /"latitude":51\.5,.*"source":"station"/);
    lab.configure({ home: { prefer: "gps" } });
    running.daemon.signal("SIGHUP");
    await said(running.subscriber, POSITION, /"latitude":51\.501,.*"source":"gps"/);
    await said(running.subscriber, STATE, "online");
    expect(new Set(running.subscriber.payloads(STATE))).toEqual(new Set(["online"]));
    expect(running.subscriber.messages.filter(({ payload }) => payload === "offline")).toEqual([]);
    // The account is not touched.
    expect([lab.cloud.upgrades.length, logins(lab.cloud)]).toEqual([1, 1]);
    await endsInTime(running.daemon);
  });

  test("a second account", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const running = await startOnline(lab);
    lab.cloud.addAccount({ login: "dog@example.com", password: "bone", id: 16000, name: "Robin" });
    lab.cloud.addCollar("dog@example.com", { id: 14800, details: { name: "Rex" } });
    lab.configure({ pettracer: [lab.account, { ...lab.account, username: "dog@example.com", password: "bone" }] });
    running.daemon.signal("SIGHUP");
    const { subscriber } = running;
    await said(subscriber, "homeassistant/device/pettracer_14800/config", /"Rex"/);
    await said(subscriber, "pawline/pettracer_14800/availability", "online");
    await lab.cloud.waitFor(() => lab.cloud.sessions.filter(({ deviceIds }) => deviceIds.size > 0).length === 2, 5_000);
    await moves(lab, running, 51.617);
    expect(subscriber.messages.filter(({ payload }) => payload === "offline" || payload === "")).toEqual([]);
    await endsInTime(running.daemon);
  });

  test("an account that is taken away takes its collars along", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addAccount({ login: "dog@example.com", password: "bone", id: 16000, name: "Robin" });
    lab.cloud.addCollar("dog@example.com", { id: 14800, details: { name: "Rex" } });
    lab.configure({ pettracer: [lab.account, { ...lab.account, username: "dog@example.com", password: "bone" }] });
    const running = await startOnline(lab);
    await said(running.subscriber, "pawline/pettracer_14800/availability", "online");
    lab.configure();
    running.daemon.signal("SIGHUP");
    await said(running.subscriber, "homeassistant/device/pettracer_14800/config", "");
    await said(running.subscriber, "pawline/pettracer_14800/state", "");
    await moves(lab, running, 51.618);
    expect(running.subscriber.payloads(`homeassistant/device/pettracer_${MISO}/config`)).not.toContain("");
    expect(running.subscriber.payloads(STATE)).not.toContain("offline");
  });

  test("two at once are one after the other", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const subscriber = await subscribe(lab.broker.url, onTestFinished);
    const twice = "process.on('SIGUSR2', () => { process.emit('SIGHUP'); process.emit('SIGHUP'); });";
    const daemon = lab.startWith(twice, "run");
    await said(subscriber, STATE, "online");
    lab.configure({ home: { prefer: "gps" } });
    daemon.signal("SIGUSR2");
    await daemon.output(/(the configuration was read again.*){2}/s, 5_000);
    await lab.cloud.waitFor(() => lab.broker.clients.length === 2, 2_000);
    await moves(lab, { daemon, subscriber }, 51.619);
    expect(daemon.stderr).not.toMatch(/next try in/);
    expect(subscriber.payloads(STATE)).not.toContain("offline");
  });

  test("a wrong password is mended without a restart", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { password: "wrong" } });
    const daemon = lab.start("run");
    await daemon.output(/refused the login/, 10_000);
    lab.configure();
    daemon.signal("SIGHUP");
    await listening(lab.cloud);
    expect(logins(lab.cloud)).toBe(2);
    await endsInTime(daemon);
  });
});
