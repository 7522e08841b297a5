/** Cloud, broker, relays, world, observer and daemon: all that chaos falls upon. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { type Mosquitto, startMosquitto } from "../e2e/support/mosquitto.ts";
import type { AtEnd } from "../support/temp.ts";
import { createDaemon, type LastingDaemon } from "./daemon.ts";
import { type Observer, startObserver } from "./observer.ts";
import { type RoughRelay, startRoughRelay } from "./rough-relay.ts";
import { createWorld, HOMES, type World } from "./world.ts";

export interface Site {
  readonly cloud: Cloud;
  readonly broker: Mosquitto;
  readonly relays: { readonly stream: RoughRelay; readonly portal: RoughRelay; readonly broker: RoughRelay };
  readonly world: World;
  readonly observer: Observer;
  readonly daemon: LastingDaemon;
  readonly dataDir: string;
  /** @param variant another number is another configuration that says the same */
  readonly configuration: (variant: number) => object;
}

export async function buildSite(seed: number, folder: string, atEnd: AtEnd): Promise<Site> {
  const cloud = await startCloud({ positionsKept: 1_000_000, searchMinutes: 15 });
  atEnd(() => cloud.close());
  const world = createWorld(cloud, seed);
  atEnd(() => world.end());
  const broker = await startMosquitto({ persistence: true });
  atEnd(() => broker.kill());
  const relays = {
    stream: await startRoughRelay(cloud.port),
    portal: await startRoughRelay(cloud.port),
    broker: await startRoughRelay(broker.port),
  };
  for (const relay of Object.values(relays)) atEnd(() => relay.end());
  const observer = await startObserver(broker.url);
  atEnd(() => observer.end());
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  const configuration = (variant: number): object => ({
    pettracer: HOMES.map(({ login, password }, index) => ({
      username: login,
      password,
      portal_url: `http://127.0.0.1:${relays.portal.port}/api`,
      stream_url: `ws://127.0.0.1:${relays.stream.port}/sc`,
      // A reload with another value replaces one of the sources, the next one the other.
      refresh: (variant + index) % HOMES.length === 0 ? "15m" : "16m",
      live_minutes: 1,
      find_minutes: 1,
    })),
    mqtt: { url: `mqtt://127.0.0.1:${relays.broker.port}` },
    home: { flap_time: "0s" },
    log: { level: variant % 3 === 2 ? "trace" : "debug", format: "json" },
    data_dir: dataDir,
  });
  const daemon = createDaemon(folder, configuration(0), atEnd);
  return { cloud, broker, relays, world, observer, daemon, dataDir, configuration };
}
