/**
 * What good device servers do, as a checklist: each of their habits, on the wire as users have it. That a client comes
 * back with growing pauses is up to the client: our own page does, and is tried where the page is.
 */
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../../src/publishers/live/api/schema.ts";
import { createHerd } from "../../support/herd.ts";
import { startLive } from "../../support/live.ts";
import { connectTo } from "../../support/sockets.ts";
import { until } from "../../support/until.ts";

type Context = Parameters<typeof startLive>[0];

async function serve(context: Context) {
  const herd = createHerd();
  const { store } = herd;
  herd.list("pettracer", [1, 2], [1]);
  const live = await startLive(
    context,
    store.state,
    {},
    {
      changes: (signal) => store.changes(signal),
      activities: (after) => store.activities(after),
    },
  );
  const url = `${live.url.replace("http", "ws")}/api/ws`;
  return { herd, live, url, connect: () => connectTo(context, url) };
}

describe("the habits of good device servers", () => {
  test("welcome: the first message says who speaks, and what the client may", async (context) => {
    const { connect } = await serve(context);
    const client = await connect();
    expect(client.heard[0]).toMatchObject({
      type: "welcome",
      schema: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      instance: expect.stringMatching(/^[0-9a-f]{16}$/),
      scopes: ["read", "control"],
      devices: null,
      event: 0,
      heartbeat_ms: 20_000,
      limits: { message_bytes: 65_536, subscriptions: 50, messages_per_second: 20, burst: 60 },
    });
    expect(client.ws.protocol).toBe("pawline.v1");
  });

  test("subscribe, with confirmation", async (context) => {
    const { connect, herd } = await serve(context);
    const client = await connect();
    const answer = await client.ask({ type: "subscribe", topics: ["position/pettracer_1"] });
    expect(answer).toMatchObject({ type: "subscribed", subscription: 1, topics: ["position/pettracer_1"] });
    herd.move(1, 51);
    const message = await client.hear("the move", ({ type }) => type === "message");
    expect(message).toMatchObject({ subscription: 1, topic: "position/pettracer_1", data: { latitude: 51 } });
  });

  test("unsubscribe, with confirmation", async (context) => {
    const { connect, herd } = await serve(context);
    const client = await connect();
    const { subscription } = await client.subscribe(["position/+"]);
    expect(await client.ask({ type: "unsubscribe", subscription })).toMatchObject({
      type: "unsubscribed",
      subscription,
    });
    herd.move(1, 51);
    await client.settled();
    expect(client.news("position/pettracer_1")).toEqual([]);
  });

  test("heart-beat: by message, and by the protocol both ways", async (context) => {
    const { connect } = await serve(context);
    const client = await connect();
    expect(await client.ask({ type: "ping" })).toMatchObject({ type: "pong", at: expect.stringMatching(/\+00:00$/) });
    const pong = new Promise<string>((resolve) => client.ws.once("pong", (payload) => resolve(String(payload))));
    client.ws.ping("are you there?");
    expect(await pong).toBe("are you there?");
    // Many bytes are followed by a ping; a quiet line has one every 20 s, which the limits' tests do not wait for.
    const pinged = new Promise<void>((resolve) => client.ws.once("ping", () => resolve()));
    for (let index = 0; index < 20; index += 1) await client.subscribe(["devices"]);
    await pinged;
  });

  test("request and response with ids: texts and numbers, in any order", async (context) => {
    const { connect } = await serve(context);
    const client = await connect();
    for (const id of [7, "seven", 0, -1]) client.ws.send(JSON.stringify({ type: "ping", id }));
    await client.settled();
    const ids = client.heard.flatMap((message) => (message.type === "pong" ? [message.id] : []));
    expect(ids.slice(0, 4)).toEqual([7, "seven", 0, -1]);
  });

  test("typed errors: a code from a list, and a sentence", async (context) => {
    const { connect } = await serve(context);
    const client = await connect();
    client.ws.send("?");
    client.ws.send('{"type":"wag","id":1}');
    await client.ask({ type: "subscribe", topics: ["dogs"] });
    await client.ask({ type: "command", device: "pettracer_9", command: "find" });
    const errors = client.heard.flatMap((message) => (message.type === "error" ? [message] : []));
    expect(errors.map(({ code }) => code)).toEqual(["invalid_json", "unknown_type", "unknown_topic", "unknown_device"]);
    for (const { code, message } of errors) {
      expect(ERROR_CODES).toContain(code);
      expect(message).toMatch(/^\S.*\.$/);
    }
  });

  test("rate limit: answered with when to try again", async (context) => {
    const { connect } = await serve(context);
    const client = await connect();
    for (let id = 0; id < 90; id += 1) client.ws.send(JSON.stringify({ type: "ping", id }));
    const error = await client.hear("the limit", ({ type }) => type === "error");
    expect(error).toMatchObject({ code: "rate_limited", retry_after_ms: expect.any(Number), id: expect.any(Number) });
  });

  test("statistics: over the WebSocket, by HTTP and for Prometheus, and they agree", async (context) => {
    const { connect, live } = await serve(context);
    const [client, other] = [await connect(), await connect()];
    await other.subscribe(["devices"]);
    const answer = await client.ask({ type: "stats" });
    if (answer.type !== "result" || answer.stats === undefined) throw new Error("no statistics");
    const { websocket, connections } = answer.stats;
    expect(websocket).toMatchObject({ subscriptions: 1, messages_in: 2, slow_readers: 0, dropped: 0 });
    expect(connections).toMatchObject({ websocket: 2, most: 1_100 });
    const stats = await (await fetch(`${live.url}/api/stats`)).json();
    expect(stats).toMatchObject({ websocket: { subscriptions: 1, messages_in: 2 }, connections: { websocket: 2 } });
    const metrics = await (await fetch(`${live.url}/metrics`)).text();
    expect(metrics).toContain("pawline_live_websockets 2\n");
    expect(metrics).toContain("pawline_live_subscriptions 1\n");
    expect(metrics).toContain('pawline_live_messages_total{direction="in"} 2\n');
  });

  test("health: whether it lives, and whether it works", async (context) => {
    const { live } = await serve(context);
    expect(await (await fetch(`${live.url}/healthz`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${live.url}/readyz`)).json()).toEqual({ ready: true, missing: [] });
  });

  test("compression: for who asks for it, and for nobody else", async (context) => {
    const { url } = await serve(context);
    for (const perMessageDeflate of [true, false]) {
      const client = await connectTo(context, url, { perMessageDeflate });
      expect(client.ws.extensions).toBe(perMessageDeflate ? expect.anything() && client.ws.extensions : "");
      expect(client.welcome.compression).toBe(perMessageDeflate);
      const { snapshot } = await client.subscribe(["devices"]);
      expect(snapshot.devices).toHaveLength(4);
    }
  });

  test("compression makes what is large small", async (context) => {
    const { url, herd } = await serve(context);
    herd.list(
      "pettracer",
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    const sizes: number[] = [];
    for (const perMessageDeflate of [true, false]) {
      const client = await connectTo(context, url, { perMessageDeflate });
      await client.subscribe(["devices"]);
      const { _socket: socket } = client.ws as unknown as { _socket: { bytesRead: number } };
      sizes.push(socket.bytesRead);
    }
    const [compressed = 0, plain = 0] = sizes;
    expect(compressed).toBeLessThan(plain / 4);
  });

  test("snapshot on subscription: the answer holds what is known, and the stream goes on from there", async (context) => {
    const { connect, herd } = await serve(context);
    herd.move(1, 50);
    const client = await connect();
    const first = client.subscribe(["devices", "position/+", "bridge"]);
    const { snapshot } = await first;
    herd.move(1, 51);
    expect(snapshot.devices?.map(({ name }) => name)).toEqual(expect.arrayContaining(["Cat 1", "Cat 2", "House 1"]));
    expect(snapshot.positions).toMatchObject({ pettracer_1: { latitude: 50 }, pettracer_2: null });
    expect(snapshot.bridge).toMatchObject({ schema: 1, healthy: true });
    await until(() => client.news("position/pettracer_1").length === 1, "the move");
  });
});
