/**
 * Rules for what happened to a collar, told on `<base>/<device>/event`:
 *
 * 1. Doubled: no two messages of a collar are the same, and no change is told that starts from what was not told last.
 *    One exception: where the broker itself ended in the same moment in which it passed the message on, it cannot have
 *    confirmed it, nor kept the note of it; then nobody can know that it was told.
 * 2. Invented: what is told was true at the cloud, and in this order.
 *    One exception: news carry no time of their own. Where the stream or REST is held up and the other one is faster, what
 *    comes late is told once more, and taken back at once: there and back within two seconds, near such a fault.
 * 3. Missing: the last thing told is what is true in the end. So of changes that nobody saw, because the stream, the cloud
 *    or the daemon was away, at least the difference counts, and it counts once.
 * 4. Collapsed without need: a change is told by itself if the daemon saw it: a stream was open that had asked for the
 *    collar and stayed open for four seconds, it had also brought the change before, and no fault of the stream, the cloud
 *    or the daemon was near. Faults of the broker and of REST are no excuse.
 *    A full collar that nobody saw being taken off the charger and put back is still a full one: its flag comes and goes.
 * 5. Its time is that of the change as far as the daemon can know it: within seconds where it saw the change; `came_home` has
 *    the cloud's `homeSince`; and never later than the message.
 */
import { parseCloudTime } from "../../../src/demo/time.ts";
import type { CollarHistory, Heard, Moment, Trouble } from "../records.ts";
import { MODE_NAMES } from "./states.ts";

export interface EventVerdict {
  readonly failures: readonly string[];
  readonly told: number;
  /** Changes that had to be told by themselves. */
  readonly seen: number;
}

