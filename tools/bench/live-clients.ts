/** Clients of the live API with mixed filters. Each holds what it was told, and can be compared with what is true. */
import { once } from "node:events";
import WebSocket from "ws";
import { numberOf } from "./live-herd.ts";

export interface LiveClient {
  readonly ws: WebSocket;
  readonly kind: Kind;
  /** The numbers of the last fixes, by collar; of those that it watches. */
  readonly fixes: Map<number, number>;
  readonly watched: readonly number[];
  /** The numbers of the events that it was told. */
  readonly events: number[];
  messages: number;
  closeCode: number | undefined;
}

/** Hears of each message at once, or at most once in an interval; hears of what happens; or stops reading. */
type Kind = "prompt" | "spaced" | "events" | "stopped";

interface Group {
  readonly kind: Kind;
  /** In a thousand clients. */
  readonly share: number;
  readonly topics: (ids: readonly number[]) => readonly string[];
  readonly filter?: (ids: readonly number[]) => object;
  /** How many collars each watches; all without it. */
  readonly collars?: number;
}

const nameOf = (id: number): string => `pettracer_${id}`;
const positions = (ids: readonly number[]): string[] => ids.map((id) => `position/${nameOf(id)}`);
const only = (ids: readonly number[]): object => ({ devices: ids.map(nameOf) });

const GROUPS: readonly Group[] = [
  { kind: "prompt", share: 600, collars: 1, topics: positions },
  { kind: "prompt", share: 130, collars: 3, topics: () => ["devices"], filter: only },
  {
    kind: "spaced",
    share: 100,
    collars: 10,
    topics: () => ["position/+"],
    filter: (ids) => ({ ...only(ids), interval_ms: 2_000 }),
  },
  { kind: "prompt", share: 50, collars: 5, topics: () => ["+", "position/#"], filter: only },
  {
    kind: "spaced",
    share: 15,
    topics: () => ["position/#"],
    filter: () => ({ interval_ms: 5_000, sources: ["pettracer"] }),
  },
  { kind: "prompt", share: 5, topics: () => ["position/*"] },
  { kind: "events", share: 50, topics: () => ["events/#", "bridge"] },
  { kind: "stopped", share: 50, topics: () => ["position/#"] },
];

/** @param arrived called for each fix that a prompt client hears of */
export async function connectClients(
  url: string,
  count: number,
  ids: readonly number[],
  arrived: (id: number, nth: number) => void,
): Promise<LiveClient[]> {
  const clients: LiveClient[] = [];
  for (const group of GROUPS) {
    for (let index = 0; index < (group.share * count) / 1_000; index += 1) {
      const first = (clients.length * 7) % ids.length;
      const watched = group.collars === undefined ? ids : ids.slice(first, first + group.collars);
      clients.push(await connectClient(url, group, watched, arrived));
    }
  }
  return clients;
}

async function connectClient(
  url: string,
  { kind, topics, filter }: Group,
  watched: readonly number[],
  arrived: (id: number, nth: number) => void,
): Promise<LiveClient> {
  const ws = new WebSocket(url, ["pawline.v1"], { perMessageDeflate: false });
  const client: LiveClient = { ws, kind, fixes: new Map(), watched, events: [], messages: 0, closeCode: undefined };
  ws.on("error", () => {});
  ws.on("close", (code) => {
    client.closeCode = code;
  });
  await once(ws, "open");
  const subscribe = { type: "subscribe", id: 1, topics: topics(watched), ...(filter && { filter: filter(watched) }) };
  ws.send(JSON.stringify(subscribe));
  await new Promise<void>((resolve, reject) => {
    ws.on("close", () => reject(new Error("a client was refused")));
    ws.on("message", (data: Buffer) => {
      const text = data.toString("latin1");
      if (text.startsWith('{"type":"subscribed"')) resolve();
      take(text, client, arrived);
    });
  });
  if (kind === "stopped") ws.pause();
  return client;
}

const POSITION = '"topic":"position/pettracer_';
const LATITUDE = '"latitude":';

/** Most messages are positions: they are read without being parsed, since all clients share a processor. */
function take(text: string, client: LiveClient, arrived: (id: number, nth: number) => void): void {
  client.messages += 1;
  const at = text.indexOf(POSITION);
  if (at < 0) takeOther(text, client, arrived);
  else takeFix(Number.parseInt(text.slice(at + POSITION.length, at + POSITION.length + 12), 10), text, client, arrived);
}

function takeOther(text: string, client: LiveClient, arrived: (id: number, nth: number) => void): void {
  const { type, topic, data } = JSON.parse(text);
  if (type !== "message") return;
  if (topic.startsWith("events/")) client.events.push(data.sequence);
  const id = /^pettracer_(\d+)$/.exec(data.device?.id ?? "")?.[1];
  if (id !== undefined) takeFix(Number(id), text, client, arrived);
}

function takeFix(id: number, text: string, client: LiveClient, arrived: (id: number, nth: number) => void): void {
  const at = text.indexOf(LATITUDE);
  if (at < 0) return;
  const nth = numberOf(Number.parseFloat(text.slice(at + LATITUDE.length, at + LATITUDE.length + 12)));
  if (client.kind === "prompt" && client.fixes.get(id) !== nth) arrived(id, nth);
  client.fixes.set(id, nth);
}

/** How many clients do not hold the last fix of each collar that they watch. */
export function lateClients(clients: readonly LiveClient[], lastOf: (id: number) => number): number {
  const followers = clients.filter(({ kind }) => kind === "prompt" || kind === "spaced");
  return followers.filter(({ fixes, watched }) => watched.some((id) => fixes.get(id) !== lastOf(id))).length;
}
