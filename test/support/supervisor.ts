/**
 * Home Assistant's Supervisor on loopback, as an app meets it: it tells the MQTT broker's credentials, it proxies
 * `/core/api/…` and `/core/websocket` to a Home Assistant with a token of its own, and it visits the app's pages as
 * ingress does. Read from the Supervisor's source.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { WebSocket as Client, type WebSocket, WebSocketServer } from "ws";

/** The answer about the broker; some versions tell the port as text. */
interface BrokerCredentials {
  readonly host: string;
  readonly port: number | string;
  readonly ssl?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly protocol?: string;
}

interface SupervisorOptions {
  /** Undefined: no app provides a broker. */
  readonly broker?: BrokerCredentials;
  /** Who stands behind `/core/…`; without one, the Supervisor answers that it is not there. */
  readonly homeAssistant?: { readonly url: string; readonly adminToken: string };
}

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** What was answered. */
  readonly status: number;
}

interface IngressAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Supervisor {
  /** For `SUPERVISOR_API`. */
  readonly url: string;
  /** For `SUPERVISOR_TOKEN`. */
  readonly token: string;
  /** Both, as the app's environment has them. */
  readonly environment: { readonly SUPERVISOR_API: string; readonly SUPERVISOR_TOKEN: string };
  /** May be changed at any time, as when the broker's app is installed, installed anew, or removed. */
  broker: BrokerCredentials | undefined;
  /** Answers this to everything, as while it is being updated. */
  failure: { readonly status: number; readonly body: string } | undefined;
  readonly requests: readonly SeenRequest[];
  /** Whatever stands behind `/core/…` from now on. */
  homeAssistant: SupervisorOptions["homeAssistant"];
  /** Asks the app at this port for a page, as a browser's request comes through ingress. */
  visit(port: number, path: string, options?: IngressOptions): Promise<IngressAnswer>;
  close(): Promise<void>;
}

interface IngressOptions {
  readonly method?: string;
  /** Where the request comes from; a real Supervisor's is 172.30.32.2. */
  readonly localAddress?: string;
  /** The app's path in the browser. */
  readonly ingressPath?: string;
}

const PATH_OF_INGRESS = "/api/hassio_ingress/Y0XT8EpEMqk2mFbD0Vq3kQ";

export async function startSupervisor(options: SupervisorOptions = {}): Promise<Supervisor> {
  const token = randomBytes(28).toString("hex");
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    response.on("finish", () => {
      const { method = "", url = "" } = incoming;
      requests.push({ method, path: url, status: response.statusCode });
    });
    answer(supervisor, incoming, response).catch((error: unknown) => fail(response, 502, String(error)));
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  serveWebSocket(server, () => supervisor, requests);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const supervisor: Supervisor = {
    url,
    token,
    environment: { SUPERVISOR_API: url, SUPERVISOR_TOKEN: token },
    broker: options.broker,
    failure: undefined,
    requests,
    homeAssistant: options.homeAssistant,
    visit,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return supervisor;
}

async function answer(supervisor: Supervisor, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { failure, broker, token } = supervisor;
  if (failure !== undefined) return void response.writeHead(failure.status).end(failure.body);
  if (incoming.headers.authorization !== `Bearer ${token}`) return fail(response, 401, "unauthorized");
  const path = incoming.url ?? "";
  if (path === "/services/mqtt") {
    if (broker === undefined) return fail(response, 400, "Service not enabled");
    return succeed(response, { addon: "core_mosquitto", ssl: false, protocol: "3.1.1", ...broker });
  }
  if (path.startsWith("/core/api/")) return await forward(supervisor, incoming, response);
  fail(response, 404, "not found");
}

function succeed(response: ServerResponse, data: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ result: "ok", data }));
}

function fail(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ result: "error", message }));
}

/** The app's token goes no further: Home Assistant sees one of the Supervisor's. */
async function forward(
  { homeAssistant }: Supervisor,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (homeAssistant === undefined) return fail(response, 502, "Home Assistant is not there");
  const { method = "GET", url = "" } = incoming;
  const type = incoming.headers["content-type"];
  const body = method === "GET" || method === "HEAD" ? undefined : await text(incoming);
  const reply = await fetch(homeAssistant.url + url.replace(/^\/core/, ""), {
    method,
    headers: {
      authorization: `Bearer ${homeAssistant.adminToken}`,
      ...(type !== undefined && { "content-type": type }),
    },
    ...(body !== undefined && { body }),
  });
  const content = Buffer.from(await reply.arrayBuffer());
  response.writeHead(reply.status, { "content-type": reply.headers.get("content-type") ?? "text/plain" }).end(content);
}

/** The greeting is the Supervisor's own; what comes behind it is between the app and Home Assistant. */
function serveWebSocket(server: Server, supervisor: () => Supervisor, requests: SeenRequest[]): void {
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (incoming, socket, head) => {
    const path = incoming.url ?? "";
    const isKnown = path === "/core/websocket" && supervisor().failure === undefined;
    requests.push({ method: "GET", path, status: isKnown ? 101 : 404 });
    if (!isKnown) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    sockets.handleUpgrade(incoming, socket, head, (app) => void greet(app, supervisor()).catch(() => app.terminate()));
  });
}

async function greet(app: WebSocket, { homeAssistant, token }: Supervisor): Promise<void> {
  if (homeAssistant === undefined) return app.close(1011);
  app.send(JSON.stringify({ type: "auth_required", ha_version: "2026.11.0" }));
  const said = await nextMessage(app);
  if (said.type !== "auth" || ![said.access_token, said.api_password].includes(token)) {
    app.send(JSON.stringify({ type: "auth_invalid", message: "Invalid access" }));
    return app.close();
  }
  const core = new Client(`${homeAssistant.url.replace(/^http/, "ws")}/api/websocket`);
  // Nobody else hears of it, and it would end the process; `close` follows.
  core.on("error", () => undefined);
  const closed = (): void => {
    app.close();
    core.close();
  };
  core.on("close", closed);
  app.on("close", closed);
  await nextMessage(core);
  core.send(JSON.stringify({ type: "auth", access_token: homeAssistant.adminToken }));
  const { ha_version } = await nextMessage(core);
  core.on("message", (data, isBinary) => app.send(data, { binary: isBinary }));
  app.on("message", (data, isBinary) => core.send(data, { binary: isBinary }));
  app.send(JSON.stringify({ type: "auth_ok", ha_version }));
}

async function nextMessage(socket: WebSocket): Promise<Record<string, unknown>> {
  const [data] = (await once(socket, "message")) as unknown[];
  return JSON.parse(String(data)) as Record<string, unknown>;
}

async function visit(
  port: number,
  path: string,
  { method = "GET", localAddress = "127.0.0.1", ingressPath = PATH_OF_INGRESS }: IngressOptions = {},
): Promise<IngressAnswer> {
  const headers = {
    "x-ingress-path": ingressPath,
    "x-remote-user-id": "b7a3c0de",
    "x-remote-user-name": "alex",
    "x-remote-user-display-name": "Alex",
    "x-forwarded-proto": "http",
  };
  const going = send({ host: "127.0.0.1", port, path, method, localAddress, headers });
  const arrived = once(going, "response");
  going.end();
  const [response] = (await arrived) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}
