/** `pawline cleanup`: nothing of ours stays at the broker, and nothing of others goes. */
import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import { startBroker } from "../../src/demo/broker.ts";
import type { AtEnd } from "../support/temp.ts";
import { runInLab } from "./in-process.ts";
import { type Lab, OREO, openLab } from "./lab.ts";
import { brokerWithRights } from "./rights.ts";
import { said, subscribe } from "./subscriber.ts";

/** Retained messages of other programs, one of them another Pawline's. */
const FOREIGN: Readonly<Record<string, string>> = {
  "homeassistant/device/other/config": JSON.stringify({
    device: { ids: "x" },
    components: { a: { platform: "sensor" } },
  }),
  "homeassistant/device/pettracer_1/config": discovery("elsewhere"),
  "homeassistant/sensor/thermometer/config": JSON.stringify({ name: "pawline", state_topic: "pawline/x" }),
  "homeassistant/status": "online",
  "zigbee2mqtt/x": "{}",
  "elsewhere/bridge/state": "online",
  "pawline2/bridge/state": "online",
  pawlines: "many",
};

/** A discovery message of the Pawline with this base topic. */
function discovery(base: string): string {
  return JSON.stringify({
    device: { identifiers: ["pettracer_1"] },
    availability: [{ topic: `${base}/bridge/state` }],
    components: { battery: { platform: "sensor", unique_id: "pettracer_1_battery" } },
  });
}

/** What a daemon that was killed would have left. */
const OWN: Readonly<Record<string, string>> = {
  "homeassistant/device/pettracer_14758/config": discovery("pawline"),
  "homeassistant/device/bridge/config": discovery("pawline"),
  "pawline/bridge/state": "offline",
  "pawline/bridge/info": "{}",
  "pawline/pettracer_14758/state": "{}",
  "pawline/pettracer_14758/photo": "\u0000\uffff",
  "pawline/pettracer_14758/light/set": "ON",
  pawline: "by hand",
};

async function publish(url: string, messages: Readonly<Record<string, string>>): Promise<void> {
  const client = await connectAsync(url, { reconnectPeriod: 0 });
  for (const [topic, payload] of Object.entries(messages)) {
    await client.publishAsync(topic, payload, { retain: true, qos: 1 });
  }
  await client.endAsync();
}

/** What the broker keeps. */
async function retained(url: string, atEnd: AtEnd): Promise<Record<string, string>> {
  // The broker tells what it keeps in the order in which it came: this last.
  const marker = `marker/${Math.random()}`;
  await publish(url, { [marker]: "the last" });
  const subscriber = await subscribe(url, atEnd);
  await said(subscriber, marker, "the last", 5_000);
  await subscriber.publish(marker, "");
  const kept = subscriber.messages.filter(({ topic, retained: isKept }) => isKept && topic !== marker);
  return Object.fromEntries(kept.map(({ topic, payload }) => [topic, payload]));
}

/** Lets the daemon publish everything, and ends it. */
async function runOnce(lab: Lab, config = `homeassistant/device/pettracer_${OREO}/config`): Promise<void> {
  const subscriber = await subscribe(lab.broker.url, lab.atEnd);
  const daemon = lab.start("run");
  await said(subscriber, "pawline/bridge/state", "online");
  await said(subscriber, config, /identifiers/);
  daemon.signal("SIGTERM");
  expect(await daemon.ended(10_000)).toMatchObject({ code: 0 });
}

/** Follows what is cleared, and when, ms. */
async function watchClearing(
  url: string,
  atEnd: AtEnd,
): Promise<{ readonly cleared: { topic: string; at: number }[] }> {
  const client = await connectAsync(url, { reconnectPeriod: 0 });
  atEnd(() => client.endAsync(true));
  const cleared: { topic: string; at: number }[] = [];
  client.on("message", (topic, payload) => {
    if (payload.length === 0) cleared.push({ topic, at: performance.now() });
  });
  await client.subscribeAsync("#", { qos: 1 });
  return { cleared };
}

