/** The server of the status page: what it answers to whom, and that nothing that is sent to it can hurt it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Finding } from "../../src/lib/finding.ts";
import { createAccess } from "../../src/publishers/live/access.ts";
import { liveOptions } from "../../src/publishers/live/options.ts";
import { probe } from "../../src/publishers/live/probe.ts";
import { freePort } from "../e2e/support/network.ts";
import { eventually } from "../e2e/support/waiting.ts";
import { createCat } from "../support/cat.ts";
import { ask, askRaw } from "../support/http.ts";
import { startLive } from "../support/live.ts";
import { readMetrics } from "../support/prometheus.ts";
import { noTokens } from "../support/tokens.ts";
import { until } from "../support/until.ts";

vi.setConfig({ testTimeout: 60_000 });

const { state } = createCat({ name: "Oreo" }).store;

const PATHS = ["/", "/api/bridge", "/healthz", "/readyz", "/metrics"];

test.each(PATHS)("%s can be read, and nothing else", async (path) => {
  await using live = await started();
  const got = await ask(live.url + path);
  expect([200, 503]).toContain(got.status);
  const head = await ask(live.url + path, { method: "HEAD" });
  expect(head.status).toBe(got.status);
  expect(head.body).toBe("");
  expect(head.headers["content-type"]).toBe(got.headers["content-type"]);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]) {
    const refused = await ask(live.url + path, { method }).catch(() => undefined);
    // What is no method at all is refused by Node itself.
    if (method === "BREW") expect(refused?.status ?? 400).toBe(400);
    else expect(refused).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  }
});

test("every answer says what a browser may do with it", async () => {
  await using live = await started();
  for (const path of [...PATHS, "/nothing"]) {
    const { headers } = await ask(live.url + path);
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:( https:\/\/tile\.openstreetmap\.org)?; connect-src 'self';/,
    );
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'self'");
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    // Home Assistant shows the page in a frame.
    expect(headers).not.toHaveProperty("x-frame-options");
    expect(headers["content-type"]).toMatch(/charset=utf-8$|^image\/svg\+xml$/);
  }
});

test.each(["/nothing", "/healthz/", "/api", "/api/status", "/__proto__", "/constructor", "//", "/%2e%2e/etc/passwd"])(
  "%s is not there",
  async (path) => {
    await using live = await started();
    const { status, headers, body } = await ask(live.url + path);
    expect([status, headers["content-type"], body]).toEqual([
      404,
      "application/problem+json; charset=utf-8",
      expect.stringContaining('"detail":"There is nothing here: '),
    ]);
  },
);

test("a query changes nothing", async () => {
  await using live = await started();
  expect(await ask(`${live.url}/healthz?a=b&c`)).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
});

test.each(["evil.example", "evil.example:8099", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "192.168.1.5"])(
  "a page of another name (%j) cannot read along in the user's browser",
  async (host) => {
    await using live = await started();
    for (const path of ["/", "/api/bridge"]) {
      const refused = await ask(live.url + path, { headers: { host } });
      expect(refused.status).toBe(403);
      expect(refused.body).toMatch(
        /"detail":"This page is served under the address 127\.0\.0\.1 or the name localhost alone/,
      );
      expect(refused.body).not.toContain("Oreo");
    }
    // A monitor may have its own name for us.
    expect((await ask(`${live.url}/metrics`, { headers: { host } })).status).toBe(200);
  },
);

test.each(["localhost", "LOCALHOST:1", "127.0.0.1:8099", "127.1.2.3", "[::1]:8099", "[::1]"])(
  "%j is this computer",
  async (host) => {
    await using live = await started();
    expect((await ask(`${live.url}/api/bridge`, { headers: { host } })).status).toBe(200);
  },
);

test("IPv6 is served as well", async () => {
  await using live = await started({ host: "::1" });
  for (const path of ["/api/bridge", "/healthz"])
    expect((await ask(`http://[::1]:${live.port}${path}`)).status).toBe(200);
  expect(live.log()).toContain(`the page is at http://[::1]:${live.port}/`);
});

interface Visit {
  readonly client: string | undefined;
  readonly ingress: boolean;
  readonly page: boolean;
  readonly watch: boolean;
}

test.each<Visit>([
  { client: "172.30.32.2", ingress: true, page: true, watch: true },
  { client: "::ffff:172.30.32.2", ingress: true, page: true, watch: true },
  { client: "127.0.0.1", ingress: true, page: false, watch: true },
  { client: "::1", ingress: true, page: false, watch: true },
  { client: "::ffff:127.0.0.1", ingress: true, page: false, watch: true },
  { client: "172.30.32.1", ingress: true, page: false, watch: false },
  { client: "172.30.32.22", ingress: true, page: false, watch: false },
  { client: "172.30.33.5", ingress: true, page: false, watch: false },
  { client: "192.168.1.20", ingress: true, page: false, watch: false },
  { client: "fe80::1", ingress: true, page: false, watch: false },
  { client: undefined, ingress: true, page: false, watch: false },
  { client: "127.0.0.1", ingress: false, page: true, watch: true },
  { client: "::1", ingress: false, page: true, watch: true },
  { client: "172.30.32.2", ingress: false, page: false, watch: false },
  { client: "192.168.1.20", ingress: false, page: false, watch: false },
])("$client, ingress $ingress: page $page, metrics $watch", ({ client, ingress, page, watch }) => {
  const request = { socket: { remoteAddress: client }, headers: { host: "127.0.0.1" } } as unknown as IncomingMessage;
  const options = liveOptions.parse({ host: ingress ? "0.0.0.0" : "127.0.0.1", ingress });
  const access = createAccess(options, noTokens());
  const asking = access.principalOf(request);
  expect(["kind" in asking, access.mayWatch(request)]).toEqual([page, watch]);
  if ("status" in asking) expect(asking.sentence).toMatch(ingress ? /^This page .* alone: open .*\.$/ : /token/);
});

test("for the Supervisor alone: this computer gets health and metrics, and a sentence for the rest", async () => {
  await using live = await started({ host: "0.0.0.0", ingress: true });
  for (const path of PATHS) {
    const { status, body } = await ask(live.url + path, { headers: { "x-ingress-path": "/api/hassio_ingress/x" } });
    if (["/healthz", "/readyz", "/metrics"].includes(path)) expect([200, 503]).toContain(status);
    else {
      expect([status, body]).toEqual([
        403,
        expect.stringContaining("served through Home Assistant alone: open Pawline in Home Assistant's sidebar."),
      ]);
    }
  }
  expect((await ask(`${live.url}/nothing`)).status).toBe(403);
});

test("the end closes every connection at once, and frees the port", async (context) => {
  const live = await startLive(context, state);
  const [silent, slow, kept] = [1, 2, 3].map(() => connect(live.port, "127.0.0.1"));
  if (!silent || !slow || !kept) throw new Error("there are three");
  const closed = [silent, slow, kept].map((socket) => {
    socket.on("error", () => {});
    return once(socket, "close");
  });
  await Promise.all([silent, slow, kept].map((socket) => once(socket, "connect")));
  // One says nothing, one is in the middle of a request, one is kept open after its answer.
  slow.write("GET / HTTP/1.1\r\nHost: local");
  kept.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(kept, "data");
  const startedAt = performance.now();
  await live.stop();
  await Promise.all(closed);
  // Long before any of the server's own limits would end them.
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  const other = createServer().listen(live.port, "127.0.0.1");
  await once(other, "listening");
  other.close();
});

test("more connections than people and monitors need are not taken", async () => {
  await using live = await started({ max_connections: 20 });
  const sockets = Array.from({ length: 80 }, () => connect(live.port, "127.0.0.1"));
  let closed = 0;
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.on("close", () => {
      closed += 1;
    });
  }
  await until(() => closed >= 80 - 20 - 32, "those beyond the limit are closed");
  for (const socket of sockets) socket.destroy();
  await until(() => closed === 80, "all are closed");
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
});

test("who never finishes a request is given up", async () => {
  await using live = await started();
  const socket = connect(live.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (part) => {
    answer += String(part);
  });
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  await once(socket, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
});

const token = fc.string({ unit: "binary-ascii", maxLength: 20 });
const someRequest = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "CONNECT", "OPTIONS", "get", "", "\0"),
    target: fc.oneof(fc.constantFrom(...PATHS, "*", "http://x/", "//", "/%", "/?", "?"), fc.webPath(), token),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/2.0", ""),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom(
          "Host",
          "Accept-Language",
          "Content-Length",
          "Transfer-Encoding",
          "Expect",
          "Upgrade",
          "Connection",
          "X-Ingress-Path",
          "",
        ),
        fc.oneof(
          token,
          fc.constantFrom("localhost", "-1", "5", "chunked", "100-continue", "websocket", "upgrade", "de"),
        ),
      ),
      { maxLength: 6 },
    ),
    body: fc.oneof(fc.constant(""), token, fc.constant("zz\r\n"), fc.constant("5\r\nhello\r\n0\r\n\r\n")),
  })
  .map(
    ({ method, target, version, headers, body }) =>
      `${method} ${target} ${version}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );

test("whatever is sent is answered or closed, and the server lives on", async () => {
  await using live = await started();
  const bytes = fc.oneof(
    someRequest,
    fc.uint8Array({ maxLength: 300 }),
    fc.constant(`GET / HTTP/1.1\r\n${"X: y\r\n".repeat(3_000)}\r\n`),
    fc.constant(`GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const answer = await askRaw(live.port, sent);
      expect(answer).toMatch(/^(?:HTTP\/1\.1 (?:100|200|400|403|404|405|408|413|417|431|503) |$)/);
    }),
    { numRuns: 300 },
  );
  expect((await ask(`${live.url}/healthz`)).status).toBe(200);
  expect(live.log()).not.toMatch(/defect/);
});

test("accepted languages of any kind give a page", async () => {
  await using live = await started();
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom(..."deEN,;=-q.019 *".split("")), maxLength: 40 }),
      async (language) => {
        const { status, body } = await ask(`${live.url}/`, { headers: { "accept-language": language.trim() } });
        expect([status, /<html lang="(?:de|en)">/.test(body)]).toEqual([200, true]);
      },
    ),
    { numRuns: 50 },
  );
});

test("metrics are in Prometheus' format, with the basics of the process", async () => {
  await using live = await started();
  const { headers, body } = await ask(`${live.url}/metrics`);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const metrics = readMetrics(body);
  expect(metrics.get("process_resident_memory_bytes")?.samples.get("")).toBe(50_000_000);
  expect(metrics.get("process_cpu_seconds_total")?.samples.get("")).toBe(1.5);
  expect(metrics.get("pawline_info")?.samples).toEqual(new Map([['version="1"', 1]]));
});

test("the delay of the event loop is measured, and told since the last time", async () => {
  await using live = await started();
  const longest = async (): Promise<number> =>
    readMetrics((await ask(`${live.url}/metrics`)).body)
      .get("pawline_event_loop_delay_max_seconds")
      ?.samples.get("") ?? 0;
  await eventually(20_000, "a delay of 0.3 s", async () => {
    block();
    return (await longest()) > 0.3 || undefined;
  });
});

/** Holds the event loop for half a second. */
function block(): void {
  for (const end = performance.now() + 500; performance.now() < end; );
}

