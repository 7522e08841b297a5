/** `pawline diagnostics`: all that helps to find a fault, and nothing that tells whose cats these are. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAnonymizer } from "../../src/commands/anonymous.ts";
import { maskedConfig } from "../../src/commands/masked-config.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import type { Entry } from "../../src/model/device.ts";
import type { AtEnd } from "../support/temp.ts";
import { runInLab } from "./in-process.ts";
import { type Lab, listening, logins, MISO, OREO, OWNER, openLab, STATION } from "./lab.ts";

const ANNA = {
  login: "anna.telltale@home-mail.example",
  password: "s3cret-tuna/&ü",
  id: 987_601,
  name: "Anna Telltale",
};
const BROKER = { username: "anna-mqtt", password: "s3cret-broker" };
const [CAT, KITTEN, HOUSE] = [987_611, 987_612, 987_621];

/** All that must not stand in a report, in any case. */
const TELLTALES: readonly string[] = [
  ANNA.login,
  ANNA.password,
  "s3cret",
  "tuna",
  "telltale",
  "anna",
  "home-mail",
  "9876",
  "Schnurrbert",
  "Käthe",
  "Secret Garden",
  "img777",
  "48.13",
  "11.57",
  "137154",
  "576124",
  "127.0.0.1",
  "localhost",
  "hidden-base",
  "hidden-prefix",
  "hidden-client",
  "hidden-folder",
  "hidden-file",
  "hidden-entity",
];

/** An account in which everything tells whose it is. */
async function openTelltaleLab(atEnd: AtEnd): Promise<Lab> {
  const lab = await openLab(atEnd, { owner: ANNA, broker: { authenticate: BROKER } });
  for (const id of [OREO, MISO, STATION]) lab.cloud.removeDevice(id);
  const place = { posLat: 48.137154, posLong: 11.576124 };
  lab.cloud.addHomeStation(ANNA.login, {
    id: HOUSE,
    ...place,
    wlanSsid: "Secret Garden",
    details: { name: "Anna's house" },
  });
  lab.cloud.addCollar(ANNA.login, {
    id: CAT,
    details: { name: "Schnurrbert", img: "img777" },
    lastPos: place,
    mode: 14,
    modeSet: 3,
    flags: 7,
    bat: 4_150,
  });
  lab.cloud.addCollar(ANNA.login, { id: KITTEN, details: { name: "Käthe" }, lastPos: undefined, home: true });
  lab.configure(telltaleConfig(lab));
  return lab;
}

function telltaleConfig(lab: Lab) {
  return {
    pettracer: { include: ["Schnurrbert", KITTEN], exclude: ["Anna's hidden-entity"] },
    mqtt: {
      ...BROKER,
      base_topic: "hidden-base/anna",
      client_id: "hidden-client",
      discovery: { prefix: "hidden-prefix", status_topic: "hidden-prefix/status" },
    },
    entities: { exclude: [`pettracer_${CAT}/hidden-entity`] },
    data_dir: `${lab.folder}/hidden-folder-anna`,
  };
}

/** Runs it with a collar that speaks as soon as somebody listens, so that nobody waits. */
async function diagnose(lab: Lab, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = runInLab(lab, ["diagnostics", ...args]);
  const spoken = listening(lab.cloud, 15_000).then(() => {
    for (const id of lab.cloud.sessions[0]?.deviceIds ?? []) lab.cloud.push(id, { lastRssi: 140 });
  });
  spoken.catch(() => {});
  return await running;
}

interface Report {
  readonly versions: unknown;
  readonly configuration: unknown;
  readonly parts: readonly { readonly part: string; readonly result: string; readonly sentence?: string }[];
  readonly counters: unknown;
  readonly devices: readonly { readonly kind: string; readonly key: string; readonly [name: string]: unknown }[];
}

function parsed(text: string): Report {
  return JSON.parse(text) as Report;
}

