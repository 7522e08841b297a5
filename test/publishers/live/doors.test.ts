/** The way to a WebSocket, on the wire: who gets in, who is turned away with which answer, and who is put out. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect as connectTcp } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import WebSocket from "ws";
import { openDataDir } from "../../../src/lib/data-dir.ts";
import { createLog } from "../../../src/lib/log.ts";
import { createScrubber } from "../../../src/lib/scrub.ts";
import { createTokenKeeper } from "../../../src/tokens/keeper.ts";
import { createHerd } from "../../support/herd.ts";
import { ask } from "../../support/http.ts";
import { startLive } from "../../support/live.ts";
import { connectTo } from "../../support/sockets.ts";
import { memoryStream } from "../../support/stream.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { giveToken, takeToken } from "../../support/tokens.ts";

type Context = Parameters<typeof startLive>[0];

/** With a token, unless there is to be none. */
async function serve(context: Context, options: Parameters<typeof startLive>[2] = {}, needsToken = true) {
  const herd = createHerd();
  herd.list("pettracer", [1, 2], [1]);
  const folder = temporaryFolder((end) => context.onTestFinished(async () => await end())).path;
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const given = needsToken ? await giveToken(folder, { scopes: ["read"] }) : undefined;
  const tokens = createTokenKeeper(folder, openDataDir(folder, log), log);
  const { store } = herd;
  const live = await startLive(context, store.state, options, {
    tokens,
    changes: (signal) => store.changes(signal),
    activities: (after) => store.activities(after),
  });
  const url = `${live.url.replace("http", "ws")}/api/ws`;
  return { herd, live, url, folder, secret: given?.secret ?? "", token: given?.token };
}

/** The answer to an upgrade that is not granted. */
async function refusalOf(url: string, headers: Record<string, string> = {}, protocols: string[] = ["pawline.v1"]) {
  const ws = new WebSocket(url, protocols, { headers });
  ws.on("error", () => {});
  const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const problem = JSON.parse(Buffer.concat(chunks).toString()) as { code: string; detail: string };
  return { status: response.statusCode, headers: response.headers, ...problem };
}

