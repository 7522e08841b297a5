/**
 * Folds events into what is known of one device. Pure: the same entry and event give the same result, and an event
 * that says nothing new gives back the very same object, so that nothing is published for it.
 */

import { isSubscriptionOver } from "../model/account.ts";
import type { Command, Pending } from "../model/command.ts";
import type {
  Account,
  Collar,
  CollarReport,
  DatedFix,
  HomeStation,
  Listed,
  StationLink,
  StationReport,
} from "../model/device.ts";
import type { AccountReported } from "../model/event.ts";
import { LIVE_MODE, pollMs } from "../model/mode.ts";
import { batteryPercent, shownPercent } from "./battery.ts";
import { contactLoss, homeChange, settle } from "./collar.ts";
import { laterContact, shownContact } from "./contact.ts";
import { newerFix } from "./fix.ts";
import { Draft, merge } from "./merge.ts";

/** What the user decides about how events are read. */
export interface Rules {
  /** Fixes worse than this do not move a cat that has a position, metres. */
  readonly maxAccuracyM: number;
  /** A cat that comes home and goes again (or the other way round) within this has done so once, ms. */
  readonly flapMs: number;
}

/** A home station that was not heard for longer is offline. */
const STATION_ONLINE_MS = 15 * 60_000;
/** After so much silence what we show of an account's devices may no longer be true. */
const UNREACHABLE_MS = 5 * 60_000;

/** Fields of a report that are not simply taken over. */
type Weighed = "fix" | "lastContactAt" | "homeSinceAt" | "station";
const WEIGHED: ReadonlySet<string> = new Set<Weighed>(["fix", "lastContactAt", "homeSinceAt", "station"]);

/** A collar after a report that arrived at `at`, epoch ms. */
export function reduceCollar(collar: Collar, report: CollarReport, at: number, rules: Rules): Collar {
  const { fix } = report;
  const plain: Omit<CollarReport, Weighed> = report;
  const draft = new Draft(collar).lay(plain, WEIGHED);
  if (report.station !== undefined) draft.lay(station(collar, report.station));
  const newest = fix && newerFix(collar.fix, fix, at, rules.maxAccuracyM);
  if (newest !== undefined) draft.lay({ fix: newest });
  if (isAboutBattery(report)) draft.lay(battery(draft.value));
  draft.lay(homeSince(collar, report, at));
  draft.lay(homeChange(collar, report.home, at));
  draft.lay(modeBeforeLive(collar, report));
  draft.lay(contact(collar, latest(report.lastContactAt, fix?.measuredAt), at));
  return settle(draft, at, rules.flapMs).value;
}

/**
 * A collar after positions were fetched of a time in which some were missed. They belong to its track; only the newest
 * that is good enough moves it, if it is newer than the one that is known: the cloud's last position may be a worse one.
 */
export function reduceFetched(collar: Collar, fixes: readonly DatedFix[], at: number, rules: Rules): Collar {
  let newest = collar.fix;
  for (const fix of fixes) {
    if ((fix.accuracyM ?? 0) <= rules.maxAccuracyM && fix.measuredAt > (newest?.measuredAt ?? 0)) newest = fix;
  }
  return newest === undefined || newest === collar.fix ? collar : reduceCollar(collar, { fix: newest }, at, rules);
}

/**
 * A collar after time has gone by, at `at`, epoch ms.
 * @param isHeardOf whether its silence is its own: an account of it has been reachable for a while
 */
export function ageCollar(collar: Collar, at: number, rules: Rules, isHeardOf: boolean): Collar {
  const aged = settle(new Draft(collar), at, rules.flapMs).lay(contact(collar, undefined, at));
  return (isHeardOf ? aged.lay(contactLoss(aged.value, at)) : aged).value;
}

/** A collar that was asked for something: a newer command takes the place of an older one of its kind. */
export function askCollar(collar: Collar, command: Command, at: number): Collar {
  const others = (collar.pending ?? []).filter((one) => one.command.kind !== command.kind);
  const asked = { command, sinceAt: at, untilAt: at + pollMs(collar.mode), isAccepted: false };
  return { ...collar, pending: [...others, asked] };
}

/** The cloud took the command; where the collar does already what it asks for, that was all. */
export function acceptCommand(collar: Collar, command: Command, at: number, rules: Rules): Collar {
  const accept = (one: Pending): Pending => (one.command === command ? { ...one, isAccepted: true } : one);
  return settle(new Draft(collar).lay({ pending: collar.pending?.map(accept) ?? [] }), at, rules.flapMs).value;
}

