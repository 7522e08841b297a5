/** A house without MQTT: a simulated cloud, a Home Assistant, and daemons that publish as mobile apps. */
import { writeFileSync } from "node:fs";
import { type Cloud, startCloud } from "../../../src/demo/cloud.ts";
import { artifact } from "./artifacts.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { type HomeAssistant, startHomeAssistant } from "./home-assistant.ts";
import type { RegistryEntity } from "./home-assistant-registry.ts";
import { OWNER } from "./house.ts";

const START_MS = 60_000;

export interface MobileConfig {
  readonly home_assistant?: object;
  readonly pettracer?: object;
  readonly entities?: object;
}

export interface ConfigEntry {
  readonly entry_id: string;
  readonly domain: string;
  readonly title: string;
  readonly state: string;
  readonly disabled_by: string | null;
}

export class MobileHouse {
  readonly cloud: Cloud;
  readonly home: HomeAssistant;
  readonly #name: string;
  #daemon: Daemon | undefined;
  #output = "";

  constructor(name: string, cloud: Cloud, home: HomeAssistant) {
    this.#name = name;
    this.cloud = cloud;
    this.home = home;
  }

  get daemon(): Daemon {
    if (!this.#daemon) throw new Error("The daemon was not started");
    return this.#daemon;
  }

  /** The administrator's token, if no other is named; with what an earlier daemon has kept. */
  start(config: MobileConfig = {}): void {
    const folder = this.#daemon?.folder;
    this.#daemon = startDaemon({ config: this.#configuration(config), ...(folder !== undefined && { folder }) });
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    this.#output += this.daemon.output();
  }

  /** Ends when all pets are published again, and listen. */
  async restart(config: MobileConfig = {}): Promise<void> {
    await this.stop();
    this.start(config);
    await this.settled();
  }

  async settled(from = 0): Promise<void> {
    await this.daemon.waitForOutput(/\d pets? (?:is|are) in Home Assistant now/, START_MS, from);
  }

  async entries(domain: string): Promise<ConfigEntry[]> {
    return await this.home.api.call({ type: "config_entries/get", domain });
  }

  /** Of the mobile app of this name. */
  async entry(title: string): Promise<ConfigEntry> {
    const found = (await this.entries("mobile_app")).filter((one) => one.title === title);
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} entries are called ${title}`);
    return found[0];
  }

  async entities(entryId: string): Promise<RegistryEntity[]> {
    const all = await this.home.entityRegistry();
    return all.filter((one) => (one as RegistryEntity & { config_entry_id: string }).config_entry_id === entryId);
  }

  /** Through the page's own request. */
  async removeEntry(entryId: string): Promise<void> {
    const headers = { Authorization: `Bearer ${this.home.adminToken}` };
    await fetch(`${this.home.url}/api/config/config_entries/entry/${entryId}`, { method: "DELETE", headers });
  }

  async close(): Promise<void> {
    await this.#daemon?.stop();
    writeFileSync(artifact(`${this.#name}-home-assistant.log`), this.home.log());
    writeFileSync(artifact(`${this.#name}-daemon.log`), this.#output + (this.#daemon?.output() ?? ""));
    await this.home.stop();
    await this.cloud.close();
  }

  #configuration({ pettracer, home_assistant, ...others }: MobileConfig): object {
    const { login, password } = OWNER;
    const { portalUrl, streamUrl } = this.cloud;
    const account = { username: login, password, portal_url: portalUrl, stream_url: streamUrl };
    return {
      pettracer: { ...account, ...pettracer },
      home_assistant: { url: this.home.url, token: this.home.adminToken, ...home_assistant },
      ...others,
    };
  }
}

export async function openMobileHouse(name: string): Promise<MobileHouse> {
  const cloud = await startCloud();
  cloud.addAccount(OWNER);
  return new MobileHouse(name, cloud, await startHomeAssistant());
}