describe("a token", () => {
  test("is needed as soon as there is one: without it the answer is 401", async (context) => {
    const { url } = await serve(context);
    expect(await refusalOf(url)).toMatchObject({
      status: 401,
      headers: {
        "content-type": expect.stringMatching(/^application.problem.json/),
        "www-authenticate": expect.stringContaining("Bearer"),
      },
      code: "unauthorized",
      detail: expect.stringContaining("pawline token create"),
    });
  });

  test("that is wrong is refused; one in the address, too, whether it is right or not", async (context) => {
    const { url, secret } = await serve(context);
    expect(await refusalOf(url, { authorization: "Bearer nonsense" })).toMatchObject({ status: 401 });
    const inAddress = await refusalOf(`${url}?token=${secret}`);
    expect(inAddress).toMatchObject({ status: 401, detail: expect.stringContaining("address") });
  });

  test("may stand in the header, or beside the protocol, and is not given back", async (context) => {
    const { url, secret, live } = await serve(context);
    const byHeader = await connectTo(context, url, { headers: { authorization: `Bearer ${secret}` } });
    expect(byHeader.welcome.scopes).toEqual(["read"]);
    const ws = new WebSocket(url, ["pawline.v1", `pawline.token.${secret}`]);
    context.onTestFinished(() => ws.terminate());
    await once(ws, "open");
    expect(ws.protocol).toBe("pawline.v1");
    expect(live.log()).not.toContain(secret);
  });

  test("that may read sends no commands", async (context) => {
    const { url, secret } = await serve(context);
    const client = await connectTo(context, url, { headers: { authorization: `Bearer ${secret}` } });
    const answer = await client.ask({ type: "command", device: "pettracer_1", command: "light", value: true });
    expect(answer).toMatchObject({ type: "error", code: "forbidden" });
  });

  test("that is revoked ends its connections with 1008 within seconds; nothing is logged but a counted line", async (context) => {
    const { url, secret, token, folder, live, herd } = await serve(context);
    const headers = { authorization: `Bearer ${secret}` };
    const clients = await Promise.all([1, 2, 3].map(() => connectTo(context, url, { headers })));
    for (const client of clients) await client.subscribe(["position/+"]);
    if (token) await takeToken(folder, token);
    for (const { closed } of clients) expect(await closed).toMatchObject({ code: 1008 });
    herd.move(1, 51);
    for (const client of clients) expect(client.news("position/pettracer_1")).toEqual([]);
    await live.stop();
    const lines = live
      .log()
      .trim()
      .split("\n")
      .filter((line) => !line.includes("is at http"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("3 WebSocket clients whose token was revoked");
  });
});

describe("an origin", () => {
  test.each(["https://evil.example", "null", "http://127.0.0.1:1"])(
    "of somebody else (%s) is refused",
    async (origin) => {
      const { url } = await serve({ onTestFinished }, {}, false);
      expect(await refusalOf(url, { origin })).toMatchObject({ status: 403, code: "forbidden_origin" });
    },
  );

  test("of somebody else cannot use up the tries of who reads its page", async (context) => {
    const { url, secret } = await serve(context);
    for (let tries = 0; tries < 8; tries += 1) {
      const refused = await refusalOf(url, { origin: "https://evil.example" }, ["pawline.v1", "pawline.token.wrong"]);
      expect(refused).toMatchObject({ status: 403, code: "forbidden_origin" });
    }
    await connectTo(context, url, { headers: { authorization: `Bearer ${secret}` } });
  });

  test("of our own, or one that is listed, is let in", async (context) => {
    const { url, live } = await serve(context, { origins: ["https://cats.example"] }, false);
    for (const origin of [live.url, "https://cats.example"]) await connectTo(context, url, { headers: { origin } });
  });
});

describe("a handshake", () => {
  test("that never comes to an end is ended by us, and others get in meanwhile", async (context) => {
    const { url, live } = await serve(context, {}, false);
    const lorises = Array.from({ length: 20 }, () => connectTcp(live.port, "127.0.0.1"));
    const ended = lorises.map((socket) => {
      context.onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      socket.write("GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
      const drip = setInterval(() => socket.write("X-Slow: 1\r\n"), 300);
      return new Promise<string>((resolve) => {
        let answer = "";
        socket.on("data", (data) => {
          answer += String(data);
        });
        socket.on("close", () => {
          clearInterval(drip);
          resolve(answer);
        });
      });
    });
    await connectTo(context, url);
    for (const answer of await Promise.all(ended)) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("elsewhere, or for another protocol, is told where to go", async (context) => {
    const { url } = await serve(context, {}, false);
    expect(await refusalOf(url.replace("/api/ws", "/ws"))).toMatchObject({ status: 404, code: "not_found" });
  });

  test.each([
    { headers: { "sec-websocket-version": "99" } },
    { headers: { "sec-websocket-key": "short" } },
    { headers: { "sec-websocket-protocol": "a b" } },
    { method: "POST", headers: {} },
  ])("that is none (%j) is answered with what is wrong, and counted", async ({ headers, method = "GET" }) => {
    const { live } = await serve({ onTestFinished }, {}, false);
    const { status, body, ...answer } = await ask(`${live.url}/api/ws`, {
      method,
      headers: {
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AQIDBAUGBwgJCgsMDQ4PEA==",
        ...headers,
      },
    });
    expect({ status, headers: answer.headers, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 400,
      headers: { "content-type": expect.stringMatching(/^application.problem.json/), "sec-websocket-version": "13" },
      body: { code: "invalid_request", detail: expect.stringContaining("Sec-WebSocket-Key") },
    });
    const stats = JSON.parse((await ask(`${live.url}/api/stats`)).body) as { requests: { malformed: number } };
    expect(stats.requests.malformed).toBe(1);
  });

  test("of one too many is answered with 503; room is made by who leaves", async (context) => {
    const { url } = await serve(context, { max_connections: 10 }, false);
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectTo(context, url)));
    const refused = await refusalOf(url);
    expect(refused).toMatchObject({ status: 503, code: "unavailable", headers: { "retry-after": expect.any(String) } });
    clients[0]?.ws.close();
    await clients[0]?.closed;
    const client = await tryToConnect(context, url);
    expect(await client?.ask({ type: "ping" })).toMatchObject({ type: "pong" });
  });
});

/** The server may notice a moment later that somebody has left. */
async function tryToConnect(context: Context, url: string) {
  for (let tries = 0; tries < 50; tries += 1) {
    const client = await connectTo(context, url).catch(() => undefined);
    if (client) return client;
  }
  return undefined;
}

test("who hangs up in the middle of a body is no defect", async (context) => {
  const { live } = await serve(context, {}, false);
  const socket = connectTcp(live.port, "127.0.0.1");
  const head =
    "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n";
  await new Promise((resolve) => void socket.write(`${head}Expect: 100-continue\r\n\r\n{`, resolve));
  // By then it is being read.
  await once(socket, "data");
  socket.destroy();
  await vi.waitFor(() => expect(live.log()).toContain("could not be sent to its end"));
  expect(live.log()).not.toMatch(/"level":"(warn|error)"/);
});

test("who says nothing at all is told that it took too long, and nobody is warned of it", async (context) => {
  const { live } = await serve(context, {}, false);
  const socket = connectTcp(live.port, "127.0.0.1");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
  const { requests } = JSON.parse((await ask(`${live.url}/api/stats`)).body) as { requests: object };
  expect(requests).toMatchObject({ malformed: 0 });
  await live.stop();
  expect(live.log()).not.toContain('"level":"warn"');
});

test("the end of Pawline is told with 1012, and does not wait for who does not listen", async (context) => {
  const { url, live } = await serve(context, {}, false);
  const [client, deaf] = await Promise.all([connectTo(context, url), connectTo(context, url)]);
  deaf.ws.pause();
  await live.stop();
  expect((await client.closed).code).toBe(1012);
});
