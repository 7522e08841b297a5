/** One run: the schedule falls upon the site; then all faults are lifted, and it is waited until it is quiet. */
import { setTimeout as pause } from "node:timers/promises";
import type { AtEnd } from "../support/temp.ts";
import { disturb } from "./disturb.ts";
import type { GivenOrder, Trouble } from "./records.ts";
import type { Fault, Lane, Order, Schedule } from "./schedule.ts";
import { buildSite, type Site } from "./site.ts";
import { judge, unsettled, type Verdict } from "./verdict.ts";
import { COLLAR_IDS } from "./world.ts";

const POLL_EVERY_MS = 300;
const BEAT_EVERY_MS = 20_000;
const STARTS_MS = 60_000;
/**
 * The daemon spares the cloud: after many logins, and after many breaks of the stream, it waits for some minutes. That
 * is what this has to be longer than.
 */
const QUIET_MS = 720_000;
const LOOK_EVERY_MS = 3_000;
const SHOWN = 8;
/** After a broker came back, what happened is held for 20 s: a thing that is told twice is told the second time then. */
const AFTERMATH_MS = 25_000;

/** @param say tells how far it is */
export async function runChaos(
  schedule: Schedule,
  folder: string,
  deafConfig: (dataDir: string) => string,
  say: (text: string) => void,
  atEnd: AtEnd,
): Promise<Verdict & { readonly log: string }> {
  const site = await buildSite(schedule.seed, folder, atEnd);
  const startedAt = Date.now();
  site.daemon.start();
  const timers = [
    setInterval(() => site.world.poll(), POLL_EVERY_MS),
    setInterval(() => site.world.beat(), BEAT_EVERY_MS),
  ];
  atEnd(() => {
    for (const timer of timers) clearInterval(timer);
  });
  await untilOnline(site);
  const troubles: Trouble[] = [];
  const orders: GivenOrder[] = [];
  const deeds = { startedAt, troubles, orders };
  const complaints = await perform(schedule, site, troubles, orders, say);
  say("all faults are lifted; waiting until it is quiet");
  const rest = await quiet(site, deeds, say);
  const { failures, counts } = await judge(site, deeds, deafConfig(site.dataDir), atEnd);
  const all = [...complaints, ...rest.map((text) => `not quiet: ${text}`), ...failures];
  return { failures: [...new Set(all)], counts: { faults: troubles.length, ...counts }, log: site.daemon.log };
}

async function untilOnline({ observer }: Site): Promise<void> {
  const deadline = performance.now() + STARTS_MS;
  while (observer.onlineSinceAt === undefined) {
    if (performance.now() > deadline) throw new Error("the daemon did not come online");
    await pause(50);
  }
}

interface Deed {
  readonly atMs: number;
  readonly act: () => void;
}

/** @returns what could not be done */
async function perform(
  schedule: Schedule,
  site: Site,
  troubles: Trouble[],
  orders: GivenOrder[],
  say: (text: string) => void,
): Promise<string[]> {
  const complaints: string[] = [];
  const complain = (error: unknown): void => void complaints.push(`the test itself failed: ${String(error)}`);
  const lanes = new Map<Lane, Promise<void>>();
  const inLane = (lane: Lane, act: () => Promise<void>): void => {
    lanes.set(lane, (lanes.get(lane) ?? Promise.resolve()).then(act).catch(complain));
  };
  const deeds: Deed[] = [
    ...schedule.steps.map((step) => ({ atMs: step.atMs, act: () => void site.world.perform(step).catch(complain) })),
    ...schedule.orders.map((order) => ({ atMs: order.atMs, act: () => void orders.push(give(site, order)) })),
    ...schedule.faults.flatMap((fault) => faultDeeds(fault, site, troubles, inLane, say)),
  ];
  const startedAt = performance.now();
  for (const { atMs, act } of deeds.toSorted((a, b) => a.atMs - b.atMs)) {
    const waitMs = atMs - (performance.now() - startedAt);
    if (waitMs > 0) await pause(waitMs);
    act();
  }
  await Promise.all(lanes.values());
  return complaints;
}

function give({ observer }: Site, order: Order): GivenOrder {
  const id = COLLAR_IDS[order.collar] ?? 0;
  const given = { order, id, at: Date.now(), onlineSinceAt: observer.onlineSinceAt };
  observer.publish(`pawline/pettracer_${id}/${order.control}/set`, order.payload);
  return given;
}

function faultDeeds(
  fault: Fault,
  site: Site,
  troubles: Trouble[],
  inLane: (lane: Lane, act: () => Promise<void>) => void,
  say: (text: string) => void,
): Deed[] {
  const trouble: Trouble = { fault, fromAt: 0, untilAt: Number.POSITIVE_INFINITY };
  let mend: () => Promise<void> | void = () => {};
  const begin = async (): Promise<void> => {
    troubles.push(Object.assign(trouble, { fromAt: Date.now() }));
    say(`${fault.lane}: ${fault.kind} for ${((fault.untilMs - fault.atMs) / 1_000).toFixed(1)} s`);
    mend = await disturb(site, fault);
  };
  const end = async (): Promise<void> => {
    await mend();
    trouble.untilAt = Date.now();
  };
  return [
    { atMs: fault.atMs, act: () => inLane(fault.lane, begin) },
    { atMs: fault.untilMs, act: () => inLane(fault.lane, end) },
  ];
}

/** @returns what did not come right in time */
async function quiet(
  site: Site,
  deeds: Parameters<typeof unsettled>[1],
  say: (text: string) => void,
): Promise<readonly string[]> {
  const deadline = performance.now() + QUIET_MS;
  for (let told = ""; ; ) {
    const rest = await unsettled(site, deeds);
    const text = `${rest.length} to come, such as:\n${rest.slice(0, SHOWN).join("\n")}`;
    if (rest.length > 0 && text !== told) say(text);
    told = text;
    if (rest.length === 0 || performance.now() > deadline) {
      await pause(AFTERMATH_MS);
      return rest;
    }
    await pause(LOOK_EVERY_MS);
  }
}
