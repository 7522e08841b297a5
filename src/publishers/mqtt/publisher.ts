/** Publishes to an MQTT broker: one connection after the other, the announcer on each. */
import { announce } from "../../discovery/announcer.ts";
import type { QuickLink } from "../../discovery/link.ts";
import { createMemory } from "../../discovery/memory.ts";
import type { Message } from "../../discovery/messages.ts";
import { createTopics } from "../../discovery/topics.ts";
import { branchOf } from "../../lib/branch.ts";
import { aborted } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { Cell } from "../../lib/metrics.ts";
import { type Cursor, type Feed, type Publisher, type PublisherTools, RELOAD } from "../publisher.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { MqttOptions } from "./options.ts";
import type { OnRefused } from "./outbox.ts";
import { probe } from "./probe.ts";
import { createRivalry } from "./rival.ts";
import { openTraces } from "./traces.ts";

interface Context extends PublisherTools {
  /** The client id where the configuration names none. */
  readonly clientId: string;
  readonly cursor: Cursor;
  /** How many messages it has published. */
  readonly published: Cell;
}

export function createMqttPublisher(options: MqttOptions, context: Context): Publisher {
  const { log } = context;
  const topics = createTopics({
    base: options.base_topic,
    prefix: options.discovery.prefix,
    statusTopic: options.discovery.status_topic,
  });
  const memory = createMemory();
  const instance = options.client_id ?? context.clientId;
  const rivalry = createRivalry(instance, new URL(options.url).host);
  const offline: Message = { topic: topics.bridgeState, payload: "offline", retain: true, qos: 1 };
  return {
    name: "mqtt",
    probe: (signal) => probe(options, topics, context.clientId, signal),
    traces: (signal) => openTraces(options, topics, context.clientId, signal),
    async run(feed, signal, ready) {
      await runOnce(feed, signal, ready).catch((error: unknown) => {
        throw rivalry.judge(error);
      });
    },
  };

  async function runOnce(feed: Feed, signal: AbortSignal, ready: () => void): Promise<void> {
    const connection = await openConnection(options, instance, offline, signal, createComplaint(log));
    log.info(`connected to the broker at ${new URL(options.url).host}`);
    rivalry.opened();
    ready();
    const life = branchOf(signal);
    const link = counted(connection, context.published);
    try {
      const announcing = announce(
        { ...context, instance, feed, link, memory, topics, qos: options.qos, mode: options.discovery.mode },
        life.signal,
      );
      await Promise.race([announcing, connection.lost, aborted(life.signal)]);
    } finally {
      life.end();
      await connection.end(signal.aborted && signal.reason !== RELOAD ? [offline] : []);
    }
  }
}

/** Once for each connection: what a user may not write to is nearly always a whole branch of topics. */
function createComplaint(log: Logger): OnRefused {
  let isTold = false;
  return (topic, error) => {
    const sentence = `the broker refused a message on ${topic}: check the user's rights at the broker`;
    log[isTold ? "debug" : "warn"](`mqtt: ${sentence} (${describeError(error)})`);
    isTold = true;
  };
}

/** The connection, with all that goes through it counted. */
function counted(connection: Connection, published: Cell): QuickLink {
  const count = (message: Message | undefined): Message | undefined => {
    if (message) published.value += 1;
    return message;
  };
  return {
    flush: () => connection.flush(),
    subscribe: (filters, receive) => connection.subscribe(filters, receive),
    publish: (message) => connection.publishLatest(() => count(message)),
    publishLatest: (make) => connection.publishLatest(() => count(make())),
    tryPublish: (message) => {
      const isSent = connection.tryPublish(message);
      if (isSent) published.value += 1;
      return isSent;
    },
  };
}
