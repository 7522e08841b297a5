/**
 * A real Home Assistant for a test: started in a folder of its own, onboarded, with tokens and, if a broker is named,
 * the MQTT integration. Its `hass` command comes from the environment variable HASS; everything else from here.
 */
import { randomUUID } from "node:crypto";
import { connectApi, type HomeAssistantApi } from "./home-assistant-api.ts";
import { brokerHeard } from "./home-assistant-broker.ts";
import { seedFolder } from "./home-assistant-folder.ts";
import { complaintsIn } from "./home-assistant-log.ts";
import { addMqtt, type MqttBroker, onboard, type Tokens } from "./home-assistant-onboarding.ts";
import type { RegistryDevice, RegistryEntity, RegistryEntityDetail } from "./home-assistant-registry.ts";
import { type EntityState, LiveStates } from "./home-assistant-states.ts";
import { freePort } from "./network.ts";
import { StartedProcess, temporaryFolder } from "./processes.ts";
import { eventually } from "./waiting.ts";

export interface HomeAssistantOptions {
  readonly mqtt?: MqttBroker;
  /** YAML with sections to add to the configuration. */
  readonly config?: string;
}

interface CoreConfig {
  readonly state: string;
  readonly recovery_mode: boolean;
}

const START_MS = 150_000;
/** Home Assistant gathers such changes for 30 s before it sets up an integration again. */
const ENABLE_MS = 60_000;
const MARKER_LOGGER = "pawline.tests";

/** The recorder, at the first start after a `kill()`. */
const afterKill = [
  "[homeassistant.components.recorder.util] The system could not validate that the sqlite3 database",
  "[homeassistant.components.recorder.util] Ended unfinished session",
];

async function whenRunning(api: HomeAssistantApi): Promise<CoreConfig | undefined> {
  const core = await api.call<CoreConfig>({ type: "get_config" });
  return core.state === "RUNNING" ? core : undefined;
}

/** From its registry, Home Assistant shows an entity before its integration has set it up. */
function isSetUp({ attributes }: EntityState): boolean {
  return attributes.restored !== true;
}

function launch(folder: string): StartedProcess {
  const command = process.env.HASS;
  if (!command) throw new Error("Set the environment variable HASS to the hass command of a Home Assistant");
  return new StartedProcess(command, ["--config", folder]);
}

/** An early end is told at once, with the log, instead of a time-out later. */
async function whileRunning<T>(hass: StartedProcess, work: Promise<T>): Promise<T> {
  const end = hass.ended.then((code) => {
    throw new Error(`Home Assistant ended with ${code}`);
  });
  try {
    return await Promise.race([work, end]);
  } catch (cause) {
    await hass.kill();
    const reasons = complaintsIn(hass.output()).join("\n") || hass.lastLines();
    throw new Error(`Home Assistant did not start:\n${reasons}`, { cause });
  }
}

/** Takes about ten seconds; ends when Home Assistant is running, and connected to the broker if one is named. */
export async function startHomeAssistant(options: HomeAssistantOptions = {}): Promise<HomeAssistant> {
  const folder = temporaryFolder("home-assistant");
  const port = await freePort();
  seedFolder(folder, port, options.config);
  const hass = launch(folder);
  const tokens = await whileRunning(hass, onboard(`http://127.0.0.1:${port}`));
  const instance = new HomeAssistant(folder, port, tokens, hass, options.mqtt);
  await whileRunning(hass, instance.setUp());
  return instance;
}

export class HomeAssistant {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  readonly adminToken: string;
  readonly userToken: string;
  readonly #states = new LiveStates();
  readonly #broker: MqttBroker | undefined;
  #process: StartedProcess;
  #api: HomeAssistantApi | undefined;
  #earlierLog = "";
  #wasKilled = false;

  constructor(folder: string, port: number, tokens: Tokens, hass: StartedProcess, broker: MqttBroker | undefined) {
    this.folder = folder;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.adminToken = tokens.adminToken;
    this.userToken = tokens.userToken;
    this.#process = hass;
    this.#broker = broker;
  }

