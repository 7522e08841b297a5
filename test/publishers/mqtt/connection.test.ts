/** What a connection to a broker promises: it never says that something was confirmed which was not. */
import { setInterval as every } from "node:timers/promises";
import { expect, test } from "vitest";
import { configSchema } from "../../../src/config/schema.ts";
import { startBroker } from "../../../src/demo/broker.ts";
import { openConnection } from "../../../src/publishers/mqtt/connection.ts";
import { startRelay } from "../../support/relay.ts";

const MESSAGE = { topic: "pawline/pettracer_14758/event", payload: "{}", retain: false, qos: 1 } as const;

test("what was pending when a connection was given up was not confirmed", { timeout: 90_000 }, async (context) => {
  const broker = await startBroker();
  context.onTestFinished(() => broker.close());
  const relay = await startRelay(broker.port);
  context.onTestFinished(() => relay.close());
  const account = { username: "cat@example.com", password: "tuna" };
  const { mqtt } = configSchema.parse({ pettracer: [account], mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
  if (mqtt === undefined) throw new Error("no section mqtt");
  const connection = await openConnection(mqtt, "pawline-test", undefined, new AbortController().signal);
  context.onTestFinished(() => connection.end([]));
  await connection.publish(MESSAGE);
  await connection.flush();

  relay.hold();
  let isLost = false;
  connection.lost.catch(() => {
    isLost = true;
  });
  const outcomes: Promise<string>[] = [];
  // Until the client library misses the broker's answer to its pulse.
  for await (const _ of every(1_000)) {
    if (isLost) break;
    const flushed = connection.publish(MESSAGE).then(() => connection.flush());
    outcomes.push(
      flushed.then(
        () => "confirmed",
        () => "lost",
      ),
    );
  }
  expect(outcomes.length).toBeGreaterThan(15);
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["lost"]));
});