describe.concurrent("cleanup", () => {
  test("all that a daemon has published goes, discovery first; the rest stays", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, FOREIGN);
    await runOnce(lab);
    const before = Object.keys(await retained(lab.broker.url, onTestFinished)).filter((topic) => !(topic in FOREIGN));
    expect(before.length).toBeGreaterThan(10);
    const { cleared } = await watchClearing(lab.broker.url, onTestFinished);
    const { code, stdout, stderr } = await lab.run(["cleanup", "--yes"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("Published by Pawline:");
    expect(
      lines
        .slice(1, -1)
        .map((line) => line.slice(2))
        .toSorted(),
    ).toEqual(before.toSorted());
    expect(lines.at(-1)).toBe(`Removed ${before.length} topics.`);
    expect(await retained(lab.broker.url, onTestFinished)).toEqual(FOREIGN);
    // Home Assistant has time to remove the devices before their states end.
    const isDiscovery = ({ topic }: { readonly topic: string }): boolean => topic.startsWith("homeassistant/");
    const last = cleared.findLast(isDiscovery)?.at ?? Number.NaN;
    const first = cleared.find((message) => !isDiscovery(message))?.at ?? Number.NaN;
    expect(first - last).toBeGreaterThan(900);
    expect(cleared.map(({ topic }) => topic).toSorted()).toEqual(before.toSorted());
  });

  test("all that a daemon has published in mode component goes, and what one that was killed has left", async (context) => {
    const lab = await openLab(context.onTestFinished);
    const moving = '{"migrate_discovery": true}';
    const foreign = {
      ...FOREIGN,
      "homeassistant/sensor/0x1234/battery/config": moving,
      "homeassistant/sensor/pettracer_1/battery/config": JSON.stringify({
        unique_id: "pettracer_1_battery",
        origin: { name: "Pawline" },
        state_topic: "elsewhere/pettracer_1/state",
      }),
    };
    await publish(lab.broker.url, foreign);
    lab.configure({ mqtt: { discovery: { mode: "component" } } });
    await runOnce(lab, `homeassistant/sensor/pettracer_${OREO}/battery/config`);
    await publish(lab.broker.url, {
      [`homeassistant/device/pettracer_${OREO}/config`]: moving,
      [`homeassistant/sensor/pettracer_${OREO}/signal/config`]: moving,
    });
    const before = Object.keys(await retained(lab.broker.url, context.onTestFinished));
    expect(before.filter((topic) => topic.startsWith("homeassistant/")).length).toBeGreaterThan(40);
    expect(await runInLab(lab, ["cleanup", "--yes"])).toMatchObject({ code: 0, stderr: "" });
    expect(await retained(lab.broker.url, context.onTestFinished)).toEqual(foreign);
  });

  test("a device that is long gone, and what somebody has retained by hand", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, { ...FOREIGN, ...OWN });
    expect(await runInLab(lab, ["cleanup", "-y"])).toMatchObject({ code: 0, stderr: "" });
    // `pawline` alone is under nobody's base topic.
    expect(await retained(lab.broker.url, onTestFinished)).toEqual({ ...FOREIGN, pawline: "by hand" });
    expect(await runInLab(lab, ["cleanup"])).toEqual({
      code: 0,
      stdout: "Nothing of Pawline stands at the broker.\n",
      stderr: "",
    });
  });

  test("after cleanup the daemon publishes everything anew", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await runOnce(lab);
    const before = Object.keys(await retained(lab.broker.url, onTestFinished));
    await runInLab(lab, ["cleanup", "--yes"]);
    await runOnce(lab);
    expect(Object.keys(await retained(lab.broker.url, onTestFinished)).toSorted()).toEqual(before.toSorted());
  });

  test("where the base topic is also the discovery prefix, strangers stay", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ mqtt: { base_topic: "homeassistant" } });
    const own = {
      "homeassistant/device/pettracer_14758/config": discovery("homeassistant"),
      "homeassistant/pettracer_14758/state": "{}",
      "homeassistant/bridge/state": "offline",
    };
    await publish(lab.broker.url, { ...FOREIGN, ...own });
    expect(await runInLab(lab, ["cleanup", "--yes"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Removed 3/),
    });
    expect(await retained(lab.broker.url, onTestFinished)).toEqual(FOREIGN);
  });

  test("a base topic below the prefix is all ours", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ mqtt: { base_topic: "homeassistant/pawline" } });
    await publish(lab.broker.url, { ...FOREIGN, "homeassistant/pawline/gone/state": "{}" });
    expect(await runInLab(lab, ["cleanup", "--yes"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Removed 1 topic\./),
    });
    expect(await retained(lab.broker.url, onTestFinished)).toEqual(FOREIGN);
  });
});

