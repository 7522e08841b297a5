import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Cloud } from "../../src/demo/cloud.ts";
import {
  bodyOf,
  cloudWithCollars,
  connectFrame,
  devicesFrame,
  messagesFrame,
  openStream,
  owner,
  portalFrame,
  sendFrame,
  streamUrl,
  subscribedStream,
  subscribeFrame,
  token,
  within,
} from "./client.ts";

let cloud: Cloud;

beforeEach(async () => {
  cloud = await cloudWithCollars();
});

afterEach(() => cloud.close());

/** The HTTP status that an upgrade is refused with. */
async function refusal(url: string): Promise<number | undefined> {
  const socket = new WebSocket(url);
  socket.on("error", () => {});
  const status = new Promise<number | undefined>((resolve) => {
    socket.on("unexpected-response", (_, response) => resolve(response.statusCode));
  });
  return await within(status, 2000, "a refusal");
}

test("the address must have three digits and eight letters or digits, and a good token", async () => {
  const accessToken = await token(cloud);
  const query = `access_token=${accessToken}`;
  expect(await refusal(`${cloud.streamUrl}/42/a1b2c3d4/websocket?${query}`)).toBe(404);
  expect(await refusal(`${cloud.streamUrl}/042/A1B2C3D4/websocket?${query}`)).toBe(404);
  expect(await refusal(`${cloud.streamUrl}/042/a1b2c3d4?${query}`)).toBe(404);
  expect(await refusal(`${cloud.streamUrl}/042/a1b2c3d4/websocket`)).toBe(401);
  expect(await refusal(streamUrl(cloud, "nonsense"))).toBe(401);
  expect(cloud.upgrades.map(({ status }) => status)).toEqual([404, 404, 404, 401, 401]);
});

test("the stream opens with o, and CONNECTED names version, heart-beat and user", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  expect(await stream.next(/./)).toBe("o");
  stream.send(connectFrame(accessToken));
  const connected = await stream.next(/./);
  expect(connected).toBe(
    `a[${JSON.stringify("CONNECTED\nversion:1.1\nheart-beat:10000,10000\nuser-name:cat@example.com\n\n\0")}]`,
  );
  expect(cloud.sessions).toMatchObject([{ login: owner.login, server: "042", id: "a1b2c3d4", connected: true }]);
  expect(cloud.sessions[0]?.connectHeaders.get("accept-version")).toBe("1.1,1.0");
});

test("the queues are silent before /app/subscribe, and then speak of the named devices only", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => stream.send(connectFrame(accessToken), messagesFrame, portalFrame));
  await cloud.waitFor(() => cloud.sessions[0]?.destinations.length === 2, 2000);
  expect([cloud.push(1, { bat: 4000 }), cloud.notify(owner.login, { hello: 1 })]).toEqual([0, 0]);
  stream.send(devicesFrame(1, 3, 999));
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.size === 2, 2000);
  expect([cloud.push(2, { bat: 4000 }), cloud.push(1, { bat: 4001 }), cloud.push(3, { bat: 4003 })]).toEqual([0, 1, 1]);
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ id: 1, bat: 4001 });
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ id: 3, bat: 4003 });
  expect(stream.texts).toHaveLength(4);
});

test("devices without a subscription to the queue stay silent too", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => stream.send(connectFrame(accessToken), devicesFrame(1)));
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.size === 1, 2000);
  expect(cloud.push(1, { bat: 4000 })).toBe(0);
});

test("a message is a partial collar with the headers of Spring's broker", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.push(1, { lastPos: { posLat: 51.6 }, details: { name: "Zoë" } });
  const [frame = ""] = JSON.parse((await stream.next(/MESSAGE/)).slice(1)) as string[];
  const [head = "", body = ""] = frame.split("\n\n");
  expect(JSON.parse(body.slice(0, -1))).toEqual({ id: 1, lastPos: { posLat: 51.6 }, details: { name: "Zoë" } });
  expect(head.split("\n")).toEqual([
    "MESSAGE",
    "destination:/user/queue/messages",
    "content-type:application/json;charset=UTF-8",
    "subscription:sub-0",
    expect.stringMatching(/^message-id:a1b2c3d4-\d+$/),
    `content-length:${Buffer.byteLength(body) - 1}`,
  ]);
  expect(cloud.collar(1)).toMatchObject({ lastPos: { posLat: 51.6, posLong: -0.1 }, details: { color: 0x24b8f8 } });
});

