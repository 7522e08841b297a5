/**
 * One connection to a broker, from CONNECT to its end. The client library's own reconnecting is off: it would queue
 * without bound while the broker is away. Here a lost connection ends everything, and the next one starts afresh.
 */
import { connect as connectClient, type IClientOptions, type MqttClient } from "mqtt";
import type { QuickLink, Received } from "../../discovery/link.ts";
import type { Message } from "../../discovery/messages.ts";
import { sleep, within } from "../../lib/clock.ts";
import { describeError, RecoverableError } from "../../lib/errors.ts";
import { certificateTrouble, readPem } from "../../lib/tls.ts";
import type { MqttOptions } from "./options.ts";
import { bufferOf, createOutbox, type OnRefused } from "./outbox.ts";
import { keepPulse, NO_TIMER, SILENCE_MS } from "./pulse.ts";
import { ThrownOut } from "./rival.ts";

export interface Connection extends QuickLink {
  /** Rejects with the reason when the connection is lost. */
  readonly lost: Promise<never>;
  /** Says these last words and disconnects; never longer than three seconds. */
  end(lastWords: readonly Message[]): Promise<void>;
}

/** Three times there and back, where each way takes two seconds: a connection, its encryption, and a login. */
const CONNECT_MS = 14_000;
const CONFIRM_MS = 15_000;
const GOODBYE_MS = 1_500;
/** The broker gives us up after one and a half of it; the pulse is twice as quick. */
const KEEP_ALIVE_S = 20;
/** A broker tells its retained messages right behind its confirmation: after such a pause there are no more. */
const RETAINED_PAUSE_MS = 150;
const RETAINED_LONGEST_MS = 3_000;
/** Nothing of ours, and no description of an entity, comes near it; a broker may pass on a quarter of a gigabyte. */
const LARGEST_PACKET = 16 * 1024 * 1024;
/** What is read of a payload: more is none that we understand. */
const LONGEST_PAYLOAD = 1024 * 1024;
/** A refused login at one's own broker is tried again at this pace: the user may be mending it right now. */
const REFUSED_MS = 30_000;

/**
 * Connects, with `will` as the broker's word for our death.
 * @throws RecoverableError with a sentence for the user; LoginRefused among them
 */
export async function openConnection(
  options: MqttOptions,
  clientId: string,
  will: Message | undefined,
  signal: AbortSignal,
  onRefused?: OnRefused,
): Promise<Connection> {
  const client = connectClient(options.url, clientOptions(options, clientId, will));
  const lost = lostSignal(client, options.url);
  const attempt = new AbortController();
  try {
    const open = connected(client, signal, attempt.signal);
    await within(CONNECT_MS, Promise.race([open, lost]), () => timeout(options.url));
  } catch (error) {
    client.end(true);
    throw error;
  } finally {
    attempt.abort();
  }
  return createConnection(client, lost, onRefused);
}

function clientOptions(options: MqttOptions, clientId: string, will: Message | undefined): IClientOptions {
  const { username, password } = options;
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tlsOptions(options),
    clientId,
    protocolVersion: options.protocol_version,
    clean: true,
    keepalive: KEEP_ALIVE_S,
    timerVariant: NO_TIMER,
    // Our own patience ends first, with a sentence of ours.
    connectTimeout: 2 * CONNECT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // A buffer for each of 65,536 numbers, made at the first packet: 8 MB for nothing.
    writeCache: false,
    // What it would say for debugging it puts together for each packet, heard or not.
    log: () => {},
    ...(will && {
      will: { topic: will.topic, payload: Buffer.from(will.payload), retain: will.retain, qos: will.qos },
    }),
    wsOptions: { perMessageDeflate: false, maxPayload: LARGEST_PACKET },
    ...(options.protocol_version === 5 && { properties: { maximumPacketSize: LARGEST_PACKET } }),
  };
}

function tlsOptions(options: MqttOptions): Partial<IClientOptions> {
  const { ca, cert, key } = options;
  return {
    rejectUnauthorized: options.reject_unauthorized,
    ...(ca !== undefined && { ca: readPem("mqtt.ca", ca) }),
    ...(cert !== undefined && { cert: readPem("mqtt.cert", cert) }),
    ...(key !== undefined && { key: readPem("mqtt.key", key) }),
  };
}

/** @param over aborted when nobody waits any more: then nothing must be left behind on the longer-lived signal */
function connected(client: MqttClient, signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve());
    const stop = (): void => reject(new RecoverableError("stopped while connecting"));
    signal.addEventListener("abort", stop, { once: true, signal: over });
  });
}

/** The client library holds a packet until it is whole: one that is too large ends the connection before that. */
function limitPackets(client: MqttClient, onTooLarge: () => void): void {
  let bytes = 0;
  client.on("packetreceive", () => {
    bytes = 0;
  });
  client.stream.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= LARGEST_PACKET) return;
    onTooLarge();
    client.stream.destroy();
  });
}

