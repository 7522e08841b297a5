/**
 * A whole house in one process: the simulated cloud, the embedded broker, a recorder at that broker, and the daemon
 * between them, with a configuration that the real schema has read. Each test has one of its own, and it is cleared
 * away behind the test, which fails for whatever is found broken there.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IClientOptions } from "mqtt";
import type { TestContext } from "vitest";
import { hideSecrets } from "../../src/commands/context.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { type Daemon, startDaemon } from "../../src/daemon.ts";
import { type Broker, type BrokerOptions, startBroker } from "../../src/demo/broker.ts";
import { type Cloud, type CloudOptions, startCloud } from "../../src/demo/cloud.ts";
import { createLog } from "../../src/lib/log.ts";
import type { z } from "../../src/lib/schema.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { complaints } from "./hygiene.ts";
import { startParts } from "./parts.ts";
import { type Json, json, type Message, type Recorder, startRecorder } from "./recorder.ts";
import { memoryStream } from "./stream.ts";
import { until } from "./until.ts";

type Draft = z.input<typeof configSchema>;
export type AccountDraft = Draft["pettracer"][number];
type MqttDraft = NonNullable<Draft["mqtt"]>;

export interface Owner {
  readonly login: string;
  readonly password: string;
  readonly id: number;
  readonly name: string;
}

export const OWNER: Owner = { login: "cat@example.com", password: "tuna-tuna-tuna", id: 15979, name: "Alex" };
export const OTHER_OWNER: Owner = { login: "dog@example.com", password: "bone-bone-bone", id: 15980, name: "Sam" };

/** What changes from one start, or one reload, to the next. */
export interface Changes {
  /** Laid over the first account. */
  readonly account?: Partial<AccountDraft>;
  /** All accounts, instead. */
  readonly accounts?: readonly AccountDraft[];
  readonly mqtt?: Partial<MqttDraft>;
  /** A section of it; absent means no server. */
  readonly live?: Draft["live"];
  readonly home?: Draft["home"];
  readonly entities?: Draft["entities"];
  readonly track?: Draft["track"];
  /** The stream's heart-beat, ms; it takes the place of the daemon's own. */
  readonly heartbeatMs?: number;
}

export interface HouseOptions extends Changes {
  readonly cloud?: CloudOptions;
  /** What the cloud has; default: a station and Oreo. */
  readonly furnish?: (cloud: Cloud) => void;
  readonly broker?: BrokerOptions;
  /** How the recorder gets in, and its quality of service. */
  readonly recorder?: IClientOptions & { readonly qos?: 0 | 2 };
}

/** 14758 of OWNER, at home of station 10775; all times lie in the past. */
export const OREO = {
  id: 14758,
  accuWarn: 3630,
  hw: 656643,
  sw: 656393,
  bat: 4000,
  chg: 0,
  lastContact: "2026-06-01T10:05:00.310+0000",
  lastPos: {
    id: 110294833,
    posLat: 51.4010701,
    posLong: -1.0832267,
    sat: 8,
    acc: 16,
    timeMeasure: "2026-06-01T09:59:41.000+0000",
    timeDb: "2026-06-01T09:59:44.000+0000",
  },
  details: { id: 14758, image: null, img: null, color: 0x24b8f8, birth: null, name: "Oreo" },
  lastRssi: -106,
  home: false,
};

export const STATION = {
  id: 10775,
  posLat: 51.4000701,
  posLong: -1.0842267,
  hw: 656384,
  sw: 656388,
  lastContact: "2026-06-01T10:05:00.310+0000",
};

export function stationAndOreo(cloud: Cloud): void {
  cloud.addAccount(OWNER);
  cloud.addHomeStation(OWNER.login, STATION);
  cloud.addCollar(OWNER.login, OREO);
}

const BEACON = { id: 99, details: { name: "Beacon" }, lastPos: { posLat: 10, posLong: 10, timeMeasure: time(0) } };

/** The same, and a collar whose news show that all earlier ones have been dealt with. */
export function withBeacon(cloud: Cloud): void {
  stationAndOreo(cloud);
  cloud.addCollar(OWNER.login, BEACON);
}

/** So many minutes after noon of 1 June 2026, as the cloud writes it. */
export function time(minutes: number): string {
  return shown(minutes).replace("+00:00", "+0000");
}

/** The same, as we write it. */
export function shown(minutes: number): string {
  return new Date(Date.UTC(2026, 5, 1, 12, minutes)).toISOString().replace("Z", "+00:00");
}

/** The topics of a device, under the usual names. */
export function topicsOf(device: string, base = "pawline", prefix = "homeassistant") {
  return {
    state: `${base}/${device}/state`,
    position: `${base}/${device}/position`,
    availability: `${base}/${device}/availability`,
    firmware: `${base}/${device}/firmware`,
    event: `${base}/${device}/event`,
    command: (control: string): string => `${base}/${device}/${control}/set`,
    config: `${prefix}/device/${device}/config`,
  };
}

