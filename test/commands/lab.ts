/** All that a command of the command line meets: a simulated cloud, a broker, a configuration, a folder of its own. */
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { type Broker, type BrokerOptions, startBroker } from "../../src/demo/broker.ts";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { type Cli, type CliResult, startCli } from "../support/cli.ts";
import { type AtEnd, temporaryFolder } from "../support/temp.ts";

export const OWNER = { login: "cat@example.com", password: "tuna-and-salmon", id: 15979, name: "Alex" };
export const STATION = 10775;
export const [OREO, MISO] = [14758, 14759];

interface LabOptions {
  readonly owner?: typeof OWNER;
  readonly broker?: BrokerOptions;
}

type Section = Readonly<Record<string, unknown>>;

interface Changes {
  readonly pettracer?: Section | readonly Section[];
  readonly mqtt?: Section;
  readonly [section: string]: unknown;
}

export interface Lab {
  readonly cloud: Cloud;
  readonly broker: Broker;
  readonly folder: string;
  readonly atEnd: AtEnd;
  /** The account's section of the configuration. */
  readonly account: Section;
  /** Writes the configuration; what is given is laid over the usual one, section by section. Returns its path. */
  configure(changes?: Changes): string;
  /** Writes this text in the configuration's place. */
  spoil(text: string): void;
  /** Starts `pawline ARGS --config …`. */
  start(...args: readonly string[]): Cli;
  /** The same, with this script in the process before the program: for what has to happen at a certain moment. */
  startWith(script: string, ...args: readonly string[]): Cli;
  /** Runs it to its end; within 20 s unless told. */
  run(args: readonly string[], ms?: number): Promise<CliResult>;
}

function isList(value: Changes["pettracer"]): value is readonly Section[] {
  return Array.isArray(value);
}

/** Opens a lab that closes when the test ends: two collars and a home station, and the configuration for them. */
export async function openLab(atEnd: AtEnd, { owner = OWNER, broker: brokerOptions }: LabOptions = {}): Promise<Lab> {
  const folder = temporaryFolder(atEnd);
  const cloud = await startCloud();
  atEnd(() => cloud.close());
  const broker = await startBroker(brokerOptions);
  atEnd(() => broker.close());
  cloud.addAccount(owner);
  cloud.addHomeStation(owner.login, { id: STATION, posLat: 51.5, posLong: -0.12 });
  for (const [id, name] of [[OREO, "Oreo"] as const, [MISO, "Miso"] as const]) {
    cloud.addCollar(owner.login, { id, details: { name }, lastPos: { posLat: 51.501, posLong: -0.121 } });
  }
  const { portalUrl: portal_url, streamUrl: stream_url } = cloud;
  const account = { username: owner.login, password: owner.password, portal_url, stream_url };
  const configure = ({ pettracer, mqtt, ...others }: Changes = {}): string =>
    folder.write(
      "pawline.yaml",
      stringify({
        pettracer: isList(pettracer) ? pettracer : { ...account, ...pettracer },
        mqtt: { url: broker.url, ...mqtt },
        data_dir: `${folder.path}/data`,
        ...others,
      }),
    );
  const file = configure();
  const start = (...args: readonly string[]): Cli => startCli([...args, "--config", file], { cwd: folder.path, atEnd });
  const startWith = (script: string, ...args: readonly string[]): Cli => {
    const before = pathToFileURL(folder.write("before.mjs", script));
    const env = { NODE_OPTIONS: `--import=${before.href}` };
    return startCli([...args, "--config", file], { cwd: folder.path, atEnd, env });
  };
  return {
    cloud,
    broker,
    folder: folder.path,
    atEnd,
    account,
    configure,
    spoil: (text) => void folder.write("pawline.yaml", text),
    start,
    startWith,
    run: (args, ms = 20_000) => start(...args).ended(ms),
  };
}

/** How often the account was logged in to, or tried to be. */
export function logins(cloud: Cloud): number {
  return cloud.calls.filter(({ path }) => path === "/user/login").length;
}

/** Resolves when a client has opened its stream and named its devices. */
export async function listening(cloud: Cloud, ms = 10_000): Promise<void> {
  await cloud.waitFor(() => cloud.sessions.some(({ deviceIds }) => deviceIds.size > 0), ms);
}
