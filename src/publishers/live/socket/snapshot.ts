/** The answer to `subscribe`: what is known now, put together from the texts of the topics. */
import type { RequestId } from "../api/messages.ts";
import type { Principal } from "../principal.ts";
import type { Board } from "./board.ts";
import type { Topic } from "./topic.ts";
import type { Interest } from "./topics.ts";

interface Answer {
  readonly id: RequestId;
  readonly subscription: number;
  readonly topics: readonly string[];
  /** The number of the last event. */
  readonly event: number;
  /** What was missed, where that was asked for, and whether it is all. */
  readonly missed: { readonly isComplete: boolean; readonly events: readonly Topic[] } | undefined;
}

/** @param wanted what the subscription is about */
export function answerOf(
  { id, subscription, topics, event, missed }: Answer,
  interest: Interest,
  wanted: readonly Topic[],
  board: Board,
  principal: Principal,
): string {
  const parts = [
    ...(interest.devices ? [`"devices":[${dataOf("device", wanted, board, principal).map(unwrap).join(",")}]`] : []),
    ...(interest.positions === "all" || interest.positions.size > 0 ? [`"positions":{${positions(wanted)}}`] : []),
    ...(interest.bridge ? dataOf("bridge", wanted, board, principal).map((data) => `"bridge":${data}`) : []),
  ];
  const head = JSON.stringify({ type: "subscribed", id, subscription, topics }).slice(0, -1);
  const told = missed?.events.map(({ data }) => data).join(",");
  const tail = missed ? `,"resumed":${missed.isComplete},"events":[${told}]` : "";
  return `${head},"snapshot":{${parts.join(",")}},"event":${event}${tail}}`;
}

function dataOf(kind: Topic["kind"], wanted: readonly Topic[], board: Board, principal: Principal): string[] {
  return wanted.filter((topic) => topic.kind === kind).map((topic) => board.dataFor(topic, principal));
}

/** The device in `{"device":…}`. */
function unwrap(data: string): string {
  return data.slice('{"device":'.length, -1);
}

function positions(wanted: readonly Topic[]): string {
  const known = wanted.filter(({ kind }) => kind === "position");
  return known.map(({ record, data }) => `${JSON.stringify(record?.id)}:${data}`).join(",");
}
