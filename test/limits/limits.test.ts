/** How large each input may be: a little less is taken, a little more is refused with a sentence, or cut. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { gzipSync } from "node:zlib";
import { connectAsync } from "mqtt";
import { expect, type TestContext, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { loadConfig } from "../../src/config/load.ts";
import { startBroker } from "../../src/demo/broker.ts";
import { openDataDir } from "../../src/lib/data-dir.ts";
import { describeError } from "../../src/lib/errors.ts";
import { readJson, request } from "../../src/lib/http.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { findBroker } from "../../src/lib/supervisor.ts";
import { readPem } from "../../src/lib/tls.ts";
import { endpointOf } from "../../src/publishers/homeassistant/endpoint.ts";
import { homeAssistantOptions } from "../../src/publishers/homeassistant/options.ts";
import { openSocket } from "../../src/publishers/homeassistant/socket.ts";
import { openConnection } from "../../src/publishers/mqtt/connection.ts";
import { mqttOptions } from "../../src/publishers/mqtt/options.ts";
import { decodeLogin, decodeMessage } from "../../src/sources/pettracer/decode.ts";
import { createFramer } from "../../src/sources/pettracer/framer.ts";
import { EMPTY_LISTING, readListing } from "../../src/sources/pettracer/listing.ts";
import { openStream } from "../../src/sources/pettracer/stream.ts";
import { createCat } from "../support/cat.ts";
import { askRaw } from "../support/http.ts";
import { startLive } from "../support/live.ts";
import { memoryStream } from "../support/stream.ts";
import { temporaryFolder } from "../support/temp.ts";
import { until } from "../support/until.ts";

vi.setConfig({ testTimeout: 60_000 });

const MEGABYTE = 1024 * 1024;
const { signal } = new AbortController();

async function port(server: Pick<Server, "address" | "once">): Promise<number> {
  await once(server as Server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Answers every request with this. */
async function serve(context: TestContext, body: Buffer, headers = {}): Promise<string> {
  const server = createHttpServer((_, response) => response.writeHead(200, headers).end(body)).listen(0, "127.0.0.1");
  context.onTestFinished(() => void server.close());
  return `http://127.0.0.1:${await port(server)}/`;
}

test("an answer of REST: 16 MB", async (context) => {
  const fits = await serve(context, Buffer.alloc(16 * MEGABYTE, 32));
  expect((await request(fits, { signal })).bytes.byteLength).toBe(16 * MEGABYTE);
  const tooLarge = await serve(context, Buffer.alloc(16 * MEGABYTE + 1, 32));
  await expect(request(tooLarge, { signal })).rejects.toThrow("sent more than 16 MB");
  await expect(request(tooLarge, { signal, largestBytes: MEGABYTE })).rejects.toThrow("sent more than 1 MB");
  await expect(findBroker({ apiUrl: tooLarge, token: "x" }, signal)).rejects.toThrow("sent more than 16 MB");
});

test("an answer that is compressed is not unpacked: no small one becomes a large one", async (context) => {
  const bomb = gzipSync(Buffer.alloc(100 * MEGABYTE, 32));
  const url = await serve(context, bomb, { "content-encoding": "gzip" });
  const answer = await request(url, { signal });
  expect(answer.bytes.byteLength).toBe(bomb.byteLength);
  expect(() => readJson(answer, "it")).toThrow(/^it was no JSON, but \d+ characters of something else$/);
});

/** Greets like the cloud, and then says this. */
async function openStreamThatSays(context: TestContext, text: string): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  context.onTestFinished(() => server.close());
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.send("o");
    socket.once("message", () => {
      socket.send('a["CONNECTED\\nversion:1.1\\nheart-beat:0,0\\n\\n\\u0000"]');
      socket.send(text);
      socket.send('c[3000,"end"]');
    });
  });
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const stream = await openStream({
    url: `ws://127.0.0.1:${await port(server as unknown as Server)}`,
    token: "x",
    heartbeatMs: 10_000,
    log,
    signal,
    onMessage: () => {},
    onActivity: () => {},
    onMalformed: () => {},
  });
  return (await stream.ended).sentence;
}

test("a message of the stream: 8 MB", async (context) => {
  expect(await openStreamThatSays(context, "x".repeat(8 * MEGABYTE))).toContain("3000 end");
  expect(await openStreamThatSays(context, "x".repeat(8 * MEGABYTE + 1))).toMatch(/Max payload size exceeded/);
});