  /** The administrator's connection; after a restart it is another one, without the old one's subscriptions. */
  get api(): HomeAssistantApi {
    if (!this.#api) throw new Error("Home Assistant is not running");
    return this.#api;
  }

  /** Belongs to the first start. */
  async setUp(): Promise<void> {
    await this.#connect();
    if (!this.#broker) return;
    await addMqtt(this.url, this.adminToken, this.#broker);
    await this.waitForBroker(START_MS);
  }

  /** Until messages of the broker reach Home Assistant; it tries again 10 s after it has lost its connection. */
  async waitForBroker(ms: number): Promise<void> {
    if (!this.#broker) throw new Error("Home Assistant was started without a broker");
    await brokerHeard(this.api, this.#broker, ms);
  }

  /** After a `stop()` or `kill()`; ends when Home Assistant is running, which says nothing of its broker. */
  async start(): Promise<void> {
    this.#earlierLog = this.log();
    this.#process = launch(this.folder);
    await whileRunning(this.#process, this.#connect());
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    this.#wasKilled = true;
    await this.#end("SIGKILL");
  }

  /** Connections stay open and nothing is answered. */
  freeze(): void {
    this.#process.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process.signal("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** All that it has written, over all its starts. */
  log(): string {
    return this.#earlierLog + this.#process.output();
  }

  /**
   * The warnings and errors (with their tracebacks) in the log since `from`, a `log().length` taken earlier; without
   * those that Home Assistant has about this machine.
   */
  async logComplaints(from = 0): Promise<string[]> {
    await this.#catchUpWithLog();
    return complaintsIn(this.log().slice(from), [`[${MARKER_LOGGER}]`, ...(this.#wasKilled ? afterKill : [])]);
  }

  /** What the state machine holds, by entity id. */
  async states(): Promise<Map<string, EntityState>> {
    const all = await this.api.call<EntityState[]>({ type: "get_states" });
    return new Map(all.map((state) => [state.entity_id, state]));
  }

  /** The first state, of now or later, that is `expected` or fulfils it. */
  async waitForState(
    entityId: string,
    expected: string | ((state: EntityState) => boolean),
    ms: number,
  ): Promise<EntityState> {
    const accepts = typeof expected === "string" ? ({ state }: EntityState) => state === expected : expected;
    return await this.#states.wait(entityId, ms, (state) => (state && accepts(state) ? state : undefined));
  }

  async waitForRemoval(entityId: string, ms: number): Promise<void> {
    await this.#states.wait(entityId, ms, (state) => (state ? undefined : true));
  }

  async deviceRegistry(): Promise<RegistryDevice[]> {
    return await this.api.call({ type: "config/device_registry/list" });
  }

  async entityRegistry(): Promise<RegistryEntity[]> {
    return await this.api.call({ type: "config/entity_registry/list" });
  }

  async registryEntity(entityId: string): Promise<RegistryEntityDetail> {
    return await this.api.call({ type: "config/entity_registry/get", entity_id: entityId });
  }

  /** Ends when each is set up. That takes half a minute, however many there are: enable them in one call. */
  async enableEntity(...entityIds: readonly string[]): Promise<void> {
    const enable = { type: "config/entity_registry/update", disabled_by: null };
    for (const entity_id of entityIds) await this.api.call({ ...enable, entity_id });
    await Promise.all(entityIds.map((id) => this.waitForState(id, isSetUp, ENABLE_MS)));
  }

  async callService(domain: string, service: string, data: object = {}, target: object = {}): Promise<unknown> {
    return await this.api.call({ type: "call_service", domain, service, service_data: data, target });
  }

  async #connect(): Promise<void> {
    const api = await eventually(START_MS, "A connection", () => connectApi(this.url, this.adminToken));
    const core = await eventually(START_MS, "Home Assistant's start", () => whenRunning(api));
    if (core.recovery_mode) throw new Error("Home Assistant is in recovery mode: it cannot read its configuration");
    await this.#states.follow(api);
    this.#api = api;
  }

  /** The log is written behind what happens; a line of our own, once it is there, says that the rest is. */
  async #catchUpWithLog(): Promise<void> {
    if (this.#process.hasEnded) return;
    const message = `The log up to here: ${randomUUID()}`;
    await this.callService("system_log", "write", { message, level: "warning", logger: MARKER_LOGGER });
    await this.#process.waitForOutput(new RegExp(message), 10_000);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.#process.stop(signal, 60_000);
    await this.#api?.close();
    this.#api = undefined;
  }
}
