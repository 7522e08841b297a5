/** Raw clients of the simulated cloud: fetch, a WebSocket, frames written by hand. Nothing of the product's client. */
import { WebSocket } from "ws";
import { type Cloud, type CloudOptions, startCloud } from "../../src/demo/cloud.ts";

export const owner = { login: "cat@example.com", password: "tuna", id: 15979, name: "Alex" };

/** A cloud with one account, a home station 10775 and the collars 1, 2 and 3. */
export async function cloudWithCollars(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud(options);
  cloud.addAccount(owner);
  cloud.addHomeStation(owner.login, { id: 10775 });
  for (const id of [1, 2, 3]) cloud.addCollar(owner.login, { id, lastPos: { posLat: 51.5, posLong: -0.1 } });
  return cloud;
}

export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function token(cloud: Cloud, account: { login: string; password: string } = owner): Promise<string> {
  const body = JSON.stringify({ login: account.login, password: account.password });
  const response = await fetch(`${cloud.portalUrl}/user/login`, { method: "POST", body });
  const answer = (await response.json()) as { access_token: string };
  return answer.access_token;
}

export interface Rest {
  get(path: string): Promise<Response>;
  post(path: string, body?: unknown): Promise<Response>;
}

export function restOf(cloud: Cloud, accessToken: string): Rest {
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  return {
    get: (path) => fetch(cloud.portalUrl + path, { headers }),
    post: (path, body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return fetch(cloud.portalUrl + path, { method: "POST", headers, ...(text === undefined ? {} : { body: text }) });
    },
  };
}

export interface StreamClient {
  readonly socket: WebSocket;
  /** Every WebSocket message, as it came. */
  readonly texts: string[];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  send(...strings: string[]): void;
  /** The next text (from the first on, in order) that matches; earlier ones are skipped. */
  next(pattern: RegExp, ms?: number): Promise<string>;
}

export function streamUrl(cloud: Cloud, accessToken: string): string {
  return `${cloud.streamUrl}/042/a1b2c3d4/websocket?access_token=${accessToken}`;
}

export function openStream(cloud: Cloud, accessToken: string): StreamClient {
  const socket = new WebSocket(streamUrl(cloud, accessToken));
  const texts: string[] = [];
  let position = 0;
  let wake = (): void => {};
  socket.on("message", (data: Buffer) => {
    texts.push(data.toString());
    wake();
  });
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  const next = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const text = texts[position];
      if (text === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      position += 1;
      if (pattern.test(text)) return text;
    }
  };
  return {
    socket,
    texts,
    closed,
    send: (...strings) => socket.send(JSON.stringify(strings)),
    next: (pattern, ms = 2000) => within(next(pattern), ms, `${pattern} after ${JSON.stringify(texts.slice(-3))}`),
  };
}

export const connectFrame = (accessToken: string, heartBeat = "0,0"): string =>
  `CONNECT\naccept-version:1.1,1.0\nheart-beat:${heartBeat}\naccess_token:${accessToken}\n\n\0`;

export const subscribeFrame = (id: string, destination: string): string =>
  `SUBSCRIBE\nid:${id}\ndestination:${destination}\n\n\0`;

export const sendFrame = (destination: string, body: string): string =>
  `SEND\ndestination:${destination}\ncontent-type:application/json\ncontent-length:${Buffer.byteLength(body)}\n\n${body}\0`;

export const messagesFrame = subscribeFrame("sub-0", "/user/queue/messages");
export const portalFrame = subscribeFrame("sub-1", "/user/queue/portal");
export const devicesFrame = (...deviceIds: number[]): string =>
  sendFrame("/app/subscribe", JSON.stringify({ deviceIds }));

/** A stream that has done everything it must: connected, both queues, these devices. */
export async function subscribedStream(cloud: Cloud, ...ids: number[]): Promise<StreamClient> {
  const accessToken = await token(cloud);
  const stream = openStream(cloud, accessToken);
  await stream.next(/^o$/);
  stream.send(connectFrame(accessToken));
  await stream.next(/CONNECTED/);
  stream.send(messagesFrame, portalFrame, devicesFrame(...ids));
  await cloud.waitFor(() => cloud.sessions.find((session) => session.deviceIds.size === ids.length), 2000);
  return stream;
}

/** The JSON body of the only STOMP frame in an `a[…]` text. */
export function bodyOf(text: string): unknown {
  const [frame = ""] = JSON.parse(text.slice(1)) as string[];
  return JSON.parse(frame.slice(frame.indexOf("\n\n") + 2, -1));
}
