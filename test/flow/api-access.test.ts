/** Who may use the live API, in a whole house: from where, with which token, for what; and what everybody else is told. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, test, vi } from "vitest";
import { devicesAnswer, eventsAnswer, sessionAnswer } from "../../src/publishers/live/api/requests.ts";
import { track } from "../../src/publishers/live/api/schema.ts";
import { freePort } from "../e2e/support/network.ts";
import { eventually } from "../e2e/support/waiting.ts";
import { type Api, apiOf, OREO_ID, openApi, problemOf } from "../support/api.ts";
import { openHouse } from "../support/house.ts";
import { ask } from "../support/http.ts";
import { giveToken, takeToken } from "../support/tokens.ts";
import { PATIENCE_MS } from "../support/until.ts";

vi.setConfig({ maxConcurrency: 16, testTimeout: 60_000 });

const test_ = test.concurrent;

/** An address of this computer that others can see. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const LIGHT = { command: "light", value: true };

/** Whoever asks by each of these: nobody, a wrong token, a revoked one, and tokens for reading, for control, for one device. */
async function tokensOf({ house: { dataDir } }: Pick<Api, "house">): Promise<Record<string, string | undefined>> {
  const revoked = await giveToken(dataDir, { name: "revoked" });
  await takeToken(dataDir, revoked.token);
  return {
    nothing: undefined,
    wrong: `pawline_${"x".repeat(43)}`,
    revoked: revoked.secret,
    read: (await giveToken(dataDir, { name: "read" })).secret,
    control: (await giveToken(dataDir, { name: "control", scopes: ["control"] })).secret,
    oreo: (await giveToken(dataDir, { name: "oreo", scopes: ["control"], devices: [OREO_ID] })).secret,
    station: (await giveToken(dataDir, { name: "station", devices: ["pettracer_hs_10775"] })).secret,
  };
}

/** The status of: all devices, Oreo, a command for Oreo, health, metrics. */
type Row = readonly [number, number, number, number, number];

const WITH_TOKENS: Readonly<Record<string, Row>> = {
  nothing: [401, 401, 401, 200, 200],
  wrong: [401, 401, 401, 200, 200],
  revoked: [401, 401, 401, 200, 200],
  read: [200, 200, 403, 200, 200],
  control: [200, 200, 202, 200, 200],
  oreo: [200, 200, 202, 200, 200],
  station: [200, 404, 403, 200, 200],
};

async function rowOf(base: string, token: string | undefined, from?: string): Promise<number[]> {
  const headers = token === undefined ? {} : bearer(token);
  const command = { method: "POST", body: LIGHT, headers: { ...headers, prefer: "respond-async" } };
  const answers = [
    await ask(`${base}/api/devices`, { headers, ...(from && { from }) }),
    await ask(`${base}/api/devices/${OREO_ID}`, { headers, ...(from && { from }) }),
    await ask(`${base}/api/devices/${OREO_ID}/commands`, { ...command, ...(from && { from }) }),
    await ask(`${base}/healthz`, { headers, ...(from && { from }) }),
    await ask(`${base}/metrics`, { headers, ...(from && { from }) }),
  ];
  for (const answer of answers.filter(({ status }) => status >= 400)) {
    const { code } = problemOf(answer);
    const codes: Record<number, string> = { 401: "unauthorized", 403: "forbidden", 404: "unknown_device" };
    expect(code).toBe(codes[answer.status]);
    expect(answer.headers["www-authenticate"]).toBe(answer.status === 401 ? 'Bearer realm="Pawline"' : undefined);
  }
  return answers.map(({ status }) => status);
}

test_("from this computer: without a token as long as there is none, then by tokens alone", async (context) => {
  const api = await openApi(context);
  expect(await rowOf(api.url, undefined)).toEqual([200, 200, 202, 200, 200]);
  const tokens = await tokensOf(api);
  for (const [name, token] of Object.entries(tokens)) {
    // Each from an address of its own, so that nobody has to wait for another one's mistakes.
    const from = `127.0.0.${10 + Object.keys(tokens).indexOf(name)}`;
    expect([name, ...(await rowOf(api.url, token, from))]).toEqual([name, ...(WITH_TOKENS[name] ?? [])]);
  }
  expect(api.house.log).not.toMatch(/pawline_[\w-]{20}/);
});

