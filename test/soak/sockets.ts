/**
 * The daemon as its users have it, on real sockets, with a clock that goes faster: streams break all the time, the
 * broker's connection now and then, and in between messages come as fast as they are taken.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import type { Fields } from "../../src/demo/json.ts";
import { cloudTime } from "../../src/demo/time.ts";
import { start } from "../../tools/bench/child.ts";
import { startMosquitto } from "../e2e/support/mosquitto.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { until } from "../support/until.ts";
import { type Sample, sample } from "./measure.ts";
import { header, row } from "./table.ts";

export interface SocketPlan {
  readonly minutes: number;
  /** How much faster the daemon's clock goes. */
  readonly speed: number;
  readonly sampleEveryS: number;
}

interface Row extends Sample {
  readonly minute: number;
  readonly messages: number;
  readonly reconnects: number;
}

const ACCOUNTS = 20;
const STARTS_MS = 60_000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const CLOCK = fileURLToPath(new URL("fast-clock.mjs", import.meta.url));
/** So many messages at once, for all collars, this far apart. */
const ROUND_MS = 25;
/** A stream lasts clearly longer than the daemon's healthy minute, also on a busy machine: the next one is not put off. */
const STREAM_LASTS_S = 120;
const BROKER_LASTS_S = 300;

export async function soakSockets(plan: SocketPlan, say: (line: string) => void): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "pawline-soak-"));
  const beatMs = 10_000 / plan.speed;
  const cloud = await startCloud({ positionsKept: 100, heartBeatMs: [beatMs, beatMs], sockjsHeartbeatMs: beatMs });
  const ids = addCollars(cloud);
  const broker = await startMosquitto();
  const brokerRelay = await startRelay(broker.port);
  const streams = await Promise.all(ids.map(() => startRelay(cloud.port)));
  const file = join(folder, "held");
  Object.assign(process.env, { SOAK_SPEED: String(plan.speed), SOAK_FILE: file });
  const config = configure(folder, cloud.portalUrl, streams, brokerRelay);
  const daemon = start(process.execPath, ["--expose-gc", "--import", CLOCK, MAIN, "run", "--config", config]);
  try {
    const isLive = (): boolean => cloud.sessions.filter(({ deviceIds }) => deviceIds.size > 0).length === ACCOUNTS;
    await until(isLive, "all streams", STARTS_MS);
    return await Promise.race([
      daemon.ended,
      load(plan, { cloud, brokerRelay, streams, ids, pid: daemon.pid, file }, say),
    ]);
  } finally {
    await daemon.stop();
    await Promise.all([...streams, brokerRelay].map((relay) => relay.close()));
    await broker.kill();
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly cloud: Cloud;
  readonly brokerRelay: Relay;
  /** One for each account. */
  readonly streams: readonly Relay[];
  readonly ids: readonly number[];
  readonly pid: number;
  readonly file: string;
}

function addCollars(cloud: Cloud): number[] {
  return Array.from({ length: ACCOUNTS }, (_, index) => {
    const login = loginOf(index);
    cloud.addAccount({ login, password: "soak", id: 15_000 + index, name: login });
    cloud.addHomeStation(login, { id: 10_000 + index });
    cloud.addCollar(login, { id: 14_000 + index, lastPos: {} });
    return 14_000 + index;
  });
}

function loginOf(index: number): string {
  return `cat${index}@example.com`;
}

function configure(folder: string, portalUrl: string, streams: readonly Relay[], broker: Relay): string {
  const pettracer = streams.map(({ port }, index) => ({
    username: loginOf(index),
    password: "soak",
    portal_url: portalUrl,
    stream_url: `ws://127.0.0.1:${port}/sc`,
  }));
  const mqtt = { url: `mqtt://127.0.0.1:${broker.port}` };
  const [log, track] = [{ level: "error" }, { retention: "1h" }];
  const file = join(folder, "pawline.yaml");
  writeFileSync(file, JSON.stringify({ pettracer, mqtt, log, track, data_dir: join(folder, "data") }));
  return file;
}

async function load(plan: SocketPlan, site: Site, say: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const startedMs = performance.now();
  const counts: Counts = { messages: 0, streams: 0, brokers: 0 };
  const elapsedS = (): number => (performance.now() - startedMs) / 1_000;
  say(header(["minute", "messages", "reconnects", "RSS MB", "heap MB", "ext. MB", "files", "threads", "resources"]));
  while (elapsedS() < plan.minutes * 60) {
    if (elapsedS() >= rows.length * plan.sampleEveryS) {
      const reconnects = counts.streams + counts.brokers;
      const held = await sample(site.pid, site.file);
      const one = { ...held, minute: elapsedS() / 60, messages: counts.messages, reconnects };
      rows.push(one);
      say(written(one));
    }
    disturb(site, plan, elapsedS(), counts);
    for (const id of site.ids) counts.messages += site.cloud.push(id, news(id, counts.messages));
    await pause(ROUND_MS);
  }
  return rows;
}

interface Counts {
  messages: number;
  streams: number;
  brokers: number;
}

/** One stream after the other, so that each lasts as long as it should. */
function disturb({ streams, brokerRelay }: Site, { speed }: SocketPlan, elapsedS: number, counts: Counts): void {
  const dueStreams = Math.floor((elapsedS * speed * streams.length) / STREAM_LASTS_S);
  for (; counts.streams < dueStreams; counts.streams += 1) streams[counts.streams % streams.length]?.cut();
  const dueBrokers = Math.floor((elapsedS * speed) / BROKER_LASTS_S);
  for (; counts.brokers < dueBrokers; counts.brokers += 1) brokerRelay.cut();
}

/** Each fix is another one; now and then the cat comes home or goes, and its battery changes. */
function news(id: number, count: number): Fields {
  const now = cloudTime();
  const step = count % 1_000;
  const lastPos = { posLat: 51 + step / 1e5, posLong: -1, acc: 5, sat: 8, timeMeasure: now, timeDb: now };
  const isTurn = count % 997 < ACCOUNTS;
  const home = isTurn && { home: count % 2 === 0, homeSince: count % 2 === 0 ? now : null, bat: 3_600 + (count % 500) };
  return { id, lastContact: now, lastTlgNr: count % 128, lastPos, ...home };
}

function written({ minute, messages, reconnects, rssMb, heapMb, externalMb, files, threads, resources }: Row): string {
  const held = Object.values(resources).reduce((sum, count) => sum + count, 0);
  return row([minute, messages, reconnects, rssMb, heapMb, externalMb, files, threads, held]);
}
