/**
 * The publisher of the app that was told of no broker: the Supervisor knows one, and its credentials. They change when
 * the broker's app is installed anew, so that they are asked for again whenever a connection has ended.
 */
import { monotonicMs, sleep } from "../../lib/clock.ts";
import { describeError, RecoverableError } from "../../lib/errors.ts";
import type { Finding } from "../../lib/finding.ts";
import type { Logger } from "../../lib/log.ts";
import type { Scrubber } from "../../lib/scrub.ts";
import { type BrokerService, findBroker, type SupervisorAccess } from "../../lib/supervisor.ts";
import type { Details, OpenTraces, Publisher } from "../publisher.ts";
import { LoginRefused } from "./connection.ts";
import { type MqttOptions, mqttOptions } from "./options.ts";

interface Context {
  readonly supervisor: SupervisorAccess;
  readonly scrubber: Scrubber;
  /** Makes the publisher for a broker. */
  readonly create: (options: MqttOptions) => Publisher;
  readonly log: Logger;
}

/** How long to wait at least before the Supervisor is asked once more for a broker, or for one that lets us in. */
const ASK_AGAIN_MS = 15_000;
/** How long credentials that were refused are not tried again; longer each time. */
const REFUSED_MS = [30_000, 60_000, 120_000, 300_000, 600_000];

/** Another publisher reaches Home Assistant meanwhile. */
const NO_BROKER =
  "there is no MQTT broker: install the app Mosquitto broker (Settings → Apps → App store) and start it, and set up the " +
  "integration MQTT, which Home Assistant then offers; or write another broker's address into mqtt.url. Until then the " +
  "pets come by Home Assistant's own API";

const NOTHING: OpenTraces = {
  names: [],
  words: { one: "topic", place: "at the broker", advice: "" },
  isInUse: false,
  remove: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

/** The same credentials, refused so many times. */
interface Refusal {
  readonly options: MqttOptions;
  readonly count: number;
  readonly untilMs: number;
}

export function createSupervisedPublisher({ supervisor, scrubber, create, log }: Context): Publisher {
  let made: { readonly options: MqttOptions; readonly publisher: Publisher } | undefined;
  let refusal: Refusal | undefined;

  /** Undefined without a broker. One that goes on being the same keeps its publisher, which remembers things. */
  async function find(signal: AbortSignal): Promise<typeof made> {
    const options = await ask(signal);
    if (options === undefined) made = undefined;
    else if (!isSame(options, made?.options)) made = { options, publisher: create(options) };
    return made;
  }

  /** While the Supervisor cannot be asked, what it said last holds, unless that is known to be wrong. */
  async function ask(signal: AbortSignal): Promise<MqttOptions | undefined> {
    try {
      const service = await findBroker(supervisor, signal);
      if (service?.password !== undefined) scrubber.add(service.password);
      return service === undefined ? undefined : optionsOf(service);
    } catch (error) {
      if (made === undefined || isSame(made.options, refusal?.options)) throw error;
      return made.options;
    }
  }

  /** Undefined when the signal was aborted before there was a broker. */
  async function waitForBroker(signal: AbortSignal, ready: (details: Details) => void): Promise<typeof made> {
    log.info(`mqtt: ${NO_BROKER}`);
    ready({ why: NO_BROKER });
    while (!signal.aborted) {
      await sleep(ASK_AGAIN_MS, signal);
      const found = signal.aborted ? undefined : await find(signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The broker's own sentence names options that nobody has set, so that it is left out. */
  function refused(options: MqttOptions): RecoverableError {
    const count = isSame(options, refusal?.options) ? (refusal?.count ?? 0) + 1 : 1;
    const waitMs = REFUSED_MS[Math.min(count, REFUSED_MS.length) - 1] ?? 0;
    refusal = { options, count, untilMs: monotonicMs() + waitMs };
    return new RecoverableError(
      "the broker refuses the credentials that the Supervisor has for it; asking the Supervisor for new ones",
    );
  }

  /** @throws RecoverableError as long as the credentials are those that were refused, and it is too early for them */
  function beware(options: MqttOptions): void {
    if (refusal === undefined || !isSame(options, refusal.options)) return;
    const waitMs = refusal.untilMs - monotonicMs();
    if (waitMs <= 0) return;
    throw new RecoverableError(
      `the broker refused the login, and the Supervisor has no new credentials: restart the broker's app; the old ones ` +
        `are tried again in ${Math.ceil(waitMs / 1_000)} s`,
      { retryAfterMs: Math.min(waitMs, ASK_AGAIN_MS) },
    );
  }

  return {
    name: "mqtt",
    async run(feed, signal, ready) {
      const found = (await find(signal)) ?? (await waitForBroker(signal, ready));
      if (found === undefined) return;
      beware(found.options);
      const accepted = (): void => {
        refusal = undefined;
        ready();
      };
      try {
        await found.publisher.run(feed, signal, accepted);
      } catch (error) {
        throw error instanceof LoginRefused ? refused(found.options) : error;
      }
    },
    async *probe(signal) {
      const part = "Supervisor";
      try {
        const found = await find(signal);
        if (found === undefined) return yield { part, result: "hint", sentence: NO_BROKER } satisfies Finding;
        const { host } = new URL(found.options.url);
        yield { part, result: "works", sentence: `knows a broker at ${host}` } satisfies Finding;
        yield* found.publisher.probe(signal);
      } catch (error) {
        yield { part, result: "unreachable", sentence: describeError(error) } satisfies Finding;
      }
    },
    async traces(signal) {
      return (await (await find(signal))?.publisher.traces?.(signal)) ?? NOTHING;
    },
  };
}

function optionsOf({ host, port, ssl, username, password, isVersion5 }: BrokerService): MqttOptions {
  const result = mqttOptions.safeParse({
    url: `${ssl ? "mqtts" : "mqtt"}://${host}:${port}`,
    username,
    password,
    protocol_version: isVersion5 ? 5 : 4,
  });
  if (!result.success) throw new RecoverableError("the Supervisor names a broker whose address makes no sense");
  return result.data;
}

function isSame(a: MqttOptions, b: MqttOptions | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