interface Told {
  readonly type: string;
  readonly at: number;
  readonly heardAt: number;
  readonly payload: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Something that changes, and how its changes are told. */
interface Chain {
  readonly name: string;
  readonly value: (moment: Moment) => string;
  /** What an event says that is true now; undefined for those that tell of something else. */
  readonly read: (told: Told) => string | undefined;
  /** Whether nobody can know how it is in the end. */
  readonly isHidden?: (moments: readonly Moment[], isSeen: (moment: Moment) => boolean) => boolean;
}

const LIVE = 11;
const CHAINS: readonly Chain[] = [
  {
    name: "home",
    value: ({ record }) => (record.home === true ? "home" : "away"),
    read: ({ type }) => (type === "came_home" ? "home" : type === "left_home" ? "away" : undefined),
  },
  {
    name: "mode",
    value: ({ record }) => MODE_NAMES[Number(record.modeSet)] ?? "?",
    read: ({ type, fields }) => (type === "mode_changed" ? String(fields.mode) : undefined),
  },
  {
    name: "live",
    value: ({ record }) => (record.mode === LIVE ? "live" : "not live"),
    read: ({ type }) => (type === "live_started" ? "live" : type === "live_ended" ? "not live" : undefined),
  },
  {
    name: "charging",
    value: ({ record }) => (record.chg === 1 && record.flags === 0 ? "charging" : "not charging"),
    read: ({ type }) =>
      type === "charging_started" ? "charging" : type === "charging_finished" ? "not charging" : undefined,
    isHidden: isPutBackUnseen,
  },
];

/** Clocks are the same here; what is left is the way from the cloud to the daemon. */
const SEEN_WITHIN_MS = 5_000;
const NEAR_MS = 4_000;
/** What a command changes is noted a moment later. */
const NOTED_MS = 1_000;
const LATE_MS = 2_000;
const MOMENT_MS = 500;
const BLINDING: ReadonlySet<string> = new Set(["stream link", "stream speed", "cloud", "daemon"]);
const EXPECTED_TYPES: ReadonlySet<string> = new Set([
  "came_home",
  "left_home",
  "mode_changed",
  "live_started",
  "live_ended",
  "charging_started",
  "charging_finished",
  "battery_low",
  "command_failed",
]);

export function judgeEvents(
  heard: readonly Heard[],
  histories: Iterable<CollarHistory>,
  troubles: readonly Trouble[],
): EventVerdict {
  const failures: string[] = [];
  let [toldCount, seenCount] = [0, 0];
  for (const history of histories) {
    const told = withoutUnknowable(toldOf(heard, history.id), troubles);
    const say = (text: string): void => void failures.push(`collar ${history.id}: ${text}`);
    toldCount += told.length;
    judgeTypes(told, say);
    for (const chain of CHAINS) seenCount += judgeChain(chain, told, history, troubles, say);
    seenCount += judgeLowBattery(told, history, troubles, say);
    judgeHomeTimes(told, history, say);
  }
  return { failures, told: toldCount, seen: seenCount };
}

function toldOf(heard: readonly Heard[], id: number): Told[] {
  return heard
    .filter(({ topic, isRetained }) => topic === `pawline/pettracer_${id}/event` && !isRetained)
    .map(({ payload, at: heardAt }) => {
      const fields: Record<string, unknown> = JSON.parse(payload);
      return { type: String(fields.event_type), at: Date.parse(String(fields.at)), heardAt, payload, fields };
    });
}

/** Without the second telling of what was told the first time in the moment in which the broker ended. */
function withoutUnknowable(told: readonly Told[], troubles: readonly Trouble[]): Told[] {
  const isEnd = ({ fault: { lane, kind }, fromAt }: Trouble, at: number): boolean =>
    lane === "broker" && kind !== "stop" && Math.abs(at - fromAt) <= MOMENT_MS;
  return told.filter((one, index) => {
    const first = told.slice(0, index).find(({ payload }) => payload === one.payload);
    return first === undefined || !troubles.some((trouble) => isEnd(trouble, first.heardAt));
  });
}

type Say = (text: string) => void;

function judgeTypes(told: readonly Told[], say: Say): void {
  const before = new Set<string>();
  for (const { type, payload, at, heardAt } of told) {
    if (before.has(payload)) say(`doubled: ${payload}`);
    before.add(payload);
    if (!EXPECTED_TYPES.has(type)) say(`invented: ${payload}`);
    if (!(at <= heardAt + 1_000)) say(`told before its time: ${payload}`);
  }
}

/** @returns how many changes had to be told by themselves */
function judgeChain(
  chain: Chain,
  told: readonly Told[],
  { moments }: CollarHistory,
  troubles: readonly Trouble[],
  say: Say,
): number {
  const changes = changesOf(chain, moments);
  const own = told.filter((one) => chain.read(one) !== undefined);
  judgeOrder(chain, own, changes, troubles, say);
  judgeEnd(chain, own, moments, troubles, say);
  let seen = 0;
  for (const [index, change] of changes.entries()) {
    const before = changes[index - 1];
    if (before === undefined || !areSeen(moments, before, change, troubles)) continue;
    seen += 1;
    const isTold = own.some((one) => chain.read(one) === chain.value(change) && isAbout(one.at, change.at));
    if (!isTold) say(`missing: ${chain.name} became ${chain.value(change)} at ${new Date(change.at).toISOString()}`);
  }
  return seen;
}

/** The first is how it was before everything. */
function changesOf(chain: Chain, moments: readonly Moment[]): Moment[] {
  return moments.filter((moment, index) => {
    const before = moments[index - 1];
    return before === undefined || chain.value(before) !== chain.value(moment);
  });
}

function judgeOrder(
  chain: Chain,
  own: readonly Told[],
  changes: readonly Moment[],
  troubles: readonly Trouble[],
  say: Say,
): void {
  let [last, from] = [changes[0] && chain.value(changes[0]), 1];
  for (let index = 0; index < own.length; index += 1) {
    const [one, next] = [own[index], own[index + 1]];
    if (one === undefined) return;
    const value = chain.read(one);
    if (value === last || (one.fields.previous ?? last) !== last) {
      say(`doubled, or after one that is missing: ${one.payload}`);
    }
    const found = changes.findIndex((change, place) => place >= from && chain.value(change) === value);
    const isTrue = found >= 0 && (changes[found]?.at ?? 0) <= one.heardAt + NOTED_MS;
    if (!isTrue && next && chain.read(next) === last && isLateNews(one, next, troubles)) {
      index += 1;
      continue;
    }
    if (isTrue) from = found + 1;
    else say(`never true, or told too often: ${one.payload}`);
    last = value;
  }
}

/** There and back at once, where something was held up. */
function isLateNews(one: Told, next: Told, troubles: readonly Trouble[]): boolean {
  const isHeldUp = ({ fault: { lane, kind }, fromAt, untilAt }: Trouble): boolean =>
    (lane.endsWith("speed") || kind === "freeze" || kind === "stop") &&
    !lane.startsWith("broker") &&
    fromAt < one.at &&
    one.at < untilAt + NEAR_MS;
  return next.at - one.at < LATE_MS && troubles.some(isHeldUp);
}

function judgeEnd(
  chain: Chain,
  own: readonly Told[],
  moments: readonly Moment[],
  troubles: readonly Trouble[],
  say: Say,
): void {
  const [first, end, lastTold] = [moments[0], moments.at(-1), own.at(-1)];
  if (first === undefined || end === undefined || chain.isHidden?.(moments, (one) => isSeen(one, troubles))) return;
  const told = lastTold ? chain.read(lastTold) : chain.value(first);
  if (told !== chain.value(end)) say(`missing: in the end it is ${chain.value(end)}, and ${told} was told last`);
}

/** Low below the collar's own threshold; told again only after it was charged, or has risen well above it. */
function judgeLowBattery(
  told: readonly Told[],
  { moments }: CollarHistory,
  troubles: readonly Trouble[],
  say: Say,
): number {
  const isLow = ({ record }: Moment): boolean => Number(record.bat) < Number(record.accuWarn);
  const isWell = ({ record }: Moment): boolean =>
    record.chg === 1 || Number(record.bat) >= Number(record.accuWarn) + 50;
  const own = told.filter(({ type }) => type === "battery_low");
  let from = 0;
  for (const { payload } of own) {
    const well = moments.findIndex((moment, index) => index >= from && isWell(moment) && !isLow(moment));
    const low = well < 0 ? -1 : moments.findIndex((moment, index) => index > well && isLow(moment));
    if (low < 0) say(`never true, or told too often: ${payload}`);
    else from = low;
  }
  const falls = moments.filter((moment, index) => {
    const before = moments[index - 1];
    const wasWell = before !== undefined && isWell(before) && !isLow(before);
    return wasWell && isLow(moment) && isSeen(moment, troubles) && (index === 1 || isSeen(before, troubles));
  });
  for (const { at } of falls) {
    if (!own.some((one) => isAbout(one.at, at))) say(`missing: the battery was low at ${new Date(at).toISOString()}`);
  }
  return falls.length;
}

function judgeHomeTimes(told: readonly Told[], { moments }: CollarHistory, say: Say): void {
  const times = new Set(moments.map(({ record }) => parseCloudTime(record.homeSince)));
  for (const { type, at, payload } of told) {
    if (type === "came_home" && !times.has(at)) say(`came home at another time: ${payload}`);
  }
}

/** Off the charger, on it again, and not full since. */
function isPutBackUnseen(moments: readonly Moment[], isSeenThen: (moment: Moment) => boolean): boolean {
  const offAt = moments.findLastIndex(({ record }) => record.chg === 0);
  const hasBeenFull = moments.slice(0, offAt + 1).some(({ record }) => record.chg === 1 && record.flags !== 0);
  return moments.at(-1)?.record.chg === 1 && hasBeenFull && !moments.slice(offAt, offAt + 2).every(isSeenThen);
}

/** Whether the daemon saw both changes, and all that was in between; the first moment is the one that it began with. */
function areSeen(moments: readonly Moment[], before: Moment, change: Moment, troubles: readonly Trouble[]): boolean {
  const between = moments.slice(Math.max(1, moments.indexOf(before)), moments.indexOf(change) + 1);
  return between.every((moment) => isSeen(moment, troubles));
}

function isSeen({ at, isStreamed }: Moment, troubles: readonly Trouble[]): boolean {
  const isNear = ({ fault, fromAt, untilAt }: Trouble): boolean =>
    BLINDING.has(fault.lane) && fromAt - NEAR_MS < at && at < untilAt + NEAR_MS;
  return isStreamed && !troubles.some(isNear);
}

function isAbout(toldAt: number, at: number): boolean {
  return Math.abs(toldAt - at) <= SEEN_WITHIN_MS;
}