test("a frame of STOMP: 4 MB, its head 16 kB, a hundred pieces; broken ones end at once", () => {
  const good = "MESSAGE\n\nbody\0";
  const framed = (pieces: readonly string[]): string[] => {
    const framer = createFramer();
    return pieces.flatMap((piece) => framer.push(piece));
  };
  const body = "x".repeat(4 * MEGABYTE - 100);
  expect(framed([`MESSAGE\n\n${body}`, "\0"])).toHaveLength(1);
  expect(framed([`MESSAGE\n\n${body}${"x".repeat(200)}`, "\0"])).toEqual([]);
  expect(framed([`MESSAGE\na:${"x".repeat(16_000)}\n\n\0`])).toHaveLength(1);
  expect(framed([`MESSAGE\na:${"x".repeat(17_000)}\n\n\0`])).toEqual([]);
  expect(framed(["MESSAGE\n\n", ...Array<string>(90).fill("x"), "\0"])).toHaveLength(1);
  expect(framed(["MESSAGE\n\n", ...Array<string>(120).fill("x"), "\0", good])).toEqual([good]);
  // Each would have been read for each other one: for hours.
  for (const broken of ["MESSAGE\n", "MESSAGE\n\0", "MESSAGE\ncontent-length:0\n\nx\0", "ERROR\nx"]) {
    expect(framed([broken.repeat((8 * MEGABYTE) / broken.length), good]).at(-1)).toBe(good);
  }
  expect(framed(["MESSAGE\na:b\n", ...Array<string>(300_000).fill("c:d\n"), good]).at(-1)).toBe(good);
});

test("a text of the cloud: 255 characters; a token: 8 kB without blanks", () => {
  const name = decodeMessage(JSON.stringify({ id: 1, details: { name: "x".repeat(MEGABYTE) } }), () => {})?.collar
    ?.report.name;
  expect(name).toHaveLength(255);
  const token = (access_token: string): string | undefined => decodeLogin({ access_token })?.token;
  expect(token("t".repeat(8_192))).toHaveLength(8_192);
  for (const odd of ["t".repeat(8_193), "a b", "a\nb", "ü", ""]) expect(token(odd)).toBeUndefined();
});

test("devices of an account: 2,000 of a kind", () => {
  const many = Array.from({ length: 3_000 }, (_, index) => ({ id: index + 1 }));
  const listing = readListing(many, many, EMPTY_LISTING, { include: [], exclude: [] }, () => {});
  expect([listing.collars.length, listing.stations.length]).toEqual([2_000, 2_000]);
});

test("a message of the broker: a megabyte of it is read, and one of more than 16 MB ends the connection", async (context) => {
  const broker = await startBroker();
  context.onTestFinished(() => broker.close());
  const connection = await openConnection(mqttOptions.parse({ url: broker.url }), "limits", undefined, signal);
  context.onTestFinished(() => connection.end([]));
  const heard: number[] = [];
  await connection.subscribe(["a/+"], ({ payload }) => void heard.push(payload.length));
  const other = await connectAsync(broker.url, { reconnectPeriod: 0 });
  context.onTestFinished(() => other.endAsync(true));
  other.on("error", () => {});
  await other.publishAsync("a/b", Buffer.alloc(2 * MEGABYTE, 120));
  await until(() => heard.length > 0, "the first message");
  expect(heard).toEqual([MEGABYTE]);
  const lost = expect(connection.lost).rejects.toThrow(/it sent a message of more than 16 MB/);
  other.publish("a/b", Buffer.alloc(17 * MEGABYTE, 120));
  await lost;
});

test("many messages of the broker together may be larger than one", async (context) => {
  const broker = await startBroker();
  context.onTestFinished(() => broker.close());
  const connection = await openConnection(mqttOptions.parse({ url: broker.url }), "limits", undefined, signal);
  context.onTestFinished(() => connection.end([]));
  let heard = 0;
  await connection.subscribe(["a/+"], () => {
    heard += 1;
  });
  const other = await connectAsync(broker.url, { reconnectPeriod: 0 });
  context.onTestFinished(() => other.endAsync(true));
  for (let count = 0; count < 40; count += 1) await other.publishAsync("a/b", Buffer.alloc(MEGABYTE, 120), { qos: 1 });
  await until(() => heard === 40, "all forty", 30_000);
});

