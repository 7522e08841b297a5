/** How much a client may, and how it ends if it wants more: each case with its documented answer. */
import { connect as connectTcp } from "node:net";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { createBell } from "../../../src/lib/bell.ts";
import type { State } from "../../../src/model/device.ts";
import { serverMessage } from "../../../src/publishers/live/api/messages.ts";
import type { Principal } from "../../../src/publishers/live/principal.ts";
import type { Receipt } from "../../../src/publishers/publisher.ts";
import { createHerd } from "../../support/herd.ts";
import { ANYBODY, openSockets } from "../../support/sockets.ts";
import { until } from "../../support/until.ts";

function oneCat() {
  const herd = createHerd();
  herd.list("one", [1, 2], [1]);
  return herd;
}

describe("what makes no sense", () => {
  test.each([
    ["not json", { id: null, code: "invalid_json" }],
    ["[1]", { id: null, code: "invalid_json" }],
    ['{"type":"dance","id":3}', { id: 3, code: "unknown_type" }],
    ['{"id":3}', { id: 3, code: "unknown_type" }],
    ['{"type":"ping"}', { id: null, code: "invalid_request" }],
    ['{"type":"ping","id":{}}', { id: null, code: "invalid_request" }],
    ['{"type":"ping","id":1,"extra":1}', { id: 1, code: "invalid_request" }],
    ['{"type":"subscribe","id":"a","topics":[]}', { id: "a", code: "invalid_request" }],
    ['{"type":"subscribe","id":"a","topics":["cats"]}', { id: "a", code: "unknown_topic" }],
    ['{"type":"subscribe","id":"a","topics":["devices"],"filter":{"color":"red"}}', { code: "invalid_request" }],
    ['{"type":"unsubscribe","id":1,"subscription":7}', { id: 1, code: "unknown_subscription" }],
    ['{"type":"command","id":1,"device":"pettracer_9","command":"find"}', { id: 1, code: "unknown_device" }],
    ['{"type":"command","id":1,"device":"pettracer_1","command":"fly"}', { id: 1, code: "invalid_request" }],
    ['{"type":"command","id":1,"device":"pettracer_hs_1","command":"find"}', { id: 1, code: "command_refused" }],
  ])("%s", async (text, expected) => {
    const sockets = await openSockets({ onTestFinished }, oneCat().store);
    const client = await sockets.connect();
    client.ws.send(text);
    const error = await client.hear("an error", ({ type }) => type === "error");
    expect(error).toMatchObject(expected);
    // A sentence that says what to do.
    expect(error).toHaveProperty("message", expect.stringMatching(/^.{10,}\.$/));
    await client.settled();
  });

  test("whatever is sent, each request is answered in the schema, and nothing of it is logged", async (context) => {
    const sockets = await openSockets(context, oneCat().store, {
      limits: { burst: 100_000, faults: { burst: 100_000, perSecond: 1 } },
    });
    const client = await sockets.connect();
    const word = fc.constantFrom(
      "type",
      "id",
      "topics",
      "filter",
      "subscribe",
      "ping",
      "command",
      "devices",
      "#",
      "a/+",
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "xsmall" },
        word,
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(word, fc.string()), tie("any"), { maxKeys: 6 }),
      ),
    })).any;
    const texts = fc.sample(
      fc.oneof(
        value.map((one) => JSON.stringify(one)),
        fc.string({ unit: "binary" }),
      ),
      250,
    );
    for (const text of texts) client.ws.send(text);
    await client.settled();
    const answers = client.heard.filter(({ type }) => type !== "message" && type !== "welcome");
    expect(answers).toHaveLength(texts.length + 1);
    for (const one of client.heard) expect(serverMessage.safeParse(one).error).toBeUndefined();
    expect(sockets.counts.malformed).toBeGreaterThan(200);
    expect(sockets.log()).toBe("");
  });

  test("again and again ends with 1008, and one counted line", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits: { faults: { burst: 10, perSecond: 0.001 } } });
    const client = await sockets.connect();
    for (let index = 0; index < 20; index += 1) client.ws.send("secret garbage");
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("no good") });
    await sockets.close();
    expect(sockets.log().trim().split("\n")).toHaveLength(1);
    expect(sockets.log()).toContain("turned away 1 WebSocket clients for too many requests");
    expect(sockets.log()).not.toContain("secret");
  });

  test("a binary message ends with an error and 1008", async (context) => {
    const sockets = await openSockets(context, oneCat().store);
    const client = await sockets.connect();
    client.ws.send(Buffer.from('{"type":"ping","id":1}'));
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("binary") });
    expect(client.heard.at(-1)).toMatchObject({ type: "error", id: null, code: "invalid_request" });
  });

  test.each([false, true])("a message that is too large ends with 1009 (compressed: %s)", async (perMessageDeflate) => {
    const sockets = await openSockets({ onTestFinished }, oneCat().store);
    const client = await sockets.connect({ perMessageDeflate });
    expect(client.welcome.compression).toBe(perMessageDeflate);
    client.ws.send(JSON.stringify({ type: "ping", id: "x".repeat(client.welcome.limits.message_bytes) }));
    expect((await client.closed).code).toBe(1009);
    await until(() => sockets.counts.openSockets === 0, "it has gone");
  });

  test("a frame that is none ends the connection, and nobody else's", async (context) => {
    const sockets = await openSockets(context, oneCat().store);
    const [other, { port }] = [await sockets.connect(), new URL(sockets.url)];
    const socket = connectTcp(Number(port), "127.0.0.1");
    context.onTestFinished(() => void socket.destroy());
    socket.write(
      "GET /api/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    await until(() => sockets.counts.openSockets === 2, "the second client");
    const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.resume().write("GET / HTTP/1.1\r\n\r\n");
    await ended;
    await other.settled();
    expect(sockets.counts.malformed).toBe(1);
  });
});

