/**
 * Topics and patterns. There are `devices`, `position/<device>`, `events/<type>` and `bridge`; in a pattern `+` or `*`
 * stands for one level, and `#` at its end for all the rest, also for none.
 */
import { ACTIVITY_TYPES, type ActivityType } from "../../../model/activity.ts";

/** What a client wants to hear of. */
export interface Interest {
  readonly devices: boolean;
  readonly bridge: boolean;
  readonly events: ReadonlySet<ActivityType>;
  /** Of which devices it wants the positions, by id. */
  readonly positions: "all" | ReadonlySet<string>;
}

/** A name that a device could have. */
const DEVICE = /^[A-Za-z0-9_-]{1,100}$/;

/** The patterns together; or the first one that can never match, as it was sent. */
export function readPatterns(patterns: readonly string[]): Interest | { readonly unknown: string } {
  const read = patterns.map((pattern) => ({ pattern, levels: pattern.split("/") }));
  const unknown = read.find(({ levels }) => !canMatch(levels));
  if (unknown) return { unknown: unknown.pattern };
  const matches = (...topic: string[]): boolean => read.some(({ levels }) => isMatch(levels, topic));
  return {
    devices: matches("devices"),
    bridge: matches("bridge"),
    events: new Set(ACTIVITY_TYPES.filter((type) => matches("events", type))),
    positions: positionsIn(read.map(({ levels }) => levels)),
  };
}

/** No device has such a name, since no name is empty: it matches what takes every name. */
const ANY = "";

function positionsIn(patterns: readonly string[][]): Interest["positions"] {
  if (patterns.some((levels) => isMatch(levels, ["position", ANY]))) return "all";
  const names = patterns.flatMap((levels) => nameIn(levels) ?? []);
  return new Set(names.filter((name) => patterns.some((levels) => isMatch(levels, ["position", name]))));
}

/** The one device whose position this can match. */
function nameIn([, name, ...rest]: readonly string[]): string | undefined {
  const isName = name !== undefined && DEVICE.test(name);
  return isName && (rest.length === 0 || (rest.length === 1 && rest[0] === "#")) ? name : undefined;
}

function canMatch(levels: readonly string[]): boolean {
  if (levels.includes(ANY)) return false;
  const topics = [["devices"], ["bridge"], ["position", ANY], ...ACTIVITY_TYPES.map((type) => ["events", type])];
  const name = nameIn(levels);
  return [...topics, ...(name === undefined ? [] : [["position", name]])].some((topic) => isMatch(levels, topic));
}

function isMatch([level, ...levels]: readonly string[], [part, ...parts]: readonly string[]): boolean {
  if (level === "#") return levels.length === 0;
  if (level === undefined || part === undefined) return level === part;
  return (level === "+" || level === "*" || level === part) && isMatch(levels, parts);
}
