/**
 * Home Assistant's WebSocket API, as little of it as tests need: one greeting and login, then numbered requests, each
 * with one `result`, and for subscriptions any number of `event`s under the request's number.
 */
import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "./waiting.ts";

export interface ApiRequest {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface ApiMessage {
  readonly id: number;
  readonly type: string;
  readonly success?: boolean;
  readonly result?: unknown;
  readonly event?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly message?: string;
}

type Receive = (message: ApiMessage) => void;
export type Unsubscribe = () => Promise<void>;

const ANSWER_MS = 15_000;

/** A refused request: `code` as Home Assistant gives it (`unauthorized`, `not_found`, …). */
export class HomeAssistantError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.name = "HomeAssistantError";
    this.code = code;
  }
}

function parse(data: unknown): ApiMessage {
  return JSON.parse(String(data)) as ApiMessage;
}

async function nextMessage(socket: WebSocket): Promise<ApiMessage> {
  const [data] = (await within(
    ANSWER_MS,
    once(socket, "message"),
    () => "No greeting from Home Assistant",
  )) as unknown[];
  return parse(data);
}

async function logIn(socket: WebSocket, token: string): Promise<void> {
  await nextMessage(socket);
  socket.send(JSON.stringify({ type: "auth", access_token: token }));
  const answer = await nextMessage(socket);
  if (answer.type !== "auth_ok") throw new HomeAssistantError(answer.type, answer.message ?? "login refused");
}

/** `url` is that of the web page, `http://…`. */
export async function connectApi(url: string, token: string): Promise<HomeAssistantApi> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/websocket`);
  // Without a listener an error after the connection would end the process; `close` follows it, and tells.
  socket.on("error", () => undefined);
  try {
    await logIn(socket, token);
  } catch (error) {
    socket.terminate();
    throw error;
  }
  return new HomeAssistantApi(socket);
}

export class HomeAssistantApi {
  readonly #socket: WebSocket;
  readonly #receivers = new Map<number, Receive>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const message = parse(data);
      this.#receivers.get(message.id)?.(message);
    });
    socket.on("close", () => this.#tellEnd());
  }

  /** The result; throws a `HomeAssistantError` when it is refused. */
  async call<T = unknown>(request: ApiRequest): Promise<T> {
    const id = ++this.#lastId;
    try {
      return await this.#send<T>(id, request, () => undefined);
    } finally {
      this.#receivers.delete(id);
    }
  }

  /** Lasts until it is called off, or the connection ends: a restart of Home Assistant forgets it. */
  async subscribe<E = unknown>(request: ApiRequest, handler: (event: E) => void): Promise<Unsubscribe> {
    const id = ++this.#lastId;
    await this.#send(id, request, ({ event }) => handler(event as E));
    return async () => {
      this.#receivers.delete(id);
      await this.call({ type: "unsubscribe_events", subscription: id });
    };
  }

  /** Each event as `{event_type, data, time_fired, …}`; all types when none is named. */
  async subscribeEvents<E = unknown>(eventType: string | undefined, handler: (event: E) => void): Promise<Unsubscribe> {
    const filter = eventType === undefined ? {} : { event_type: eventType };
    return await this.subscribe({ type: "subscribe_events", ...filter }, handler);
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, "close");
    this.#socket.terminate();
    await closed;
  }

  async #send<T>(id: number, request: ApiRequest, onEvent: Receive): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#receivers.set(id, (message) => {
      if (message.type === "event") onEvent(message);
      else if (message.success) resolve(message.result as T);
      else
        reject(new HomeAssistantError(message.error?.code ?? "unknown", message.error?.message ?? "no reason given"));
    });
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ ...request, id }));
    else this.#tellEnd();
    return await within(ANSWER_MS, promise, () => `Home Assistant did not answer ${request.type}`);
  }

  #tellEnd(): void {
    const error = { code: "connection_lost", message: "the connection to Home Assistant has ended" };
    for (const [id, receive] of this.#receivers) receive({ id, type: "result", success: false, error });
    this.#receivers.clear();
  }
}