test("a message of Home Assistant: 64 MB", async (context) => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  context.onTestFinished(() => server.close());
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.send(`{"type":"${"x".repeat(64 * MEGABYTE)}"}`);
  });
  const url = `http://127.0.0.1:${await port(server as unknown as Server)}`;
  const endpoint = await endpointOf(homeAssistantOptions.parse({ url, token: "t" }));
  await expect(openSocket(endpoint, { signal, onEnd: () => {} })).rejects.toThrow(/Max payload size exceeded/);
});

test("a configuration file, a certificate and a file with a secret: a megabyte", (context) => {
  const folder = temporaryFolder(context.onTestFinished);
  const good = "pettracer: {username: a, password: b}\nmqtt: {url: mqtt://x}\n";
  const load = (text: string, environment = {}): unknown =>
    loadConfig({ file: folder.write("pawline.yaml", text), environment, flags: {} });
  expect(() => load(good + "#".repeat(MEGABYTE - good.length))).not.toThrow();
  expect(() => load(good + "#".repeat(MEGABYTE))).toThrow("the file cannot be read (it is larger than 1 MB)");
  expect(() => load(good, { PAWLINE_MQTT_PASSWORD_FILE: "/dev/zero" })).toThrow(
    /the file that it names cannot be read/,
  );
  expect(() => readPem("mqtt.ca", "/dev/zero")).toThrow("mqtt.ca: the file /dev/zero cannot be read");
});

test("what is wrong with a configuration: fifty sentences; and all of it is found in time", () => {
  const errors = (variables: Readonly<Record<string, string>>): string => {
    try {
      loadConfig({ file: "/dev/null", environment: variables, flags: {} });
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  const many = errors({ PAWLINE_PETTRACER_INCLUDE: ",".repeat(100_000), [`PAWLINE_MQTT_${"X".repeat(100_000)}`]: "x" });
  expect(many.split("\n").length).toBeLessThanOrEqual(51);
  expect(many).toContain("… and more; mend these first");
  expect(many.length).toBeLessThan(55_000);
});

test("a file of data_dir: 64 MB", async (context) => {
  const folder = temporaryFolder(context.onTestFinished);
  const log = await createLog({ level: "info", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const data = openDataDir(folder.path, log);
  folder.write("fits.json", `"${"x".repeat(MEGABYTE)}"`);
  folder.write("large.json", `"${"x".repeat(64 * MEGABYTE)}"`);
  expect(String(data.read("fits")).length).toBe(MEGABYTE);
  expect(data.read("large")).toBeUndefined();
});

test("a request to the page: 16 kB of headers; a body that nobody asked for is not read", async (context) => {
  const live = await startLive(context, createCat({ name: "Oreo" }).store.state);
  const head = (bytes: number): string =>
    `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ${"y".repeat(bytes)}\r\n\r\n`;
  expect(await askRaw(live.port, head(15_000))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await askRaw(live.port, head(17_000))).toMatch(/^HTTP\/1\.1 431 /);
  const post = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${100 * MEGABYTE}\r\n\r\n${"x".repeat(MEGABYTE)}`;
  expect(await askRaw(live.port, post)).toMatch(/^(?:HTTP\/1\.1 405 |$)/);
});

test("a sentence about an error: 2,000 characters, and a line of the log 20,000", async () => {
  expect(describeError(new Error("x".repeat(MEGABYTE)))).toHaveLength(2_000);
  const output = memoryStream();
  const log = await createLog({ level: "trace", format: "json", scrubber: createScrubber(), output });
  log.error({ err: new Error("x".repeat(MEGABYTE)), text: "y".repeat(MEGABYTE) }, "z".repeat(MEGABYTE));
  expect(output.text().length).toBeLessThan(20_000);
  expect(JSON.parse(output.text())).toMatchObject({ level: "error" });
});

test("a server of raw bytes that never ends its headers is given up", async (context) => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`HTTP/1.1 200 OK\r\n${`X: ${"y".repeat(1_000)}\r\n`.repeat(100)}`);
  }).listen(0, "127.0.0.1");
  context.onTestFinished(() => void server.close());
  await expect(request(`http://127.0.0.1:${await port(server)}/`, { signal })).rejects.toThrow(/Header overflow/i);
});
