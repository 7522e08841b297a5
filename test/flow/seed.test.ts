/** The examples of the protocol's first description, fed as they stand there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { configOf, moveIn, OWNER, openHouse, topicsOf, withBeacon } from "../support/house.ts";
import { json } from "../support/recorder.ts";
import { startSpring } from "../support/spring.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures", name), "utf8").trimEnd();
}

const SOCKJS_FRAME = fixture("seed-sockjs-frame.txt");
const MESSAGE = fixture("seed-message.txt");
const SUBSCRIBE = fixture("seed-subscribe.txt").replace("\\u0000", "\0");

const collar = topicsOf("pettracer_24012");
const nothing = { bat: undefined, accuWarn: undefined, lastPos: undefined, lastRssi: undefined, fiFo: undefined };

function furnish(cloud: Cloud): void {
  withBeacon(cloud);
  cloud.addCollar(OWNER.login, { id: 23712 });
  cloud.addCollar(OWNER.login, { ...nothing, id: 24012, masterHs: null });
}

function inSockjs(text: string): string {
  return `a${JSON.stringify([text])}`;
}

/** The body of a frame, with its comments and its dots made JSON. */
function asJson(text: string): string {
  const body = text.slice(text.indexOf("\n\n") + 2);
  const plain = body.replace(/#.*$/gm, "").replace("[...]", "[]");
  return JSON.stringify(JSON.parse(plain));
}

const UNREADABLE = /an unreadable message of the cloud is left out/g;

test_("as they stand, the examples are unreadable, and cost nothing", async (context) => {
  const house = await moveIn(context, { furnish });
  const before = house.mqtt.latest(collar.state);
  const [stream] = house.cloud.sessions;
  for (const [index, text] of [SOCKJS_FRAME, inSockjs(`${MESSAGE}\0`), inSockjs(MESSAGE)].entries()) {
    house.cloud.faults.malformed(text);
    house.push(14758, { bat: 3_700 + index });
    await house.fence();
    expect(house.log.match(UNREADABLE)).toHaveLength(index + 1);
  }
  expect(house.log.match(UNREADABLE)).toHaveLength(3);
  expect(house.mqtt.latest(collar.state)).toBe(before);
  expect(house.mqtt.of(collar.position)).toEqual([]);
  await house.mqtt.waitForJson(topicsOf("pettracer_14758").state, { battery: 28 });
  expect(house.cloud.sessions[0]).toBe(stream);
});

test_("made JSON, the example message is the collar's place, signal and battery", async (context) => {
  const house = await moveIn(context, { furnish });
  const head = MESSAGE.slice(0, MESSAGE.indexOf("\n\n"));
  expect(head.split("\n")).toEqual([
    "MESSAGE",
    "destination:/user/queue/messages",
    "content-type:application/json;charset=UTF-8",
    "subscription:sub-0",
    "message-id:sxnk11xh-5241",
  ]);
  const from = house.mqtt.mark;
  house.cloud.faults.malformed(inSockjs(`${head}\n\n${asJson(MESSAGE)}\0`));
  const position = json((await house.mqtt.waitFor(collar.position)).payload);
  expect(position).toMatchObject({ latitude: 51.8909337, longitude: -0.5308862, source: "gps" });
  // (-106 & 255) / 2 - 130, and 3630 mV on the way from 3600 (17 %) to 3760 (34 %).
  await house.mqtt.waitForJson(collar.state, { signal: -55, battery: 20 }, { from });
  const { payload } = await house.mqtt.waitFor(collar.config, undefined, { from });
  expect(Object.keys(configOf(payload).components)).toEqual(expect.arrayContaining(["signal", "battery", "last_fix"]));
  expect(house.log).not.toContain("unreadable");
});

function partsOf(frame: string): { command: string | undefined; headers: string[]; body: string } {
  const [command, ...headers] = frame.slice(0, frame.indexOf("\n\n")).split("\n");
  return { command, headers: headers.toSorted(), body: frame.slice(frame.indexOf("\n\n") + 2) };
}

test_("our request for these devices is the example's, but for the order of its headers", async (context) => {
  const house = await openHouse(context, {
    furnish(cloud) {
      cloud.addAccount(OWNER);
      for (const id of [23712, 24012]) cloud.addCollar(OWNER.login, { id });
    },
  });
  const spring = await startSpring();
  context.onTestFinished(() => spring.close());
  await house.launch({ account: { stream_url: spring.url } });
  const [send] = await (await spring.session()).frame("SEND");
  expect(partsOf(SUBSCRIBE)).toEqual({
    command: "SEND",
    headers: ["content-length:27", "content-type:application/json", "destination:/app/subscribe"],
    body: '{"deviceIds":[23712,24012]}\0',
  });
  expect(partsOf(send?.text ?? "")).toEqual(partsOf(SUBSCRIBE));
});
