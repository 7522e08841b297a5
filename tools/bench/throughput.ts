/**
 * How many of the cloud's messages a contestant takes in a second, and what it costs, from one collar to far more than
 * anybody has. Messages go round the collars as fast as they are taken, a bounded number in flight. Pawline tells the latest state
 * rather than each one, so its positions may be fewer than the messages; each collar's last fix has to arrive.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, type Memory, memoryOf } from "./child.ts";
import { type Contestant, isFollowing, type Pair, type Site, startFloor, startPawline } from "./contestant.ts";
import { createFlight, type Flight } from "./flight.ts";
import { addHerd, type Herd, readArrival } from "./herd.ts";
import { sum } from "./statistics.ts";
import { subscribe } from "./subscriber.ts";

/** How much there is to follow. */
export interface Size {
  readonly collars: number;
  readonly accounts: number;
}

export interface Throughput {
  /** From the start of the process until its streams have asked for all collars. */
  readonly startSeconds: number;
  /** Of one core, while nothing happens; NaN where the system does not tell. */
  readonly idlePercent: number;
  /** Messages of the cloud. */
  readonly messages: number;
  /** Position messages that they became. */
  readonly positions: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** User and system time; NaN where the system does not tell. */
  readonly cpuSeconds: number;
  readonly cpuMsPerThousand: number;
  /** Cores kept busy by the cloud, the broker and the subscriber: where little is left, they are what limits the rate. */
  readonly otherCores: number;
  /** Collars whose last fix never arrived. */
  readonly lost: number;
  /** Memory before the load, settled after the start. */
  readonly settled: Memory | null;
  /** Memory at the end of the load. */
  readonly loaded: Memory | null;
}

export interface ThroughputPlan {
  /** How long nothing happens, to see what that costs. */
  readonly idleMs: number;
  readonly turns: number;
  readonly turnMs: number;
  /** Of load before, not counted: a program that has just started is slow. */
  readonly warmupMs: number;
  /** Options for the daemon's Node, such as those of the profiler. */
  readonly nodeOptions: readonly string[];
}

/** Messages in flight: two of each collar, but neither so few that one waits for the other, nor more than a burst. */
const [LEAST_WINDOW, LARGEST_WINDOW] = [200, 2_000];
/** Messages that are sent before others may have their turn. */
const BURST = 50;
const LAST_MS = 15_000;
/** The daemon tells each state once more soon after it has described the device. */
const CALM_MS = 5_000;
/** It is calm when it takes less than this of a core for a second; a large herd takes its time. */
const [CALM_PERCENT, CALM_AT_LAST_MS] = [8, 60_000];

export async function measureThroughput(
  site: Site,
  { collars, accounts }: Size,
  plan: ThroughputPlan,
): Promise<Pair<Throughput>> {
  const name = `load-${collars}`;
  const pawline = startPawline(site, addHerd(site.cloud, `${name}-a`, collars, accounts), plan.nodeOptions);
  const pawlineStart = await secondsOf(isFollowing(site, pawline));
  await calm(pawline);
  const floor = startFloor(site, addHerd(site.cloud, `${name}-b`, collars, accounts));
  const floorStart = await secondsOf(isFollowing(site, floor));
  await calm(floor);
  const idle = await idlePercents([pawline, floor], plan.idleMs);
  const loads = {
    pawline: await createLoad(site, pawline, { startSeconds: pawlineStart, idlePercent: idle[0] ?? Number.NaN }),
    floor: await createLoad(site, floor, { startSeconds: floorStart, idlePercent: idle[1] ?? Number.NaN }),
  };
  for (const load of Object.values(loads)) await load.pour(plan.warmupMs);
  for (const load of Object.values(loads)) load.forget();
  for (let turn = 0; turn < plan.turns; turn += 1) {
    await loads.pawline.pour(plan.turnMs);
    await loads.floor.pour(plan.turnMs);
  }
  const result = { pawline: loads.pawline.result(), floor: loads.floor.result() };
  await Promise.all(Object.values(loads).map((load) => load.end()));
  return result;
}

async function secondsOf(work: Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return (performance.now() - startedAt) / 1_000;
}

