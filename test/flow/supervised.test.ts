/** The publisher of the app: which broker it takes, how often it logs in, and who steps in where there is none. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { RecoverableError } from "../../src/lib/errors.ts";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { LoginRefused } from "../../src/publishers/mqtt/connection.ts";
import type { MqttOptions } from "../../src/publishers/mqtt/options.ts";
import { createSupervisedPublisher } from "../../src/publishers/mqtt/supervised.ts";
import type { Feed, Publisher } from "../../src/publishers/publisher.ts";
import { memoryStream } from "../support/stream.ts";
import { type Supervisor, startSupervisor } from "../support/supervisor.ts";
import { until } from "../support/until.ts";

const BROKER = { host: "localhost", port: "1883", username: "addons", password: "s3cret-milk" };
/** None of the publishers here looks at it. */
const FEED = undefined as unknown as Feed;

let supervisor: Supervisor;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  supervisor = await startSupervisor({ broker: BROKER });
  onTestFinished(() => supervisor.close());
});

afterEach(() => {
  vi.useRealTimers();
});

/** `login` happens at each connection; what it throws ends it. */
async function publish(login: () => void) {
  const made: MqttOptions[] = [];
  const logins: string[] = [];
  const scrubber = createScrubber();
  const output = memoryStream();
  const log = await createLog({ level: "info", format: "json", scrubber, output });
  const publisher = createSupervisedPublisher({
    supervisor: { apiUrl: supervisor.url, token: supervisor.token },
    scrubber,
    create: (options) => {
      made.push(options);
      return stub("mqtt", (ready) => {
        logins.push(options.password ?? "");
        login();
        ready();
      });
    },
    log,
  });
  const attempt = async (): Promise<string> => {
    try {
      await publisher.run(FEED, new AbortController().signal, () => {});
      return "ran";
    } catch (error) {
      if (!(error instanceof RecoverableError)) throw error;
      return error.message;
    }
  };
  return { made, logins, scrubber, attempt, publisher, log: () => output.text() };
}

function stub(name: string, run: (ready: () => void) => void): Publisher {
  return {
    name,
    run: async (_feed, _signal, ready) => run(ready),
    async *probe() {
      yield { part: name, result: "works", sentence: "fine" };
    },
  };
}

function refuse(): void {
  throw new LoginRefused("refused");
}

test("it takes the broker that the Supervisor knows, and its password stays out of the log", async () => {
  const { made, attempt, scrubber } = await publish(() => {});
  expect(await attempt()).toBe("ran");
  expect(made).toMatchObject([
    { url: "mqtt://core-mosquitto:1883", username: "addons", password: "s3cret-milk", protocol_version: 4 },
  ]);
  expect(scrubber.scrub("s3cret-milk")).toBe("***");
});

test("the same broker keeps its publisher, with what that remembers", async () => {
  const { made, logins, attempt } = await publish(() => {});
  await attempt();
  await attempt();
  expect([made.length, logins.length]).toEqual([1, 2]);
});

test("the same refused credentials are tried at a growing distance", async () => {
  const { logins, attempt } = await publish(refuse);
  for (const seconds of [30, 60, 120, 300, 600, 600]) {
    const before = logins.length;
    expect(await attempt()).toMatch(/refuses the credentials that the Supervisor has/);
    expect(await attempt()).toContain(`the old ones are tried again in ${seconds} s`);
    vi.advanceTimersByTime((seconds - 1) * 1_000);
    expect(await attempt()).toContain("the old ones are tried again in 1 s");
    expect(logins.length).toBe(before + 1);
    vi.advanceTimersByTime(1_000);
  }
});

test("new credentials are tried at once, and their refusal is one of its own", async () => {
  const { logins, attempt } = await publish(refuse);
  await attempt();
  supervisor.broker = { ...BROKER, password: "s3cret-cream" };
  expect(await attempt()).toMatch(/refuses the credentials/);
  expect(await attempt()).toContain("tried again in 30 s");
  expect(logins).toEqual(["s3cret-milk", "s3cret-cream"]);
});

test("credentials that were refused do not hold while the Supervisor is away", async () => {
  const { logins, attempt } = await publish(refuse);
  await attempt();
  supervisor.failure = { status: 503, body: "" };
  expect(await attempt()).toMatch(/the Supervisor answered HTTP 503/);
  expect(logins).toHaveLength(1);
});

test("without a broker it says what to install, and goes on as soon as there is one", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { logins, publisher, log } = await publish(() => {});
  supervisor.broker = undefined;
  const parts: string[] = [];
  for await (const { part, result } of publisher.probe(new AbortController().signal)) parts.push(`${part} ${result}`);
  expect(parts).toEqual(["Supervisor hint"]);
  const details: unknown[] = [];
  const running = publisher.run(FEED, new AbortController().signal, (said) => details.push(said));
  await until(() => details.length > 0, "a word about it");
  expect(details).toEqual([
    { why: expect.stringMatching(/^there is no MQTT broker: install the app Mosquitto broker/) },
  ]);
  expect(log()).toMatch(/there is no MQTT broker/);
  supervisor.broker = BROKER;
  await vi.advanceTimersByTimeAsync(15_000);
  await running;
  expect(logins).toEqual(["s3cret-milk"]);
});
