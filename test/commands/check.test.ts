/** `pawline check`: a line for each part, the remedy for what fails, and an exit code that a script can use. */
import { describe, expect, test } from "vitest";
import type { Faults } from "../../src/demo/faults.ts";
import { type Lab, listening, logins, OREO, OWNER, openLab } from "./lab.ts";
import { startRelay } from "./relay.ts";
import { brokerWithRights } from "./rights.ts";
import { subscribe } from "./subscriber.ts";

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs the check, with a collar that speaks as soon as somebody listens: nobody waits for a sleeping one. */
async function check(lab: Lab, ms = 20_000, speaker = OREO): Promise<Outcome> {
  const running = lab.start("check");
  const spoken = listening(lab.cloud, ms).then(() => lab.cloud.push(speaker, { lastRssi: 140 }));
  spoken.catch(() => {});
  const { code, stdout, stderr } = await running.ended(ms);
  expect(stderr).toBe("");
  return { code, lines: stdout.trimEnd().split("\n") };
}

const CONFIGURATION = expect.stringMatching(/^✓ Configuration: read from .*pawline\.yaml$/);
const LOGIN = expect.stringMatching(/^✓ PetTracer login: accepted for Alex, subscription until 2099-12-31$/);
const DEVICES = "✓ Devices: 2 collars (Oreo, Miso), 1 home station";
const STREAM = "✓ Live stream: open, and a message has come";
const BROKER = expect.stringMatching(/^✓ MQTT broker: connected to 127\.0\.0\.1:\d+$/);
const RIGHTS = ["✓ MQTT rights: may write and read pawline/…", "✓ MQTT rights: may write and read homeassistant/…"];
const NEVER_SEEN = expect.stringMatching(
  /^• Home Assistant: never heard on homeassistant\/status\. .*restarted once.*prefix/,
);