function expectNothingPersonal(text: string, telltales = TELLTALES): void {
  const found = telltales.filter((telltale) => text.toLowerCase().includes(telltale.toLowerCase()));
  expect(found).toEqual([]);
  // Not as bytes, not in JSON and not in an address either.
  for (const telltale of telltales.filter(({ length }) => length > 5)) {
    for (const form of [encodeURIComponent(telltale), Buffer.from(telltale).toString("base64").slice(0, -4)]) {
      expect(text).not.toContain(form);
    }
  }
}

describe.concurrent("the report", () => {
  test("tells of everything and of nobody", async ({ onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    const { code, stdout, stderr } = await diagnose(lab);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expectNothingPersonal(stdout);
    const report = parsed(stdout);
    expect(report.versions).toEqual({
      pawline: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      platform: process.platform,
      arch: process.arch,
    });
    expect(report.parts.map(({ part, result }) => `${part}: ${result}`)).toEqual([
      "PetTracer login: works",
      "Devices: works",
      "Live stream: works",
      "MQTT broker: works",
      "MQTT rights: works",
      "MQTT rights: works",
      "Home Assistant: hint",
    ]);
    expect(report.counters).toEqual({
      accounts: 1,
      collars: 2,
      collars_with_position: 1,
      collars_at_home: 1,
      home_stations: 1,
      remembered_devices: 0,
      activities: {},
    });
    expect(report.devices.map(({ kind }) => kind).toSorted()).toEqual(["account", "collar", "collar", "homeStation"]);
  });

  test("a device: its ages, what is known and as what", async ({ onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
    lab.cloud.push(CAT, { lastContact: ago(125), lastPos: { timeMeasure: ago(180) } });
    const { devices } = parsed((await diagnose(lab)).stdout);
    const station = devices.find(({ kind }) => kind === "homeStation");
    expect(station).toMatchObject({
      online: true,
      last_contact_minutes: 0,
      fields: { wifi: "string", latitude: "number" },
    });
    expect(devices.find(({ mode }) => mode === 14)).toMatchObject({
      kind: "collar",
      key: expect.stringMatching(/^[0-9a-f]{8}$/),
      home_station: station?.key,
      last_contact_minutes: 125,
      last_fix_minutes: 180,
      battery_percent: 100,
      charging: false,
      home: false,
      mode: 14,
      mode_set: 3,
      flags: 7,
      fields: { name: "string", fix: { latitude: "number", satellites: "number" }, homeSinceAt: "null" },
    });
    expect(devices.find(({ home }) => home === true)).toMatchObject({ last_fix_minutes: null });
    expect(devices.find(({ kind }) => kind === "account")).toMatchObject({ listed: true, subscription_over: false });
  });

  test("one login, one listing, and nothing published that stays", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    await diagnose(lab);
    const paths = lab.cloud.calls.map(({ path }) => path).toSorted();
    expect(paths).toEqual(["/map/getccs", "/user/gethomestations", "/user/login"]);
  });

  test("devices have the same names each time, and other ones elsewhere", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    const keysOf = ({ stdout }: { readonly stdout: string }): string[] => parsed(stdout).devices.map(({ key }) => key);
    const first = keysOf(await diagnose(lab));
    expect(new Set(first).size).toBe(4);
    expect(keysOf(await diagnose(lab)).toSorted()).toEqual(first.toSorted());
    lab.configure({ data_dir: `${lab.folder}/another` });
    expect(keysOf(await diagnose(lab)).filter((key) => first.includes(key))).toEqual([]);
  });

  test("names that are words of the report leave it whole", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.cloud.push(OREO, { details: { name: "collar" } });
    lab.cloud.push(MISO, { details: { name: 'true", "x": {' } });
    const { devices } = parsed((await diagnose(lab)).stdout);
    expect(devices.map(({ kind }) => kind).toSorted()).toEqual(["account", "collar", "collar", "homeStation"]);
  });

  test("what has happened is counted", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    mkdirSync(join(lab.folder, "data"));
    const activity = (sequence: number, type: string) => ({
      sequence,
      type,
      at: Date.now(),
      device: `pettracer_${OREO}`,
    });
    const activities = [activity(1, "came_home"), activity(2, "left_home"), activity(3, "came_home")];
    writeFileSync(join(lab.folder, "data/devices.json"), JSON.stringify({ devices: [], activities }));
    const { counters } = parsed((await diagnose(lab)).stdout);
    expect(counters).toMatchObject({ activities: { came_home: 2, left_home: 1 } });
  });

  test("--output writes it to a file", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    expect(await diagnose(lab, "--output", join(lab.folder, "report.json"))).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(parsed(readFileSync(join(lab.folder, "report.json"), "utf8")).devices).toHaveLength(4);
  });
});

