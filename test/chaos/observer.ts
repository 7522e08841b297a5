/** Who listens at the broker, on no relay: what the daemon says, and when. Also gives the commands. */
import { connectAsync } from "mqtt";
import type { Heard } from "./records.ts";

export interface Observer {
  readonly heard: readonly Heard[];
  /** Since when the daemon has said `online` without a break, epoch ms; undefined while it has not. */
  readonly onlineSinceAt: number | undefined;
  /** Without waiting for anybody. */
  publish(topic: string, payload: string): void;
  /** What the broker has retained of the daemon now, by topic; rejects where the broker is away. */
  retained(): Promise<Map<string, string>>;
  end(): Promise<void>;
}

const RETAINED_MS = 1_000;
const BRIDGE_STATE = "pawline/bridge/state";
const FILTERS = ["pawline/#", "homeassistant/#"];

export async function startObserver(url: string): Promise<Observer> {
  const heard: Heard[] = [];
  let onlineSinceAt: number | undefined;
  const client = await connectAsync(url, { reconnectPeriod: 20, queueQoSZero: false }, false);
  client.on("error", () => {});
  client.on("message", (topic, payload, { retain }) => {
    const message = { at: Date.now(), topic, payload: payload.toString("utf8"), isRetained: retain };
    if (isOfInterest(topic)) heard.push(message);
    if (topic === BRIDGE_STATE)
      onlineSinceAt = message.payload === "online" ? (onlineSinceAt ?? message.at) : undefined;
  });
  await client.subscribeAsync(FILTERS, { qos: 1 });
  return {
    heard,
    get onlineSinceAt() {
      return client.connected ? onlineSinceAt : undefined;
    },
    publish: (topic, payload) => void client.publish(topic, payload, { qos: 0 }),
    retained: () => retainedAt(url),
    async end() {
      await client.endAsync(true);
    },
  };
}

/** States are looked at once more at the end; events and positions tell by their order. */
function isOfInterest(topic: string): boolean {
  return /\/(event|position)$/.test(topic) || topic === BRIDGE_STATE;
}

/** A broker tells what it has retained at once; then there is a pause. */
async function retainedAt(url: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const reader = await connectAsync(url, { reconnectPeriod: 0, connectTimeout: 5_000 }, false);
  reader.on("error", () => {});
  reader.on("message", (topic, payload, { retain }) => {
    if (retain) found.set(topic, payload.toString("utf8"));
  });
  await reader.subscribeAsync(FILTERS, { qos: 0 });
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    await new Promise((resolve) => setTimeout(resolve, RETAINED_MS));
  }
  await reader.endAsync(true);
  return found;
}