test_("from the network: by tokens alone, and health for everybody", async (context) => {
  if (outside === undefined) return context.skip("this computer has no address but its own");
  const port = await freePort();
  const house = await openHouse(context, { live: { port, host: "0.0.0.0" } });
  const tokens = await tokensOf({ house });
  await house.start();
  // After five mistakes this address would have to wait.
  const { revoked = "", wrong, ...others } = tokens;
  expect((await ask(`http://${outside}:${port}/api/devices`, { headers: bearer(revoked), from: outside })).status).toBe(
    401,
  );
  for (const [name, token] of Object.entries({ ...others, wrong })) {
    const [devices, oreo, command] = WITH_TOKENS[name] ?? [];
    // Metrics are for this computer, or for a token.
    const metrics = devices === 200 ? 200 : 401;
    const row = await rowOf(`http://${outside}:${port}`, token, outside);
    expect([name, ...row]).toEqual([name, devices, oreo, command, 200, metrics]);
  }
  // This computer is no exception there.
  expect(problemOf(await ask(`http://127.0.0.1:${port}/api/devices`))).toMatchObject({ status: 401 });
  expect((await ask(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
});

test_("behind Ingress: nobody but the Supervisor, whatever they show", async (context) => {
  const api = await openApi(context, { live: { host: "0.0.0.0", ingress: true } });
  for (const [name, token] of Object.entries(await tokensOf(api))) {
    expect([name, ...(await rowOf(api.url, token))]).toEqual([name, 403, 403, 403, 200, 200]);
    if (outside !== undefined) {
      const there = `http://${outside}:${api.port}`;
      expect([name, ...(await rowOf(there, token, outside))]).toEqual([name, 403, 403, 403, 403, 403]);
    }
  }
});

test_(
  "off this computer and without a token it does not start, says why, and starts when there is one",
  async (context) => {
    const port = await freePort();
    const house = await openHouse(context, { live: { port, host: "0.0.0.0" } });
    await house.launch();
    await house.logged(/live: live\.host 0\.0\.0\.0 can be reached by others, .*pawline token create --name NAME/);
    await expect(ask(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow(/ECONNREFUSED/);
    const { secret } = await giveToken(house.dataDir);
    const api = apiOf(house, port);
    await eventually(PATIENCE_MS, "the start", async () => {
      return (await api.ask("devices", { headers: bearer(secret) })).status === 200 || undefined;
    });
  },
);

test_("a token for one device sees and hears of that one alone", async (context) => {
  const api = await openApi(context);
  api.house.push(14758, { chg: 1 });
  await eventually(PATIENCE_MS, "the event", async () => {
    return (await api.read("events", eventsAnswer)).events.length > 0 || undefined;
  });
  const { dataDir } = api.house;
  const [mine, other] = [
    (await giveToken(dataDir, { name: "oreo", devices: [OREO_ID] })).secret,
    (await giveToken(dataDir, { name: "station", devices: ["pettracer_hs_10775"] })).secret,
  ];
  const ids = async (secret: string): Promise<string[]> =>
    (await api.read("devices", devicesAnswer, { headers: bearer(secret) })).devices.map(({ id }) => id);
  expect([await ids(mine), await ids(other)]).toEqual([[OREO_ID], ["pettracer_hs_10775"]]);
  const events = async (secret: string) => (await api.read("events", eventsAnswer, { headers: bearer(secret) })).events;
  expect([(await events(mine)).length, await events(other)]).toEqual([1, []]);
  for (const path of ["", "/photo", "/track"]) {
    const refused = await api.ask(`devices/${OREO_ID}${path}`, { headers: bearer(other) });
    expect(problemOf(refused)).toMatchObject({ status: 404, code: "unknown_device" });
  }
  await api.read(`devices/${OREO_ID}/track`, track, { headers: bearer(mine) });
});

test_("a token that is revoked counts no more, at once, and neither does its session", async (context) => {
  const api = await openApi(context);
  const { dataDir } = api.house;
  await giveToken(dataDir, { name: "other" });
  const { token, secret } = await giveToken(dataDir, { name: "mine" });
  const cookie = cookieOf(await logIn(api, secret));
  for (const headers of [bearer(secret), { cookie }]) expect((await api.ask("devices", { headers })).status).toBe(200);
  await takeToken(dataDir, token);
  for (const headers of [bearer(secret), { cookie }]) {
    expect(problemOf(await api.ask("devices", { headers }))).toMatchObject({ status: 401, code: "unauthorized" });
  }
});

function logIn(api: Api, token: unknown, headers = {}) {
  return api.ask("session", { method: "POST", body: { token }, headers });
}

function cookieOf({ headers }: { headers: { "set-cookie"?: string[] | undefined } }): string {
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

test_("a browser shows its token once, and ends its session when it likes", async (context) => {
  const api = await openApi(context);
  const { secret } = await giveToken(api.house.dataDir, { name: "tablet", devices: [OREO_ID] });
  const opened = await logIn(api, secret);
  const me = { kind: "session", name: "tablet", scopes: ["read"], devices: [OREO_ID] };
  expect([opened.status, sessionAnswer.parse(JSON.parse(opened.body))]).toEqual([200, me]);
  expect(opened.headers["set-cookie"]).toEqual([
    expect.stringMatching(/^pawline_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
  ]);
  const cookie = cookieOf(opened);
  expect(cookie).not.toContain(secret);
  expect(await api.read("session", sessionAnswer, { headers: { cookie } })).toEqual(me);
  expect((await api.ask("devices", { headers: { cookie: `a=b; ${cookie}` } })).status).toBe(200);
  const secure = await logIn(api, secret, { "x-forwarded-proto": "https" });
  expect(secure.headers["set-cookie"]?.[0]).toMatch(/; Secure$/);
  const ended = await api.ask("session", { method: "DELETE", headers: { cookie } });
  expect([ended.status, ended.headers["set-cookie"]?.[0]]).toEqual([
    204,
    expect.stringMatching(/^pawline_session=;.*Max-Age=0$/),
  ]);
  expect((await api.ask("devices", { headers: { cookie } })).status).toBe(401);
  expect((await logIn(api, "pawline_wrong")).status).toBe(401);
  expect(problemOf(await logIn(api, 5))).toMatchObject({ status: 400, code: "invalid_request" });
  expect(await api.read("session", sessionAnswer, { headers: bearer(secret) })).toMatchObject({ kind: "token" });
});

test_("without a token, the session says that this computer is asking", async (context) => {
  const api = await openApi(context);
  const me = { kind: "this_computer", name: "this computer", scopes: ["read", "control"], devices: null };
  expect(await api.read("session", sessionAnswer)).toEqual(me);
});

test_.for(["token", "access_token", "anything"])(
  "a token in the address (?%s=…) is refused with a sentence",
  async (name, context) => {
    const api = await openApi(context);
    const { secret } = await giveToken(api.house.dataDir);
    const told = problemOf(await api.ask(`devices?${name}=${secret}`));
    expect(told).toMatchObject({ status: 401, detail: expect.stringContaining("must not stand in an address") });
    expect(JSON.stringify(told)).not.toContain(secret);
    expect(api.house.log).not.toContain(secret);
  },
);

test_.for(["x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip", "cf-connecting-ip", "via"])(
  "who comes through a proxy (%s) needs a token",
  async (name, context) => {
    const api = await openApi(context);
    const headers = { [name]: "203.0.113.9" };
    const told = problemOf(await api.ask("devices", { headers }));
    expect(told).toMatchObject({ status: 401, detail: expect.stringContaining("through a proxy needs a token") });
    expect((await ask(`${api.url}/metrics`, { headers })).status).toBe(401);
    const { secret } = await giveToken(api.house.dataDir);
    expect((await api.ask("devices", { headers: { ...headers, ...bearer(secret) } })).status).toBe(200);
  },
);

test_("after five wrong tokens an address waits, and whoever was right there before does not", async (context) => {
  const api = await openApi(context);
  const { secret } = await giveToken(api.house.dataDir, { name: "one" });
  const { secret: another } = await giveToken(api.house.dataDir, { name: "two" });
  const from = "127.0.0.99";
  const status = async (token: string, address = from): Promise<number> =>
    (await api.ask("devices", { headers: bearer(token), from: address })).status;
  expect(await status(secret)).toBe(200);
  for (let time = 0; time < 5; time += 1) expect(await status("wrong")).toBe(401);
  const refused = await api.ask("devices", { headers: bearer("wrong"), from });
  expect(problemOf(refused)).toMatchObject({ status: 429, code: "rate_limited", retry_after_s: 1 });
  expect(refused.headers["retry-after"]).toBe("1");
  expect([await status(secret), await status(secret, "127.0.0.98")]).toEqual([200, 200]);
  const first = await api.ask("devices", { headers: bearer(another), from });
  // Either the wait goes on for a right one as well, or the machine was so slow that it is over.
  expect([200, 429]).toContain(first.status);
  await eventually(PATIENCE_MS, "the end of the wait", async () => (await status(another)) === 200 || undefined);
  await api.house.logged(/live: turned away \d+ requests/);
  expect(api.house.log.match(/turned away/g)?.length).toBe(1);
});

test_.for<[string, Record<string, string>, number]>([
  ["none", {}, 202],
  ["our own", { origin: "http://127.0.0.1:PORT" }, 202],
  ["a listed one", { origin: "https://cats.example.com" }, 202],
  ["another one", { origin: "https://evil.example" }, 403],
  ["our own, at another port", { origin: "http://127.0.0.1:1" }, 403],
  ["none that can be named", { origin: "null" }, 403],
  ["another one that says so itself", { origin: "https://evil.example", "x-forwarded-host": "evil.example" }, 401],
])("a command from a page of %s origin", async ([, headers, status], context) => {
  const api = await openApi(context, { live: { origins: ["https://cats.example.com"] } });
  const own = Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", String(api.port))]);
  const answer = await api.command(
    { command: "live", value: true },
    { ...Object.fromEntries(own), prefer: "respond-async" },
  );
  expect(answer.status).toBe(status);
  if (status === 403) expect(problemOf(answer).code).toBe("forbidden_origin");
  const listed = headers.origin === "https://cats.example.com";
  expect(answer.headers["access-control-allow-origin"]).toBe(listed ? headers.origin : undefined);
});

test_("a page of a listed origin may ask beforehand, no other one", async (context) => {
  const api = await openApi(context, { live: { origins: ["https://cats.example.com"] } });
  const preflight = (origin: string) =>
    api.ask("devices", { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
  const { status, headers } = await preflight("https://cats.example.com");
  expect([status, headers["access-control-allow-origin"]]).toEqual([204, "https://cats.example.com"]);
  expect(headers["access-control-allow-headers"]).toContain("authorization");
  const other = await preflight("https://evil.example");
  expect([other.status, other.headers["access-control-allow-origin"]]).toEqual([405, undefined]);
});

test_("a proxy's own name has to be listed, where nobody but this computer can come", async (context) => {
  const api = await openApi(context, { live: { origins: ["https://cats.example.com"] } });
  const { secret } = await giveToken(api.house.dataDir);
  const status = async (host: string): Promise<number> =>
    (await api.ask("devices", { headers: { host, ...bearer(secret) } })).status;
  expect([await status("cats.example.com"), await status("evil.example")]).toEqual([200, 403]);
});

test_("so many connections from one address, and no more; this computer has as many as there are", async (context) => {
  if (outside === undefined) return context.skip("this computer has no address but its own");
  const port = await freePort();
  const house = await openHouse(context, { live: { port, host: "0.0.0.0", max_connections_per_address: 3 } });
  const { secret } = await giveToken(house.dataDir);
  await house.start();
  const hold = (address: string): Promise<Socket>[] =>
    Array.from({ length: 3 }, async () => {
      const socket = connect({ port, host: address, localAddress: address });
      context.onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      return socket;
    });
  const held = await Promise.all([...hold(outside), ...hold("127.0.0.1")]);
  const from = outside;
  const refused = await ask(`http://${outside}:${port}/healthz`, { from });
  expect(problemOf(refused)).toMatchObject({ status: 429, code: "rate_limited", retry_after_s: 10 });
  const headers = bearer(secret);
  expect((await ask(`http://127.0.0.1:${port}/api/devices`, { headers })).status).toBe(200);
  held[0]?.destroy();
  await eventually(PATIENCE_MS, "room for another one", async () => {
    return (await ask(`http://${outside}:${port}/healthz`, { from })).status === 200 || undefined;
  });
});
