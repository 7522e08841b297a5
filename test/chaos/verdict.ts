/** Puts the judge's rules together, over what a run has left behind. */

import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { openTrackReader } from "../../src/track/reader.ts";
import { runCli } from "../support/cli.ts";
import { memoryStream } from "../support/stream.ts";
import type { AtEnd } from "../support/temp.ts";
import { APP_HEADER } from "./app.ts";
import { judgeEvents } from "./judge/events.ts";
import { judgeLog } from "./judge/log.ts";
import { judgeOrders } from "./judge/orders.ts";
import { judgeStates, type TrueCollar } from "./judge/states.ts";
import { judgePositions, judgeTrack, readCsv } from "./judge/track.ts";
import type { GivenOrder, TakenCommand, Trouble } from "./records.ts";
import type { Site } from "./site.ts";
import { COLLAR_IDS, HOMES, homeOf } from "./world.ts";

/** What has been done to the site. */
export interface Deeds {
  readonly startedAt: number;
  readonly troubles: readonly Trouble[];
  readonly orders: readonly GivenOrder[];
}

export interface Verdict {
  readonly failures: readonly string[];
  /** What was looked at, in numbers. */
  readonly counts: Readonly<Record<string, number>>;
}

const HOUR_MS = 3_600_000;

/** What is still on its way; empty when all is as it should be in the end. */
export async function unsettled(site: Site, deeds: Deeds): Promise<string[]> {
  try {
    const states = judgeStates(await site.observer.retained(), collarsOf(site), accountIds());
    const { failures } = judgeEvents(site.observer.heard, site.world.histories.values(), deeds.troubles);
    return [...states, ...failures.filter((text) => text.includes("in the end")), ...(await gapsOf(site, deeds))];
  } catch (error) {
    return [String(error)];
  }
}

export async function judge(site: Site, deeds: Deeds, deafConfig: string, atEnd: AtEnd): Promise<Verdict> {
  const { observer, world, daemon } = site;
  const states = judgeStates(await observer.retained(), collarsOf(site), accountIds());
  const events = judgeEvents(observer.heard, world.histories.values(), deeds.troubles);
  const orders = judgeOrders(deeds.orders, takenBy(site), observer.heard, deeds.troubles);
  const tracks = await judgeTracks(site, deeds, deafConfig, atEnd);
  const fixes = [...world.histories.values()].reduce((sum, history) => sum + history.fixes.length, 0);
  return {
    failures: [
      ...states,
      ...events.failures,
      ...orders.failures,
      ...tracks,
      ...judgePositions(observer.heard),
      ...judgeLog(daemon.log, secretsOf(site)),
      ...daemon.misdeeds,
    ],
    counts: {
      fixes,
      "events told": events.told,
      "changes that had to be told by themselves": events.seen,
      "commands given": deeds.orders.length,
      "commands that had to come to an end": orders.heard,
    },
  };
}

function collarsOf({ cloud, world }: Site): TrueCollar[] {
  return COLLAR_IDS.flatMap((id) => {
    const history = world.histories.get(id);
    const { stationId, place } = homeOf(id);
    return history ? [{ record: cloud.collar(id), history, station: { id: stationId, ...place } }] : [];
  });
}

function accountIds(): number[] {
  return HOMES.map(({ accountId }) => accountId);
}

async function gapsOf({ dataDir }: Site, { startedAt }: Deeds): Promise<string[]> {
  const log = await createLog({ level: "error", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const reader = await openTrackReader(dataDir, log);
  if (reader === undefined) return ["there is no track"];
  const span = { fromAt: startedAt - 23 * HOUR_MS, toAt: Date.now() };
  const gaps = COLLAR_IDS.filter((id) => reader.gaps(`pettracer_${id}`, span).length > 0);
  reader.close();
  return gaps.map((id) => `the track of collar ${id} has gaps`);
}

/** By the command line, with a configuration by which no cloud can be reached. */
async function judgeTracks({ world }: Site, { startedAt }: Deeds, config: string, atEnd: AtEnd): Promise<string[]> {
  const failures: string[] = [];
  for (const history of world.histories.values()) {
    const minutes = Math.floor((Date.now() - startedAt + 23 * HOUR_MS) / 60_000);
    const args = ["track", String(history.id), "--from", `${minutes}m`, "--format", "csv", "--config", config];
    const { code, stdout, stderr } = await runCli(args, { cwd: "/", atEnd }, 60_000);
    if (code === 0) failures.push(...judgeTrack(history, readCsv(stdout)));
    else failures.push(`the track of collar ${history.id} cannot be had without the cloud: ${stderr}`);
  }
  return failures;
}

function takenBy({ cloud }: Site): TakenCommand[] {
  return cloud.calls.flatMap(({ path, status, headers, at, body }): TakenCommand[] => {
    if (status !== 200 || APP_HEADER in headers) return [];
    const [, name, number, value] = /^\/map\/setcc(mode|led|buz)(?:\/(\d+)\/(\d+))?$/.exec(path) ?? [];
    if (name === "mode") {
      const { devId, cmdNr } = body as { devId: number; cmdNr: number };
      return [{ id: devId, at, kind: "mode", value: cmdNr }];
    }
    const kind = name === "led" ? "light" : "buzzer";
    return name === undefined ? [] : [{ id: Number(number), at, kind, value: value === "1" }];
  });
}

function secretsOf({ cloud }: Site): string[] {
  const tokens = cloud.calls.map(({ headers }) => headers.authorization?.replace(/^Bearer */, "") ?? "");
  const passwords = HOMES.map(({ password }) => password);
  return [...new Set([...passwords, ...tokens])].filter((secret) => secret !== "");
}
