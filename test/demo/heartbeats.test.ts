import { afterEach, expect, test } from "vitest";
import type { Cloud } from "../../src/demo/cloud.ts";
import { cloudWithCollars, connectFrame, openStream, type StreamClient, token, within } from "./client.ts";

let cloud: Cloud;

afterEach(() => cloud.close());

async function connected(heartBeat: string): Promise<StreamClient> {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  await stream.next(/^o$/);
  stream.send(connectFrame(accessToken, heartBeat));
  await stream.next(/CONNECTED/);
  return stream;
}

test("SockJS beats with h", async () => {
  cloud = await cloudWithCollars({ sockjsHeartbeatMs: 30 });
  const stream = openStream(cloud, await token(cloud));
  await stream.next(/^h$/);
  await stream.next(/^h$/);
});

test("the server beats at the slower of both wishes", async () => {
  cloud = await cloudWithCollars({ heartBeatMs: [20, 0] });
  const stream = await connected("0,90");
  const start = performance.now();
  expect(await stream.next(/./)).toBe('a["\\n"]');
  expect(performance.now() - start).toBeGreaterThan(70);
  await stream.next(/^a\["\\n"\]$/);
});

test("the server does not beat for a client that wants none", async () => {
  cloud = await cloudWithCollars({ heartBeatMs: [20, 20], sockjsHeartbeatMs: 150 });
  const stream = await connected("0,0");
  expect(await stream.next(/./)).toBe("h");
});

test("a client that promised heart-beats and sends nothing is dropped without an ERROR", async () => {
  cloud = await cloudWithCollars({ heartBeatMs: [0, 50] });
  const stream = await connected("50,0");
  const start = performance.now();
  await within(stream.closed, 2000, "the end");
  expect(performance.now() - start).toBeGreaterThanOrEqual(145);
  expect(stream.texts.at(-1)).toMatch(/^c\[/);
  expect(stream.texts.join()).not.toContain("ERROR");
});

test("a client that beats, or promised nothing, stays", async () => {
  cloud = await cloudWithCollars({ heartBeatMs: [0, 50], sockjsHeartbeatMs: 450 });
  const silent = await connected("0,0");
  const beating = await connected("50,0");
  const timer = setInterval(() => beating.send("\n"), 40);
  await beating.next(/^h$/);
  clearInterval(timer);
  expect(cloud.sessions.map((session) => session.open)).toEqual([true, true]);
  expect(cloud.sessions[1]?.heartBeats).toBeGreaterThan(4);
  silent.socket.terminate();
});