describe.concurrent("where something fails, there is a report all the same", () => {
  test("a refused login: 3, and it is tried once", async ({ onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    lab.cloud.addAccount({ ...ANNA, password: "another" });
    const { code, stdout } = await diagnose(lab);
    expect(code).toBe(3);
    expectNothingPersonal(stdout);
    const { parts, devices } = parsed(stdout);
    expect(parts[0]).toEqual({
      component: "pettracer",
      part: "PetTracer login",
      result: "refused",
      sentence: "PetTracer refused the login (401): check pettracer.username and pettracer.password.",
    });
    expect(parts[1]).toMatchObject({ part: "MQTT broker", result: "works" });
    expect(devices).toEqual([]);
    expect(logins(lab.cloud)).toBe(1);
  });

  test("a broker that refuses: 3, and the devices are there", async ({ onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    const config = telltaleConfig(lab);
    lab.configure({ ...config, mqtt: { ...config.mqtt, password: "s3cret-wrong" } });
    const { code, stdout } = await diagnose(lab);
    expect(code).toBe(3);
    expectNothingPersonal(stdout);
    expect(parsed(stdout).devices).toHaveLength(4);
    expect(parsed(stdout).parts.at(-1)?.sentence).toMatch(
      /^the broker at \*\*\* refused the login: check mqtt\.username/,
    );
  });

  test.for([
    ["the cloud", (lab: Lab) => lab.cloud.faults.refuseConnections("closed"), /^\*\*\* cannot be reached: /],
    ["a web page", (lab: Lab) => lab.cloud.faults.login("html"), /answer to the login was no JSON/],
    [
      "lists",
      (lab: Lab) => lab.cloud.faults.answer("/map", { status: 500 }),
      /answer to \/map\/getccs was an error \(HTTP 500/,
    ],
    [
      "the broker",
      (lab: Lab) => lab.broker.close(),
      /^the broker at \*\*\* cannot be reached: connect ECONNREFUSED \*\*\*/,
    ],
  ] as const)("%s: 4", async ([, spoil, sentence], { onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    await spoil(lab);
    const { code, stdout } = await diagnose(lab);
    expect(code).toBe(4);
    expectNothingPersonal(stdout);
    const failed = parsed(stdout).parts.filter(({ result }) => result === "unreachable");
    expect(failed.map((part) => part.sentence)).toEqual([expect.stringMatching(sentence)]);
  });

  test("a file of the configuration that is not there", async ({ onTestFinished }) => {
    const lab = await openTelltaleLab(onTestFinished);
    const config = telltaleConfig(lab);
    lab.configure({ ...config, mqtt: { ...config.mqtt, ca: `${lab.folder}/hidden-file-anna.pem` } });
    const { code, stdout } = await diagnose(lab);
    expect(code).toBe(4);
    expectNothingPersonal(stdout);
    expect(stdout).toMatch(/mqtt\.ca: the file \*\*\* cannot be read/);
  });

  test("a configuration with errors: 2, and no report", async ({ onTestFinished }) => {
    const lab = await openLab(onTestFinished);
    lab.configure({ mqtt: { qos: 7 } });
    expect(await runInLab(lab, ["diagnostics"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/mqtt\.qos/),
    });
  });
});

const CONFIG: Config = configSchema.parse({
  pettracer: [{ username: ANNA.login, password: ANNA.password, include: ["Is", "Mo"], refresh: "90s" }],
  mqtt: { url: "mqtts://u:p@nas.telltale.example:8883/path", ca: "ca.pem", qos: 2, base_topic: "hidden-base" },
  log: { level: "debug" },
});

test("the configuration: choices, numbers and what is usual are shown", () => {
  expect(maskedConfig(CONFIG)).toEqual({
    pettracer: [
      {
        username: "***",
        password: "***",
        portal_url: "https://portal.pettracer.com/api",
        stream_url: "wss://pt.pettracer.com/sc",
        include: ["***", "***"],
        exclude: [],
        refresh: "90s",
        live_minutes: 15,
        find_minutes: 3,
        allow_power_off: false,
        off_code: 2,
      },
    ],
    mqtt: {
      url: "mqtts://***:8883",
      ca: "***",
      reject_unauthorized: true,
      protocol_version: 4,
      qos: 2,
      base_topic: "***",
      discovery: { mode: "device", prefix: "homeassistant", status_topic: "homeassistant/status" },
    },
    home: { prefer: "station", max_accuracy: 200, flap_time: "60s" },
    entities: { exclude: [] },
    track: { retention: "2592000s" },
    log: { level: "debug", format: "auto" },
    data_dir: "./data",
  });
});

test.each([
  ["portal.pettracer.com did not answer within 15 s", "portal.pettracer.com did not answer within 15 s"],
  ["the broker at nas:1883 cannot be reached", "the broker at *** cannot be reached"],
  ["getaddrinfo ENOTFOUND printer.telltale.example", "getaddrinfo ENOTFOUND ***"],
  ["connect ECONNREFUSED 192.168.1.7:1883", "connect ECONNREFUSED ***"],
  ["connect ECONNREFUSED fe80::1ff:fe23:4567:890a", "connect ECONNREFUSED ***"],
  ["accepted for Anna Telltale", "accepted for ***"],
  ["2 collars (Mo, mis mo, Moses, IS)", "2 collars (***, mis ***, Moses, ***)"],
  ["who is Schnurrbert?", "who *** ***?"],
  ["Host: x. is not in the cert's altnames: DNS:nas, DNS:attic", "Host: x. *** not in the cert's ***"],
  ["open '/home/anna/ca.pem'", "open ***"],
  ["no such file C:\\Users\\Anna\\ca.pem.", "no such file ***."],
  ["may write and read hidden-base/…", "may write and read ***"],
  ["mail to dog@kennel.example, please", "mail to ***, please"],
  ["device 987611 at 48.137154, 11.576124", "device *** at ***, ***"],
  ["the user's rights: the broker's user", "the user's rights: the broker's user"],
])("the sentence %j", (sentence, expected) => {
  const cat = { kind: "collar", key: `pettracer_${CAT}`, id: CAT, name: "Schnurrbert" } as Entry;
  const account = { kind: "account", key: "account:pettracer", name: ANNA.name } as Entry;
  const anonymous = createAnonymizer(
    { ...CONFIG, mqtt: CONFIG.mqtt && { ...CONFIG.mqtt, url: "mqtt://nas:1883" } },
    new Map([cat, account].map((entry) => [entry.key, entry])),
  );
  expect(anonymous(sentence)).toBe(expected);
});

test("the lab's account, too", async ({ onTestFinished }) => {
  const lab = await openLab(onTestFinished);
  const { stdout } = await diagnose(lab);
  expectNothingPersonal(stdout, [
    OWNER.login,
    OWNER.password,
    "Alex",
    "Oreo",
    "Miso",
    "14758",
    "14759",
    "15979",
    "10775",
    "51.5",
    "garden",
  ]);
});