// The longest waits first: they pass while the others run.
describe.concurrent("where something fails", () => {
  test.each([
    ["no answer", (faults: Faults) => faults.login("hang"), /did not answer within 15 s/],
    ["500", (faults: Faults) => faults.login({ status: 500 }), /HTTP 500, the cloud has a problem/],
    ["429", (faults: Faults) => faults.login({ status: 429, retryAfter: 60 }), /HTTP 429, too many requests/],
    ["a web page", (faults: Faults) => faults.login("html"), /was no JSON/],
    ["a reset", (faults: Faults) => faults.refuseConnections(), /cannot be reached/],
    ["nobody there", (faults: Faults) => faults.refuseConnections("closed"), /cannot be reached/],
  ] as const)(
    "the login meets %s: 4, in bounded time",
    async (_, spoil, sentence) => {
      // The test's own context would be the last argument, were it not for the table.
      const ends: (() => Promise<void> | void)[] = [];
      try {
        const lab = await openLab((action) => void ends.unshift(action));
        spoil(lab.cloud.faults);
        const { code, lines } = await check(lab, 25_000);
        expect(lines[1]).toMatch(/^✗ PetTracer login: /);
        expect(lines[1]).toMatch(sentence);
        expect(lines.slice(2)).toEqual([BROKER, ...RIGHTS, NEVER_SEEN]);
        expect(code).toBe(4);
        expect(logins(lab.cloud)).toBeLessThan(2);
      } finally {
        for (const end of ends) await end();
      }
    },
    30_000,
  );

  test("a stream that is closed while a message is waited for: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const closed = listening(lab.cloud).then(() => lab.cloud.faults.dropStreams(1011, "no"));
    const { code, stdout } = await lab.run(["check"], 18_000);
    expect(await closed).toBe(1);
    expect(stdout).toMatch(/^✗ Live stream: /m);
    expect(code).toBe(4);
  });

  test("the broker says nothing: 4, in bounded time", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const relay = await startRelay(lab.broker.port, onTestFinished);
    relay.freeze();
    lab.configure({ mqtt: { url: `mqtt://127.0.0.1:${relay.port}` } });
    const { code, lines } = await check(lab, 24_000);
    expect(lines.slice(4)).toEqual([
      expect.stringMatching(/^✗ MQTT broker: .*(did not answer within 14 s|connack timeout)/),
    ]);
    expect(code).toBe(4);
  }, 30_000);

  test("wrong PetTracer password: one login, a plain sentence, 3", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { password: "wrong-s3cret" } });
    const { code, lines } = await check(lab);
    expect(lines).toEqual([
      CONFIGURATION,
      "✗ PetTracer login: PetTracer refused the login (401): check pettracer.username and pettracer.password.",
      BROKER,
      ...RIGHTS,
      NEVER_SEEN,
    ]);
    expect(code).toBe(3);
    expect(logins(lab.cloud)).toBe(1);
    expect(lab.cloud.calls).toHaveLength(1);
  });

  test("the lists cannot be had: 4, and the stream is not tried", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.faults.answer("/map", { status: 503 });
    const { code, lines } = await check(lab);
    expect(lines.slice(1, 4)).toEqual([LOGIN, expect.stringMatching(/^✗ Devices: .*HTTP 503/), BROKER]);
    expect(code).toBe(4);
  });

  test("the stream's address is wrong: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ pettracer: { stream_url: `ws://127.0.0.1:${lab.cloud.port}/nowhere` } });
    const { code, lines } = await check(lab);
    expect(lines.slice(2, 5)).toEqual([DEVICES, expect.stringMatching(/^✗ Live stream: .*HTTP 404/), BROKER]);
    expect(code).toBe(4);
  });

  test("nobody listens at the broker's address: 4", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    const { code, lines } = await check(lab);
    expect(lines.slice(0, 4)).toEqual([CONFIGURATION, LOGIN, DEVICES, STREAM]);
    expect(lines.slice(4)).toEqual([
      expect.stringMatching(/^✗ MQTT broker: the broker at 127\.0\.0\.1:\d+ cannot be reached: .*; check mqtt\.url/),
    ]);
    expect(code).toBe(4);
  });

  test("the broker refuses the credentials: 3", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, { broker: { authenticate: { username: "paw", password: "line" } } });
    lab.configure({ mqtt: { username: "paw", password: "wrong-s3cret" } });
    const { code, lines } = await check(lab);
    expect(lines.slice(4)).toEqual([
      expect.stringMatching(/^✗ MQTT broker: .*refused the login: check mqtt\.username and mqtt\.password/),
    ]);
    expect(lines.join("\n")).not.toContain("s3cret");
    expect(code).toBe(3);
  });

  test("the broker's user may not write under the discovery prefix: 3", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const broker = await brokerWithRights(
      { mayForward: (topic) => !topic.startsWith("homeassistant/") },
      onTestFinished,
    );
    lab.configure({ mqtt: { url: broker } });
    const { code, lines } = await check(lab);
    expect(lines.slice(4)).toEqual([
      BROKER,
      RIGHTS[0],
      expect.stringMatching(/^✗ MQTT rights: .*homeassistant\/.* did not come back; give the broker's user the right/),
      NEVER_SEEN,
    ]);
    expect(code).toBe(3);
  });

  test("the broker's user may not subscribe: 3", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const broker = await brokerWithRights({ maySubscribe: (topic) => !topic.startsWith("pawline/") }, onTestFinished);
    lab.configure({ mqtt: { url: broker } });
    const { code, lines } = await check(lab);
    expect(lines[5]).toMatch(/^✗ MQTT rights: .*rights at the broker/);
    expect(code).toBe(3);
  });

  test("the exit code is that of the first part that fails", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await lab.broker.close();
    lab.configure({ pettracer: { password: "wrong-s3cret" } });
    const { code, lines } = await check(lab);
    expect(lines.filter((line) => line.startsWith("✗"))).toHaveLength(2);
    expect(code).toBe(3);
  });

  test("each account of a list is tried", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.addAccount({ login: "dog@example.com", password: "bone", id: 16000, name: "Robin" });
    lab.configure({
      pettracer: [
        { ...lab.account, password: "wrong" },
        { ...lab.account, username: "dog@example.com", password: "bone" },
      ],
    });
    lab.cloud.addCollar("dog@example.com", { id: 14800, details: { name: "Rex" } });
    const { code, lines } = await check(lab, 20_000, 14800);
    expect(lines.slice(1, 5)).toEqual([
      expect.stringMatching(/^✗ PetTracer login: .*refused/),
      "✓ PetTracer login: accepted for Robin, subscription until 2099-12-31",
      "✓ Devices: 1 collar (Rex), 0 home stations",
      STREAM,
    ]);
    expect(code).toBe(3);
  }, 30_000);
});