test("any body can be sent raw, and portal notices go to their own queue", async () => {
  const stream = await subscribedStream(cloud, 1);
  expect(cloud.pushRaw(1, "{half")).toBe(1);
  expect(await stream.next(/MESSAGE/)).toContain("content-length:5\\n\\n{half\\u0000");
  expect(cloud.notify(owner.login, { kind: "news" })).toBe(1);
  const notice = await stream.next(/portal/);
  expect(notice).toContain("subscription:sub-1");
  expect(bodyOf(notice)).toEqual({ kind: "news" });
});

test("header text is escaped as 1.1 wants it, and not in 1.0", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => {
    stream.send(connectFrame(accessToken), subscribeFrame("a\\cb\\\\c", "/user/queue/messages"), devicesFrame(1));
  });
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.size === 1, 2000);
  expect([...(cloud.sessions[0]?.subscriptions.keys() ?? [])]).toEqual(["a:b\\c"]);
  cloud.push(1, { bat: 1 });
  expect(await stream.next(/MESSAGE/)).toContain("subscription:a\\\\cb\\\\\\\\c\\n");

  const old = openStream(cloud, accessToken);
  old.socket.on("open", () => {
    old.send(`CONNECT\naccess_token:${accessToken}\n\n\0`, subscribeFrame("a:b", "/user/queue/messages"));
  });
  expect(await old.next(/CONNECTED/)).toContain("version:1.0");
  await cloud.waitFor(() => cloud.sessions[1]?.subscriptions.has("a:b"), 2000);
});

test("unsubscribing ends the messages of a device or of a queue", async () => {
  const stream = await subscribedStream(cloud, 1, 2);
  stream.send(sendFrame("/app/unsubscribe", '{"deviceIds":[1]}'));
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.size === 1, 2000);
  expect([cloud.push(1, { bat: 1 }), cloud.push(2, { bat: 1 })]).toEqual([0, 1]);
  stream.send("UNSUBSCRIBE\nid:sub-0\n\n\0");
  await cloud.waitFor(() => cloud.sessions[0]?.destinations.length === 1, 2000);
  expect(cloud.push(2, { bat: 2 })).toBe(0);
});

test("a device that joins later needs a new /app/subscribe; one that left is forgotten", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.addCollar(owner.login, { id: 4 });
  expect(cloud.push(4, { bat: 1 })).toBe(0);
  stream.send(devicesFrame(4));
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.has(4), 2000);
  expect(cloud.push(4, { bat: 2 })).toBe(1);
  cloud.removeDevice(4);
  expect([...(cloud.sessions[0]?.deviceIds ?? [])]).toEqual([1]);
  expect(() => cloud.collar(4)).toThrow("no device 4");
});

test("another account's devices are passed over", async () => {
  const other = { login: "dog@example.com", password: "bone", id: 7, name: "Sam" };
  cloud.addAccount(other);
  cloud.addCollar(other.login, { id: 50 });
  const stream = await subscribedStream(cloud, 1);
  stream.send(devicesFrame(50, 2));
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.size === 2, 2000);
  expect([cloud.push(50, { bat: 1 }), cloud.push(2, { bat: 1 })]).toEqual([0, 1]);
});

test("a command's echo comes over the stream: asked at once, taken at the poll", async () => {
  cloud.setPollDelay(1, 30);
  const stream = await subscribedStream(cloud, 1);
  const authorization = `Bearer ${await token(cloud)}`;
  const body = JSON.stringify({ devType: 0, devId: 1, cmdNr: 11 });
  await fetch(`${cloud.portalUrl}/map/setccmode`, { method: "POST", headers: { authorization }, body });
  await fetch(`${cloud.portalUrl}/map/setccled/1/1`, { method: "POST", headers: { authorization } });
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ id: 1, modeSet: 11 });
  const taken = { id: 1, mode: 11, search: true, searchModeDuration: 15, led: true };
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ ...taken, lastContact: expect.any(String) });
});

