/**
 * What comes in: commands for devices and for the program, and requests with answers. Nothing here changes a state;
 * what is no valid command is answered with a warning in the log and on `bridge/event`, and changes nothing.
 */
import type { BridgeRequest, View } from "../entities/entity.ts";
import { timestamp } from "../entities/entity.ts";
import { deviceRecord } from "../entities/record.ts";
import { withTable } from "../entities/tables.ts";
import { describeError, printable } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Request } from "../model/command.ts";
import type { Entry } from "../model/device.ts";
import type { Feed } from "../publishers/publisher.ts";
import { deviceKey, type Message } from "./messages.ts";
import type { Topics } from "./topics.ts";

interface OrderContext {
  readonly feed: Feed;
  readonly view: View;
  readonly topics: Topics;
  readonly log: Logger;
  /** Resolves when the broker has it; a failure is not told here. */
  readonly publish: (message: Message) => Promise<void>;
}

/** A payload that is longer is no command. */
const LONGEST = 1_000;

/** A message on `<device>/<control>/set`. */
export function obey(device: string, control: string, payload: string, context: OrderContext): void {
  const entry = [...context.feed.state.values()].find((one) => deviceKey(one) === device);
  const request = entry && payload.length <= LONGEST ? requestOf(entry, control, payload, context.view) : undefined;
  if (entry === undefined || request === undefined) refuse(device, control, payload, entry, context);
  else if (isBridgeRequest(request)) obeyBridge(request, context);
  else context.feed.request(device, request);
}

function requestOf(entry: Entry, control: string, payload: string, view: View): Request | BridgeRequest | undefined {
  return withTable(entry, (table, of) => {
    const row = table.find(({ key }) => key === control);
    return row?.known(of, view) === true ? row.request?.(payload, of) : undefined;
  });
}

/** Whether it is asked of the program, and not of a collar. */
export function isBridgeRequest(request: Request | BridgeRequest): request is BridgeRequest {
  return request.kind === "restart" || request.kind === "republish" || request.kind === "log_level";
}

function obeyBridge(request: BridgeRequest, { feed }: OrderContext): void {
  if (request.kind === "restart") feed.bridge.restart();
  else if (request.kind === "republish") feed.bridge.republish();
  else feed.bridge.setLogLevel(request.value);
}

function refuse(
  device: string,
  control: string,
  payload: string,
  entry: Entry | undefined,
  context: OrderContext,
): void {
  const what = JSON.stringify(printable(payload.slice(0, 60)));
  const [named, asked] = [printable(device.slice(0, 100)), printable(control.slice(0, 50))];
  const reason = entry === undefined ? `there is no device ${named}` : `${asked} does not take ${what}`;
  context.log.warn(`a command was refused: ${reason}`);
  tellBridgeEvent({ type: "command_refused", device: named, control: asked, reason }, context);
}

function tellBridgeEvent(event: Readonly<Record<string, string>>, { topics, publish }: OrderContext): void {
  const payload = JSON.stringify({ ...event, at: timestamp(Date.now()) });
  void publish({ topic: topics.bridgeEvent, payload, retain: false, qos: 1 });
}

/** JSON leaves the upper control characters as they are; what somebody else has sent may hold some. */
function printableJson(value: object): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

/** A message on `bridge/request/<command>`: answered on `bridge/response/<command>`, with its `transaction`. */
export function answer(command: string, payload: string, context: OrderContext): void {
  const name = COMMANDS.find((known) => known === command);
  const request = parseRequest(payload);
  const transaction = request?.transaction === undefined ? {} : { transaction: request.transaction };
  const respond = (body: object): Promise<void> => {
    const topic = context.topics.response(PLAIN_NAME.test(command) ? command : "unknown");
    return context.publish({ topic, payload: printableJson({ ...body, ...transaction }), retain: false, qos: 1 });
  };
  try {
    if (name === undefined) throw new RangeError(`unknown command; there are ${COMMANDS.join(", ")}`);
    if (request === undefined) throw new RangeError("the request must be empty or a JSON object");
    const data = perform(name, request, context);
    const told = respond({ status: "ok", ...(data !== undefined && { data }) });
    // The answer goes out first.
    if (name === "restart") void told.then(() => context.feed.bridge.restart());
  } catch (error) {
    void respond({ status: "error", error: describeError(error) });
  }
}

/** What may be a part of a topic at any broker. */
const PLAIN_NAME = /^[\w.-]{1,50}$/;
const COMMANDS = ["restart", "republish", "refresh", "log_level", "devices", "health"] as const;

function perform(
  name: (typeof COMMANDS)[number],
  request: Readonly<Record<string, unknown>>,
  context: OrderContext,
): unknown {
  const { feed, view } = context;
  switch (name) {
    case "restart":
      return undefined;
    case "republish":
      return feed.bridge.republish();
    case "refresh":
      return feed.bridge.refresh();
    case "log_level":
      return setLogLevel(request, context);
    case "devices":
      return [...feed.state.values()].flatMap((entry) => deviceRecord(entry, view) ?? []);
    case "health":
      return health(feed);
  }
}

function setLogLevel({ level }: Readonly<Record<string, unknown>>, context: OrderContext): { level: string } {
  const bridge = context.feed.state.get("bridge");
  const request = bridge && typeof level === "string" ? requestOf(bridge, "log_level", level, context.view) : undefined;
  if (request?.kind !== "log_level") throw new RangeError("level must be trace, debug, info, warn or error");
  context.feed.bridge.setLogLevel(request.value);
  return { level: request.value };
}

function health({ state }: Feed): object {
  const bridge = state.get("bridge");
  if (bridge?.kind !== "bridge") return {};
  const components = bridge.components.map(({ role, name, state: condition, error }) => ({
    role,
    name,
    state: condition,
    error: error ?? null,
  }));
  return {
    healthy: components.every((component) => component.state === "running"),
    version: bridge.version,
    started: timestamp(bridge.startedAt),
    components,
  };
}

/** Nothing stands for an empty request; undefined is no request at all. */
function parseRequest(payload: string): Readonly<Record<string, unknown>> | undefined {
  if (payload.trim() === "") return {};
  if (payload.length > LONGEST) return undefined;
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
