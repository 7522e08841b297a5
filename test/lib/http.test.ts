/** How long an answer may take: as long as it goes on, and not for ever. The clock is the test's, the network is real. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { request, Unreachable } from "../../src/lib/http.ts";

let answer: ServerResponse;
let url: string;
const server = createServer((_, response) => {
  answer = response;
  server.emit("asked");
});
const forever = new AbortController().signal;

beforeEach(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Some bytes, and time for them to arrive. */
async function drip(): Promise<void> {
  answer.write("x");
  for (let turns = 0; turns < 200; turns += 1) await turn();
}

async function start() {
  let ended: unknown;
  const asked = once(server, "asked");
  const answered = request(url, { signal: forever }).then(
    ({ bytes }) => bytes.toString(),
    (error: unknown) => error,
  );
  void answered.then((how) => {
    ended = how;
  });
  await asked;
  return { answered, ended: () => ended };
}

test("an answer that goes on is waited for, however slow it is", async () => {
  const { answered } = await start();
  for (let drips = 0; drips < 10; drips += 1) {
    await drip();
    await vi.advanceTimersByTimeAsync(14_000);
  }
  answer.end();
  expect(await answered).toBe("xxxxxxxxxx");
});

test("one that does not begin, or does not go on, is given up after 15 s", async () => {
  for (const drips of [0, 3]) {
    const { answered, ended } = await start();
    for (let count = 0; count < drips; count += 1) await drip();
    await vi.advanceTimersByTimeAsync(14_900);
    expect(ended()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(await answered).toBeInstanceOf(Unreachable);
    expect(String(ended())).toMatch(/did not answer within 15 s/);
  }
});

test("and one that never ends, after three minutes", async () => {
  const { answered, ended } = await start();
  for (let passed = 0; passed < 179; passed += 10) {
    await drip();
    await vi.advanceTimersByTimeAsync(9_900);
  }
  expect(ended()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(String(await answered)).toMatch(/needed more than 3 min for an answer/);
});

test("whose clock is ahead is told to the second, and Retry-After counts by the other side's", async () => {
  server.once("asked", () => {
    const theirs = Date.now() - 3_600_000;
    answer.writeHead(503, {
      date: new Date(theirs).toUTCString(),
      "retry-after": new Date(theirs + 120_000).toUTCString(),
    });
    answer.end();
  });
  const { aheadMs = 0, retryAfterMs } = await request(url, { signal: forever });
  expect(Math.abs(aheadMs - 3_600_000)).toBeLessThan(5_000);
  expect(retryAfterMs).toBe(120_000);
});
