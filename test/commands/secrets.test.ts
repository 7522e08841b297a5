/** Nothing that the program writes holds a password or a token, whatever goes wrong and however much is logged. */
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { startBroker } from "../../src/demo/broker.ts";
import type { Cloud } from "../../src/demo/cloud.ts";
import { type Lab, listening, logins, OREO, OWNER, openLab } from "./lab.ts";
import { startRelay } from "./relay.ts";
import { said, subscribe } from "./subscriber.ts";

const PASSWORD = `tu"na's 100% k&äse <ñ>`;
const BROKER = { username: "paw", password: `brö"ker's %41&+pw` };
const owner = { ...OWNER, password: PASSWORD };

/** Every token that a client of the cloud has used. */
function tokensOf(cloud: Cloud): string[] {
  const streams = [...cloud.sessions, ...cloud.endedSessions].map(({ connectHeaders }) =>
    connectHeaders.get("access_token"),
  );
  const calls = cloud.calls.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ""));
  return [...new Set([...streams, ...calls])].filter((token) => token !== undefined);
}

/** The secret as it may stand in text: plain, in JSON (in JSON, in JSON), in URLs, in a header. */
function formsOf(secret: string): string[] {
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  const ascii = inJson(secret).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [
    secret,
    inJson(secret),
    inJson(inJson(secret)),
    inJson(inJson(inJson(secret))),
    ascii,
    encodeURIComponent(secret),
    encodeURI(secret),
    String(new URLSearchParams([["", secret]])).slice(1),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("hex"),
  ];
}

function expectNoSecret(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8);
    for (const form of formsOf(secret)) expect(text).not.toContain(form);
  }
}

/** Whoever puts a secret into a message is not the program; but what it logs is. */
function tellSecrets(lab: Lab): void {
  const [token = ""] = tokensOf(lab.cloud).slice(-1);
  const secrets = [token, PASSWORD, BROKER.password];
  lab.cloud.pushRaw(OREO, JSON.stringify({ id: OREO, secrets }));
  lab.cloud.pushRaw(OREO, `no JSON ${secrets.join(" ")}`);
  lab.cloud.faults.malformed(`no frame ${secrets.join(" ")}`, JSON.stringify(secrets));
  lab.cloud.faults.stompError(`refused ${secrets.join(" ")} ?access_token=${encodeURIComponent(token)}`);
}