describe("limits", () => {
  test("too many messages are answered with when to try again, and that is when it works", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits: { burst: 3, messagesPerSecond: 5 } });
    const client = await sockets.connect();
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.ask({ type: "ping" })));
    expect(answers.map(({ type }) => type)).toEqual(["pong", "pong", "pong", "error"]);
    const error = answers[3];
    expect(error).toMatchObject({ code: "rate_limited", id: "request-4" });
    const waitMs = (error as { retry_after_ms: number }).retry_after_ms;
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(200);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    expect(await client.ask({ type: "ping" })).toMatchObject({ type: "pong" });
    expect(sockets.counts.rateLimited).toBe(1);
  });

  test("who goes on regardless is put out with 1008; pings of the protocol count as well", async (context) => {
    const limits = { burst: 3, messagesPerSecond: 0.1, faults: { burst: 5, perSecond: 0.001 } };
    const sockets = await openSockets(context, oneCat().store, { limits });
    const [asker, pinger] = [await sockets.connect(), await sockets.connect()];
    for (let index = 0; index < 30; index += 1) {
      asker.ws.send('{"type":"ping","id":1}');
      pinger.ws.ping();
    }
    expect(await Promise.all([asker.closed, pinger.closed])).toMatchObject([{ code: 1008 }, { code: 1008 }]);
  });

  test("so many subscriptions and no more; one that has ended makes room", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits: { subscriptions: 2 } });
    const client = await sockets.connect();
    const { subscription } = await client.subscribe(["devices"]);
    await client.subscribe(["bridge"]);
    expect(await client.ask({ type: "subscribe", topics: ["bridge"] })).toMatchObject({
      code: "too_many_subscriptions",
    });
    await client.ask({ type: "unsubscribe", subscription });
    expect((await client.subscribe(["bridge"])).subscription).toBe(3);
  });

  test("commands on their way are few", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits: { commands: 1 } });
    const client = await sockets.connect();
    const light = { type: "command", device: "pettracer_1", command: "light", value: true } as const;
    expect(await client.ask(light)).toMatchObject({ type: "pending", accepted: false });
    expect(await client.ask(light)).toMatchObject({ code: "rate_limited", retry_after_ms: expect.any(Number) });
  });
});

