/** The page's words. Each language fills in all of it, or it does not compile. */
import type { ActivityType } from "../../model/activity.ts";
import type { ApiBridge } from "../../publishers/live/api/schema.ts";

export type Language = "en" | "de";

export type ControlName = "live" | "light" | "buzzer" | "find";
export type PartState = ApiBridge["components"][number]["state"];

type Name = { readonly name: string };

export interface Texts {
  readonly pets: string;
  readonly events: string;
  readonly status: string;
  readonly map: string;
  readonly views: string;
  readonly connection: {
    readonly connecting: string;
    readonly open: string;
    readonly lost: string;
    /** The sentence while nothing can be reached; `time` is that of what is shown. */
    readonly lostSince: (of: { readonly time: string }) => string;
    readonly neverReached: string;
    readonly tryNow: string;
    readonly outdated: string;
    readonly reload: string;
  };
  readonly signIn: {
    readonly heading: string;
    readonly explanation: string;
    readonly token: string;
    readonly submit: string;
    readonly signOut: string;
    readonly failed: string;
  };
  readonly list: {
    readonly empty: string;
    readonly nothingFound: string;
    readonly search: string;
    readonly accounts: string;
    readonly allAccounts: string;
    readonly count: (count: number) => string;
  };
  readonly place: {
    readonly atHome: string;
    readonly atHomeSince: (of: { readonly time: string }) => string;
    readonly away: (of: { readonly distance: string }) => string;
    readonly outside: string;
    readonly unknown: string;
  };
  readonly facts: {
    readonly battery: string;
    readonly low: string;
    readonly charging: string;
    readonly position: string;
    readonly noPosition: string;
    readonly contact: string;
    readonly noContact: string;
    readonly signal: string;
    readonly unknown: string;
    readonly unavailable: string;
    readonly distance: string;
    readonly mode: string;
    readonly accuracy: string;
    readonly satellites: string;
    readonly timeOutside: string;
    readonly coordinates: string;
    readonly homeStation: string;
    readonly firmware: string;
    readonly byStation: string;
    readonly more: string;
    readonly less: string;
  };
  readonly signalWords: readonly [none: string, poor: string, fair: string, good: string, excellent: string];
  readonly controls: {
    readonly heading: (of: Name) => string;
    readonly names: Readonly<Record<ControlName, string>>;
    readonly on: string;
    readonly off: string;
    readonly press: string;
    readonly minutesLeft: (minutes: number) => string;
    readonly sending: (of: { readonly what: string }) => string;
    readonly waiting: (of: { readonly what: string; readonly time: string }) => string;
    readonly overdue: (of: { readonly what: string }) => string;
    readonly failed: (of: { readonly what: string; readonly reason: string }) => string;
    readonly done: (of: { readonly what: string }) => string;
    readonly connectionLost: string;
    readonly dismiss: string;
    /** What was asked for, as the beginning of those sentences. */
    readonly asked: Readonly<Record<"on" | "off" | "press", (of: { readonly control: string }) => string>>;
    readonly mode: (of: { readonly mode: string }) => string;
  };
  readonly trail: {
    readonly heading: (of: Name) => string;
    readonly day: string;
    readonly dayBefore: string;
    readonly dayAfter: string;
    readonly today: string;
    readonly time: string;
    readonly now: string;
    readonly close: string;
    readonly download: string;
    readonly loading: string;
    readonly failed: (of: { readonly reason: string }) => string;
    readonly empty: string;
    readonly summary: (of: { readonly positions: number; readonly distance: string }) => string;
    readonly hasGaps: string;
    readonly measured: (of: { readonly time: string }) => string;
    readonly before: string;
    readonly fromHome: (of: { readonly distance: string }) => string;
  };
  readonly eventList: {
    readonly empty: string;
    readonly sentences: Readonly<Record<ActivityType, string>>;
    /** Of a kind of event that this page does not know. */
    readonly other: string;
    readonly modeChanged: (of: { readonly mode: string }) => string;
    readonly commandFailed: (of: { readonly reason: string }) => string;
  };
  readonly mapTools: {
    readonly showAll: string;
    readonly zoomIn: string;
    readonly zoomOut: string;
    readonly tiles: string;
    readonly tilesHeading: string;
    /** What switching map tiles on reveals, and to whom. */
    readonly tilesReveal: (of: { readonly host: string }) => string;
    readonly tilesAccept: string;
    readonly tilesDecline: string;
    readonly noPosition: string;
    readonly station: string;
    readonly live: string;
  };
  readonly health: {
    readonly allWell: string;
    readonly someFail: (count: number) => string;
    readonly running: (of: { readonly version: string; readonly time: string }) => string;
    readonly lastError: string;
    readonly remedy: Readonly<Record<PartState, string>>;
    readonly isOver: string;
    readonly accounts: string;
    readonly stations: string;
    readonly outputs: string;
    readonly state: Readonly<Record<PartState, string>>;
    readonly outputNames: Readonly<Record<"mqtt" | "homeassistant" | "live", string>>;
    readonly subscription: string;
    readonly over: string;
    readonly contact: string;
    readonly signal: string;
    readonly petsAtHome: string;
    readonly since: string;
    readonly online: string;
    readonly offline: string;
    readonly unknown: string;
    readonly licenses: string;
  };
  readonly problem: {
    readonly unreachable: string;
    readonly refused: string;
  };
}
