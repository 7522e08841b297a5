/** Whatever is sent to the live API ends as documented, hurts nobody else, and leaves no more than a counted line. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { expect, type TestContext, test, vi } from "vitest";
import { openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { createAccess } from "../../src/publishers/live/access.ts";
import { problem, stats } from "../../src/publishers/live/api/schema.ts";
import { createCountedLog } from "../../src/publishers/live/counted-log.ts";
import { createCounts } from "../../src/publishers/live/counts.ts";
import { watchConnections } from "../../src/publishers/live/http/connections.ts";
import { liveOptions } from "../../src/publishers/live/options.ts";
import { openServer } from "../../src/publishers/live/server.ts";
import { admitSockets } from "../../src/publishers/live/upgrade.ts";
import { createTokenKeeper } from "../../src/tokens/keeper.ts";
import { freePort } from "../e2e/support/network.ts";
import { createCat } from "../support/cat.ts";
import { type Answered, ask, askRaw } from "../support/http.ts";
import { startLive } from "../support/live.ts";
import { memoryStream } from "../support/stream.ts";
import { temporaryFolder } from "../support/temp.ts";
import { giveToken, takeToken } from "../support/tokens.ts";
import { until } from "../support/until.ts";

vi.setConfig({ testTimeout: 60_000 });

const { state } = createCat({ name: "Oreo", light: false }).store;

/** The head and the body of an answer, as bytes on the line. */
function answerOf(text: string): { status: number; head: string; body: string } {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body };
}

function problemIn(text: string) {
  const { status, head, body } = answerOf(text);
  const told = problem.parse(JSON.parse(Buffer.from(body, "latin1").toString("utf8")));
  expect([told.status, /content-type: application\/problem\+json/i.test(head)]).toEqual([status, true]);
  return told;
}