/** The command came to nothing; the same object when another one has taken its place meanwhile. */
export function dropCommand(collar: Collar, command: Command): Collar {
  return merge<Collar>(collar, { pending: collar.pending?.filter((one) => one.command !== command) ?? [] });
}

/** A home station after a report; in a listing the cloud has just told all that it knows of it. */
export function reduceStation(
  station: HomeStation,
  report: StationReport,
  at: number,
  isListing: boolean,
): HomeStation {
  const { lastContactAt, ...plain } = report;
  const draft = new Draft(station).lay(plain).lay(contact(station, lastContactAt, at));
  const { lastContactAt: contactAt } = draft.value;
  // Only news of a contact tells whether it is online; time that goes by between two listings does not.
  if (contactAt === undefined || (!isListing && contactAt === station.lastContactAt)) return draft.value;
  return draft.lay({ online: at - contactAt <= STATION_ONLINE_MS }).value;
}

/** An account that was heard of at this moment. */
export function reduceAccount(account: Account, { report }: AccountReported): Account {
  return merge<Account>(account, { ...report, silentMs: 0, reachable: true });
}

function subscription({ subscriptionEndsAt: endsAt }: Account, at: number): Partial<Account> {
  return endsAt === undefined ? {} : { isSubscriptionOver: isSubscriptionOver(endsAt, at) };
}

/** An account after so much more silence, ms. */
export function ageAccount(account: Account, elapsedMs: number, at: number): Account {
  const silentMs = Math.min(account.silentMs + elapsedMs, UNREACHABLE_MS + 1);
  return merge<Account>(account, { silentMs, reachable: silentMs <= UNREACHABLE_MS, ...subscription(account, at) });
}

/** The device with the account among those that list it, or no longer among them. */
export function listedBy<T extends Listed>(device: T, account: string, reachable: boolean | undefined): T {
  if (device.accounts[account] === reachable) return device;
  const { [account]: _, ...others } = device.accounts;
  return { ...device, accounts: reachable === undefined ? others : { ...others, [account]: reachable } };
}

/** A fix may come without a contact of its own: to report it, the collar was there. */
function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** Live tracking may be switched on anywhere; whoever ends it wants to know what was before. */
function modeBeforeLive({ modeSet: before }: Collar, { modeSet }: CollarReport): Partial<Collar> {
  return modeSet === LIVE_MODE && before !== undefined && before !== LIVE_MODE ? { modeBeforeLive: before } : {};
}

/** The same home station again, perhaps in part, keeps its place. */
function station(collar: Collar, next: StationLink | null): Pick<Collar, "station"> {
  return { station: next && collar.station?.id === next.id ? merge(collar.station, next) : next };
}

/** Since when it is home; where the cloud does not say, since we heard of it. */
function homeSince(collar: Collar, { home = collar.home, homeSinceAt }: CollarReport, at: number): Partial<Collar> {
  if (home === undefined) return {};
  if (!home) return { homeSinceAt: null };
  if (typeof homeSinceAt === "number") return { homeSinceAt };
  const known = collar.home === true && typeof collar.homeSinceAt === "number";
  return known ? {} : { homeSinceAt: at };
}

function isAboutBattery({ batteryMv, batteryWarningMv, charging }: CollarReport): boolean {
  return batteryMv !== undefined || batteryWarningMv !== undefined || charging !== undefined;
}

/** Where no voltage was ever sent, the warning threshold stands in: the protocol's first description has it so. */
function battery(collar: Collar): Partial<Collar> {
  const millivolts = collar.batteryMv ?? collar.batteryWarningMv;
  if (millivolts === undefined) return {};
  return { batteryPercent: shownPercent(collar.batteryPercent, batteryPercent(millivolts), collar.charging === true) };
}

type Contact = Pick<Collar, "lastContactAt" | "contactShown">;

function contact(entry: Contact, incoming: number | undefined, at: number): Contact {
  const contactAt = laterContact(entry.lastContactAt, incoming, at);
  const shown = shownContact(entry.contactShown, contactAt, at);
  return { ...(contactAt !== undefined && { lastContactAt: contactAt }), ...(shown && { contactShown: shown }) };
}
