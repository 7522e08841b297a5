/** From the start of the process to the first thing that Home Assistant hears. */
import {
  baseOf,
  type Contestant,
  discoveryPrefix,
  isFollowing,
  type Pair,
  type Site,
  startFloor,
  startPawline,
} from "./contestant.ts";
import { addHerd, type Herd } from "./herd.ts";
import { median } from "./statistics.ts";
import { subscribe } from "./subscriber.ts";

/** Milliseconds from the start of the process; medians of all runs. */
export interface Startup {
  readonly runs: number;
  /** The login reaches the cloud: all is loaded, and the configuration is read. */
  readonly loginMs: number;
  /** The first call for devices reaches the cloud: since the login it was the cloud that was waited for. */
  readonly devicesMs: number;
  /** The first discovery message (of the floor, which has none: the first position, asked for at once) is there. */
  readonly firstMessageMs: number;
  /** The bridge says `online`; NaN for the floor, which says nothing of itself. */
  readonly onlineMs: number;
}

export const FEW_COLLARS = 5;
const FIRST_MS = 20_000;

export async function measureStartup(site: Site, runs: number): Promise<Pair<Startup>> {
  const pawline: Run[] = [];
  const floor: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    pawline.push(await runOnce(site, addHerd(site.cloud, `startup-a${run}`, FEW_COLLARS), startPawline));
    floor.push(await runOnce(site, addHerd(site.cloud, `startup-b${run}`, FEW_COLLARS), startFloor));
  }
  return { pawline: summary(pawline), floor: summary(floor) };
}

interface Run {
  readonly loginMs: number;
  readonly devicesMs: number;
  readonly firstMessageMs: number;
  readonly onlineMs: number;
}

type Start = (site: Site, herd: Herd) => Contestant;

async function runOnce(site: Site, herd: Herd, start: Start): Promise<Run> {
  const [first, online] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const base = baseOf("pawline", herd);
  const isOnline = `${base}/bridge/state`;
  const filters = [`${discoveryPrefix(base)}/device/+/config`, `${baseOf("floor", herd)}/+/position`, isOnline];
  const subscriber = await subscribe(site.brokerUrl, filters, (topic, payload, at) => {
    if (topic !== isOnline) first.resolve(at);
    else if (payload === "online") online.resolve(at);
  });
  const timer = setTimeout(() => {
    for (const { resolve } of [first, online]) resolve(Number.NaN);
  }, FIRST_MS);
  const startedAt = performance.now();
  const contestant = start(site, herd);
  await isFollowing(site, contestant);
  if (start === startFloor) {
    herd.push(herd.ids[0] ?? 0);
    online.resolve(Number.NaN);
  }
  const [firstAt, onlineAt] = [await first.promise, await online.promise];
  clearTimeout(timer);
  await Promise.all([subscriber.end(), contestant.child.stop()]);
  return { ...askedAt(site, herd, startedAt), firstMessageMs: firstAt - startedAt, onlineMs: onlineAt - startedAt };
}

/** When the calls of this herd's account reached the cloud. */
function askedAt({ cloud }: Site, herd: Herd, startedAt: number): Pick<Run, "loginMs" | "devicesMs"> {
  const calls = cloud.calls.filter(({ login }) => login === herd.accounts[0]?.login);
  const since = (at = Number.NaN): number => at - performance.timeOrigin - startedAt;
  return {
    loginMs: since(calls.find(({ path }) => path === "/user/login")?.at),
    devicesMs: since(calls.find(({ path }) => path === "/map/getccs")?.at),
  };
}

function summary(runs: readonly Run[]): Startup {
  return {
    runs: runs.length,
    loginMs: median(runs.map(({ loginMs }) => loginMs)),
    devicesMs: median(runs.map(({ devicesMs }) => devicesMs)),
    firstMessageMs: median(runs.map(({ firstMessageMs }) => firstMessageMs)),
    onlineMs: median(runs.map(({ onlineMs }) => onlineMs)),
  };
}
