import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort, portAccepts } from "./network.ts";
import { StartedProcess, temporaryFolder } from "./processes.ts";

export interface MosquittoOptions {
  readonly port?: number;
  /** Whether retained messages survive a restart; by default they are lost. */
  readonly persistence?: boolean;
  readonly username?: string;
  readonly password?: string;
  /** `websockets` gives it a listener of that kind too, which `url` then names. */
  readonly protocol?: "mqtt" | "websockets";
}

const START_MS = 10_000;
// Distributions put daemons where a user's PATH does not look.
const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin` };

const PASSWORDS = "passwords";

async function passwordFile(folder: string, username: string, password: string): Promise<string> {
  const file = join(folder, PASSWORDS);
  writeFileSync(file, "", { mode: 0o600 });
  await writePassword(file, username, password);
  return file;
}

async function writePassword(file: string, username: string, password: string): Promise<void> {
  const tool = new StartedProcess("mosquitto_passwd", ["-b", file, username, password], { env });
  if ((await tool.ended) !== 0) throw new Error(`mosquitto_passwd failed:\n${tool.lastLines()}`);
}

async function accessLines(folder: string, { username, password = "" }: MosquittoOptions): Promise<string[]> {
  if (username === undefined) return ["allow_anonymous true"];
  return ["allow_anonymous false", `password_file ${await passwordFile(folder, username, password)}`];
}

interface Ports {
  /** Of plain MQTT. */
  readonly port: number;
  readonly websocketPort: number | undefined;
}

/** Not WebSockets alone: some versions of mosquitto do not start without a listener of the other kind. */
function listenerLines({ port, websocketPort }: Ports): string[] {
  const plain = [`listener ${port} 127.0.0.1`];
  return websocketPort === undefined ? plain : [...plain, `listener ${websocketPort} 127.0.0.1`, "protocol websockets"];
}

async function configuration(folder: string, ports: Ports, options: MosquittoOptions): Promise<string> {
  return [
    // Only heeded when the tests run as root: the broker then stays root, and may read its folder.
    "user root",
    ...listenerLines(ports),
    ...(await accessLines(folder, options)),
    `persistence ${options.persistence ?? false}`,
    `persistence_location ${folder}/`,
    "set_tcp_nodelay true",
    "",
  ].join("\n");
}

/** A broker on a port of its own, without TLS, on 127.0.0.1 only. */
export class Mosquitto {
  /** Of plain MQTT, in any case. */
  readonly port: number;
  readonly url: string;
  readonly #ports: readonly number[];
  readonly #configFile: string;
  #process: StartedProcess | undefined;
  #earlierLog = "";

  constructor({ port, websocketPort }: Ports, configFile: string) {
    this.port = port;
    this.url = websocketPort === undefined ? `mqtt://127.0.0.1:${port}` : `ws://127.0.0.1:${websocketPort}`;
    this.#ports = websocketPort === undefined ? [port] : [port, websocketPort];
    this.#configFile = configFile;
  }

  /** After a `stop()` or `kill()`: the same broker on the same port. */
  async start(): Promise<void> {
    const broker = new StartedProcess("mosquitto", ["-v", "-c", this.#configFile], { env });
    this.#process = broker;
    // Its own word first: on a port that is taken, somebody else would answer.
    await broker.waitForOutput(/ running$/m, START_MS);
    await Promise.all(this.#ports.map((port) => portAccepts(port, START_MS)));
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Connections stay open and nothing is answered, as on a network that swallows everything. */
  freeze(): void {
    this.#process?.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process?.signal("SIGCONT");
  }

  /**
   * Gives a user this password, or makes the user, in a broker that was started with a user. It throws out whoever is
   * connected with another one.
   */
  async setPassword(username: string, password: string): Promise<void> {
    await writePassword(join(dirname(this.#configFile), PASSWORDS), username, password);
    const from = this.log().length;
    this.#process?.signal("SIGHUP");
    await this.#process?.waitForOutput(/Reloading config/, START_MS, from - this.#earlierLog.length);
  }

  /** What it said since its first start; with `-v`, a line for each packet. */
  log(): string {
    return this.#earlierLog + (this.#process?.output() ?? "");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const broker = this.#process;
    if (!broker) return;
    await broker.stop(signal);
    this.#earlierLog = this.log();
    this.#process = undefined;
  }
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = temporaryFolder("mosquitto");
  const port = options.port ?? (await freePort());
  const ports = { port, websocketPort: options.protocol === "websockets" ? await freePort() : undefined };
  const configFile = join(folder, "mosquitto.conf");
  writeFileSync(configFile, await configuration(folder, ports, options));
  const broker = new Mosquitto(ports, configFile);
  await broker.start();
  return broker;
}