describe("slow readers", () => {
  const limits = { windowBytes: 4_000, pingBytes: 1_000, slowMs: 600, silenceMs: 2_000, heartbeatMs: 500, lookMs: 50 };

  /** One that has subscribed and reads no more, on a server with patience. */
  async function stoppedReader(context: Parameters<typeof openSockets>[0]) {
    const herd = oneCat();
    const sockets = await openSockets(context, herd.store, {
      limits: { ...limits, slowMs: 60_000, silenceMs: 60_000 },
    });
    const client = await sockets.connect();
    await client.subscribe(["position/+", "events/+"]);
    client.ws.pause();
    return { herd, sockets, client };
  }

  test("get the latest state when they read again, and every event", async (context) => {
    const { herd, sockets, client } = await stoppedReader(context);
    for (let latitude = 1; latitude <= 80; latitude += 0.1) {
      herd.move(1, latitude);
      await new Promise((resolve) => setImmediate(resolve));
    }
    herd.report(1, { home: true });
    herd.report(1, { home: false });
    herd.move(1, 80);
    await until(() => sockets.counts.dropped > 100, "messages that newer ones replace");
    client.ws.resume();
    const isLatest = () => (client.news("position/pettracer_1").at(-1) as { latitude?: number })?.latitude === 80;
    await until(isLatest, "the latest position");
    expect(client.news("position/pettracer_1").length).toBeLessThan(100);
    const events = [...client.news("events/came_home"), ...client.news("events/left_home")];
    expect(events).toHaveLength(herd.store.activities(0).length);
    herd.move(1, 10);
    await until(() => (client.news("position/pettracer_1").at(-1) as { latitude: number }).latitude === 10, "the next");
  });

  test("that do not read at all are put out with 1013, and nobody else notices", async (context) => {
    const herd = oneCat();
    const sockets = await openSockets(context, herd.store, { limits });
    const [slow, other] = [await sockets.connect(), await sockets.connect()];
    for (const client of [slow, other]) await client.subscribe(["position/+"]);
    slow.ws.pause();
    const moving = setInterval(() => herd.move(1, Math.random() * 80), 5);
    context.onTestFinished(() => clearInterval(moving));
    await until(() => sockets.counts.slowReaders === 1, "the slow one is put out");
    clearInterval(moving);
    slow.ws.resume();
    expect(await slow.closed).toMatchObject({ code: 1013, reason: expect.stringContaining("slowly") });
    herd.move(1, 80);
    await until(() => (other.news("position/pettracer_1").at(-1) as { latitude: number }).latitude === 80, "the last");
    expect(other.ws.readyState).toBe(WebSocket.OPEN);
    await until(() => sockets.counts.openSockets === 1, "it has gone");
  });

  test("are noticed by their silence where there is nothing to tell", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits });
    const [silent, other] = [await sockets.connect(), await sockets.connect()];
    silent.ws.pause();
    await until(() => sockets.counts.slowReaders === 1, "the silent one is put out");
    silent.ws.resume();
    expect((await silent.closed).code).toBe(1013);
    await other.settled();
  });

  test("that have missed more events than are kept are put out: none is left out silently", async (context) => {
    const { herd, client } = await stoppedReader(context);
    for (let index = 0; index < 700; index += 1) {
      herd.move(1, index % 80);
      herd.report(1, { home: index % 2 === 0 });
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.ws.resume();
    expect((await client.closed).code).toBe(1013);
  });

  test("that ask for more wait for the answer until they have read the last one", async (context) => {
    const herd = createHerd();
    herd.list(
      "one",
      Array.from({ length: 200 }, (_, index) => index),
    );
    const sockets = await openSockets(context, herd.store, {
      limits: { ...limits, slowMs: 60_000, silenceMs: 60_000 },
    });
    const client = await sockets.connect();
    client.ws.pause();
    for (let id = 1; id <= 30; id += 1) client.ws.send(JSON.stringify({ type: "subscribe", id, topics: ["devices"] }));
    await until(() => sockets.counts.messagesIn === 30, "all requests");
    expect(sockets.counts.subscriptions).toBe(1);
    client.ws.resume();
    await until(() => client.heard.filter(({ type }) => type === "subscribed").length === 30, "all answers");
  });
});

