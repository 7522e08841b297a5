/**
 * A house as at a user's: the daemon as a process of its own, on a computer whose clock and names a test can change; a
 * real broker; a simulated cloud; and a stretch of network in front of each part of them, which a test can break.
 */
import { writeFileSync } from "node:fs";
import { expect } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../src/demo/cloud.ts";
import { type Daemon, startDaemon } from "../../e2e/support/daemon.ts";
import { type Mosquitto, type MosquittoOptions, startMosquitto } from "../../e2e/support/mosquitto.ts";
import { temporaryFolder } from "../../e2e/support/processes.ts";
import { BRIDGE_STATE, OREO, OWNER, oreo, stationAndOreo } from "../../support/house.ts";
import { json, type Recorder, startRecorder } from "../../support/recorder.ts";
import { type Identity, type Relay, startRelay } from "../../support/relay.ts";
import { until } from "../../support/until.ts";
import { type Computer, createComputer } from "./computer.ts";
import { createWatch, type Watch } from "./watch.ts";

export interface HouseholdOptions {
  readonly cloud?: CloudOptions;
  /** Whose certificate portal and stream show, and the authority that the daemon trusts, a file. */
  readonly tls?: { readonly identity: Identity; readonly authority: string };
  readonly broker?: MosquittoOptions;
  /** Whose certificate stands at the way to the broker; `mqtt.ca` is up to the configuration. */
  readonly brokerIdentity?: Identity;
  /** What the cloud has; default: a station and Oreo. */
  readonly furnish?: (cloud: Cloud) => void;
  /** The collar whose way shows that all is well; default Oreo's. */
  readonly collar?: number;
  /** Resolves when the collar is so far north, or farther, where its news go; default: at the broker, and online there. */
  readonly arrival?: (latitude: number, ms: number) => Promise<unknown>;
  /** Sections of the configuration, laid over what every test needs; false leaves the broker out. */
  readonly config?: {
    readonly pettracer?: object;
    readonly mqtt?: object | false;
    readonly [section: string]: unknown;
  };
}

/** What a user would call a long time for anything here, ms. */
const START_MS = 120_000;
const LOOK_MS = 100;

export const PORTAL_HOST = "portal.cloud.test";
export const STREAM_HOST = "stream.cloud.test";
export const BROKER_HOST = "broker.test";
export const HOME_HOST = "home-assistant.test";

let starting = Promise.resolve();

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
}

export class Household {
  readonly computer: Computer;
  readonly folder = temporaryFolder("reliability");
  #daemon: Daemon | undefined;
  /** What daemons that ran before have said. */
  #earlier = "";
  #proofs = 0;
  readonly #atEnd: (() => void)[] = [];
  readonly cloud: Cloud;
  readonly broker: Mosquitto;
  /** A client at the broker that hears everything, by a way of its own. */
  readonly mqtt: Recorder;
  /** The ways to the cloud's two halves, and to the broker. */
  readonly portal: Relay;
  readonly stream: Relay;
  readonly brokerLine: Relay;
  readonly options: HouseholdOptions;

  constructor(
    parts: Pick<Household, "cloud" | "broker" | "mqtt" | "portal" | "stream" | "brokerLine">,
    options: HouseholdOptions,
  ) {
    ({
      cloud: this.cloud,
      broker: this.broker,
      mqtt: this.mqtt,
      portal: this.portal,
      stream: this.stream,
      brokerLine: this.brokerLine,
    } = parts);
    this.options = options;
    this.computer = createComputer(this.folder);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error("the daemon was not started");
    return this.#daemon;
  }