test("a check finds a free port, a running Pawline, and another program in the way", async (context) => {
  const port = await freePort();
  const options = liveOptions.parse({ port });
  const check = async (): Promise<Finding[]> => {
    const findings: Finding[] = [];
    for await (const finding of probe(options, noTokens(), new AbortController().signal)) findings.push(finding);
    return findings;
  };
  const address = `http://127.0.0.1:${port}/`;
  expect(await check()).toEqual([{ part: "Live page", result: "works", sentence: `it can be served at ${address}` }]);
  const live = await startLive(context, state, { port });
  expect(await check()).toEqual([{ part: "Live page", result: "works", sentence: `is served at ${address}` }]);
  await live.stop();
  const other = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
  other.listen(port, "127.0.0.1");
  await once(other, "listening");
  context.onTestFinished(() => void other.close());
  expect(await check()).toEqual([
    {
      part: "Live page",
      result: "unreachable",
      sentence: `port ${port} at 127.0.0.1 is in use by another program: end that one, or set live.port to another number`,
    },
  ]);
});

/** Ended by `await using`, within the test. */
async function started(draft: Parameters<typeof startLive>[2] = {}) {
  const live = await startLive({ onTestFinished: () => {} }, state, draft);
  return { ...live, [Symbol.asyncDispose]: () => live.stop() };
}
