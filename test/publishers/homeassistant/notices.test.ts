import { afterEach, beforeEach, expect, test } from "vitest";
import type { Account, Bridge, Component, State } from "../../../src/model/device.ts";
import { type HomeAssistant, openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { keepNotices, noticesOf } from "../../../src/publishers/homeassistant/notices.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import type { Feed } from "../../../src/publishers/publisher.ts";
import { createFeed } from "../../../src/store/feed.ts";
import { type FakeHomeAssistant, startFakeHomeAssistant } from "../../support/fake-home-assistant.ts";
import { idleBridge } from "../../support/idle-bridge.ts";
import { until } from "../../support/until.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

const account: Account = {
  kind: "account",
  key: "account:pettracer",
  source: "pettracer",
  silentMs: 0,
  reachable: true,
  listed: true,
  confirmed: true,
};

function stateOf(changes: Partial<Account>, source: Partial<Component> = {}): Map<string, Account | Bridge> {
  const component: Component = { role: "source", name: "pettracer", state: "running", sinceAt: NOW, ...source };
  const bridge: Bridge = {
    kind: "bridge",
    key: "bridge",
    version: "0",
    startedAt: NOW,
    logLevel: "info",
    components: [component],
  };
  return new Map<string, Account | Bridge>([
    ["bridge", bridge],
    [account.key, { ...account, ...changes }],
  ]);
}

function messages(state: State): string[] {
  return noticesOf({ state, preferredPosition: "station" }, NOW).map(({ message }) => message);
}

test("an account that is well has nothing to say", () => {
  expect(messages(stateOf({}))).toEqual([]);
  expect(messages(stateOf({ subscriptionEndsAt: NOW + 8 * DAY_MS }))).toEqual([]);
});

test("a refused login is told in the words of the source", () => {
  expect(messages(stateOf({}, { state: "parked", error: "the login was refused: check it" }))).toEqual([
    "the login was refused: check it",
  ]);
});

test("a subscription is told of a week before its end, and after it", () => {
  expect(messages(stateOf({ subscriptionEndsAt: NOW + 6 * DAY_MS }))).toEqual([
    expect.stringContaining("ends on 2026-06-07") as string,
  ]);
  expect(messages(stateOf({ isSubscriptionOver: true }))).toEqual([expect.stringContaining("is over") as string]);
});

let fake: FakeHomeAssistant;
let ha: HomeAssistant;
const stop = new AbortController();

beforeEach(async () => {
  fake = await startFakeHomeAssistant();
  const options = homeAssistantOptions.parse({ url: fake.url, token: fake.moods.token });
  ha = await openConnection(await endpointOf(options), stop.signal);
});

afterEach(async () => {
  ha.close();
  await fake.close();
});

const calls = (): object[] =>
  fake.commands
    .filter(({ type }) => type === "call_service")
    .map(({ domain, service, service_data: data }) => ({ domain, service, ...data }));

test("a notification comes once, and goes when its reason has gone; other programs' are left alone", async () => {
  fake.moods.notifications = [
    { notification_id: "pawline_account_of_an_earlier_run", message: "mended meanwhile" },
    { notification_id: "somebody_elses", message: "keep me" },
  ];
  const state = stateOf({ listed: false }, { state: "parked", error: "refused" });
  const keys = createFeed(state);
  const feed: Feed = {
    state,
    changes: (signal) => keys.changes(signal),
    activities: () => [],
    ...idleBridge,
  };
  const end = new AbortController();
  const keeping = keepNotices(feed, ha, end.signal);
  await until(() => calls().length === 1, "the notification");
  expect(calls()[0]).toEqual({
    domain: "persistent_notification",
    service: "create",
    notification_id: "pawline_account_pettracer",
    title: "Pawline: pettracer",
    message: "refused",
  });
  keys.touch("bridge");
  for (const [key, entry] of stateOf({})) state.set(key, entry);
  keys.touch(account.key);
  await until(() => calls().length === 3, "the end of two notifications");
  expect(calls().slice(1)).toEqual(
    ["pawline_account_of_an_earlier_run", "pawline_account_pettracer"].map((notification_id) => ({
      domain: "persistent_notification",
      service: "dismiss",
      notification_id,
    })),
  );
  end.abort();
  await keeping;
});