export const oreo = topicsOf("pettracer_14758");
export const station = topicsOf("pettracer_hs_10775");
/** OWNER's; it has no more than a state and its description. */
export const account = topicsOf("pettracer_account_15979");
export const BRIDGE_STATE = "pawline/bridge/state";
export const BRIDGE_INFO = "pawline/bridge/info";
export const HA_STATUS = "homeassistant/status";

/** A sound house is ready for the test; the daemon runs only when the test starts it. */
export async function openHouse(context: Pick<TestContext, "onTestFinished">, options: HouseOptions = {}) {
  const cloud = await startCloud(options.cloud);
  (options.furnish ?? stationAndOreo)(cloud);
  const broker = await startBroker(options.broker);
  const { qos = 0, ...recorderOptions } = options.recorder ?? {};
  const recorder = await startRecorder(broker.url, recorderOptions, qos);
  const house = new House(options, cloud, broker, recorder);
  context.onTestFinished(() => house.close());
  return house;
}

/** The same, and its daemon is online with every device subscribed. */
export async function moveIn(context: Pick<TestContext, "onTestFinished">, options: HouseOptions = {}) {
  const house = await openHouse(context, options);
  await house.start();
  return house;
}

const open = new Set<House>();

// Whose it is cannot be told: every test that runs at that moment fails.
process.on("unhandledRejection", (reason) => {
  const text = reason instanceof Error ? reason.stack : String(reason);
  for (const house of open) house.complain(`an unhandled rejection: ${text}`);
});

export class House {
  readonly cloud: Cloud;
  readonly mqtt: Recorder;
  broker: Broker;
  readonly #options: HouseOptions;
  /** What survives a restart of the daemon. */
  readonly dataDir = mkdtempSync(join(tmpdir(), "pawline-house-"));
  readonly #log = memoryStream();
  readonly #problems: string[] = [];
  #beacon = 0;
  #running: { readonly daemon: Daemon; readonly stop: AbortController; readonly from: number } | undefined;

  constructor(options: HouseOptions, cloud: Cloud, broker: Broker, mqtt: Recorder) {
    this.#options = options;
    this.cloud = cloud;
    this.broker = broker;
    this.mqtt = mqtt;
    open.add(this);
  }

  /** A reason for the test to fail, whatever else it finds. */
  complain(problem: string): void {
    this.#problems.push(problem);
  }

