/**
 * The live API under load: a thousand WebSocket clients with mixed filters, while a thousand collars each report once a
 * second; some of the clients stop reading. The daemon is a process of its own; the cloud and all clients share another.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Cloud, startCloud } from "../../src/demo/cloud.ts";
import { type Child, cpuSeconds, type Memory, memoryOf, start } from "./child.ts";
import { connectClients, type LiveClient, lateClients } from "./live-clients.ts";
import { addLiveHerd, type LiveHerd } from "./live-herd.ts";
import { quantile } from "./statistics.ts";

export interface LivePlan {
  readonly clients: number;
  readonly collars: number;
  /** How long the collars report, ms; those that stop reading are put out after 15 s. */
  readonly loadMs: number;
}

export interface LiveResult {
  readonly clients: number;
  /** Messages that all clients together were sent, a second. */
  readonly messagesPerSecond: number;
  /** From the cloud to a client that hears of each message at once. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly samples: number;
  /** Clients that did not end with what is true: of positions, and of events. */
  readonly late: number;
  readonly withoutEvents: number;
  readonly events: number;
  /** Those that had stopped reading, and how they ended. */
  readonly stoppedCodes: readonly (number | undefined)[];
  /** Those of the others that were closed. */
  readonly lost: number;
  readonly cpuCores: number;
  /** Of the daemon: with its collars, and with its clients as well at the end of the load. */
  readonly settled: Memory | null;
  readonly loaded: Memory | null;
}

export const FULL_LIVE: LivePlan = { clients: 1_000, collars: 1_000, loadMs: 20_000 };

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const PATIENCE_MS = 60_000;
const WARMUP_MS = 4_000;
export async function measureLive({ clients: count, collars, loadMs }: LivePlan): Promise<LiveResult> {
  const folder = mkdtempSync(join(tmpdir(), "pawline-live-"));
  const cloud = await startCloud({ positionsKept: 10 });
  const herd = addLiveHerd(cloud, collars);
  const port = await freePort();
  const child = startDaemon(folder, port, cloud, herd);
  try {
    await Promise.race([isFollowing(cloud, herd, port), child.ended]);
    return await load({ herd, port, child, count, loadMs });
  } finally {
    await child.stop();
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly herd: LiveHerd;
  readonly port: number;
  readonly child: Child;
  readonly count: number;
  readonly loadMs: number;
}

async function load({ herd, port, child, count, loadMs }: Site): Promise<LiveResult> {
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  const settled = memoryOf(child.pid);
  const clients = await connectClients(`ws://127.0.0.1:${port}/api/ws`, count, herd.ids, (id, nth) => {
    const at = sentAt.get(`${id}/${nth}`);
    if (at !== undefined) delays.push(performance.now() - at);
  });
  // A program that has just started is slow.
  setTimeout(() => delays.splice(0), WARMUP_MS);
  const before = { cpu: cpuSeconds(child.pid), at: performance.now(), messages: messagesOf(clients) };
  await herd.report(loadMs, (id, nth) => sentAt.set(`${id}/${nth}`, performance.now()));
  const seconds = (performance.now() - before.at) / 1_000;
  const cpuCores = (cpuSeconds(child.pid) - before.cpu) / seconds;
  const messagesPerSecond = (messagesOf(clients) - before.messages) / seconds;
  await soon(() => lateClients(clients, (id) => herd.lastOf(id)) === 0);
  const events = await eventsAt(port);
  const lacks = ({ kind, events: told }: LiveClient): boolean => kind === "events" && told.length < events.length;
  await soon(() => !clients.some(lacks));
  const loaded = memoryOf(child.pid);
  const stopped = clients.filter(({ kind }) => kind === "stopped");
  for (const client of stopped) client.ws.resume();
  await soon(() => stopped.every(({ closeCode }) => closeCode !== undefined));
  const result = {
    clients: clients.length,
    messagesPerSecond,
    medianMs: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    samples: delays.length,
    late: lateClients(clients, (id) => herd.lastOf(id)),
    withoutEvents: clients.filter((one) => one.kind === "events" && String(one.events) !== String(events)).length,
    events: events.length,
    stoppedCodes: stopped.map(({ closeCode }) => closeCode),
    lost: clients.filter(({ kind, closeCode }) => kind !== "stopped" && closeCode !== undefined).length,
    cpuCores,
    settled,
    loaded,
  };
  for (const { ws } of clients) ws.terminate();
  return result;
}

function messagesOf(clients: readonly LiveClient[]): number {
  return clients.reduce((sum, { messages }) => sum + messages, 0);
}

async function eventsAt(port: number): Promise<number[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/events?limit=500`);
  const { events } = (await answer.json()) as { events: { sequence: number }[] };
  return events.map(({ sequence }) => sequence);
}

function startDaemon(
  folder: string,
  port: number,
  { portalUrl, streamUrl }: Cloud,
  { owner: { login, password } }: LiveHerd,
): Child {
  const file = join(folder, "pawline.yaml");
  const pettracer = { username: login, password, portal_url: portalUrl, stream_url: streamUrl };
  writeFileSync(file, JSON.stringify({ pettracer, live: { port }, data_dir: folder }));
  return start(process.execPath, [MAIN, "run", "--config", file]);
}

async function isFollowing(cloud: Cloud, { owner: { login }, ids }: LiveHerd, port: number): Promise<void> {
  const isOpen = (): boolean =>
    cloud.sessions.some((session) => session.login === login && session.deviceIds.size === ids.length);
  await cloud.waitFor(isOpen, PATIENCE_MS);
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    return answer?.ok === true;
  };
  while (!(await isReady())) await sleep(50);
}

/** Returns when it is so, or after a while: the result tells. */
async function soon(is: () => boolean): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !is() && performance.now() < end; ) await sleep(50);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function liveTable(result: LiveResult): string {
  const { clients, messagesPerSecond, medianMs, p99Ms, samples, late, withoutEvents, stoppedCodes, lost } = result;
  const closed = stoppedCodes.filter((code) => code === 1013).length;
  const megabytes = (memory: Memory | null): string => memory?.rssMb.toFixed(0) ?? "n/a";
  return [
    `The live API: ${clients} clients with mixed filters, while each collar reports once a second`,
    `  latency, cloud to client: median ${medianMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms (${samples} samples)`,
    `  messages to clients: ${messagesPerSecond.toFixed(0)} a second, on ${result.cpuCores.toFixed(2)} cores`,
    `  memory: ${megabytes(result.settled)} MB without clients, ${megabytes(result.loaded)} MB with them, at most ` +
      `${result.loaded?.peakMb.toFixed(0) ?? "n/a"} MB`,
    `  clients that do not hold the last state: ${late}; that miss one of ${result.events} events: ${withoutEvents}; lost: ${lost}`,
    `  stopped reading: ${stoppedCodes.length}, put out with 1013: ${closed}`,
    "",
  ].join("\n");
}
