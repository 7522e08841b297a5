/** What must not grow with the number of messages and of tries: the program runs for months. */
import { once } from "node:events";
import { createServer } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { startBroker } from "../../src/demo/broker.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { openConnection } from "../../src/publishers/mqtt/connection.ts";
import { openStream } from "../../src/sources/pettracer/stream.ts";
import { memoryStream } from "../support/stream.ts";
import { until } from "../support/until.ts";

vi.setConfig({ testTimeout: 60_000 });

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/**
 * Fails when each of `count` rounds leaves more than `limit` bytes of heap behind. The first rounds do not count: they
 * warm up; and what is only put off (a goodbye that is waited for) has some seconds to go.
 */
async function expectNoGrowth(count: number, limit: number, round: () => Promise<unknown>): Promise<void> {
  for (let warm = 0; warm < count / 4; warm += 1) await round();
  const before = heap();
  for (let index = 0; index < count; index += 1) await round();
  const perRound = (): number => (heap() - before) / count;
  await until(() => perRound() < limit, `under ${limit} bytes for each round`, 5_000).catch(() => {});
  expect(perRound()).toBeLessThan(limit);
}

function mqttOptions(url: string) {
  const account = { username: "cat@example.com", password: "tuna" };
  const { mqtt } = configSchema.parse({ pettracer: [account], mqtt: { url } });
  if (mqtt === undefined) throw new Error("no section mqtt");
  return mqtt;
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  server.close();
  await once(server, "close");
  return address.port;
}

const signal = new AbortController().signal;

test("a connection holds on to nothing of what it has sent", async () => {
  const broker = await startBroker();
  const connection = await openConnection(mqttOptions(broker.url), "pawline-test", undefined, signal);
  const message = { topic: "pawline/pettracer_14758/state", payload: "{}", retain: true, qos: 1 } as const;
  let count = 0;
  await expectNoGrowth(10_000, 60, async () => {
    await connection.publish(message);
    count += 1;
    if (count % 500 === 0) await connection.flush();
  });
  await connection.end([]);
  await broker.close();
});

test("a broker that cannot be reached leaves nothing behind", async () => {
  const options = mqttOptions(`mqtt://127.0.0.1:${await closedPort()}`);
  const attempt = (): Promise<unknown> => openConnection(options, "pawline-test", undefined, signal).catch(() => {});
  await expectNoGrowth(200, 3_000, attempt);
});

test("a stream that cannot be opened leaves nothing behind", async () => {
  const url = `ws://127.0.0.1:${await closedPort()}/sc`;
  const log = await createLog({ level: "error", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const ignore = (): void => {};
  const options = { url, token: "t", heartbeatMs: 10_000, log, signal, onMessage: ignore, onActivity: ignore };
  const attempt = (): Promise<unknown> => openStream({ ...options, onMalformed: ignore }).catch(ignore);
  await expectNoGrowth(200, 3_000, attempt);
});
