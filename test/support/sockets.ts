/** The WebSocket API by itself, over a real store, and clients that keep all that they are sent. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "vitest";
import WebSocket, { type ClientOptions } from "ws";
import { createLog } from "../../src/lib/log.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import type { ClientMessage, ServerMessage } from "../../src/publishers/live/api/messages.ts";
import { createCountedLog } from "../../src/publishers/live/counted-log.ts";
import { createCounts, type LiveCounts } from "../../src/publishers/live/counts.ts";
import type { Principal } from "../../src/publishers/live/principal.ts";
import { LIMITS, type Limits } from "../../src/publishers/live/socket/limits.ts";
import { createSocketServer } from "../../src/publishers/live/socket/socket-server.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import type { Store } from "../../src/store/store.ts";
import { idleBridge } from "./idle-bridge.ts";
import { memoryStream } from "./stream.ts";
import { until } from "./until.ts";

export const ANYBODY: Principal = { kind: "this_computer", name: "test", scopes: new Set(["read", "control"]) };

interface Options {
  readonly limits?: Partial<Limits>;
  /** Who the next client is. */
  readonly principal?: () => Principal;
  readonly isValid?: (principal: Principal) => boolean;
  /** Calls back when that may have changed. */
  readonly onChange?: (listener: () => void) => void;
  readonly request?: Feed["request"];
}

export interface Sockets {
  readonly url: string;
  readonly counts: LiveCounts;
  readonly log: () => string;
  readonly failed: Promise<never>;
  connect(options?: ClientOptions): Promise<TestClient>;
  /** As at the end of the program. */
  close(): Promise<void>;
}

/** Serves until the test has ended. */
export async function openSockets(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  store: Pick<Store, "state" | "changes" | "activities">,
  {
    limits = {},
    principal = () => ANYBODY,
    isValid = () => true,
    onChange = () => {},
    request = idleBridge.request,
  }: Options = {},
): Promise<Sockets> {
  const output = memoryStream();
  const log = await createLog({ level: "trace", format: "json", scrubber: createScrubber(), output });
  const [counts, turnedAway] = [createCounts(), createCountedLog(log)];
  const feed = {
    ...idleBridge,
    request,
    state: store.state,
    changes: (signal: AbortSignal) => store.changes(signal),
    activities: (after: number) => store.activities(after),
  };
  const stats = () => statsOf(counts);
  const shared = {
    counts,
    turnedAway,
    log,
    access: { isValid, onChange },
    stats,
    feed,
    preferredPosition: "station" as const,
  };
  const sockets = createSocketServer({ ...shared, limits: { ...LIMITS, ...limits } });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => sockets.admit(request, socket, head, principal()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/ws`;
  const close = async (): Promise<void> => {
    await sockets.close();
    turnedAway.end();
  };
  onTestFinished(async () => {
    await close();
    server.close();
    server.closeAllConnections();
  });
  const connect = (options?: ClientOptions) => connectTo({ onTestFinished }, url, options);
  return { url, counts, log: () => output.text(), failed: sockets.failed, connect, close };
}

function statsOf(counts: LiveCounts) {
  return {
    uptime_s: 1,
    connections: { open: counts.openConnections, websocket: counts.openSockets, most: 1, refused: 0 },
    requests: { answered: 0, refused: counts.refused, rate_limited: counts.rateLimited, malformed: counts.malformed },
    websocket: {
      subscriptions: counts.subscriptions,
      messages_in: counts.messagesIn,
      messages_out: counts.messagesOut,
      dropped: counts.dropped,
      slow_readers: counts.slowReaders,
    },
    components: [],
    event_loop: null,
    memory: null,
  };
}

type Said<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;
/** A request without its id. */
type Ask = ClientMessage extends infer Message ? (Message extends unknown ? Omit<Message, "id"> : never) : never;

export interface TestClient {
  readonly ws: WebSocket;
  /** All that it was sent, in order. */
  readonly heard: ServerMessage[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly welcome: Said<"welcome">;
  /** Sends a request; its first answer. */
  ask(request: Ask): Promise<ServerMessage>;
  /** The same, for a subscription that is granted. */
  subscribe(topics: readonly string[], more?: object): Promise<Said<"subscribed">>;
  /** The news of a topic so far, by what stands in `data`. */
  news(topic: string): unknown[];
  /** Waits until it has heard of that. */
  hear(what: string, is: (message: ServerMessage) => boolean): Promise<ServerMessage>;
  /** Resolves when all that was sent to it before has arrived. */
  settled(): Promise<void>;
}

export async function connectTo(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  url: string,
  options: ClientOptions = { perMessageDeflate: false },
): Promise<TestClient> {
  const ws = new WebSocket(url, ["pawline.v1"], options);
  onTestFinished(() => ws.terminate());
  const heard: ServerMessage[] = [];
  ws.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString()) as ServerMessage));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve, reject) => {
    ws.once("open", resolve);
    ws.once("error", reject);
  });
  ws.on("error", () => {});
  let lastId = 0;
  const hear: TestClient["hear"] = (what, is) => until(() => heard.find(is), what);
  const ask: TestClient["ask"] = (request) => {
    const id = `request-${++lastId}`;
    ws.send(JSON.stringify({ ...request, id }));
    return hear(`an answer to ${request.type}`, (message) => "id" in message && message.id === id);
  };
  const first = await hear("the welcome", ({ type }) => type === "welcome");
  return {
    ws,
    heard,
    closed,
    welcome: first as Said<"welcome">,
    ask,
    hear,
    async subscribe(topics, more = {}) {
      const answer = await ask({ type: "subscribe", topics: [...topics], ...more });
      if (answer.type !== "subscribed") throw new Error(`not subscribed: ${JSON.stringify(answer)}`);
      return answer;
    },
    news: (topic) => heard.flatMap((one) => (one.type === "message" && one.topic === topic ? [one.data] : [])),
    async settled() {
      await ask({ type: "ping" });
    },
  };
}
