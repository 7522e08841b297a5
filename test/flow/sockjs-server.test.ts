/** The stream against another SockJS server than the simulated cloud's, with STOMP frames written by hand. */
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import {
  callsOf,
  type HouseOptions,
  OWNER,
  openHouse,
  oreo,
  shown,
  stationAndOreo,
  time,
  topicsOf,
} from "../support/house.ts";
import { type Greeting, type Spring, springMessage, springMessageWithLength, startSpring } from "../support/spring.ts";
import { until } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 32, testTimeout: 60_000 });

const test_ = test.concurrent;
type Context = Parameters<typeof openHouse>[0];

async function houseWith(context: Context, options: HouseOptions & { readonly greet?: Greeting } = {}) {
  const house = await openHouse(context, options);
  const spring = await startSpring(options.greet);
  context.onTestFinished(() => spring.close());
  await house.launch({ account: { stream_url: spring.url } });
  return { house, spring };
}

async function lastToken(house: Awaited<ReturnType<typeof openHouse>>): Promise<string> {
  const calls = callsOf(house.cloud, "/map/getccs");
  return calls.at(-1)?.headers.authorization?.slice("Bearer ".length) ?? "";
}

test_("the client says what the cloud expects, in its order", async (context) => {
  const { house, spring } = await houseWith(context, {
    furnish(cloud) {
      stationAndOreo(cloud);
      cloud.addCollar(OWNER.login, { id: 24012 });
    },
  });
  const session = await spring.session();
  await session.frame("SEND", 2);
  const token = await lastToken(house);
  expect(session.url).toMatch(/^\/sc\/\d{3}\/[a-z0-9]{8}\/websocket\?access_token=/);
  expect(new URL(session.url, "ws://cloud").searchParams.get("access_token")).toBe(token);
  const [connect, first, second, send] = session.frames;
  expect(connect).toMatchObject({
    command: "CONNECT",
    headers: { "accept-version": "1.1,1.0", "heart-beat": "10000,10000", access_token: token },
    body: "\0",
  });
  expect(Object.keys(connect?.headers ?? {})).toHaveLength(3);
  expect(first).toMatchObject({
    command: "SUBSCRIBE",
    headers: { id: "sub-0", destination: "/user/queue/messages" },
    body: "\0",
  });
  expect(second).toMatchObject({
    command: "SUBSCRIBE",
    headers: { id: "sub-1", destination: "/user/queue/portal" },
    body: "\0",
  });
  expect(send).toMatchObject({
    command: "SEND",
    headers: { destination: "/app/subscribe", "content-type": "application/json", "content-length": "27" },
    body: '{"deviceIds":[14758,24012]}\0',
  });
});

test_("messages reach the broker, with and without their length", async (context) => {
  const { house, spring } = await houseWith(context);
  const session = await spring.session();
  await house.online();
  // What the stream tells here the listings do not know: one of them would take it back.
  await house.confirmed();
  session.say(
    springMessage({ id: 14758, lastPos: { posLat: 51.8909337, posLong: -0.5308862, timeMeasure: time(1) }, bat: 3760 }),
  );
  await house.mqtt.waitForJson(oreo.position, { latitude: 51.8909337, longitude: -0.5308862, measured_at: shown(1) });
  await house.mqtt.waitForJson(oreo.state, { battery: 34 });

  session.say(springMessageWithLength({ id: 14758, details: { name: "Zoë 🐈‍⬛ ﷽ 猫" } }));
  await house.mqtt.waitFor(oreo.config, (text) => text.includes("Zoë 🐈‍⬛ ﷽ 猫"));
  session.say(springMessageWithLength({ id: 14758, bat: 3600, details: { name: "nul \0 inside" } }));
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(house.log).not.toMatch(/unreadable/);
});

test_("several frames and a heart-beat in one SockJS message, and a frame over several of them", async (context) => {
  const { house, spring } = await houseWith(context, {
    furnish(cloud) {
      stationAndOreo(cloud);
      for (const id of [1, 2, 3, 4]) cloud.addCollar(OWNER.login, { id });
    },
  });
  const session = await spring.session();
  await house.online();
  const move = (id: number): object => ({ id, lastPos: { posLat: 50 + id, posLong: 1, timeMeasure: time(id) } });
  session.say("\n");
  session.say(`${springMessage(move(1))}\n${springMessageWithLength(move(2))}\n\n${springMessage(move(3))}`);
  const text = springMessageWithLength(move(4));
  for (const piece of [text.slice(0, 5), text.slice(5, 60), text.slice(60, 170), text.slice(170)]) session.say(piece);
  for (const id of [1, 2, 3, 4]) {
    await house.mqtt.waitForJson(topicsOf(`pettracer_${id}`).position, { latitude: 50 + id, measured_at: shown(id) });
  }
  expect(session.isOpen).toBe(true);
  expect(house.log).not.toMatch(/unreadable/);
});

