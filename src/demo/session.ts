/**
 * One client's stream: a STOMP session with a broker that behaves like Spring's.
 *
 * The queues stay silent until the client has named its devices by `/app/subscribe`. Heart-beats go out as often as
 * both sides agreed on; a client that promised some and sends nothing for three intervals is cut off without a word
 * of STOMP.
 */
import { agreedVersion, deviceIdsOf, heartBeatHeader, requiredHeader } from "./requests.ts";
import type { SockJsLine } from "./sockjs.ts";
import { encodeFrame, type Frame, FrameReader, StompError } from "./stomp.ts";
import { type Account, accountByToken, type Watcher, type World } from "./world.ts";

export const messagesQueue = "/user/queue/messages";
export const portalQueue = "/user/queue/portal";

const framesKept = 100;

/** What may be known about a client's stream. */
export interface SessionView {
  readonly login: string;
  /** The two random parts of the connection's address. */
  readonly server: string;
  readonly id: string;
  readonly openedAt: number;
  readonly open: boolean;
  /** After CONNECTED. */
  readonly connected: boolean;
  readonly connectHeaders: ReadonlyMap<string, string>;
  /** The destination of each SUBSCRIBE, by its id. */
  readonly subscriptions: ReadonlyMap<string, string>;
  readonly destinations: readonly string[];
  /** Devices asked for by `/app/subscribe`, less those taken back. */
  readonly deviceIds: ReadonlySet<number>;
  /** How many STOMP heart-beats came from the client. */
  readonly heartBeats: number;
  /** The last frames that came from the client, at most 100. */
  readonly frames: readonly Frame[];
}

export interface SessionOptions {
  readonly world: World;
  readonly account: Account;
  readonly line: SockJsLine;
  readonly server: string;
  readonly id: string;
  readonly nextMessageNumber: () => number;
}

export class StreamSession implements SessionView, Watcher {
  readonly server: string;
  readonly id: string;
  readonly line: SockJsLine;
  readonly openedAt = Date.now();
  readonly subscriptions = new Map<string, string>();
  readonly deviceIds = new Set<number>();
  readonly frames: Frame[] = [];
  connectHeaders: ReadonlyMap<string, string> = new Map();
  connected = false;
  heartBeats = 0;
  readonly #world: World;
  readonly #account: Account;
  readonly #nextMessageNumber: () => number;
  readonly #reader = new FrameReader();
  #awake = false;
  #receivedAt = Date.now();

  constructor(options: SessionOptions) {
    this.server = options.server;
    this.id = options.id;
    this.line = options.line;
    this.#world = options.world;
    this.#account = options.account;
    this.#nextMessageNumber = options.nextMessageNumber;
  }

  get login(): string {
    return this.#account.options.login;
  }

  get destinations(): string[] {
    return [...this.subscriptions.values()];
  }

  get open(): boolean {
    return !this.line.closing;
  }

  /** Opens the line and serves it until it closes. */
  start(): void {
    this.line.open(this.#world.settings.sockjsHeartbeatMs, (strings) => this.#receive(strings));
  }

  deliver(destination: string, body: string, bodyBytes: number): boolean {
    if (!this.#awake || this.line.closing) return false;
    let delivered = false;
    for (const [subscription, wanted] of this.subscriptions) {
      if (wanted !== destination) continue;
      this.#sendMessage(destination, subscription, body, bodyBytes);
      delivered = true;
    }
    return delivered;
  }

  forget(id: number): void {
    this.deviceIds.delete(id);
  }

  /** A STOMP ERROR ends the connection, as the specification wants it. */
  fail(message: string): void {
    this.line.outbox.stomp(encodeFrame("ERROR", [["message", message]], "", this.#reader.escaped));
    this.line.close(1002, "");
  }

  thaw(): void {
    // The client's heart-beats of the frozen time are not its fault.
    this.#receivedAt = Date.now();
    this.line.thaw();
  }

  /** The socket is gone: forget everything that would hold on to this session. */
  ended(): void {
    this.line.ended();
    this.#unwatch([...this.deviceIds]);
  }

  #receive(strings: readonly string[]): void {
    this.#receivedAt = Date.now();
    try {
      for (const text of strings) this.#take(text);
    } catch (error) {
      if (!(error instanceof StompError)) throw error;
      this.fail(error.message);
    }
  }

  #take(text: string): void {
    for (const item of this.#reader.read(text)) {
      if (item === "heart-beat") this.heartBeats += 1;
      else this.#handle(item);
    }
  }

  #handle(frame: Frame): void {
    this.frames.push(frame);
    if (this.frames.length > framesKept) this.frames.shift();
    if (frame.command === "CONNECT" || frame.command === "STOMP") this.#connect(frame);
    else if (this.connected) this.#obey(frame);
    else throw new StompError("CONNECT must come first");
  }

  #obey(frame: Frame): void {
    switch (frame.command) {
      case "SUBSCRIBE":
        this.subscriptions.set(requiredHeader(frame, "id"), requiredHeader(frame, "destination"));
        break;
      case "UNSUBSCRIBE":
        this.subscriptions.delete(requiredHeader(frame, "id"));
        break;
      case "SEND":
        this.#application(requiredHeader(frame, "destination"), frame.body);
        break;
      case "DISCONNECT":
        this.#disconnect(frame.headers.get("receipt"));
        break;
      default:
        throw new StompError(`${frame.command} is not understood here`);
    }
  }

