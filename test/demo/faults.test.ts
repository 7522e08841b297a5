import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Cloud } from "../../src/demo/cloud.ts";
import { cut } from "../../src/demo/outbox.ts";
import {
  bodyOf,
  cloudWithCollars,
  connectFrame,
  openStream,
  owner,
  type Rest,
  restOf,
  streamUrl,
  subscribedStream,
  token,
  within,
} from "./client.ts";

let cloud: Cloud;
let rest: Rest;

beforeEach(async () => {
  cloud = await cloudWithCollars({ sockjsHeartbeatMs: 20 });
  rest = restOf(cloud, await token(cloud));
});

afterEach(() => cloud.close());

const login = (): Promise<Response> =>
  fetch(`${cloud.portalUrl}/user/login`, {
    method: "POST",
    body: JSON.stringify({ login: owner.login, password: owner.password }),
  });

/** True where nothing came of the promise within the time. */
async function pendingFor(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return await within(promise, ms, "").then(
    () => false,
    (error: Error) => /nothing within/.test(error.message),
  );
}

test("streams can be dropped in order", async () => {
  const stream = await subscribedStream(cloud, 1);
  expect(cloud.faults.dropStreams()).toBe(1);
  expect(await within(stream.closed, 2000, "the close")).toBe(1000);
  expect(cloud.faults.dropStreams()).toBe(0);
});

test("streams can be reset", async () => {
  const stream = await subscribedStream(cloud, 1);
  // ws keeps the socket's error to itself.
  const { _socket: socket } = stream.socket as unknown as { _socket: Socket };
  const error = once(socket, "error");
  expect(cloud.faults.resetStreams()).toBe(1);
  const [reason] = (await within(error, 2000, "the reset")) as [NodeJS.ErrnoException];
  expect(reason.code).toBe("ECONNRESET");
  expect(await within(stream.closed, 2000, "the close")).toBe(1006);
});

test("a freeze stops everything both ways and leaves the sockets open; the thaw lets it flow", async () => {
  const stream = await subscribedStream(cloud, 1);
  const accessToken = await token(cloud);
  cloud.faults.freeze();
  const silence = stream.next(/MESSAGE/, 5000);
  const ponged = once(stream.socket, "pong");
  const answer = rest.get("/map/getccs");
  const fresh = openStream(cloud, accessToken);
  const opened = once(fresh.socket, "open");
  const before = stream.texts.length;
  stream.socket.ping();
  stream.send("\n");
  expect(cloud.push(1, { bat: 4001 })).toBe(1);
  expect(await pendingFor(Promise.race([silence, ponged, answer, opened, stream.closed]), 150)).toBe(true);
  expect(stream.texts).toHaveLength(before);
  expect(cloud.sessions[0]?.heartBeats).toBe(0);
  cloud.faults.thaw();
  expect(bodyOf(await silence)).toEqual({ id: 1, bat: 4001 });
  expect((await within(answer, 2000, "the answer")).status).toBe(200);
  await within(Promise.all([ponged, opened]), 2000, "pong and open");
  await cloud.waitFor(() => cloud.sessions[0]?.heartBeats === 1, 2000);
});

test("a freeze is not held against a client that beats", async () => {
  cloud.settings.heartBeatMs = [0, 30];
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  stream.socket.on("open", () => stream.send(connectFrame(accessToken, "30,0")));
  await stream.next(/CONNECTED/);
  cloud.faults.freeze();
  expect(await pendingFor(stream.closed, 200)).toBe(true);
  cloud.faults.thaw();
  stream.send("\n");
  await stream.next(/^h$/);
  expect(cloud.sessions).toHaveLength(1);
});

test("closing while frozen ends at once", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.freeze();
  const answer = rest.get("/map/getccs").catch((error: Error) => error);
  await cloud.waitFor(() => cloud.calls.some((call) => call.path === "/map/getccs"), 2000);
  await within(cloud.close(), 1000, "the end");
  expect(await within(stream.closed, 1000, "the close")).toBe(1006);
  expect(await within(answer, 1000, "the failure")).toBeInstanceOf(Error);
});

test("SockJS says goodbye with code and reason", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.closeSockjs(3000, "Go away!");
  expect(await stream.next(/^c/)).toBe('c[3000,"Go away!"]');
  expect(await within(stream.closed, 2000, "the close")).toBe(3000);
});

test("a STOMP ERROR ends the stream", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.stompError("session: over");
  expect(await stream.next(/ERROR/)).toContain("message:session\\\\c over");
  await within(stream.closed, 2000, "the close");
});

test("the login can refuse, fail, show a web page or hang, and then be well again", async () => {
  cloud.faults.login("refuse");
  expect((await login()).status).toBe(401);
  cloud.faults.login({ status: 503, retryAfter: 7 });
  const busy = await login();
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "7"]);
  cloud.faults.login({ status: 429 });
  expect((await login()).headers.has("retry-after")).toBe(false);
  cloud.faults.login("html");
  const page = await login();
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html"]);
  cloud.faults.login("hang");
  expect(await pendingFor(login(), 100)).toBe(true);
  cloud.faults.login("ok");
  expect((await login()).status).toBe(200);
});

test("a path can fail alone, a folder with all below it, for a number of times", async () => {
  cloud.faults.answer("/map/getccs", { status: 500 }, 2);
  expect((await rest.get("/map/getccs")).status).toBe(500);
  expect((await rest.get("/user/profile")).status).toBe(200);
  expect((await rest.get("/map/getccs")).status).toBe(500);
  expect((await rest.get("/map/getccs")).status).toBe(200);
  cloud.faults.answer("/map/setccled", { status: 503 });
  expect((await rest.post("/map/setccled/1/1")).status).toBe(503);
  cloud.faults.answer("/", { status: 502 });
  expect((await rest.get("/user/profile")).status).toBe(502);
  await cloud.faults.clear();
  expect((await rest.post("/map/setccled/1/1")).status).toBe(200);
});

