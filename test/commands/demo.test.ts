/** `pawline demo` as a process: what it says, what it publishes, and that nothing of it stays. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startBroker } from "../../src/demo/broker.ts";
import { type Cli, startCli } from "../support/cli.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";
import { said, subscribe } from "./subscriber.ts";

const CATS = { 14701: "Mochi", 14702: "Biscuit", 14703: "Juniper" };

interface Demo {
  readonly demo: Cli;
  readonly url: string;
  /** What it has in the folder for temporary files. */
  readonly leftovers: () => string[];
}

async function startDemo(atEnd: AtEnd, args: readonly string[] = ["--port", "0"], env = {}): Promise<Demo> {
  const { path: cwd } = temporaryFolder(atEnd);
  const { path: TMPDIR } = temporaryFolder(atEnd);
  const demo = startCli(["demo", ...args], { cwd, env: { TMPDIR, ...env }, atEnd });
  const [, url = ""] = await demo.output(/MQTT broker +(mqtt:\/\/127\.0\.0\.1:[1-9]\d*) /, 10_000);
  return { demo, url, leftovers: () => [...readdirSync(TMPDIR), ...readdirSync(cwd)] };
}

describe.concurrent("demo", () => {
  test("tells where to look, publishes three walking cats, and ends without a trace", { timeout: 40_000 }, async ({
    onTestFinished,
  }) => {
    const { demo, url, leftovers } = await startDemo(onTestFinished);
    const port = new URL(url).port;
    expect(demo.stdout).toContain(`mosquitto_sub -h 127.0.0.1 -p ${port} -v -t '#'`);
    const [, page = ""] = await demo.output(/Live page +(http:\/\/127\.0\.0\.1:[1-9]\d*\/)/, 10_000);
    const subscriber = await subscribe(url, onTestFinished);
    const devices = [...Object.keys(CATS).map((id) => `pettracer_${id}`), "pettracer_hs_10701", "bridge"];
    const deadline = performance.now() + 15_000;
    const timeLeft = (): number => deadline - performance.now();
    for (const device of devices) await said(subscriber, `homeassistant/device/${device}/config`, /^\{/, timeLeft());
    await said(subscriber, "pawline/bridge/state", "online", timeLeft());
    const places = (id: string): Set<string> => new Set(subscriber.payloads(`pawline/pettracer_${id}/position`));
    const haveMoved = (): boolean => Object.keys(CATS).every((id) => places(id).size > 1);
    await subscriber.message(haveMoved, timeLeft(), "of the third cat that moves");
    expect(await (await fetch(`${page}api/devices`)).text()).toContain(CATS[14701]);
    expect((await fetch(page)).headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(leftovers()).not.toEqual([]);
    demo.signal("SIGINT");
    const { code, stdout, stderr } = await demo.ended(5_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(leftovers()).toEqual([]);
    const updates = stdout.split("\n").filter((line) => /^\d\d:/.test(line));
    for (const name of Object.values(CATS)) {
      const readable = new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d {2}${name}: -?\\d+\\.\\d{5}, -?\\d+\\.\\d{5} ±\\d+ m, (at home|\\d+ m from home), battery \\d+ %`,
      );
      expect(updates.filter((line) => readable.test(line)).length).toBeGreaterThan(1);
    }
    expect(
      updates.filter((line) => !/^\d\d:\d\d:\d\d {2}[^:]+: \S.*$/.test(line) || /undefined|NaN|null/.test(line)),
    ).toEqual([]);
  });

  test("a port that is taken is replaced, and the right one is told", async ({ onTestFinished }) => {
    const taken = await startBroker();
    onTestFinished(() => taken.close());
    const { demo, url } = await startDemo(onTestFinished, ["--port", String(taken.port)]);
    expect(new URL(url).port).not.toBe(String(taken.port));
    await said(await subscribe(url, onTestFinished), "pawline/bridge/state", "online");
    demo.signal("SIGTERM");
    expect(await demo.ended(5_000)).toMatchObject({ code: 0 });
  });

  test("no configuration reaches it", async ({ onTestFinished }) => {
    const env = {
      PAWLINE_CONFIG: "/nowhere.yaml",
      PAWLINE_MQTT_BASE_TOPIC: "other",
      PAWLINE_MQTT_URL: "mqtt://192.0.2.1",
    };
    const { url } = await startDemo(onTestFinished, ["--port", "0"], env);
    await said(await subscribe(url, onTestFinished), "pawline/bridge/state", "online");
  });

  test("--log-level shows the daemon's log on standard error", async ({ onTestFinished }) => {
    const { demo } = await startDemo(onTestFinished, ["--port", "0", "--log-level", "info"]);
    await demo.output(/pettracer: live, 3 collars/, 10_000);
    expect(demo.stdout).not.toContain("live, 3 collars");
  });

  test("a signal that comes while it starts ends it, too", async ({ onTestFinished }) => {
    const folder = temporaryFolder(onTestFinished);
    const { path: TMPDIR } = temporaryFolder(onTestFinished);
    const early = folder.write(
      "early.mjs",
      "process.on('newListener', (name) => name === 'SIGHUP' && process.emit('SIGINT'));",
    );
    const env = { TMPDIR, NODE_OPTIONS: `--import=file://${early}` };
    const demo = startCli(["demo", "--port", "0"], { cwd: folder.path, env, atEnd: onTestFinished });
    expect(await demo.ended(5_000)).toMatchObject({ code: 0 });
    expect(readdirSync(TMPDIR)).toEqual([]);
  });
});