describe.concurrent("secrets", () => {
  test.for(["json", "pretty"] as const)(
    "the daemon's whole log, as %s",
    { timeout: 40_000 },
    async (format, { onTestFinished }) => {
      const lab = await openLab(onTestFinished, { owner, broker: { authenticate: BROKER } });
      const { cloud } = lab;
      const relay = await startRelay(lab.broker.port, onTestFinished);
      const mqtt = { url: `mqtt://127.0.0.1:${relay.port}`, ...BROKER };
      lab.configure({ mqtt, log: { format } });
      const subscriber = await subscribe(lab.broker.url, onTestFinished, BROKER);
      const daemon = lab.start("run", "--log-level", "trace");
      await said(subscriber, "pawline/bridge/state", "online");
      await listening(cloud);
      // The token is refused, by the stream first; the new one's first lists fail.
      cloud.faults.answer("/map", { status: 500 });
      cloud.faults.expireTokens();
      cloud.faults.dropStreams();
      await daemon.output(/HTTP 401/, 10_000);
      await daemon.output(/no snapshot: .*HTTP 500/, 10_000);
      await listening(cloud);
      tellSecrets(lab);
      await daemon.output(/refused \*\*\* /, 10_000);
      // The broker does not know the password any more.
      const stranger = await startBroker({ authenticate: { ...BROKER, password: "another" } });
      onTestFinished(() => stranger.close());
      relay.redirect(stranger.port);
      await daemon.output(/refused the login/, 10_000);
      lab.spoil(`pettracer: {username: a, password: [${JSON.stringify(PASSWORD)}]}\nmqtt: {password: 1, url: 2}\n`);
      daemon.signal("SIGHUP");
      await daemon.output(/the configuration is refused/, 5_000);
      daemon.signal("SIGTERM");
      const { code, stdout, stderr } = await daemon.ended(5_000);
      expect(code).toBe(0);
      // All of it was there to be seen.
      const tokens = tokensOf(cloud);
      expect([tokens.length, logins(cloud)]).toEqual([2, 2]);
      for (const trace of [/no frame \*\*\* /, /no JSON \*\*\* /, /stream message/]) expect(stderr).toMatch(trace);
      expectNoSecret(stdout + stderr, [...tokens, PASSWORD, BROKER.password]);
    },
  );

  test("check and devices, with all that they can log", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, { owner, broker: { authenticate: BROKER } });
    lab.configure({ mqtt: BROKER });
    const heard = listening(lab.cloud).then(() => lab.cloud.push(OREO, { lastRssi: 140 }));
    const checked = await lab.run(["check", "--log-level", "trace"]);
    await heard;
    const listed = await lab.run(["devices", "--log-level", "trace"]);
    const asJson = await lab.run(["devices", "--json", "--log-level", "trace"]);
    const shown = await lab.run(["config"]);
    expect([checked, listed, asJson, shown].map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    lab.cloud.faults.answer("/map", { status: 500 });
    const failed = [
      await lab.run(["check", "--log-level", "trace"]),
      await lab.run(["devices", "--log-level", "trace"]),
    ];
    expect(failed.map(({ code }) => code)).toEqual([4, 4]);
    const tokens = tokensOf(lab.cloud);
    expect(tokens.length).toBe(5);
    const all = [checked, listed, asJson, shown, ...failed].map(({ stdout, stderr }) => stdout + stderr).join("\n");
    expectNoSecret(all, [...tokens, PASSWORD, BROKER.password]);
  });

  test("check and devices, where both passwords are refused", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, { broker: { authenticate: { ...BROKER, password: "another" } } });
    lab.configure({ pettracer: { password: PASSWORD }, mqtt: BROKER });
    const results = [
      await lab.run(["check", "--log-level", "trace"]),
      await lab.run(["devices", "--log-level", "trace"]),
    ];
    expect(results.map(({ code }) => code)).toEqual([3, 3]);
    const all = results.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    expectNoSecret(all, [PASSWORD, BROKER.password]);
  });

  test("devices --watch, whose stream tells secrets", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, { owner });
    const watching = lab.start("devices", "--watch", "--log-level", "trace");
    await listening(lab.cloud);
    tellSecrets(lab);
    await watching.output(/refused \*\*\* /, 10_000);
    watching.signal("SIGINT");
    const { code, stdout, stderr } = await watching.ended(5_000);
    expect(code).toBe(0);
    // The broker's password is none of this command's; but it stands in no configuration here.
    expectNoSecret(stdout + stderr, [...tokensOf(lab.cloud), PASSWORD]);
  });

  test("a broker's password inside its address", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished, {
      broker: { authenticate: { username: "paw", password: "l1ne@home-s3cret" } },
    });
    const url = `mqtt://paw:${encodeURIComponent("l1ne@home-s3cret")}@127.0.0.1:${lab.broker.port}`;
    lab.configure({ mqtt: { url } });
    const daemon = lab.start("run", "--log-level", "trace");
    await daemon.output(/connected to the broker/, 10_000);
    await lab.broker.close();
    await daemon.output(/mqtt: .*next try in/, 10_000);
    daemon.signal("SIGTERM");
    const { stdout, stderr } = await daemon.ended(5_000);
    const shown = await lab.run(["config"]);
    expectNoSecret(stdout + stderr + shown.stdout, ["l1ne@home-s3cret"]);
  });

  test("a token in an answer that is no JSON", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const token = "t0k3n-of-a-cloud-that-answers-oddly";
    const portal = createServer((_, response) => response.end(`${token}`)).listen(0, "127.0.0.1");
    onTestFinished(() => void portal.close());
    await new Promise((resolve) => portal.once("listening", resolve));
    const address = portal.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    lab.configure({ pettracer: { portal_url: `http://127.0.0.1:${port}/api` } });
    const { code, stdout, stderr } = await lab.run(["devices"]);
    expect(code).toBe(4);
    expectNoSecret(stdout + stderr, [token]);
  });
});
