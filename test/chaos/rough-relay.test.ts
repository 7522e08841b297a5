/** The relay of chaos does to bytes what it says. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, type TestContext, test } from "vitest";
import { until } from "../support/until.ts";
import { type RoughRelay, startRoughRelay } from "./rough-relay.ts";

/** A server that sends back what it gets, and the relay before it. */
async function startEcho({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<RoughRelay> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const relay = await startRoughRelay(address.port);
  onTestFinished(() => {
    relay.end();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return relay;
}

interface Caller {
  readonly socket: Socket;
  readonly text: string;
  /** Undefined while it is open; else the error's code, or "end". */
  readonly ended: string | undefined;
}

function call({ port }: RoughRelay): Caller {
  const socket = connect(port, "127.0.0.1");
  let [text, ended]: [string, string | undefined] = ["", undefined];
  socket.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  socket.on("error", (error) => {
    ended ??= "code" in error ? String(error.code) : error.message;
  });
  socket.on("close", () => {
    ended ??= "end";
  });
  return {
    socket,
    get text() {
      return text;
    },
    get ended() {
      return ended;
    },
  };
}

async function callThrough(relay: RoughRelay): Promise<Caller> {
  const caller = call(relay);
  caller.socket.write("hello");
  await until(() => caller.text === "hello", "the echo");
  return caller;
}

test("bytes pass both ways, and the end does", async (context) => {
  const caller = await callThrough(await startEcho(context));
  caller.socket.end(" and goodbye");
  await until(() => caller.ended === "end", "its end");
  expect(caller.text).toBe("hello and goodbye");
});

test("refused is refused, and mended is not", async (context) => {
  const relay = await startEcho(context);
  relay.refuse();
  const refused = call(relay);
  await until(() => refused.ended === "ECONNREFUSED", "a refusal");
  await relay.mend();
  await callThrough(relay);
});

test("a reset and a close end what is open", async (context) => {
  const relay = await startEcho(context);
  const first = await callThrough(relay);
  relay.reset();
  await until(() => first.ended === "ECONNRESET", "a reset");
  const second = await callThrough(relay);
  relay.close();
  await until(() => second.ended === "end", "an end in order");
});

test("while it is frozen nothing passes, and afterwards all of it does", async (context) => {
  const relay = await startEcho(context);
  const caller = await callThrough(relay);
  relay.freeze();
  caller.socket.write(" again");
  const late = call(relay);
  await once(late.socket, "connect");
  expect([caller.text, caller.ended]).toEqual(["hello", undefined]);
  await relay.mend();
  await until(() => caller.text === "hello again", "the rest");
});

test("a cut comes after so many bytes, and the client gets those", async (context) => {
  const relay = await startEcho(context);
  const caller = await callThrough(relay);
  relay.cutAfter(3);
  caller.socket.write(" again");
  await until(() => caller.ended, "the cut");
  expect("hello ag").toMatch(caller.text);
});

test("slow and throttled data arrive in order, and later", async (context) => {
  const relay = await startEcho(context);
  const caller = await callThrough(relay);
  relay.slow(50);
  relay.throttle(1_000);
  const startedAt = performance.now();
  caller.socket.write("x".repeat(100));
  caller.socket.write("y");
  await until(() => caller.text.endsWith("y"), "all of it");
  expect(caller.text).toBe(`hello${"x".repeat(100)}y`);
  // Each way holds it up for at least the latency and the time of 101 bytes.
  expect(performance.now() - startedAt).toBeGreaterThan(300);
});