/** How a TCP connection to the cloud ends: by its error, or by an orderly end. */
async function knock(): Promise<string> {
  const socket: Socket = connect(cloud.port, "127.0.0.1");
  const error = new Promise<string>((resolve) => {
    socket.on("error", (reason: NodeJS.ErrnoException) => resolve(reason.code ?? ""));
  });
  socket.on("connect", () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  const answer = once(socket, "data").then(() => "answered");
  const outcome = await within(Promise.race([error, answer]), 2000, "an answer or an error");
  socket.destroy();
  return outcome;
}

test("connections are reset, or find nobody, and are taken again on the same port; streams stay", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.refuseConnections();
  await expect(rest.get("/map/getccs")).rejects.toThrow();
  expect(await knock()).toBe("ECONNRESET");
  cloud.faults.refuseConnections("closed");
  expect(await knock()).toBe("ECONNREFUSED");
  cloud.push(1, { bat: 4002 });
  await stream.next(/4002/);
  await cloud.faults.acceptConnections();
  expect(await knock()).toBe("answered");
  expect((await rest.get("/map/getccs")).status).toBe(200);
});

test("expired tokens are refused everywhere, open streams stay, a new login helps", async () => {
  const stream = await subscribedStream(cloud, 1);
  const old = await token(cloud);
  cloud.faults.expireTokens();
  expect((await rest.get("/map/getccs")).status).toBe(401);
  const refused = new WebSocket(streamUrl(cloud, old));
  const [reason] = (await within(once(refused, "error"), 2000, "the refusal")) as [Error];
  expect(reason.message).toContain("401");
  expect(cloud.push(1, { bat: 4003 })).toBe(1);
  await stream.next(/4003/);
  expect((await restOf(cloud, await token(cloud)).get("/map/getccs")).status).toBe(200);
});

test("a token that expired behind the upgrade is refused by STOMP", async () => {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  await stream.next(/^o$/);
  cloud.faults.expireTokens();
  stream.send(connectFrame(accessToken));
  await stream.next(/ERROR/);
});

test("bad frames go out as they are", async () => {
  const stream = await subscribedStream(cloud, 1);
  expect(cloud.faults.malformed("a[", "x", 'a["MESSAGE\\n"]')).toBe(1);
  await stream.next(/^a\[$/);
  await stream.next(/^x$/);
  await stream.next(/^a\["MESSAGE\\n"\]$/);
});

test("messages can be joined in one SockJS frame", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.batch(3);
  for (const bat of [1, 2, 3, 4]) cloud.push(1, { bat });
  const joined = JSON.parse((await stream.next(/MESSAGE/)).slice(1)) as string[];
  expect(joined.map((frame) => /"bat":(\d)/.exec(frame)?.[1])).toEqual(["1", "2", "3"]);
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ id: 1, bat: 4 });
});

test("STOMP frames can be cut in pieces over several SockJS frames", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.split(5);
  const from = stream.texts.length;
  cloud.push(1, { details: { name: "🐈🐈🐈🐈🐈🐈🐈🐈🐈🐈" } });
  await stream.next(/u0000/);
  const frames = stream.texts.slice(from).filter((text) => text.startsWith("a"));
  expect(frames).toHaveLength(3);
  const strings = frames.flatMap((text) => JSON.parse(text.slice(1)) as string[]);
  expect(strings).toHaveLength(5);
  expect(strings.join("")).toMatch(/^MESSAGE\n.*🐈"}.*\0$/s);
  cloud.faults.split(1);
  cloud.push(1, { bat: 7 });
  expect(bodyOf(await stream.next(/MESSAGE/))).toEqual({ id: 1, bat: 7 });
});

test("a cut never parts a surrogate pair, and loses nothing", () => {
  for (let pieces = 1; pieces < 12; pieces++) {
    const strings = cut("a🐈b🐈🐈", pieces);
    expect(strings.join("")).toBe("a🐈b🐈🐈");
    expect(strings.every((text) => text.isWellFormed())).toBe(true);
  }
});

test("latency delays answers and messages, and keeps their order", async () => {
  const stream = await subscribedStream(cloud, 1);
  cloud.faults.latency(80);
  const start = performance.now();
  cloud.push(1, { bat: 1 });
  cloud.faults.latency(1);
  cloud.push(1, { bat: 2 });
  expect(bodyOf(await stream.next(/MESSAGE/))).toMatchObject({ bat: 1 });
  expect(performance.now() - start).toBeGreaterThan(75);
  expect(bodyOf(await stream.next(/MESSAGE/))).toMatchObject({ bat: 2 });
  cloud.faults.latency(60);
  const asked = performance.now();
  await rest.get("/map/getccs");
  expect(performance.now() - asked).toBeGreaterThan(55);
});

test("a client that gives up while it waits has no command carried out", async () => {
  const authorization = `Bearer ${await token(cloud)}`;
  cloud.faults.freeze();
  const signal = AbortSignal.timeout(50);
  const call = fetch(`${cloud.portalUrl}/map/setccled/1/1`, { method: "POST", headers: { authorization }, signal });
  await expect(call).rejects.toThrow();
  await cloud.waitFor(() => cloud.calls.at(-1)?.abandoned, 2000);
  cloud.faults.thaw();
  expect((await rest.get("/user/profile")).status).toBe(200);
  cloud.poll(1);
  expect(cloud.collar(1).led).toBe(false);
  expect(cloud.calls.at(-2)).toMatchObject({ path: "/map/setccled/1/1", status: 0 });
});
