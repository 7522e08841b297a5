/** The commands inside the Home Assistant app, where the Supervisor knows the broker. */
import { describe, expect, type TestContext, test } from "vitest";
import { startBroker } from "../../src/demo/broker.ts";
import { type Cli, startCli } from "../support/cli.ts";
import { type Supervisor, startSupervisor } from "../support/supervisor.ts";
import { OWNER, openLab } from "./lab.ts";

const BROKER = { username: "addons", password: "s3cret-milk" };

/** An app whose options name no broker; `start` runs a command in it. */
async function openApp(context: TestContext, hasBroker: boolean) {
  const lab = await openLab(context.onTestFinished, { broker: { authenticate: BROKER } });
  const supervisor = await startSupervisor(
    hasBroker ? { broker: { host: "127.0.0.1", port: String(lab.broker.port), ...BROKER } } : {},
  );
  context.onTestFinished(() => supervisor.close());
  lab.spoil(JSON.stringify({ pettracer: lab.account, mqtt: {}, data_dir: lab.folder }));
  return { lab, supervisor, start: (...args: string[]) => start(context, lab.folder, supervisor, args) };
}

function start(context: TestContext, folder: string, supervisor: Supervisor, args: readonly string[]): Cli {
  const env = { ...supervisor.environment };
  return startCli([...args, "--config", "pawline.yaml"], { cwd: folder, env, atEnd: context.onTestFinished });
}

function expectNoSecret(text: string, { token }: Supervisor): void {
  for (const secret of [token, BROKER.password, OWNER.password]) expect(text).not.toContain(secret);
}

describe.concurrent("in the app", () => {
  test("check tries the broker that the Supervisor knows", async (context) => {
    const { supervisor, start, lab } = await openApp(context, true);
    const { code, stdout, stderr } = await start("check", "--log-level", "trace").ended(30_000);
    expect(stdout).toContain(`✓ Supervisor: knows a broker at 127.0.0.1:${lab.broker.port}\n`);
    expect(stdout).toContain("✓ MQTT rights: may write and read pawline/…");
    expect(code).toBe(0);
    expectNoSecret(stdout + stderr, supervisor);
  });

  test("check without a broker's app says what to install", async (context) => {
    const { start } = await openApp(context, false);
    const { code, stdout } = await start("check").ended(30_000);
    expect(stdout).toMatch(/^• Supervisor: there is no MQTT broker: install the app Mosquitto broker/m);
    expect(stdout).toMatch(/^✗ Home Assistant: .*the Supervisor/m);
    expect(code).toBe(4);
  });

  test("cleanup finds the broker, too", async (context) => {
    const { start } = await openApp(context, true);
    const { code, stdout } = await start("cleanup", "--yes").ended(30_000);
    const places = ["at the broker", "in Home Assistant"].map((place) => `Nothing of Pawline stands ${place}.\n`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: places.join("") });
  });

  test("a broker that is named in the options wins", async (context) => {
    const { lab, supervisor, start } = await openApp(context, true);
    const other = await startBroker();
    context.onTestFinished(() => other.close());
    lab.spoil(JSON.stringify({ pettracer: lab.account, mqtt: { url: other.url }, data_dir: lab.folder }));
    const { code, stdout } = await start("check").ended(30_000);
    expect(stdout).toContain(`✓ MQTT broker: connected to 127.0.0.1:${other.port}`);
    const asked = supervisor.requests.filter(({ path }) => path.startsWith("/services"));
    expect({ code, asked }).toEqual({ code: 0, asked: [] });
  });

  test("the daemon waits for a broker's app, and asks again", { timeout: 60_000 }, async (context) => {
    const { lab, supervisor, start } = await openApp(context, false);
    const daemon = start("run", "--log-level", "trace");
    await daemon.output(/mqtt: there is no MQTT broker: install the app Mosquitto broker/, 20_000);
    supervisor.broker = { host: "127.0.0.1", port: lab.broker.port, ...BROKER };
    await daemon.output(/connected to the broker at 127\.0\.0\.1/, 30_000);
    daemon.signal("SIGTERM");
    const { code, stdout, stderr } = await daemon.ended(5_000);
    expect(code).toBe(0);
    expectNoSecret(stdout + stderr, supervisor);
  });

  test("a Supervisor that is away holds nothing up that was known before", { timeout: 60_000 }, async (context) => {
    const { lab, supervisor, start } = await openApp(context, true);
    const daemon = start("run");
    await daemon.output(/connected to the broker/, 20_000);
    supervisor.failure = { status: 503, body: "" };
    const from = daemon.stderr.length;
    lab.broker.dropClients();
    await expect.poll(() => daemon.stderr.slice(from), { timeout: 30_000 }).toMatch(/connected to the broker/);
  });

  test("refused credentials are no login loop, and new ones are taken up", { timeout: 90_000 }, async (context) => {
    const { lab, supervisor, start } = await openApp(context, true);
    const right = supervisor.broker;
    supervisor.broker = { host: "127.0.0.1", port: lab.broker.port, username: "addons", password: "s3cret-cream" };
    const daemon = start("run", "--log-level", "trace");
    await daemon.output(/the broker refuses the credentials that the Supervisor has for it/, 20_000);
    // Whether the Supervisor has new ones is asked before any other login.
    await daemon.output(/the Supervisor has no new credentials: restart the broker's app/, 20_000);
    const refusals = daemon.stderr.match(/refuses the credentials/g)?.length;
    expect(refusals).toBe(1);
    supervisor.broker = right;
    await daemon.output(/connected to the broker at/, 30_000);
    expect(daemon.stderr.match(/refuses the credentials/g)).toHaveLength(1);
    expectNoSecret(daemon.stderr, supervisor);
    expect(daemon.stderr).not.toContain("s3cret-cream");
  });
});