  get daemon(): Daemon {
    if (this.#running === undefined) throw new Error("the daemon does not run");
    return this.#running.daemon;
  }

  /** All that the daemons of this house have logged, at every level. */
  get log(): string {
    return this.#log.text();
  }

  account({ login, password }: Owner = OWNER, changes: Partial<AccountDraft> = {}): AccountDraft {
    const { portalUrl, streamUrl } = this.cloud;
    return { username: login, password, portal_url: portalUrl, stream_url: streamUrl, ...changes };
  }

  config(changes: Changes = {}): Config {
    const { account, accounts, mqtt, live, home, entities, track } = { ...this.#options, ...changes };
    return configSchema.parse({
      pettracer: accounts ?? [this.account(OWNER, account)],
      mqtt: { url: this.broker.url, ...this.#options.mqtt, ...mqtt },
      ...(live && { live }),
      ...(home && { home }),
      ...(entities && { entities }),
      ...(track && { track }),
      // As the daemon is launched: a reload would go back to another one.
      log: { level: "trace" },
      data_dir: this.dataDir,
    });
  }

  /** Starts the daemon, and waits for nothing. */
  async launch(changes: Changes = {}): Promise<void> {
    const stop = new AbortController();
    const scrubber = createScrubber();
    const log = await createLog({ level: "trace", format: "json", scrubber, output: this.#log });
    const from = this.mqtt.mark;
    const config = this.config(changes);
    hideSecrets(config, scrubber);
    const tools = { log, scrubber, signal: stop.signal, usage: () => ({ residentBytes: 5e7, cpuS: 1.5 }) };
    const { heartbeatMs } = { ...this.#options, ...changes };
    const daemon = await (heartbeatMs === undefined
      ? startDaemon(config, tools)
      : startParts(config, tools, heartbeatMs));
    this.#running = { daemon, stop, from };
  }

  /** Starts the daemon; then it is online, its streams are live, and what it says again at a start is said. */
  async start(changes: Changes = {}): Promise<void> {
    await this.launch(changes);
    await this.online();
    await this.live();
    await this.settled();
  }

  async online(from = this.#running?.from ?? 0): Promise<Message> {
    const { base_topic = "pawline" } = this.#options.mqtt ?? {};
    return await this.mqtt.waitFor(`${base_topic}/bridge/state`, (payload) => payload === "online", { from });
  }

  /** Every stream is open, and the snapshot behind it is done. */
  async live(streams = 1): Promise<void> {
    const isLive = (): boolean =>
      this.cloud.sessions.filter((session) => asksOf(session) >= 2 && session.deviceIds.size > 0).length >= streams;
    await until(isLive, `${streams} live stream(s)`);
  }

  /** The listing that confirms the first one, some seconds later, is done: from now on nothing is asked for by itself. */
  async confirmed(): Promise<void> {
    const listings = (): number => callsOf(this.cloud, "/user/gethomestations").filter(isAnswered).length;
    await until(() => listings() >= 3, "the confirming listing");
  }

  /** Every device that was described since `from` has had its state said again behind that. */
  async settled(from = this.#running?.from ?? 0): Promise<void> {
    const isRepeated = ({ topic, index }: Message): boolean => {
      const device = describedBy(topic);
      const last = device?.startsWith("pettracer_account_") ? "state" : "availability";
      const repeat = device === "bridge" ? "/bridge/info" : `/${device}/${last}`;
      return this.mqtt.messages.some((later) => later.index > index && later.topic.endsWith(repeat));
    };
    const isSettled = (): boolean =>
      this.mqtt.messages
        .slice(from)
        .filter(({ topic, payload, retain }) => topic.endsWith("/config") && payload !== "" && !retain)
        .every(isRepeated);
    await this.mqtt.waitUntil(isSettled, "the states behind the configs");
  }

  /** News of a device through the open stream. */
  push(id: number, news: Json): void {
    if (this.cloud.push(id, news) === 0) throw new Error(`no stream has asked for ${id}`);
  }

  /**
   * Returns when everything that was pushed before has been published, if anything is to be. For houses with a
   * beacon. Twice, since what is published of one change follows in the order states, descriptions.
   */
  async fence(base?: string): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      this.#beacon += 1;
      const [posLat, from] = [10 + this.#beacon / 1_000, this.mqtt.mark];
      this.push(BEACON.id, { lastPos: { posLat, posLong: 10, timeMeasure: time(this.#beacon) } });
      await this.mqtt.waitForJson(topicsOf("pettracer_99", base).position, { latitude: posLat }, { from });
    }
  }

  async logged(pattern: RegExp, ms?: number): Promise<string> {
    return await until(() => pattern.exec(this.log)?.[0], `a log line like ${pattern}`, ms);
  }

  /** Ends the daemon as a signal would. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.stop.abort();
    const startedAt = performance.now();
    await running.daemon.ended;
    const ms = performance.now() - startedAt;
    if (ms > 5_000) this.#problems.push(`the daemon took ${Math.round(ms)} ms to end`);
  }

  async reload(changes: Changes): Promise<void> {
    await this.daemon.reload(this.config(changes));
  }

  /** Ends the broker, and all that it retained with it. */
  async closeBroker(): Promise<void> {
    await this.broker.close();
  }

  /** Another broker, empty, on the same port; the recorder is there before the daemon. */
  async replaceBroker(options: BrokerOptions = {}): Promise<void> {
    this.broker = await startBroker({ ...options, port: this.broker.port, fallback: false });
    await until(() => this.mqtt.connected, "the recorder is back");
  }

  async close(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.mqtt.end();
      await this.broker.close();
      await this.cloud.close();
      rmSync(this.dataDir, { recursive: true, force: true });
      open.delete(this);
    }
    this.#look();
    if (this.#problems.length > 0) throw new Error(`the house is not in order:\n${this.#problems.join("\n")}`);
  }

  #look(): void {
    const { base_topic: base = "pawline", discovery } = this.#options.mqtt ?? {};
    const prefix = discovery?.prefix ?? "homeassistant";
    this.#problems.push(...complaints(this.mqtt.messages, { base, prefix }));
    const defect = /.*this is a defect.*/.exec(this.log)?.[0];
    if (defect !== undefined) this.#problems.push(defect);
    const published = this.mqtt.messages.map(({ payload }) => payload).join("\n");
    for (const secret of this.#secrets()) {
      if (this.log.includes(secret)) this.#problems.push(`a secret stands in the log: ${secret.slice(0, 4)}…`);
      if (published.includes(secret)) this.#problems.push(`a secret was published: ${secret.slice(0, 4)}…`);
    }
  }

  #secrets(): string[] {
    const tokens = this.cloud.calls.map(({ headers }) => headers.authorization?.replace("Bearer ", ""));
    const passwords = this.cloud.calls.map(({ body }) => (body as { password?: string } | undefined)?.password);
    return [...new Set([...tokens, ...passwords])].filter((secret) => secret !== undefined);
  }
}

/** The device that a discovery topic, of either kind, is about. */
export function describedBy(topic: string): string | undefined {
  const [, device, entity] = /([^/]+)\/([^/]+)\/config$/.exec(topic) ?? [];
  return device === "device" ? entity : device;
}

function asksOf({ frames }: Cloud["sessions"][number]): number {
  return frames.filter(({ command }) => command === "SEND").length;
}

function isAnswered({ status }: Cloud["calls"][number]): boolean {
  return status === 200;
}

/** The calls of one path that the cloud got, from the `from`th call on. */
export function callsOf(cloud: Cloud, path: string, from = 0) {
  return cloud.calls.slice(from).filter((call) => call.path === path);
}

export interface Component extends Json {
  readonly platform: string;
}

/** A discovery message, taken apart. */
export function configOf(text: string | undefined): {
  readonly device: Json;
  readonly components: Readonly<Record<string, Component>>;
} & Json {
  if (text === undefined) throw new Error("there is no discovery message");
  return json(text) as ReturnType<typeof configOf>;
}
