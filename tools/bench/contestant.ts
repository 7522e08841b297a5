/** The two that are compared, each a process of its own that follows a herd of its own. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cloud } from "../../src/demo/cloud.ts";
import { type Child, start } from "./child.ts";
import type { FloorOptions } from "./floor.ts";
import type { Herd } from "./herd.ts";

/** Where all of it runs. */
export interface Site {
  readonly cloud: Cloud;
  readonly brokerUrl: string;
  readonly brokerPid: number;
  /** For files that nobody needs afterwards. */
  readonly folder: string;
}

/** A value of each. */
export interface Pair<T> {
  readonly pawline: T;
  readonly floor: T;
}

export interface Contestant {
  readonly child: Child;
  readonly herd: Herd;
  /** First part of its topics. */
  readonly base: string;
}

const STREAM_MS = 120_000;
const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const FLOOR = fileURLToPath(new URL("floor.ts", import.meta.url));

/** First part of the topics of whoever follows this herd. */
export function baseOf(name: keyof Pair<unknown>, herd: Herd): string {
  return `${name}-${herd.name}`;
}

/** The daemon as users start it, with options for Node before it. */
export function startPawline(site: Site, herd: Herd, nodeOptions: readonly string[] = []): Contestant {
  const base = baseOf("pawline", herd);
  const folder = join(site.folder, base);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "pawline.yaml");
  writeFileSync(file, JSON.stringify(configuration(site, herd, base, folder)));
  return { child: start(process.execPath, [...nodeOptions, MAIN, "run", "--config", file]), herd, base };
}

function configuration({ cloud, brokerUrl }: Site, { accounts }: Herd, base: string, folder: string): object {
  const { portalUrl: portal_url, streamUrl: stream_url } = cloud;
  return {
    pettracer: accounts.map(({ login, password }) => ({ username: login, password, portal_url, stream_url })),
    mqtt: { url: brokerUrl, base_topic: base, discovery: { prefix: discoveryPrefix(base) } },
    data_dir: folder,
  };
}

/** Of its own, so that no daemon reads what another one has left. */
export function discoveryPrefix(base: string): string {
  return `${base}-discovery`;
}

export function startFloor({ cloud, brokerUrl }: Site, herd: Herd): Contestant {
  const { portalUrl, streamUrl } = cloud;
  const base = baseOf("floor", herd);
  const accounts = herd.accounts.map(({ login, password }) => ({ login, password }));
  const options: FloorOptions = { portalUrl, streamUrl, accounts, brokerUrl, base };
  const script = ["--input-type=module", "--eval", floorScript(), JSON.stringify(options)];
  return { child: start(process.execPath, script), herd, base };
}

/** As JavaScript: Node's own reader of TypeScript would weigh as much as all the rest of the floor. */
function floorScript(): string {
  // It warns that it is new.
  process.removeAllListeners("warning");
  return stripTypeScriptTypes(readFileSync(FLOOR, "utf8"));
}

/** Resolves when its streams have asked for all of its collars; rejects when it has ended before. */
export async function isFollowing({ cloud }: Site, { herd, child }: Contestant): Promise<void> {
  const sizes = new Map(herd.accounts.map(({ login, ids }) => [login, ids.length]));
  const isOpen = (): boolean =>
    cloud.sessions.filter(({ login, deviceIds }) => sizes.get(login) === deviceIds.size).length === sizes.size;
  await Promise.race([cloud.waitFor(isOpen, STREAM_MS), child.ended]);
}
