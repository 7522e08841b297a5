/**
 * How long a fix takes from the cloud to a subscriber, while there is little to do: the case of a household. The two
 * take turns, so that whatever else the machine does meets both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Contestant, isFollowing, type Pair, type Site, startFloor, startPawline } from "./contestant.ts";
import { addHerd, readArrival } from "./herd.ts";
import { quantile } from "./statistics.ts";
import { subscribe } from "./subscriber.ts";

export interface Latency {
  readonly samples: number;
  /** Messages that had not arrived a second after the last one was sent. */
  readonly lost: number;
  readonly leastMs: number;
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

export interface LatencyPlan {
  readonly samples: number;
  /** Sent before, and not counted: a program that has just started is slow. */
  readonly warmup: number;
}

export const LATENCY_COLLARS = 20;
export const LATENCY_INTERVAL_MS = 5;
/** Messages in a turn. */
const TURN = 100;
const LAST_MS = 1_000;
/** The daemon says everything once more soon after a start; this waits until that is over. */
const CALM_MS = 3_000;

export async function measureLatency(
  site: Site,
  { samples, warmup }: LatencyPlan,
  nodeOptions: readonly string[] = [],
): Promise<Pair<Latency>> {
  const pawline = startPawline(site, addHerd(site.cloud, "latency-a", LATENCY_COLLARS), nodeOptions);
  const floor = startFloor(site, addHerd(site.cloud, "latency-b", LATENCY_COLLARS));
  await Promise.all([isFollowing(site, pawline), isFollowing(site, floor)]);
  await sleep(CALM_MS);
  const watches = { pawline: await createWatch(site, pawline), floor: await createWatch(site, floor) };
  for (let sent = -warmup; sent < samples; sent += TURN) {
    if (sent === 0) for (const watch of Object.values(watches)) watch.forget();
    await watches.pawline.turn();
    await watches.floor.turn();
  }
  await sleep(LAST_MS);
  const result = { pawline: watches.pawline.result(), floor: watches.floor.result() };
  await Promise.all(Object.values(watches).map((watch) => watch.end()));
  return result;
}

interface Watch {
  /** Sends a turn's messages, one after the other. */
  turn(): Promise<void>;
  /** Forgets what was measured so far. */
  forget(): void;
  result(): Latency;
  end(): Promise<void>;
}

async function createWatch({ brokerUrl }: Site, { child, herd, base }: Contestant): Promise<Watch> {
  /** When each message was sent that has not arrived yet. */
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  const subscriber = await subscribe(brokerUrl, [`${base}/+/position`], (topic, payload, at) => {
    const { id, nth } = readArrival(topic, payload);
    const from = sentAt.get(`${id}/${nth}`);
    if (from !== undefined) delays.push(at - from);
    sentAt.delete(`${id}/${nth}`);
  });
  return {
    async turn() {
      for (let index = 0; index < TURN; index += 1) {
        const id = herd.ids[index % herd.ids.length] ?? 0;
        const from = performance.now();
        sentAt.set(`${id}/${herd.push(id)}`, from);
        await sleep(LATENCY_INTERVAL_MS);
      }
    },
    forget() {
      delays.length = 0;
      sentAt.clear();
    },
    result: () => ({
      samples: delays.length,
      lost: sentAt.size,
      leastMs: quantile(delays, 0),
      medianMs: quantile(delays, 0.5),
      p90Ms: quantile(delays, 0.9),
      p99Ms: quantile(delays, 0.99),
    }),
    end: async () => {
      await Promise.all([subscriber.end(), child.stop()]);
    },
  };
}