describe("who may what", () => {
  const READER: Principal = { kind: "token", tokenId: "r", name: "reader", scopes: new Set(["read"]) };
  const ONE: Principal = {
    ...ANYBODY,
    kind: "token",
    tokenId: "o",
    devices: new Set(["pettracer_1", "pettracer_hs_1"]),
  };

  test("a token that may read sends no commands", async (context) => {
    const asked: string[] = [];
    const request = (device: string): Receipt => {
      asked.push(device);
      return { accepted: Promise.resolve(), done: Promise.resolve() };
    };
    const sockets = await openSockets(context, oneCat().store, { principal: () => READER, request });
    const client = await sockets.connect();
    expect(client.welcome.scopes).toEqual(["read"]);
    const answer = await client.ask({ type: "command", device: "pettracer_1", command: "find" });
    expect(answer).toMatchObject({ type: "error", code: "forbidden", message: expect.stringContaining("control") });
    expect(asked).toEqual([]);
    await client.subscribe(["devices"]);
  });

  test("a token that may only control does not read", async (context) => {
    const principal: Principal = { ...READER, scopes: new Set(["control"]) };
    const sockets = await openSockets(context, oneCat().store, { principal: () => principal });
    const client = await sockets.connect();
    for (const request of [{ type: "subscribe" as const, topics: ["#"] }, { type: "stats" as const }])
      expect(await client.ask(request)).toMatchObject({ code: "forbidden", message: expect.stringContaining("read") });
  });

  test("a token for some devices sees and moves nothing of the others", async (context) => {
    const herd = createHerd();
    herd.list("one", [1, 2], [1]);
    herd.list("secret-account", [3]);
    const station = { key: "pettracer_hs_1", id: 1, latitude: 50, longitude: 10 };
    for (const id of [1, 2]) herd.report(id, { home: true, station });
    for (const account of ["one", "secret-account"]) {
      const component = {
        role: "source",
        name: account,
        state: "waiting",
        error: `${account} failed`,
        sinceAt: 0,
      } as const;
      herd.store.dispatch({ type: "componentChanged", component });
    }
    const sockets = await openSockets(context, herd.store, { principal: () => ONE });
    const client = await sockets.connect();
    expect(client.welcome.devices).toEqual(["pettracer_1", "pettracer_hs_1"]);
    const { snapshot } = await client.subscribe(["#"], { after: 0 });
    expect(snapshot.devices?.map(({ id }) => id)).toEqual(["pettracer_1", "pettracer_hs_1"]);
    expect(snapshot.devices?.[1]?.state).toMatchObject({ pets_at_home: 1, pets_at_home_names: ["Cat 1"] });
    expect(Object.keys(snapshot.positions ?? {})).toEqual(["pettracer_1", "pettracer_hs_1"]);
    for (const id of [1, 2, 3]) {
      herd.report(id, { home: false, name: id === 1 ? "Mine" : "Somebody else's" });
      herd.move(id, 51);
      herd.report(id, { home: true });
    }
    herd.store.dispatch({ type: "componentDropped", role: "source", name: "secret-account" });
    const isHome = () => JSON.stringify(client.news("devices")).includes('"pets_at_home_names":["Mine"]');
    await until(isHome, "my cat is home");
    await client.settled();
    const all = JSON.stringify(client.heard);
    for (const hidden of ["pettracer_2", "pettracer_3", "Cat 2", "Somebody", "secret-account"])
      expect(all).not.toContain(hidden);
    expect(await client.ask({ type: "subscribe", topics: ["position/pettracer_2"] })).toMatchObject({
      code: "forbidden",
    });
    expect(await client.ask({ type: "subscribe", topics: ["position/nobody"] })).toMatchObject({ code: "forbidden" });
    const order = await client.ask({ type: "command", device: "pettracer_2", command: "light", value: true });
    expect(order).toMatchObject({ code: "unknown_device" });
  });

  test("a token that is revoked ends the connection with 1008, at once and without a request", async (context) => {
    const herd = oneCat();
    let isValid = true;
    const changed = createBell();
    const onChange = (listener: () => void) => changed.onRing(listener, new AbortController().signal);
    const sockets = await openSockets(context, herd.store, { isValid: () => isValid, onChange });
    const client = await sockets.connect();
    await client.subscribe(["position/+"]);
    changed.ring();
    await client.settled();
    isValid = false;
    changed.ring();
    expect(await client.closed).toEqual({ code: 1008, reason: "the token was revoked" });
    herd.move(1, 51);
    expect(client.news("position/pettracer_1")).toEqual([]);
    expect(sockets.counts.subscriptions).toBe(0);
  });
});

