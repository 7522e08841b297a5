/**
 * One connection to Home Assistant's WebSocket API, from login to its end. The client library's own reconnecting is
 * off: it knows no back-off against a server that closes right after the login. Here a lost connection ends
 * everything, and the next one starts afresh.
 */
import { Connection as Client, type MessageBase } from "home-assistant-js-websocket";
import { sleep, within } from "../../lib/clock.ts";
import { FatalError, RecoverableError } from "../../lib/errors.ts";
import type { z } from "../../lib/schema.ts";
import type { Endpoint } from "./endpoint.ts";
import { openSocket } from "./socket.ts";

export interface HomeAssistant {
  readonly name: string;
  /** Rejects with the reason when the connection is lost. */
  readonly lost: Promise<never>;
  /**
   * Sends a command and reads its result.
   * @throws CallRefused, RecoverableError when the connection is lost or the answer does not come or makes no sense
   */
  call<Result>(command: MessageBase, result: z.ZodType<Result>): Promise<Result>;
  /** Calls a service; it has done its work when this resolves. @throws as `call` */
  callService(domain: string, service: string, data: object, target?: object): Promise<void>;
  /**
   * Events of a subscription; those that make no sense are left out. Lasts as long as the connection.
   * @throws as `call`
   */
  subscribe<Event>(command: MessageBase, event: z.ZodType<Event>, receive: (event: Event) => void): Promise<void>;
  close(): void;
}

/** Home Assistant said no. */
export class CallRefused extends Error {
  override readonly name = "CallRefused";
  /** As Home Assistant names it: `unauthorized`, `not_found`, `unknown_command`, … */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Only the user can mend that. @param name of Home Assistant, for the sentence */
export function tokenRefused(name: string, cause?: unknown): FatalError {
  const remedy = "make a new long-lived access token in Home Assistant and set home_assistant.token to it.";
  return new FatalError(`Home Assistant at ${name} refused the token: ${remedy}`, { cause });
}

/** Half-open connections are found by the lack of an answer. */
const PING_EVERY_MS = 20_000;
const PONG_MS = 10_000;
/** A broker that is slow to confirm makes Home Assistant slow to answer. */
const ANSWER_MS = 20_000;
/** An answer that has not come by then will not come, whatever else does. */
const LONGEST_MS = 120_000;

/** @throws TokenRefused, RecoverableError with a sentence for the user */
export async function openConnection(endpoint: Endpoint, signal: AbortSignal): Promise<HomeAssistant> {
  const ended = new AbortController();
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => ended.abort());
  const { socket, bytesRead } = await openSocket(endpoint, { signal, onEnd: lose });
  const createSocket = (): Promise<never> => Promise.reject(new RecoverableError("there is no second connection"));
  const client = new Client(socket, { setupRetry: 0, createSocket });
  // It would connect again by itself.
  client.addEventListener("disconnected", () => client.close());

  async function answerOf(promise: Promise<unknown>): Promise<unknown> {
    try {
      return await patiently(ANSWER_MS, promise, bytesRead, `${endpoint.name} does not answer`);
    } catch (error) {
      throw refusalOf(error) ?? (error instanceof Error ? error : new RecoverableError("the connection was lost"));
    }
  }

  const connection: HomeAssistant = {
    name: endpoint.name,
    lost,
    async call(command, result) {
      const answer = result.safeParse(await answerOf(client.sendMessagePromise({ ...command })));
      if (answer.success) return answer.data;
      throw new RecoverableError(`Home Assistant's answer to ${command.type} makes no sense`);
    },
    async callService(domain, service, data, target) {
      const call = { type: "call_service", domain, service, service_data: data, ...(target && { target }) };
      await answerOf(client.sendMessagePromise(call));
    },
    async subscribe(command, event, receive) {
      const read = (raw: unknown): void => {
        const parsed = event.safeParse(raw);
        if (parsed.success) receive(parsed.data);
      };
      await answerOf(client.subscribeMessage(read, { ...command }, { resubscribe: false }));
    },
    close() {
      ended.abort();
      client.close();
    },
  };
  void watch(client, bytesRead, ended.signal).catch((error: unknown) => {
    lose(error);
    client.close();
  });
  return connection;
}

/** Rejects when no answer comes. */
async function watch(client: Client, bytesRead: () => number, ended: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(PING_EVERY_MS, ended);
    if (ended.aborted) return;
    await patiently(PONG_MS, client.ping(), bytesRead, `no answer to a ping within ${PONG_MS / 1000} s`);
  }
}

/**
 * What the promise gives. Nothing at all within `ms` is the end of it; but over a way that is slow an answer stands in
 * a queue behind all that is on its way, and is waited for as long as something comes.
 */
async function patiently<T>(ms: number, promise: Promise<T>, bytesRead: () => number, problem: string): Promise<T> {
  const late = new RecoverableError(problem);
  for (let [before, waitedMs] = [bytesRead(), ms]; ; waitedMs += ms) {
    try {
      return await within(ms, promise, () => late);
    } catch (error) {
      const now = bytesRead();
      if (error !== late || now === before || waitedMs >= LONGEST_MS) throw error;
      before = now;
    }
  }
}

/** The library rejects with what Home Assistant has answered: an object with a code and a message. */
function refusalOf(error: unknown): CallRefused | RecoverableError | undefined {
  if (typeof error !== "object" || error === null || error instanceof Error) return undefined;
  if ("error" in error) return new RecoverableError("the connection was lost");
  const { code, message } = { code: "", message: "", ...error };
  return typeof code === "string" ? new CallRefused(code, String(message)) : new RecoverableError(String(message));
}