test.each<[string, string, number, string]>([
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "invalid_request"],
  ["an unknown method", "PURR / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "invalid_request"],
  ["no Host", "GET /api/devices HTTP/1.1\r\n\r\n", 400, "invalid_request"],
  ["another expectation", "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: fish\r\n\r\n", 417, "invalid_request"],
  ["large headers", `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, 431, "too_large"],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    400,
    "invalid_request",
  ],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "invalid_request",
  ],
  [
    "a body that grows too large",
    `POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`1000\r\n${"x".repeat(4_096)}\r\n`.repeat(5)}0\r\n\r\n`,
    413,
    "too_large",
  ],
  [
    "a body in no UTF-8",
    "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n\xff\xfe",
    400,
    "invalid_json",
  ],
])("%s: %s", async (_, sent, status, code) => {
  await using live = await started();
  const told = problemIn(await askRaw(live.port, Buffer.from(sent, "latin1")));
  expect([told.status, told.code]).toEqual([status, code]);
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
});

test("who sends a request drop by drop is given up, and told so; others are served meanwhile", async () => {
  await using live = await started();
  const socket = connect(live.port, "127.0.0.1");
  let text = "";
  socket.on("data", (part) => {
    text += String(part);
  });
  socket.write(
    "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n",
  );
  const drops = setInterval(() => socket.write("x"), 200);
  try {
    expect((await ask(`${live.url}/api/devices`)).status).toBe(200);
    await once(socket, "close");
    expect(problemIn(text)).toMatchObject({ status: 408, code: "request_timeout" });
  } finally {
    clearInterval(drops);
  }
  await until(() => live.log().includes("1 requests that were never finished"), "the counted line");
});

test("connections beyond the limit are told so, and each that ends makes room", async () => {
  await using live = await started({ max_connections: 10 });
  const held: Socket[] = [];
  for (let index = 0; index < 10; index += 1) {
    const socket = connect(live.port, "127.0.0.1");
    await once(socket, "connect");
    held.push(socket);
  }
  const refused = await ask(`${live.url}/healthz`);
  expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "10"]);
  expect(problem.parse(JSON.parse(refused.body))).toMatchObject({ code: "unavailable", retry_after_s: 10 });
  held[0]?.destroy();
  await expect.poll(async () => (await ask(`${live.url}/healthz`)).status, { timeout: 20_000 }).toBe(200);
  for (const socket of held) socket.destroy();
});

test("a thousand requests in a moment are more than a program may send", async () => {
  await using live = await started();
  const answers: Answered[] = [];
  const lane = async (): Promise<void> => {
    for (let index = 0; index < 50; index += 1) answers.push(await ask(`${live.url}/api/session`));
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  const limited = answers.filter(({ status }) => status === 429);
  // As many as the bucket holds, and what flows in meanwhile.
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(500);
  if (limited.length > 0) {
    expect(problem.parse(JSON.parse(limited[0]?.body ?? ""))).toMatchObject({ code: "rate_limited", retry_after_s: 1 });
    expect(limited[0]?.headers["retry-after"]).toBe("1");
    await until(() => /turned away \d+ requests that came too fast/.test(live.log()), "the counted line");
  }
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
});

const word = fc.oneof(fc.string({ maxLength: 30 }), fc.webPath(), fc.constantFrom("pettracer_14758", "..", "%00", "%"));
const request = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"),
  path: fc.oneof(
    fc.constantFrom("devices", "events", "stats", "bridge", "session", "openapi.json", "ws"),
    word.map((one) => `devices/${encodeURIComponent(one)}`),
    fc.constantFrom("photo", "track", "commands").map((part) => `devices/pettracer_14758/${part}`),
    word.map(encodeURI),
  ),
  query: fc.oneof(
    fc.constant(""),
    fc.webQueryParameters(),
    fc.constantFrom("from=0", "from=x", "after=-1", "limit=9e9", "format=gpx", "kind=collar"),
  ),
  headers: fc.dictionary(
    fc.constantFrom(
      "authorization",
      "cookie",
      "origin",
      "prefer",
      "if-none-match",
      "content-type",
      "accept",
      "x-forwarded-for",
    ),
    fc.oneof(
      fc.stringMatching(/^[ -~]{0,40}$/),
      fc.constantFrom("Bearer x", "pawline_session=x", "http://evil.example", "wait=0", "*", "application/json"),
    ),
    { maxKeys: 4 },
  ),
  body: fc.oneof(
    fc.constant(undefined),
    fc.string(),
    fc.json(),
    fc.constantFrom('{"command":"light","value":true}', '{"command":"find"}', '{"token":"x"}', "{".repeat(10_000)),
  ),
});

test("requests of any kind get a documented answer, and nobody else notices", async () => {
  await using live = await started();
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, headers, body }) => {
      const url = `${live.url}/api/${path}${query && `?${query}`}`;
      const given = { method, headers: { prefer: "wait=0", ...headers }, ...(body !== undefined && { body }) };
      const { status, headers: told, body: text } = await ask(url, given);
      expect([200, 202, 204, 304, 400, 401, 403, 404, 405, 413, 415, 422, 429]).toContain(status);
      if (status < 400 || method === "HEAD") return;
      expect(told["content-type"]).toBe("application/problem+json; charset=utf-8");
      expect(problem.parse(JSON.parse(text)).status).toBe(status);
    }),
    { numRuns: 500 },
  );
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
  // Nothing of what was sent stands in the log, and no line for each.
  await live.stop();
  const lines = live
    .log()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { level: string; msg: string });
  expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(lines.filter(({ msg }) => msg.startsWith("live: turned away")).length).toBeLessThanOrEqual(3);
  expect(lines.length).toBeLessThan(8);
});

test("what is turned away is counted", async () => {
  await using live = await started();
  await ask(`${live.url}/api/devices`, { headers: { authorization: "Bearer x" } });
  await askRaw(live.port, "what?\r\n\r\n");
  const { requests } = stats.parse(JSON.parse((await ask(`${live.url}/api/stats`)).body));
  expect(requests).toMatchObject({ refused: 1, malformed: 1, rate_limited: 0 });
});

/** Ended by `await using`, within the test. */
async function started(draft: Parameters<typeof startLive>[2] = {}) {
  const live = await startLive({ onTestFinished: () => {} }, state, draft);
  return { ...live, [Symbol.asyncDispose]: () => live.stop() };
}

test.runIf(Number.parseInt(process.versions.node, 10) >= 24)(
  "who would like to speak HTTP/2 is answered by HTTP/1.1",
  async (context) => {
    const { port } = await openDoor(context);
    // There is nothing but WebSockets behind this door, so that an answer of the door itself would be a 404.
    const sent =
      "GET /api/devices HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n";
    expect(answerOf(await askRaw(port, `${sent}HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`)).status).toBe(204);
  },
);

/** A server that lets WebSockets in, and says `welcome, <name>` to whoever has passed the door. */
async function openDoor(context: Pick<TestContext, "onTestFinished">, draft: object = {}) {
  const folder = temporaryFolder(context.onTestFinished).path;
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const options = liveOptions.parse({ port: await freePort(), ...draft });
  const [counts, turnedAway] = [createCounts(), createCountedLog(log)];
  const access = createAccess(options, createTokenKeeper(folder, openDataDir(folder, log), log));
  const server = await openServer(options, (http) => {
    const { refusalOf } = watchConnections(http, options, { counts, turnedAway });
    const tools = { access, counts, turnedAway, log, refusalOfConnection: refusalOf };
    http.on("request", (_, response) => response.writeHead(204, { connection: "close" }).end());
    admitSockets(http, tools, (_, socket, __, { name }) => socket.end(`welcome, ${name}`));
  });
  context.onTestFinished(() => server.close());
  const upgrade = (headers: Record<string, string> = {}, path = "/api/ws"): Promise<string> => {
    const all = { host: `127.0.0.1:${options.port}`, connection: "Upgrade", upgrade: "websocket", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return askRaw(options.port, `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  };
  return { folder, counts, port: options.port, upgrade };
}