describe("commands", () => {
  const light = { type: "command", device: "pettracer_1", command: "light", value: true } as const;

  test("are pending, accepted, and done with the cloud's echo", async (context) => {
    const herd = oneCat();
    const [accepted, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const request = () => {
      const command = { kind: "light", value: true } as const;
      herd.store.dispatch({ type: "commandAsked", key: "pettracer_1", at: Date.UTC(2026, 5, 1, 12), command });
      return { accepted: accepted.promise, done: done.promise };
    };
    const sockets = await openSockets(context, herd.store, { request });
    const client = await sockets.connect();
    const of = () => client.heard.filter((one) => "id" in one && one.id === "request-1").slice(0);
    expect(await client.ask(light)).toEqual({ type: "pending", id: "request-1", accepted: false });
    await client.settled();
    expect(of()).toHaveLength(1);
    accepted.resolve();
    await until(() => of().length === 2, "the second answer");
    expect(of()[1]).toMatchObject({ type: "pending", accepted: true, until: expect.stringMatching(/^2026-06-01T12:/) });
    done.resolve();
    await until(() => of().length === 3, "the result");
    expect(of()[2]).toEqual({ type: "result", id: "request-1", status: "done" });
  });

  test.each(["accepted", "done"])("that are not %s fail with the reason", async (when) => {
    const failure = Promise.reject(new Error("the cloud refused it: asleep"));
    failure.catch(() => {});
    const request = () => ({ accepted: when === "done" ? Promise.resolve() : failure, done: failure });
    const sockets = await openSockets({ onTestFinished }, oneCat().store, { request });
    const client = await sockets.connect();
    await client.ask(light);
    const error = await client.hear("the failure", ({ type }) => type === "error");
    expect(error).toMatchObject({ id: "request-1", code: "command_failed", message: "the cloud refused it: asleep" });
  });

  test("with a value that it does not take are refused with those that it does", async (context) => {
    const sockets = await openSockets(context, oneCat().store);
    const client = await sockets.connect();
    const answer = await client.ask({ ...light, value: "dim" });
    expect(answer).toMatchObject({ code: "command_refused", message: expect.stringContaining("true or false") });
  });
});

describe("the end", () => {
  test("of Pawline is told with 1012, within its time also to who does not listen", async (context) => {
    const sockets = await openSockets(context, oneCat().store, { limits: { lastGoodbyeMs: 200 } });
    const [client, deaf] = [await sockets.connect(), await sockets.connect()];
    deaf.ws.pause();
    await sockets.close();
    expect((await client.closed).code).toBe(1012);
    expect(sockets.counts.openSockets).toBe(0);
  });

  test("by a defect of ours is told with 1011, and is no secret", async (context) => {
    const { store } = oneCat();
    const broken = { ...store, state: store.state, activities: store.activities.bind(store), changes: () => fails() };
    const sockets = await openSockets(context, broken);
    const client = await sockets.connect();
    await expect(sockets.failed).rejects.toThrow("a defect");
    expect((await client.closed).code).toBe(1011);
  });
});

async function* fails(): AsyncGenerator<{ state: State; changed: ReadonlySet<string> }> {
  yield { state: new Map(), changed: new Set() };
  await new Promise((resolve) => setTimeout(resolve, 100));
  throw new Error("a defect");
}