describe.concurrent("where all is fine", () => {
  test("collars that sleep are no failure, but they are waited for", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { code, stdout } = await lab.run(["check"], 25_000);
    expect(stdout).toContain("\n✓ Live stream: open and quiet: collars that sleep say nothing for minutes\n");
    expect(code).toBe(0);
  }, 30_000);

  test("each part has its line, and Home Assistant that was never seen a hint", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const { code, lines } = await check(lab);
    expect(lines).toEqual([CONFIGURATION, LOGIN, DEVICES, STREAM, BROKER, ...RIGHTS, NEVER_SEEN]);
    expect(code).toBe(0);
    expect(logins(lab.cloud)).toBe(1);
  });

  test("nothing of it stays at the broker or at the cloud", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await check(lab);
    const { messages } = await subscribe(lab.broker.url, onTestFinished);
    expect(messages).toEqual([]);
    expect(lab.cloud.calls.filter(({ method, path }) => method === "POST" && path !== "/user/login")).toEqual([]);
    await lab.cloud.waitFor(() => lab.cloud.sessions.length === 0, 2_000);
  });

  test("there is no hint while Home Assistant's birth message is retained", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const homeAssistant = await subscribe(lab.broker.url, onTestFinished);
    await homeAssistant.publish("homeassistant/status", "online");
    const { code, lines } = await check(lab);
    expect(lines.at(-1)).toBe("✓ Home Assistant: heard on homeassistant/status");
    expect(code).toBe(0);
  });

  test("there is no hint when the daemon noted that it has seen Home Assistant", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const daemon = await subscribe(lab.broker.url, onTestFinished);
    const info = { home_assistant: { status: null, seen: "2026-03-01T10:00:00.000Z" } };
    await daemon.publish("pawline/bridge/info", JSON.stringify(info));
    const { code, lines } = await check(lab);
    expect(lines.at(-1)).toMatch(/^✓ Home Assistant: last heard on homeassistant\/status at 2026-03-01T10:00:00/);
    expect(code).toBe(0);
  });

  test("topics are those of the configuration", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ mqtt: { base_topic: "cats", discovery: { prefix: "ha", status_topic: "ha/birth" } } });
    const { lines } = await check(lab);
    expect(lines.slice(5)).toEqual([
      "✓ MQTT rights: may write and read cats/…",
      "✓ MQTT rights: may write and read ha/…",
      expect.stringMatching(/^• Home Assistant: never heard on ha\/birth.*"ha" \(mqtt\.discovery\.prefix\)/),
    ]);
  });

  test("an answer to the login that tells nothing of the account is no reason to stop", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const loginAnswer = { id: undefined, name: undefined, abo: undefined };
    lab.cloud.addAccount({ ...OWNER, loginAnswer });
    const { code, lines } = await check(lab);
    expect(lines.slice(1, 5)).toEqual(["✓ PetTracer login: accepted", DEVICES, STREAM, BROKER]);
    expect(code).toBe(0);
  });
});
