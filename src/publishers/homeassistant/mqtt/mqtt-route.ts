/** The route mqtt: the same discovery, topics and commands as with a broker, through Home Assistant's integration. */
import { announce } from "../../../discovery/announcer.ts";
import { createMemory } from "../../../discovery/memory.ts";
import { createTopics, type Topics } from "../../../discovery/topics.ts";
import { findTraces } from "../../../discovery/traces.ts";
import { aborted, sleep, within } from "../../../lib/clock.ts";
import { RecoverableError } from "../../../lib/errors.ts";
import type { Cell } from "../../../lib/metrics.ts";
import { type Cursor, type Feed, type PublisherTools, RELOAD, type Traces } from "../../publisher.ts";
import type { HomeAssistant } from "../connection.ts";
import type { HomeAssistantOptions } from "../options.ts";
import type { Session } from "../situation.ts";
import { createLink } from "./link.ts";

export interface MqttRouteContext extends PublisherTools {
  readonly clientId: string;
  readonly cursor: Cursor;
  /** How many messages were published. */
  readonly published: Cell;
}

export interface MqttRoute {
  /** Publishes until the signal is aborted. Throws to be started again. */
  run(feed: Feed, session: Session, signal: AbortSignal): Promise<void>;
  /** What stands at the broker, also from earlier runs. */
  traces(session: Session): Promise<Traces>;
}

/** Home Assistant keeps each heart-beat: not more than one in a minute. */
const HEART_BEAT_MS = 60_000;
const LARGEST_PHOTO_BYTES = 24_000;
const GOODBYE_MS = 1_500;
/** What is under way at the end is waited for so long, ms. */
const SEEN_THROUGH_MS = 1_000;

export function createMqttRoute(options: HomeAssistantOptions, context: MqttRouteContext): MqttRoute {
  const { base_topic: base, discovery } = options;
  const topics = createTopics({ base, prefix: discovery.prefix, statusTopic: discovery.status_topic });
  const memory = createMemory();
  const instance = `${context.clientId}-websocket`;
  const through = { heartBeatMs: HEART_BEAT_MS, largestPhotoBytes: LARGEST_PHOTO_BYTES };
  return {
    async run(feed, { ha }, signal) {
      const link = createLink({ ...context, ha, topics, signal });
      // It runs: that is known here, and need not be heard from it.
      memory.homeAssistant = { status: "online", seenAt: Date.now() };
      memory.wasConnected = false;
      // That was waited for before the route was chosen.
      memory.settled = true;
      const { mode } = discovery;
      const announcing = announce({ ...context, instance, feed, link, memory, topics, qos: 1, mode, through }, signal);
      // Who waits for an answer that does not come has to go all the same.
      await Promise.race([announcing, aborted(signal).then(() => sleep(SEEN_THROUGH_MS))]);
      if (signal.reason !== RELOAD) await sayGoodbye(ha, topics);
    },
    traces({ ha }) {
      const link = createLink({ ha, topics, log: context.log, signal: new AbortController().signal });
      return findTraces(link, topics, { base, prefix: discovery.prefix });
    },
  };
}

/** On no link: that may be waiting for something. */
async function sayGoodbye(ha: HomeAssistant, { bridgeState: topic }: Topics): Promise<void> {
  const offline = { topic, payload: "offline", retain: true, qos: 1 };
  const late = (): RecoverableError => new RecoverableError("no answer to the last word");
  await within(GOODBYE_MS, ha.callService("mqtt", "publish", offline), late).catch(() => {});
}
