/**
 * Rules for commands: one that the daemon heard comes to an end. It reaches the cloud, or a newer one of its kind takes its
 * place, or it fails and is told as `command_failed`; nonsense is refused on `bridge/event`, and so is a command for a collar
 * that no account has listed since the start. That the cloud's echo is shown,
 * and nothing is pending in the end, is for the rules of states.
 *
 * Heard is what was given while the daemon had been online for some seconds, and neither it nor its way to the broker was
 * disturbed near that time: a command is not retained, and one that finds nobody is lost. One whose daemon was killed,
 * ended or given a new account's configuration within a minute has no end: what is on its way belongs to a run.
 */
import type { GivenOrder, Heard, TakenCommand, Trouble } from "../records.ts";

export interface OrderVerdict {
  readonly failures: readonly string[];
  readonly heard: number;
}

const NEAR_MS = 4_000;
const END_MS = 60_000;
const DEAFENING: ReadonlySet<string> = new Set(["broker link", "broker speed", "broker", "daemon"]);

type Kind = TakenCommand["kind"];

export function judgeOrders(
  orders: readonly GivenOrder[],
  taken: readonly TakenCommand[],
  heard: readonly Heard[],
  troubles: readonly Trouble[],
): OrderVerdict {
  const known = orders.filter((order) => isHeard(order, troubles) && !isCutShort(order, troubles));
  const lost = known.flatMap((order) =>
    kindsOf(order)
      .filter((kind) => !hasEnded(order, kind, orders, taken, heard))
      .map((kind) => `the command ${describe(order)} (${kind}) has no end`),
  );
  const unrefused = known.filter((order) => isNonsense(order) && !isRefused(order, order.order.payload, heard));
  return {
    failures: [...lost, ...unrefused.map((order) => `${describe(order)} was not refused`)],
    heard: known.length,
  };
}

function describe({ id, at, order: { control, payload } }: GivenOrder): string {
  return `${control} ${payload} for collar ${id} at ${new Date(at).toISOString()}`;
}

function isHeard({ at, onlineSinceAt }: GivenOrder, troubles: readonly Trouble[]): boolean {
  if (onlineSinceAt === undefined || onlineSinceAt > at - NEAR_MS) return false;
  return !troubles.some(
    ({ fault, fromAt, untilAt }) => DEAFENING.has(fault.lane) && fromAt - NEAR_MS < at && at < untilAt + NEAR_MS,
  );
}

function isCutShort({ at }: GivenOrder, troubles: readonly Trouble[]): boolean {
  return troubles.some(({ fault, fromAt }) => fault.lane === "daemon" && fromAt > at && fromAt < at + END_MS);
}

function isNonsense({ order }: GivenOrder): boolean {
  return order.payload.startsWith("nonsense");
}

function kindsOf(given: GivenOrder): Kind[] {
  if (isNonsense(given)) return [];
  switch (given.order.control) {
    case "mode":
    case "live":
      return ["mode"];
    case "light":
      return ["light"];
    case "buzzer":
      return ["buzzer"];
    default:
      // Find my cat; live tracking only where it is not on already.
      return ["light", "buzzer"];
  }
}

function hasEnded(
  given: GivenOrder,
  kind: Kind,
  orders: readonly GivenOrder[],
  taken: readonly TakenCommand[],
  heard: readonly Heard[],
): boolean {
  const value = given.order.control === kind && kind !== "mode" ? given.order.payload === "ON" : undefined;
  const isTaken = taken.some(
    (one) =>
      one.id === given.id && one.kind === kind && one.at >= given.at && (value === undefined || one.value === value),
  );
  const isReplaced = orders.some(
    (other) =>
      other.id === given.id && other.at > given.at && other.at < given.at + END_MS && kindsOf(other).includes(kind),
  );
  return isTaken || isReplaced || hasFailed(given, kind, heard) || isRefused(given, "there is no device", heard);
}

function hasFailed({ id, at }: GivenOrder, kind: Kind, heard: readonly Heard[]): boolean {
  return heard.some((message) => {
    if (message.topic !== `pawline/pettracer_${id}/event` || message.at < at) return false;
    const { event_type: type, command, at: failedAt }: Record<string, unknown> = JSON.parse(message.payload);
    return type === "command_failed" && command === kind && Date.parse(String(failedAt)) >= at;
  });
}

function isRefused({ id, at }: GivenOrder, reason: string, heard: readonly Heard[]): boolean {
  return heard.some(
    (message) =>
      message.topic === "pawline/bridge/event" &&
      message.at >= at &&
      message.at <= at + NEAR_MS &&
      message.payload.includes(`pettracer_${id}`) &&
      message.payload.includes(reason),
  );
}
