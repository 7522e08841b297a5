/**
 * A Home Assistant as its WebSocket API shows it, for what a real one does not do on demand: refuse, freeze, talk
 * nonsense, close right after the login. What it is asked for is kept.
 */
import { once } from "node:events";
import { type WebSocket, WebSocketServer } from "ws";

interface Command {
  readonly id: number;
  readonly type: string;
  readonly topic?: string;
  readonly domain?: string;
  readonly service?: string;
  readonly service_data?: Readonly<Record<string, unknown>>;
}

/** What a test may change at any time. */
interface Moods {
  /** What follows the login. */
  afterLogin: "serve" | "close" | "freeze";
  token: string;
  isAdmin: boolean;
  coreState: string;
  entries: { entry_id: string; domain: string; title: string; state: string; disabled_by: string | null }[];
  devices: { id: string; config_entries: string[]; identifiers: string[][]; serial_number: string | null }[];
  entities: { entity_id: string; platform: string; unique_id: string; device_id: string; disabled_by?: string }[];
  states: { entity_id: string; state: string }[];
  notifications: { notification_id: string; message: string }[];
  /** What its broker retains: told to each new subscription that fits. */
  readonly retained: Map<string, string>;
  /** The code of refused service calls. */
  refusal: string;
  /** A service call's answer comes when this resolves; a text is a refusal. */
  answer: (call: Command) => Promise<string | undefined>;
}

const matches = (filter: string, topic: string): boolean =>
  new RegExp(`^${filter.replaceAll("+", "[^/]+").replace("#", ".*")}$`).test(topic);

export async function startFakeHomeAssistant() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const commands: Command[] = [];
  const connectedAt: number[] = [];
  const subscriptions: { readonly socket: WebSocket; readonly id: number; readonly topic: string }[] = [];
  const moods: Moods = {
    afterLogin: "serve",
    token: "a token that is right",
    isAdmin: true,
    coreState: "RUNNING",
    entries: [{ entry_id: "m", domain: "mqtt", title: "MQTT", state: "loaded", disabled_by: null }],
    devices: [],
    entities: [],
    states: [],
    notifications: [],
    retained: new Map(),
    refusal: "home_assistant_error",
    answer: () => Promise.resolve(undefined),
  };

  function publish(topic: string, payload: string, retain: boolean): void {
    for (const { socket, id, topic: filter } of subscriptions) {
      if (matches(filter, topic)) send(socket, { id, type: "event", event: { topic, payload, qos: 1, retain } });
    }
  }

  async function serve(socket: WebSocket, command: Command): Promise<void> {
    const { id } = command;
    const result = (value: unknown): void => send(socket, { id, type: "result", success: true, result: value });
    commands.push(command);
    switch (command.type) {
      case "ping":
        return send(socket, { id, type: "pong" });
      case "auth/current_user":
        return result({ id: "user", name: "Somebody", is_admin: moods.isAdmin });
      case "get_config":
        return result({ state: moods.coreState, components: ["mqtt", "mobile_app"] });
      case "config_entries/subscribe":
        result(null);
        return send(socket, { id, type: "event", event: moods.entries.map((entry) => ({ type: null, entry })) });
      case "config/entity_registry/list":
        return result(moods.entities);
      case "config/device_registry/list":
        return result(moods.devices);
      case "get_states":
        return result(moods.states);
      case "persistent_notification/get":
        return result(moods.notifications);
      case "mqtt/subscribe": {
        const topic = command.topic ?? "";
        subscriptions.push({ socket, id, topic });
        result(null);
        for (const [name, payload] of moods.retained) {
          if (matches(topic, name))
            send(socket, { id, type: "event", event: { topic: name, payload, qos: 1, retain: true } });
        }
        return;
      }
      case "call_service": {
        const refusal = await moods.answer(command);
        if (refusal === undefined) return result({});
        return send(socket, {
          id,
          type: "result",
          success: false,
          error: { code: moods.refusal, message: refusal },
        });
      }
      default:
        return send(socket, { id, type: "result", success: false, error: { code: "unknown_command", message: "?" } });
    }
  }

  server.on("connection", (socket) => {
    connectedAt.push(performance.now());
    let isIn = false;
    socket.on("error", () => {});
    send(socket, { type: "auth_required", ha_version: "2026.11.0" });
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8")) as Command & { access_token?: string };
      if (isIn) {
        if (moods.afterLogin === "serve") void serve(socket, message);
        return;
      }
      isIn = message.access_token === moods.token;
      send(socket, isIn ? { type: "auth_ok", ha_version: "2026.11.0" } : { type: "auth_invalid", message: "no" });
      if (!isIn || moods.afterLogin === "close") socket.close();
    });
  });

  return {
    url: `http://127.0.0.1:${address.port}`,
    moods,
    commands,
    /** When each connection came, ms. */
    connectedAt,
    /** The topics and payloads that were published, in the order in which they came. */
    published: () =>
      commands
        .filter(({ type, domain }) => type === "call_service" && domain === "mqtt")
        .map(({ service_data: data }) => ({
          topic: String(data?.topic),
          payload: String(data?.payload),
          retain: data?.retain,
        })),
    /** As if something else had published it. */
    publish,
    /** Sends this text, whatever it is, to all who are connected. */
    say(text: string) {
      for (const socket of server.clients) socket.send(text);
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

export type FakeHomeAssistant = Awaited<ReturnType<typeof startFakeHomeAssistant>>;

function send(socket: WebSocket, message: object): void {
  socket.send(JSON.stringify(message));
}
