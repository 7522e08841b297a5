/** A house with everything in it: a simulated cloud, a broker, a Home Assistant, and a daemon between them. */
import { writeFileSync } from "node:fs";
import { type Cloud, startCloud } from "../../../src/demo/cloud.ts";
import { artifact } from "./artifacts.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { type HomeAssistant, startHomeAssistant } from "./home-assistant.ts";
import type { RegistryDevice } from "./home-assistant-registry.ts";
import { type Mosquitto, startMosquitto } from "./mosquitto.ts";

export const OWNER = { login: "owner@cats.example", password: "a secret for this test", id: 15979, name: "Owner" };

/** Where Home Assistant is, and the home station. */
export const HOME = { latitude: 51.5, longitude: -0.12 };

/** The sections of the configuration, laid over what every test needs. */
export interface HouseConfig {
  readonly pettracer?: object;
  /** False for none: then the way has to be `home_assistant`. */
  readonly mqtt?: object | false;
  readonly home_assistant?: object;
  readonly home?: object;
  readonly entities?: object;
}

export class House {
  readonly cloud: Cloud;
  readonly broker: Mosquitto;
  readonly home: HomeAssistant;
  readonly #name: string;
  #daemon: Daemon | undefined;

  constructor(name: string, cloud: Cloud, broker: Mosquitto, home: HomeAssistant) {
    this.#name = name;
    this.cloud = cloud;
    this.broker = broker;
    this.home = home;
  }

  get daemon(): Daemon {
    if (!this.#daemon) throw new Error("The daemon was not started");
    return this.#daemon;
  }

  /** Where it was started before, it finds what it has stored. */
  start(config: HouseConfig = {}): void {
    const folder = this.#daemon?.folder;
    this.#daemon = startDaemon({ config: this.#configuration(config), ...(folder !== undefined && { folder }) });
  }

  /** Makes the daemon read another configuration. */
  reconfigure(config: HouseConfig): void {
    this.daemon.configure(this.#configuration(config));
    this.daemon.signal("SIGHUP");
  }

  /** By the first of its identifiers. */
  async devices(): Promise<Map<string, RegistryDevice>> {
    const all = await this.home.deviceRegistry();
    return new Map(all.map((device) => [device.identifiers[0]?.[1] ?? "", device]));
  }

  async close(): Promise<void> {
    writeFileSync(artifact(`${this.#name}-broker.log`), this.broker.log());
    writeFileSync(artifact(`${this.#name}-home-assistant.log`), this.home.log());
    if (this.#daemon) writeFileSync(artifact(`${this.#name}-daemon.log`), this.#daemon.output());
    await this.#daemon?.stop();
    await this.home.stop();
    await this.broker.stop();
    await this.cloud.close();
  }

  #configuration({ pettracer, mqtt, ...others }: HouseConfig): object {
    const { login, password } = OWNER;
    const { portalUrl, streamUrl } = this.cloud;
    const account = { username: login, password, portal_url: portalUrl, stream_url: streamUrl };
    const broker = mqtt === false ? {} : { mqtt: { url: this.broker.url, ...mqtt } };
    return { pettracer: { ...account, ...pettracer }, ...broker, ...others };
  }
}

/**
 * Without a daemon; `name` is that of the logs that it leaves behind.
 * @param hasMqtt whether Home Assistant knows the broker
 */
export async function openHouse(name: string, hasMqtt = true): Promise<House> {
  const [cloud, broker] = await Promise.all([startCloud(), startMosquitto()]);
  cloud.addAccount(OWNER);
  const home = await startHomeAssistant(hasMqtt ? { mqtt: { host: "127.0.0.1", port: broker.port } } : {});
  return new House(name, cloud, broker, home);
}

/** A fix so many metres north of the house. */
export function fixAt(northM: number): object {
  const time = new Date().toISOString();
  const place = { posLat: HOME.latitude + northM / 111_195, posLong: HOME.longitude };
  return { ...place, acc: 10, sat: 9, timeMeasure: time, timeDb: time };
}