  #connect(frame: Frame): void {
    if (this.connected) throw new StompError("already connected");
    const speaker = accountByToken(this.#world, frame.headers.get("access_token"));
    if (speaker !== this.#account) throw new StompError("the access token is not valid");
    const version = agreedVersion(frame.headers.get("accept-version"));
    const clientHeartBeat = heartBeatHeader(frame.headers.get("heart-beat"));
    this.connectHeaders = frame.headers;
    this.connected = true;
    this.#reader.escaped = version === "1.1";
    const headers: [string, string][] = [
      ["version", version],
      ["heart-beat", this.#world.settings.heartBeatMs.join(",")],
      ["user-name", this.login],
    ];
    this.line.outbox.stomp(encodeFrame("CONNECTED", headers, "", false));
    this.#startHeartBeats(...clientHeartBeat);
  }

  /** Each direction beats at the slower of what one side offers and the other wants; 0 on either side: not at all. */
  #startHeartBeats(clientSends: number, clientWants: number): void {
    const [send, receive] = this.#world.settings.heartBeatMs;
    if (send && clientWants) this.line.every(Math.max(send, clientWants), () => this.line.outbox.stomp("\n"));
    if (receive && clientSends) this.#watchClient(Math.max(receive, clientSends));
  }

  #watchClient(intervalMs: number): void {
    this.line.every(intervalMs / 2, () => {
      const silentMs = Date.now() - this.#receivedAt;
      if (silentMs > 3 * intervalMs && !this.line.closing) this.line.goodbye(1002, "");
    });
  }

  #application(destination: string, body: string): void {
    if (destination === "/app/subscribe") this.#watch(deviceIdsOf(body));
    else if (destination === "/app/unsubscribe") this.#unwatch(deviceIdsOf(body));
    else throw new StompError(`nothing listens at ${destination}`);
  }

  /** Ids of other accounts are passed over in silence: an answer would tell which ids exist. */
  #watch(ids: readonly number[]): void {
    this.#awake = true;
    for (const id of ids) {
      const device = this.#account.devices.get(id);
      if (!device) continue;
      device.watchers.add(this);
      this.deviceIds.add(id);
    }
  }

  #unwatch(ids: readonly number[]): void {
    for (const id of ids) {
      this.#account.devices.get(id)?.watchers.delete(this);
      this.deviceIds.delete(id);
    }
  }

  #disconnect(receipt: string | undefined): void {
    const frame = encodeFrame("RECEIPT", [["receipt-id", receipt ?? ""]], "", this.#reader.escaped);
    if (receipt) this.line.outbox.stomp(frame);
    this.line.close(1000, "");
  }

  #sendMessage(destination: string, subscription: string, body: string, bodyBytes: number): void {
    const headers: [string, string][] = [
      ["destination", destination],
      ["content-type", "application/json;charset=UTF-8"],
      ["subscription", subscription],
      ["message-id", `${this.id}-${this.#nextMessageNumber()}`],
      ["content-length", String(bodyBytes)],
    ];
    this.line.outbox.message(encodeFrame("MESSAGE", headers, body, this.#reader.escaped));
  }
}
