/** Tries the broker, our rights there, and whether Home Assistant listens, as `pawline check` shows it. */
import { randomBytes } from "node:crypto";
import type { Received } from "../../discovery/link.ts";
import { readSeen } from "../../discovery/memory.ts";
import type { Topics } from "../../discovery/topics.ts";
import { within } from "../../lib/clock.ts";
import { describeError, RecoverableError } from "../../lib/errors.ts";
import type { Finding } from "../../lib/finding.ts";
import { type Connection, LoginRefused, openConnection } from "./connection.ts";
import type { MqttOptions } from "./options.ts";

/** A message of our own is back within this, ms, where we have the right to write and to read. */
const ECHO_MS = 3_000;

export async function* probe(
  options: MqttOptions,
  topics: Topics,
  clientId: string,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const part = "MQTT broker";
  let connection: Connection;
  try {
    connection = await openConnection(options, `${clientId}-check`, undefined, signal);
  } catch (error) {
    const result = error instanceof LoginRefused ? "refused" : "unreachable";
    const remedy = result === "refused" ? "" : "; check mqtt.url, and that the broker is running";
    yield { part, result, sentence: `${describeError(error)}${remedy}` };
    return;
  }
  try {
    yield { part, result: "works", sentence: `connected to ${new URL(options.url).host}` };
    yield* tryTopics(connection, options, topics);
  } finally {
    await connection.end([]);
  }
}

async function* tryTopics(connection: Connection, options: MqttOptions, topics: Topics): AsyncGenerator<Finding> {
  const echoes = [`${options.base_topic}/bridge/check`, `${options.discovery.prefix}/pawline/check`];
  const heard: Received[] = [];
  const echo = createEcho();
  try {
    await connection.subscribe([topics.homeAssistantStatus, topics.bridgeInfo, ...echoes], (message) => {
      heard.push(message);
      echo.hear(message.payload);
    });
    for (const topic of echoes) yield await tryWriting(connection, topic, echo);
  } catch (error) {
    yield { part: "MQTT rights", result: "refused", sentence: describeError(error) };
  }
  yield homeAssistantFinding(heard, options, topics);
}

interface Echo {
  hear(payload: string): void;
  /** Resolves when this payload comes back. */
  of(payload: string): Promise<void>;
}

function createEcho(): Echo {
  const waiting = new Map<string, () => void>();
  return {
    hear: (payload) => waiting.get(payload)?.(),
    of: (payload) => new Promise((resolve) => waiting.set(payload, resolve)),
  };
}

async function tryWriting(connection: Connection, topic: string, echo: Echo): Promise<Finding> {
  const payload = randomBytes(8).toString("hex");
  const back = echo.of(payload);
  await connection.publish({ topic, payload, retain: false, qos: 1 });
  const [part, under] = ["MQTT rights", `${topic.slice(0, topic.indexOf("/"))}/…`];
  try {
    await within(ECHO_MS, back, () => new RecoverableError("no echo"));
    return { part, result: "works", sentence: `may write and read ${under}` };
  } catch {
    const remedy = `give the broker's user the right to write and read ${under}`;
    return { part, result: "refused", sentence: `a message to ${topic} did not come back; ${remedy}` };
  }
}

/** Home Assistant speaks only when it starts: what the running daemon has heard counts, too. */
function homeAssistantFinding(heard: readonly Received[], options: MqttOptions, topics: Topics): Finding {
  const part = "Home Assistant";
  const info = heard.find(({ topic }) => topic === topics.bridgeInfo);
  const seen = info === undefined ? null : readSeen(info.payload).seenAt;
  if (heard.some(({ topic }) => topic === topics.homeAssistantStatus)) {
    return { part, result: "works", sentence: `heard on ${topics.homeAssistantStatus}` };
  }
  if (seen !== null) {
    return {
      part,
      result: "works",
      sentence: `last heard on ${topics.homeAssistantStatus} at ${new Date(seen).toISOString()}`,
    };
  }
  const { prefix } = options.discovery;
  return {
    part,
    result: "hint",
    sentence:
      `never heard on ${topics.homeAssistantStatus}. That is normal until Home Assistant has been restarted once while ` +
      "Pawline runs. If no entities appear there: is its MQTT integration set up with this broker, is discovery turned " +
      `on in its options, and is its prefix "${prefix}" (mqtt.discovery.prefix)?`,
  };
}
