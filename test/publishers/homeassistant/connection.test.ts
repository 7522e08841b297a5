import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FatalError } from "../../../src/lib/errors.ts";
import { z } from "../../../src/lib/schema.ts";
import { supervise } from "../../../src/lib/supervise.ts";
import { CallRefused, type HomeAssistant, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { logIn } from "../../../src/publishers/homeassistant/session.ts";
import { componentsOf, followEntries, whoAmI } from "../../../src/publishers/homeassistant/situation.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";
import { publisherTo } from "../../support/home-assistant-publisher.ts";
import { idleBridge } from "../../support/idle-bridge.ts";
import { until } from "../../support/until.ts";

let fake: FakeHomeAssistant;
const stop = new AbortController();
const open: HomeAssistant[] = [];

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
});

afterEach(async () => {
  for (const ha of open.splice(0)) ha.close();
  await fake.close();
});

function options(token = fake.moods.token) {
  return homeAssistantOptions.parse({ url: fake.url, token });
}

async function connect(): Promise<HomeAssistant> {
  const ha = await openConnection(await endpointOf(options()), stop.signal);
  open.push(ha);
  return ha;
}

test("the addresses: behind a path, and through the Supervisor", async () => {
  const direct = homeAssistantOptions.parse({ url: "https://cats.example/ha/", token: "t" });
  expect(await endpointOf(direct)).toMatchObject({
    name: "cats.example",
    socketUrl: "wss://cats.example/ha/api/websocket",
    restUrl: "https://cats.example/ha/api",
  });
  expect(await endpointOf(direct, { apiUrl: "http://supervisor", token: "t" })).toMatchObject({
    socketUrl: "ws://supervisor/core/websocket",
    restUrl: "http://supervisor/core/api",
  });
});

test("a certificate authority that cannot be read is named", async () => {
  const broken = homeAssistantOptions.parse({ url: "https://cats.example", token: "t", ca: "/nowhere/ca.pem" });
  await expect(endpointOf(broken)).rejects.toThrow("home_assistant.ca: the file /nowhere/ca.pem cannot be read");
});

test("what is looked up", async () => {
  const ha = await connect();
  expect(await whoAmI(ha)).toEqual({ id: "user", isAdmin: true });
  expect(await componentsOf(ha)).toEqual(new Set(["mqtt", "mobile_app"]));
  expect([...(await followEntries(ha, () => {})).values()]).toEqual([
    { id: "m", domain: "mqtt", title: "MQTT", state: "loaded", isDisabled: false },
  ]);
  fake.moods.coreState = "STARTING";
  expect(await componentsOf(ha)).toBeUndefined();
});

test("a refused token is a matter for the user, in a sentence", async () => {
  const refused = logIn(await endpointOf(options("another")), stop.signal);
  await expect(refused).rejects.toThrow(FatalError);
  await expect(refused).rejects.toThrow(/refused the token: make a new .*home_assistant\.token/);
});

test("a refused call carries its code", async () => {
  const ha = await connect();
  const refused = ha.call({ type: "what/is/this" }, z.unknown());
  await expect(refused).rejects.toThrow(CallRefused);
  await expect(refused).rejects.toMatchObject({ code: "unknown_command" });
});

test("an answer that makes no sense is an error, not a surprise", async () => {
  const ha = await connect();
  await expect(ha.call({ type: "get_config" }, z.object({ moon: z.string() }))).rejects.toThrow("makes no sense");
});

describe("what is said by a server that has gone mad", () => {
  test("ends the connection at most, and never the program", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.json()), { minLength: 1, maxLength: 5 }), async (texts) => {
        const ha = await connect();
        for (const text of texts) fake.say(text);
        const alive = ha.call({ type: "auth/current_user" }, z.looseObject({ id: z.string() })).then(
          () => true,
          () => false,
        );
        const lost = ha.lost.catch(() => false);
        expect(typeof (await Promise.race([alive, lost]))).toBe("boolean");
        ha.close();
      }),
      { numRuns: 40 },
    );
  });

  test("text that is no JSON ends it, with a sentence", async () => {
    const ha = await connect();
    fake.say("<html>");
    await expect(ha.lost).rejects.toThrow("sent what is no JSON");
  });
});

test("a server that closes right after each login is called with a growing distance", { timeout: 30_000 }, async () => {
  fake.moods.afterLogin = "close";
  const { publisher, log } = await publisherTo(fake);
  const end = new AbortController();
  const feed = { state: new Map(), async *changes() {}, activities: () => [], ...idleBridge };
  const running = supervise((signal, ready) => publisher.run(feed, signal, ready), {
    name: publisher.name,
    log,
    signal: end.signal,
  });
  await until(() => fake.connectedAt.length >= 3, "three connections");
  end.abort();
  await running;
  const [first = 0, second = 0, third = 0] = fake.connectedAt;
  expect(second - first).toBeGreaterThan(800);
  expect(third - second).toBeGreaterThan(1_600);
});