describe.concurrent("the question", () => {
  test("nobody to answer it: 2, and nothing is removed", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, OWN);
    const { code, stdout, stderr } = await lab.run(["cleanup"]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^ {2}pawline\/bridge\/state$/m);
    expect(stderr).toBe("cleanup asks before it removes anything: run it on a terminal, or give --yes\n");
    expect(await retained(lab.broker.url, onTestFinished)).toEqual(OWN);
  });

  test.for([["y"], ["YES "], ["n"], [""], ["yeah"], ["no"]] as const)("the answer %j", async ([answer], context) => {
    const lab = await openLab(context.onTestFinished);
    await publish(lab.broker.url, OWN);
    const questions: string[] = [];
    const { code, stdout } = await runInLab(lab, ["cleanup"], {
      answer: (question) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    });
    expect({ code, questions }).toEqual({ code: 0, questions: ["Remove 7 topics? [y/N] "] });
    const isYes = answer.toLowerCase().startsWith("y") && answer !== "yeah";
    expect(stdout).toMatch(isYes ? /^Removed 7 topics\.$/m : /^Nothing was removed\.$/m);
    expect(await retained(lab.broker.url, context.onTestFinished)).toEqual(isYes ? { pawline: "by hand" } : OWN);
  });

  test("a program that is stopped while it asks removes nothing", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, OWN);
    const stop = new AbortController();
    const { code, stderr } = await runInLab(lab, ["cleanup"], {
      signal: stop.signal,
      answer: () => {
        stop.abort();
        return Promise.resolve(undefined);
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await retained(lab.broker.url, onTestFinished)).toEqual(OWN);
  });
});

describe.concurrent("while Pawline is running", () => {
  test("refused, unless --yes says otherwise", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, { ...OWN, "pawline/bridge/state": "online" });
    const refused = await runInLab(lab, ["cleanup"], { answer: () => Promise.resolve("y") });
    const sentence = "Pawline is running at the broker and would publish again what is removed now";
    expect(refused.code).toBe(2);
    expect(refused.stderr).toBe(`${sentence}: stop it first, or give --yes to remove it all the same\n`);
    expect(Object.keys(await retained(lab.broker.url, onTestFinished))).toHaveLength(8);
    expect(await runInLab(lab, ["cleanup", "--yes"])).toMatchObject({ code: 0, stderr: `${sentence}.\n` });
    expect(await retained(lab.broker.url, onTestFinished)).toEqual({ pawline: "by hand" });
  });

  test("what is published again is told: 1", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await publish(lab.broker.url, OWN);
    const client = await connectAsync(lab.broker.url, { reconnectPeriod: 0 });
    onTestFinished(() => client.endAsync(true));
    const topic = "pawline/bridge/info";
    client.on("message", (_, payload) => {
      if (payload.length === 0) client.publish(topic, "again", { retain: true, qos: 1 });
    });
    await client.subscribeAsync(topic, { qos: 1 });
    const { code, stdout, stderr } = await runInLab(lab, ["cleanup", "--yes"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Removed 6 topics\.$/m);
    expect(stderr).toBe(
      `Still there, or there again:\n  ${topic}\nIs Pawline still running, and may the broker's user write these topics?\n`,
    );
  });

  test("a broker that confirms and forgets is found out: 1", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    let mayForward = true;
    const url = await brokerWithRights({ mayForward: () => mayForward }, onTestFinished);
    await publish(url, OWN);
    lab.configure({ mqtt: { url } });
    const outcome = await runInLab(lab, ["cleanup"], {
      answer: () => {
        mayForward = false;
        return Promise.resolve("y");
      },
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^Still there, or there again:\n(?: {2}.*\n){7}Is Pawline/);
  });
});

describe.concurrent("what fails", () => {
  test("a refused login: 3", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, { broker: { authenticate: { username: "paw", password: "line" } } });
    lab.configure({ mqtt: { username: "paw", password: "wrong-s3cret" } });
    const { code, stdout, stderr } = await lab.run(["cleanup", "--yes"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/refused the login: check mqtt\.username and mqtt\.password/);
    expect(stderr).not.toContain("s3cret");
  });

  test("a broker that is not there: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    const { code, stdout, stderr } = await runInLab(lab, ["cleanup", "--yes"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/cannot be reached/);
  });

  test("a broker that goes while it is asked: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const broker = await startBroker();
    await publish(broker.url, OWN);
    lab.configure({ mqtt: { url: broker.url } });
    const { code } = await runInLab(lab, ["cleanup"], {
      answer: async () => {
        await broker.close();
        return "y";
      },
    });
    expect(code).toBe(4);
  });

  test("the cloud is left alone", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await runInLab(lab, ["cleanup", "--yes"]);
    expect(lab.cloud.calls).toEqual([]);
  });
});