test("a WebSocket is for those who may come in: by place, by token, by origin", async (context) => {
  const { upgrade, folder, port, counts } = await openDoor(context, { origins: ["https://cats.example.com"] });
  const evil = { origin: "https://evil.example" };
  expect(await upgrade()).toBe("welcome, this computer");
  expect(problemIn(await upgrade(evil))).toMatchObject({ status: 403, code: "forbidden_origin" });
  expect(problemIn(await upgrade({ host: "evil.example" }))).toMatchObject({ status: 403, code: "forbidden" });
  expect(problemIn(await upgrade({}, "/api/devices"))).toMatchObject({ status: 404, code: "not_found" });
  const { secret, token } = await giveToken(folder, { name: "script" });
  const refused = await upgrade();
  expect(problemIn(refused)).toMatchObject({ status: 401, code: "unauthorized" });
  expect(refused).toContain('www-authenticate: Bearer realm="Pawline"');
  const shown = { authorization: `Bearer ${secret}` };
  const offered = { "sec-websocket-protocol": `pawline.v1, pawline.token.${secret}` };
  for (const headers of [
    shown,
    offered,
    { ...shown, origin: `http://127.0.0.1:${port}` },
    { ...shown, origin: "https://cats.example.com" },
  ]) {
    expect(await upgrade(headers)).toBe("welcome, script");
  }
  expect(problemIn(await upgrade({ ...shown, ...evil }))).toMatchObject({ status: 403, code: "forbidden_origin" });
  expect(problemIn(await upgrade({}, `/api/ws?token=${secret}`))).toMatchObject({ status: 401 });
  await takeToken(folder, token);
  await giveToken(folder, { name: "other" });
  expect(problemIn(await upgrade(shown))).toMatchObject({ status: 401, code: "unauthorized" });
  for (let time = 0; time < 4; time += 1) await upgrade({ authorization: "Bearer x" });
  const waiting = await upgrade({ authorization: "Bearer x" });
  expect(problemIn(waiting)).toMatchObject({ status: 429, code: "rate_limited" });
  expect(waiting).toMatch(/retry-after: 1\r\n/);
  expect(counts.refused).toBe(12);
});