test_("a heart-beat goes out as often as the slower side wants it", async (context) => {
  const greet: Greeting = () => "CONNECTED\nversion:1.1\nheart-beat:0,700\n\n\0";
  const { spring } = await houseWith(context, { heartbeatMs: 500, greet });
  const session = await spring.session();
  expect(session.frames[0]?.headers["heart-beat"]).toBe("500,500");
  const beats = await session.frame("\n", 5);
  const [first, last] = [beats[0]?.at ?? 0, beats[4]?.at ?? 0];
  const mean = (last - first) / 4;
  expect(mean).toBeGreaterThan(600);
  expect(mean).toBeLessThan(1_400);
});

test_("a server that promised heart-beats and is silent is left; one that keeps its word is not", async (context) => {
  const greet: Greeting = () => "CONNECTED\nversion:1.1\nheart-beat:800,800\n\n\0";
  const { house, spring } = await houseWith(context, { heartbeatMs: 800, greet });
  const session = await spring.session();
  const beating = setInterval(() => session.say("\n"), 800);
  context.onTestFinished(() => clearInterval(beating));
  // Twice as long as the silence that would be too long.
  await session.frame("\n", 6);
  expect(session.isOpen).toBe(true);
  clearInterval(beating);
  const silentAt = performance.now();
  await until(() => !session.isOpen, "the client leaves");
  expect(performance.now() - silentAt).toBeGreaterThan(1_500);
  await house.logged(/nothing was heard for three heart-beats/);
  await spring.session(1);
});

test_("a server of version 1.0, without heart-beats, is spoken to", async (context) => {
  const { house, spring } = await houseWith(context, { greet: () => "CONNECTED\nsession:1\n\n\0" });
  const session = await spring.session();
  session.say(springMessage({ id: 14758, bat: 3600 }));
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(spring.sessions).toHaveLength(1);
});

test_("pings that are answered keep the stream, and pings that are not end it", async (context) => {
  const house = await openHouse(context);
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", autoPong: false });
  context.onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  let [connections, pings, answering] = [0, 0, true];
  server.on("connection", (socket) => {
    connections += 1;
    socket.send("o");
    socket.on("message", (data: Buffer) => {
      if (data.toString("utf8").includes("CONNECT\\n"))
        socket.send('a["CONNECTED\\nversion:1.1\\nheart-beat:0,0\\n\\n\\u0000"]');
    });
    socket.on("ping", () => {
      pings += 1;
      if (answering) socket.pong();
    });
  });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await house.launch({ account: { stream_url: `ws://127.0.0.1:${address.port}/sc` }, heartbeatMs: 800 });
  await until(() => pings >= 20, "pings through five beats");
  expect(connections).toBe(1);
  answering = false;
  await house.logged(/nothing was heard for three heart-beats/);
  answering = true;
  await until(() => connections === 2, "another connection");
});

test_.for<[string, (session: Awaited<ReturnType<Spring["session"]>>) => void, RegExp]>([
  ["SockJS", (session) => session.close(3000, "Go away!"), /the server closed the session \(3000 Go away!\)/],
  [
    "STOMP",
    (session) => session.say("ERROR\nmessage:Session closed.\ncontent-length:0\n\n\0"),
    /the server reported an error \(Session closed\.\)/,
  ],
])("an end that %s tells is followed by a new session of the same token", async ([, end, reason], context) => {
  const { house, spring } = await houseWith(context);
  end(await spring.session());
  await house.logged(reason);
  const next = await spring.session(1);
  const [before, after] = spring.sessions.map(({ url }) => new URL(url, "ws://cloud"));
  expect(after?.searchParams.get("access_token")).toBe(before?.searchParams.get("access_token"));
  expect(after?.pathname).not.toBe(before?.pathname);
  next.say(springMessage({ id: 14758, bat: 3600 }));
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(callsOf(house.cloud, "/user/login")).toHaveLength(1);
});

test_("a CONNECT that is answered by ERROR is a token that is not taken any more", async (context) => {
  let greetings = 0;
  const { house, spring } = await houseWith(context, {
    greet: () => {
      greetings += 1;
      const isFirst = greetings === 1;
      return isFirst ? "ERROR\nmessage:Access denied\n\n\0" : "CONNECTED\nversion:1.1\nheart-beat:0,0\n\n\0";
    },
  });
  await house.logged(/Access denied/);
  const session = await spring.session(1);
  session.say(springMessage({ id: 14758, bat: 3600 }));
  await house.mqtt.waitForJson(oreo.state, { battery: 17 });
  expect(callsOf(house.cloud, "/user/login").length).toBeLessThanOrEqual(2);
});