  /** What is written to the daemon's configuration file. */
  get config(): object {
    const { pettracer, mqtt, ...others } = this.options.config ?? {};
    const safe = this.options.tls ? "s" : "";
    const account = {
      username: OWNER.login,
      password: OWNER.password,
      portal_url: `http${safe}://${PORTAL_HOST}:${this.portal.port}/api`,
      stream_url: `ws${safe}://${STREAM_HOST}:${this.stream.port}/sc`,
    };
    return {
      pettracer: { ...account, ...pettracer },
      ...(mqtt !== false && { mqtt: { url: this.#brokerUrl, ...mqtt } }),
      log: { level: "debug", format: "json" },
      ...others,
    };
  }

  /** How anybody gets into the broker. */
  get brokerLogin(): { readonly username?: string; readonly password?: string } {
    const { username, password = "" } = this.options.broker ?? {};
    return username === undefined ? {} : { username, password };
  }

  get #brokerUrl(): string {
    return `mqtt${this.options.brokerIdentity ? "s" : ""}://${BROKER_HOST}:${this.brokerLine.port}`;
  }

  /** Starts the daemon, on what an earlier one has left; waits for nothing. */
  launch(): void {
    const { tls } = this.options;
    const env = { ...this.computer.env, ...(tls && { NODE_EXTRA_CA_CERTS: tls.authority }) };
    this.#earlier += this.#daemon?.output() ?? "";
    this.#daemon = startDaemon({ config: this.config, folder: this.folder, env });
  }

  /** Puts other sections of the configuration in force while the daemon runs. */
  reconfigure(sections: object): void {
    this.daemon.configure({ ...this.config, ...sections });
    this.daemon.signal("SIGHUP");
  }

  /** Starts the daemon, and waits until news go all the way through. One after the other: a start takes all of a core. */
  async start(): Promise<void> {
    const started = starting.then(async () => {
      this.launch();
      await this.whole(START_MS);
    });
    starting = started.catch(() => {});
    await started;
  }

  /** News that the stream brings from now on have come to the broker, and the bridge is online there. */
  async whole(ms: number): Promise<void> {
    const { arrival } = this.options;
    if (arrival !== undefined) return await this.#arrived(arrival, ms);
    const first = this.#proofs + 1;
    let due = 0;
    const isThrough = (): boolean => {
      if (performance.now() >= due) {
        due = performance.now() + LOOK_MS;
        this.#prove();
      }
      const latest = this.mqtt.latest(oreo.position);
      const isNew = latest !== undefined && Number(json(latest).latitude) >= latitudeOf(first);
      return isNew && this.mqtt.latest(BRIDGE_STATE) === "online";
    };
    await until(isThrough, "news from the cloud at the broker", ms).catch((cause: unknown) => {
      throw new Error(`not whole; the daemon said:\n${this.daemon.output().slice(-4_000)}`, { cause });
    });
  }

  async #arrived(arrival: NonNullable<HouseholdOptions["arrival"]>, ms: number): Promise<void> {
    const proving = setInterval(() => this.#prove(), LOOK_MS);
    try {
      await arrival(latitudeOf(this.#proofs + 1), ms);
    } catch (cause) {
      throw new Error(`not whole; the daemon said:\n${this.daemon.output().slice(-4_000)}`, { cause });
    } finally {
      clearInterval(proving);
    }
  }

  /** A fix that the stream alone brings, and no listing. */
  #prove(): void {
    this.#proofs += 1;
    const lastPos = { posLat: latitudeOf(this.#proofs), posLong: -1, acc: 5, timeMeasure: new Date().toISOString() };
    const { collar: id = OREO.id } = this.options;
    this.cloud.pushRaw(id, JSON.stringify({ id, lastPos }));
  }

  /** What the daemon has logged so far, oldest first. */
  log(): readonly LogLine[] {
    const lines = (this.#earlier + this.daemon.output()).split("\n");
    return lines.flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as LogLine] : []));
  }

  /** Breaks something, and looks from this moment on. */
  async watch(breakIt: () => unknown): Promise<Watch> {
    return await createWatch(this, breakIt);
  }

  /** Is done when all of it has ended. */
  atEnd(action: () => void): void {
    this.#atEnd.push(action);
  }

  /** Ends all of it; a daemon that did not live through the test, or does not end as it should, is an error. */
  async close(logFile: string): Promise<void> {
    try {
      if (this.#daemon === undefined) return;
      writeFileSync(logFile, this.#earlier + this.#daemon.output());
      this.#daemon.signal("SIGCONT");
      expect(await this.#daemon.stop()).toBe(0);
      expect(this.#daemon.output()).not.toMatch(/defect/);
      expect(this.#daemon.output()).not.toContain(OWNER.password);
    } finally {
      this.computer.close();
      await this.mqtt.end();
      for (const relay of [this.portal, this.stream, this.brokerLine]) await relay.close();
      await this.broker.stop();
      await this.cloud.close();
      for (const action of this.#atEnd) action();
    }
  }
}

/** Of the n-th proof; each is farther north, and all of them than where the cat is at first. */
function latitudeOf(proof: number): number {
  return Number((52 + proof / 100_000).toFixed(5));
}

/** Without a daemon. */
export async function openHousehold(options: HouseholdOptions = {}): Promise<Household> {
  const [cloud, broker] = await Promise.all([startCloud(options.cloud), startMosquitto(options.broker)]);
  (options.furnish ?? stationAndOreo)(cloud);
  const { username, password = "" } = options.broker ?? {};
  const mqtt = await startRecorder(broker.url, username === undefined ? {} : { username, password });
  const portal = await startRelay(cloud.port, options.tls?.identity);
  const stream = await startRelay(cloud.port, options.tls?.identity);
  const brokerLine = await startRelay(broker.port, options.brokerIdentity);
  return new Household({ cloud, broker, mqtt, portal, stream, brokerLine }, options);
}