/** A promise that rejects with the first reason for which the connection is no more. */
function lostSignal(client: MqttClient, url: string): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    client.on("error", (error) => reject(isGibberish(error, client) ? noBroker(url, error) : failure(error, url)));
    client.on("disconnect", ({ reasonCode = 0 }) => reject(thrownOut(url, ` (reason ${reasonCode})`)));
    client.on("close", () => reject(thrownOut(url)));
    client.once("connect", () => keepPulse(client, () => reject(silence(url))));
    const sentence = `it sent a message of more than ${LARGEST_PACKET / 1024 / 1024} MB`;
    limitPackets(client, () => reject(failure(sentence, url)));
  });
  lost.catch(() => {});
  return lost;
}

/** Reason codes of a refused CONNECT that tell of wrong credentials, in MQTT 3.1.1 and 5. */
const REFUSED_CODES: readonly unknown[] = [4, 5, 134, 135];

/** The broker does not know the user, or not with this password. */
export class LoginRefused extends RecoverableError {}

function failure(error: unknown, url: string): RecoverableError {
  const cause = error instanceof Error ? error : new Error(String(error));
  if ("code" in cause && REFUSED_CODES.includes(cause.code)) {
    const remedy = "check mqtt.username and mqtt.password, and that the broker has this user";
    return new LoginRefused(`the broker at ${hostOf(url)} refused the login: ${remedy}`, {
      retryAfterMs: REFUSED_MS,
    });
  }
  // It has hung up, and we were about to say something.
  if ("code" in cause && cause.code === "EPIPE") return thrownOut(url);
  const reason = certificateTrouble(cause, { authority: "mqtt.ca", url: "mqtt.url" }) ?? describeError(cause);
  return new RecoverableError(`the broker at ${hostOf(url)} cannot be reached: ${reason}`);
}

function thrownOut(url: string, reason = ""): ThrownOut {
  return new ThrownOut(`the broker at ${hostOf(url)} has closed the connection${reason}`);
}

/** The library's parser has no code for what it cannot read; and a broker's first packet can be read. */
function isGibberish(error: Error, { connected }: MqttClient): boolean {
  return !connected && !("code" in error);
}

function noBroker(url: string, cause: Error): RecoverableError {
  const remedy = "check host, port and scheme (mqtt, mqtts, ws or wss) of mqtt.url";
  return new RecoverableError(`what answers at ${hostOf(url)} is no MQTT broker: ${remedy}`, { cause });
}

function silence(url: string): RecoverableError {
  return new RecoverableError(`the broker at ${hostOf(url)} has not said a word for ${SILENCE_MS / 1000} s`);
}

function timeout(url: string): RecoverableError {
  return new RecoverableError(`the broker at ${hostOf(url)} did not answer within ${CONNECT_MS / 1000} s`);
}

/** Host and port, without the credentials that may stand in the address. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an address that cannot be read";
}

function createConnection(client: MqttClient, lost: Promise<never>, onRefused?: OnRefused): Connection {
  const outbox = createOutbox(client, lost, onRefused);
  return {
    lost,
    publish: (message) => outbox.publish(message),
    tryPublish: (message) => outbox.tryPublish(message),
    publishLatest: (make) => outbox.publishLatest(make),
    flush: () => outbox.flush(),
    subscribe: (filters, receive) => subscribe(client, filters, receive, lost),
    async end(lastWords) {
      if (client.connected) {
        const said = Promise.all(
          lastWords.map(({ topic, payload, retain, qos }) =>
            client.publishAsync(topic, bufferOf(payload), { retain, qos }),
          ),
        );
        await within(
          GOODBYE_MS,
          said.then(() => client.endAsync()),
          unconfirmed,
        ).catch(() => {});
      }
      await within(GOODBYE_MS, client.endAsync(true), unconfirmed).catch(() => {});
    },
  };
}

function unconfirmed(): RecoverableError {
  return new RecoverableError(`the broker has not confirmed a message within ${CONFIRM_MS / 1000} s`);
}

async function subscribe(
  client: MqttClient,
  filters: readonly string[],
  receive: (message: Received) => void,
  lost: Promise<never>,
): Promise<void> {
  const quiet = createQuiet();
  client.on("message", (topic, payload, { retain }) => {
    quiet.noise();
    receive({ topic, payload: payload.toString("utf8", 0, LONGEST_PAYLOAD), retained: retain });
  });
  const granted = within(CONFIRM_MS, client.subscribeAsync([...filters], { qos: 1 }), unconfirmed);
  await Promise.race([granted, lost]).catch((cause: unknown) => {
    throw new RecoverableError("the broker refused a subscription: check the user's rights at the broker", { cause });
  });
  await Promise.race([quiet.come(), lost]);
}

/** Waits for a pause between messages. */
function createQuiet(): { noise(): void; come(): Promise<void> } {
  let noises = 0;
  return {
    noise: () => {
      noises += 1;
    },
    async come() {
      const rounds = Math.ceil(RETAINED_LONGEST_MS / RETAINED_PAUSE_MS);
      for (let round = 0, heard = -1; round < rounds && heard !== noises; round += 1) {
        heard = noises;
        await sleep(RETAINED_PAUSE_MS);
      }
    },
  };
}