/** Resolves when it takes hardly anything any more, a minute later at the latest. */
export async function calm(contestant: Contestant): Promise<void> {
  await sleep(CALM_MS);
  for (const untilAt = performance.now() + CALM_AT_LAST_MS; performance.now() < untilAt; ) {
    const [percent = 0] = await idlePercents([contestant], 1_000);
    if (!(percent > CALM_PERCENT)) return;
  }
}

/** What they take of a core while nothing happens; all at the same time. */
export async function idlePercents(contestants: readonly Contestant[], ms: number): Promise<number[]> {
  const before = contestants.map(({ child }) => cpuSeconds(child.pid));
  const startedAt = performance.now();
  await sleep(ms);
  const seconds = (performance.now() - startedAt) / 1_000;
  return contestants.map(({ child }, index) => (100 * (cpuSeconds(child.pid) - (before[index] ?? 0))) / seconds);
}

/** What counts up while messages are poured. */
interface Meter {
  readonly messages: number;
  readonly positions: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly otherCpuSeconds: number;
}

type Turn = Meter & { readonly lost: number };

interface Load {
  /** Sends for so long, ms, and waits until each collar's last fix has arrived. */
  pour(ms: number): Promise<void>;
  forget(): void;
  result(): Throughput;
  end(): Promise<void>;
}

type Before = Pick<Throughput, "startSeconds" | "idlePercent">;

async function createLoad(site: Site, contestant: Contestant, already: Before): Promise<Load> {
  const { child, herd, base } = contestant;
  const settled = memoryOf(child.pid);
  const flight = createFlight();
  const turns: Turn[] = [];
  const subscriber = await subscribe(site.brokerUrl, [`${base}/+/position`], (topic, payload) => {
    const { id, nth } = readArrival(topic, payload);
    flight.arrived(id, nth);
  });
  return {
    async pour(ms) {
      const before = readMeter(site, contestant, flight);
      await sendFor(ms, herd, flight);
      await flight.below(1, performance.now() + LAST_MS);
      turns.push({ ...difference(readMeter(site, contestant, flight), before), lost: flight.late() });
    },
    forget: () => turns.splice(0),
    result: () => ({ ...already, ...totalOf(turns), settled, loaded: memoryOf(child.pid) }),
    end: async () => {
      await Promise.all([subscriber.end(), child.stop()]);
    },
  };
}

/** One message after the other, round the collars, as long as no more than the window are on their way. */
async function sendFor(ms: number, { ids, push }: Herd, flight: Flight): Promise<void> {
  const most = Math.min(Math.max(2 * ids.length, LEAST_WINDOW), LARGEST_WINDOW);
  for (const untilAt = performance.now() + ms; performance.now() < untilAt; await nextTurn()) {
    for (let burst = 0; burst < BURST; burst += 1) {
      const id = ids[flight.sentInAll() % ids.length] ?? 0;
      flight.sent(id, push(id));
    }
    if (flight.size() >= most) await flight.below(most / 2, untilAt + LAST_MS);
  }
}

function readMeter({ brokerPid }: Site, { child }: Contestant, flight: Flight): Meter {
  return {
    messages: flight.sentInAll(),
    positions: flight.arrivedInAll(),
    seconds: performance.now() / 1000,
    cpuSeconds: cpuSeconds(child.pid),
    otherCpuSeconds: cpuSeconds(process.pid) + cpuSeconds(brokerPid),
  };
}

function difference(after: Meter, before: Meter): Meter {
  return {
    messages: after.messages - before.messages,
    positions: after.positions - before.positions,
    seconds: after.seconds - before.seconds,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    otherCpuSeconds: after.otherCpuSeconds - before.otherCpuSeconds,
  };
}

function totalOf(turns: readonly Turn[]): Omit<Throughput, keyof Before | "settled" | "loaded"> {
  const total = (key: keyof Turn): number => sum(turns.map((turn) => turn[key]));
  const [messages, seconds] = [total("messages"), total("seconds")];
  return {
    messages,
    positions: total("positions"),
    seconds,
    messagesPerSecond: messages / seconds,
    cpuSeconds: total("cpuSeconds"),
    cpuMsPerThousand: (total("cpuSeconds") * 1e6) / messages,
    otherCores: total("otherCpuSeconds") / seconds,
    lost: total("lost"),
  };
}