test("client frames may be one string, several frames in a string, or a frame over several strings", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  await stream.next(/^o$/);
  stream.socket.send(JSON.stringify(`\n${connectFrame(accessToken)}\n\n${messagesFrame}`));
  const devices = sendFrame("/app/subscribe", '{"deviceIds":[1],"note":"ünïcode"}');
  for (const piece of [devices.slice(0, 7), devices.slice(7, 60), devices.slice(60)]) stream.send(piece);
  await cloud.waitFor(() => cloud.sessions[0]?.deviceIds.has(1), 2000);
  expect(cloud.sessions[0]?.heartBeats).toBe(3);
  expect(cloud.sessions[0]?.frames.map((frame) => frame.command)).toEqual(["CONNECT", "SUBSCRIBE", "SEND"]);
});

test.each([
  ["SUBSCRIBE before CONNECT", [messagesFrame], /CONNECT must come first/],
  ["a CONNECT without a token", ["CONNECT\naccept-version:1.1\n\n\0"], /token is not valid/],
  ["a CONNECT with a strange token", [connectFrame("nonsense")], /token is not valid/],
  ["a command in small letters", ["connect\n\n\0"], /begin with a command/],
  ["a header without a colon", ["CONNECT\nnonsense\n\n\0"], /without a name or value/],
  ["a frame that ends in its headers", ["CONNECT\na:b\0"], /ended in its headers/],
])("%s is answered by ERROR and the end", async (_, strings, message) => {
  const stream = openStream(cloud, await token(cloud));
  stream.socket.on("open", () => stream.send(...strings));
  expect(await stream.next(/ERROR/)).toMatch(message);
  expect(await within(stream.closed, 2000, "the close")).toBe(1002);
  expect(cloud.sessions).toHaveLength(0);
});

test.each([
  ["a version that is not spoken", (good: string) => [good.replace("1.1,1.0", "1.2")], /none of these versions/],
  ["a heart-beat that is none", (good: string) => [good.replace("0,0", "often")], /heart-beat is no pair/],
  ["a second CONNECT", (good: string) => [good, good], /already connected/],
  ["a body that is no JSON", (good: string) => [good, sendFrame("/app/subscribe", "[1")], /body must be/],
  ["ids that are no numbers", (good: string) => [good, sendFrame("/app/subscribe", '{"deviceIds":["1"]}')], /must be/],
  ["a SEND to elsewhere", (good: string) => [good, sendFrame("/app/other", "{}")], /nothing listens/],
  ["a SUBSCRIBE without id", (good: string) => [good, "SUBSCRIBE\ndestination:/x\n\n\0"], /needs the header id/],
  ["an ACK", (good: string) => [good, "ACK\nid:1\n\n\0"], /ACK is not understood/],
  ["an undefined escape", (good: string) => [good, subscribeFrame("a\\tb", "/x")], /undefined escape/],
  ["a wrong content-length", (good: string) => [good, "SEND\ncontent-length:1\n\nabc\0"], /content-length/],
])("%s is answered by ERROR and the end, behind a good CONNECT", async (_, strings, message) => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => stream.send(...strings(connectFrame(accessToken))));
  expect(await stream.next(/ERROR/)).toMatch(message);
  await within(stream.closed, 2000, "the close");
});

test.each(["nonsense", "{}", '["a",1]', "7"])("a client frame %s is no SockJS and ends the stream", async (text) => {
  const stream = openStream(cloud, await token(cloud));
  stream.socket.on("open", () => stream.socket.send(text));
  expect(await within(stream.closed, 2000, "the close")).toBe(1007);
});

test("DISCONNECT is confirmed where a receipt is asked for, and ends the stream", async () => {
  const stream = await subscribedStream(cloud, 1);
  stream.send("DISCONNECT\nreceipt:bye\n\n\0");
  expect(await stream.next(/RECEIPT/)).toContain("receipt-id:bye");
  expect(await within(stream.closed, 2000, "the close")).toBe(1000);
  expect(cloud.push(1, { bat: 1 })).toBe(0);
  await cloud.waitFor(() => cloud.endedSessions.length === 1, 2000);
});

test("two streams of one account both get a message", async () => {
  const first = await subscribedStream(cloud, 1);
  const second = await subscribedStream(cloud, 1, 2);
  expect(cloud.push(1, { bat: 3 })).toBe(2);
  await Promise.all([first.next(/MESSAGE/), second.next(/MESSAGE/)]);
});
