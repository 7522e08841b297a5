/** Publishes through Home Assistant's own WebSocket API, on the route that its MQTT and our token's rights allow. */
import { settle } from "../../discovery/settle.ts";
import { branchOf } from "../../lib/branch.ts";
import { sleep } from "../../lib/clock.ts";
import { FatalError, RecoverableError } from "../../lib/errors.ts";
import type { Cell } from "../../lib/metrics.ts";
import type { Scrubber } from "../../lib/scrub.ts";
import type { SupervisorAccess } from "../../lib/supervisor.ts";
import {
  type Cursor,
  type Details,
  type Feed,
  type Keep,
  type Publisher,
  type PublisherTools,
  RELOAD,
} from "../publisher.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { createMobileApp } from "./mobile-app/mobile-app.ts";
import { createMqttRoute } from "./mqtt/mqtt-route.ts";
import { keepNotices } from "./notices.ts";
import type { HomeAssistantOptions } from "./options.ts";
import { probe } from "./probe.ts";
import { chooseRoute, type Decision } from "./route.ts";
import { mqttSettled, routeChanged } from "./route-watch.ts";
import { brokerSettled, isServedByBroker, servedByBroker } from "./second-way.ts";
import { withSession } from "./session.ts";
import { type Session, situationOf } from "./situation.ts";
import { createTidying } from "./tidy.ts";
import { NO_TRACES, openTraces } from "./traces.ts";

interface Context extends PublisherTools {
  readonly scrubber: Scrubber;
  /** The name by which a broker of our own knows this program. */
  readonly clientId: string;
  readonly cursor: Cursor;
  readonly keep: Keep;
  /** How many messages were published. */
  readonly published: Cell;
  /** Where the program runs as an app of Home Assistant: then the broker, if there is one, goes before. */
  readonly supervisor?: SupervisorAccess | undefined;
  /** Whether the pets have a way by a broker. */
  readonly hasBroker: (signal: AbortSignal) => Promise<boolean>;
}

/** Somebody else does it. */
interface Yielding {
  readonly route: "none";
  readonly why: string;
}

type Ready = (details?: Details) => void;

const LOOK_AGAIN_MS = 60_000;
/** Home Assistant is a neighbour, and often restarts: who waits for long would be late. */
const LONGEST_DELAY_MS = 15_000;

export function createHomeAssistantPublisher(options: HomeAssistantOptions, context: Context): Publisher {
  const { log, supervisor, clientId } = context;
  const endpoint = (): Promise<Endpoint> => endpointOf(options, supervisor);
  const routes = {
    mqtt: createMqttRoute(options, context),
    mobile_app: createMobileApp({ ...context, controls: options.controls }),
  };
  const tidy = createTidying(routes, `${clientId}-websocket`, log);
  let said: string | undefined;
  let isSettled = false;

  async function publish(feed: Feed, session: Session, signal: AbortSignal, ready: Ready): Promise<void> {
    while (!signal.aborted) {
      await yieldToBroker(feed, session, signal, ready);
      const decision = await decide(session, signal);
      if (signal.aborted) return;
      // What is there twice is seen by the pets' names; waited for once, as the routes do.
      if (!isSettled) await settle(feed, signal);
      isSettled = true;
      const left = await tidy(decision.route, feed, session);
      // Who is told to end while something is looked up is not told again.
      if (signal.aborted) return;
      tell(decision, left, session, ready);
      await take(decision, feed, session, signal);
    }
  }

  /**
   * While a broker brings the same pets into the same Home Assistant, this way has nothing to publish.
   * @throws FatalError where the user has configured both
   */
  async function yieldToBroker(feed: Feed, session: Session, signal: AbortSignal, ready: Ready): Promise<void> {
    await brokerSettled(feed.state, signal);
    for (
      let isTold = false;
      !signal.aborted && (await isServedByBroker(feed.state, session, clientId));
      isTold = true
    ) {
      const left = isTold ? [] : await routes.mobile_app.leave(session, new Set(feed.state.keys()));
      if (supervisor === undefined) throw secondWay(session, left);
      if (!isTold) tell({ route: "none", why: "the broker brings the pets here" }, left, session, ready);
      await sleep(LOOK_AGAIN_MS, signal);
    }
  }

  /** @throws FatalError, RecoverableError where the route that the user wants cannot be had */
  async function decide(session: Session, signal: AbortSignal): Promise<Decision> {
    await mqttSettled(session, signal);
    const decision = chooseRoute(options.route, situationOf(session));
    if ("route" in decision) return decision;
    throw decision.isFinal
      ? new FatalError(decision.problem)
      : new RecoverableError(decision.problem, { retryAfterMs: LOOK_AGAIN_MS });
  }

  function tell({ route, why }: Decision | Yielding, left: readonly string[], { ha }: Session, ready: Ready): void {
    const sentence = `Home Assistant at ${ha.name}: the route is ${route}, because ${why}`;
    // Once, and not at each reconnect.
    if (said !== sentence) log.info(sentence);
    said = sentence;
    for (const one of left) log.warn(one);
    ready({ route, why, ...(left.length > 0 && { to_delete: left.join(" ") }) });
  }

  /** Until another route is the right one, or the signal is aborted. */
  async function take({ route }: Decision, feed: Feed, session: Session, signal: AbortSignal): Promise<void> {
    const over = branchOf(signal);
    const running = routes[route].run(feed, session, over.signal);
    try {
      await Promise.race([
        running,
        routeChanged(route, options.route, session, over.signal),
        servedByBroker(feed.state, session, clientId, over.signal),
      ]);
      // What was published stays until the other route has taken over, or is out of our reach.
      over.end(RELOAD);
      await running;
    } finally {
      over.end(RELOAD);
    }
  }

  /** In the app this way is there unasked, and not needed where there is a broker. */
  async function isNeeded(signal: AbortSignal): Promise<boolean> {
    return supervisor === undefined || !(await context.hasBroker(signal));
  }

  return {
    name: "homeassistant",
    longestDelayMs: LONGEST_DELAY_MS,
    async *probe(signal) {
      const isRequired = await isNeeded(signal);
      yield* probe({ options, endpoint, isRequired, clientId, mobileApp: routes.mobile_app }, signal);
    },
    async traces(signal) {
      const isRequired = await isNeeded(signal);
      return await openTraces(endpoint, routes, signal).catch((error: unknown) => {
        if (isRequired) throw error;
        return NO_TRACES;
      });
    },
    async run(feed, signal, ready) {
      await withSession(await endpoint(), signal, async (session, ended) => {
        const publishing = publish(feed, session, ended, ready);
        await Promise.race([publishing, keepNotices(feed, session.ha, ended)]);
        // The others end at once when they are to; this one has its last words to say.
        await publishing;
      });
    },
  };
}

function secondWay({ ha }: Session, left: readonly string[]): FatalError {
  const sentence =
    `the broker of mqtt.url already brings these pets into the Home Assistant at ${ha.name}, and each would be there ` +
    "twice: remove the section home_assistant or the section mqtt from the configuration.";
  return new FatalError([sentence, ...left].join(" "));
}
