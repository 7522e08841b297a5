/** What happened, as sources and the daemon tell it to the store. `at` is the time of arrival, epoch milliseconds. */
import type { Command } from "./command.ts";
import type {
  AccountReport,
  CollarReport,
  Component,
  DatedFix,
  FirmwareRelease,
  Listed,
  Photo,
  StationReport,
} from "./device.ts";

/** A device as a listing tells of it. */
export interface ListedDevice<Report> extends Pick<Listed, "key" | "id" | "product"> {
  readonly report: Report;
}

/** A listing that succeeded: these are all the devices of the account. */
export interface DevicesListed {
  readonly type: "devicesListed";
  readonly account: string;
  readonly at: number;
  /** Whether time has shown that it was no hiccup: only then is what it lacks gone for good. */
  readonly isConfirmed: boolean;
  /** How far our clock is ahead of the cloud's, ms, where the cloud has told its time. */
  readonly aheadMs?: number | undefined;
  readonly collars: readonly ListedDevice<CollarReport>[];
  readonly stations: readonly ListedDevice<StationReport>[];
}

/** News of one collar; one that no listing has named is left alone. */
interface CollarReported {
  readonly type: "collarReported";
  readonly key: string;
  readonly at: number;
  readonly report: CollarReport;
}

/** News of one home station; one that no listing has named is left alone. */
interface StationReported {
  readonly type: "stationReported";
  readonly key: string;
  readonly at: number;
  readonly report: StationReport;
}

/** Positions of a time in which some were missed, as the cloud has kept them. */
export interface FixesFetched {
  readonly type: "fixesFetched";
  readonly key: string;
  readonly at: number;
  readonly fixes: readonly DatedFix[];
}

/** The account was heard of, with or without news of itself. */
export interface AccountReported {
  readonly type: "accountReported";
  readonly account: string;
  readonly at: number;
  readonly report: AccountReport;
}

/** The configuration has this account, new or changed: its devices have to be listed anew; or has it no longer. */
interface AccountConfigured {
  readonly type: "accountConfigured";
  readonly account: string;
}
interface AccountDropped {
  readonly type: "accountDropped";
  readonly account: string;
}

interface ComponentChanged {
  readonly type: "componentChanged";
  readonly component: Component;
}
export interface ComponentDropped {
  readonly type: "componentDropped";
  readonly role: Component["role"];
  readonly name: string;
}

/** A command was asked for, and takes the place of an earlier one of its kind. */
interface CommandAsked {
  readonly type: "commandAsked";
  readonly key: string;
  readonly at: number;
  readonly command: Command;
}
/** The cloud took it; the collar has still to. */
interface CommandAccepted extends Omit<CommandAsked, "type"> {
  readonly type: "commandAccepted";
}
interface CommandFailed extends Omit<CommandAsked, "type"> {
  readonly type: "commandFailed";
  readonly reason: string;
}

/** The newest firmware of each kind of device, as the maker tells it. */
export interface FirmwareListed {
  readonly type: "firmwareListed";
  readonly collar?: FirmwareRelease;
  readonly homeStation?: FirmwareRelease;
}

/** The pet's picture was fetched; null where there is none. */
export interface PhotoReceived {
  readonly type: "photoReceived";
  readonly key: string;
  readonly photo: Photo | null;
}

/** The log level was set, in the configuration or by its control. */
interface LogLevelSet {
  readonly type: "logLevelSet";
  readonly level: string;
}

/** Something went wrong that is no source's and no publisher's: a sentence for the user. */
interface TroubleNoticed {
  readonly type: "troubleNoticed";
  readonly sentence: string;
}

/** So much time went by, by a clock that never jumps. */
interface TimePassed {
  readonly type: "timePassed";
  readonly at: number;
  readonly elapsedMs: number;
  /** How much further the clock on the wall went meanwhile: it was set, or the computer slept, ms. */
  readonly jumpMs?: number;
}

export type SourceEvent =
  | DevicesListed
  | CollarReported
  | StationReported
  | AccountReported
  | FirmwareListed
  | PhotoReceived;
export type StoreEvent =
  | SourceEvent
  | FixesFetched
  | AccountConfigured
  | AccountDropped
  | ComponentChanged
  | ComponentDropped
  | CommandAsked
  | CommandAccepted
  | CommandFailed
  | LogLevelSet
  | TroubleNoticed
  | TimePassed;
