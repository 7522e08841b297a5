/** Requests and their answers. */
import { timestamp } from "../../../entities/entity.ts";
import { describeError } from "../../../lib/errors.ts";
import type { Entry } from "../../../model/device.ts";
import type { Scope } from "../../../tokens/token.ts";
import type { Receipt } from "../../publisher.ts";
import { requestOf } from "../api/command.ts";
import type { ClientMessage, RequestId } from "../api/messages.ts";
import { maySee } from "../principal.ts";
import type { Client } from "./client.ts";
import { Refused } from "./refused.ts";
import { subscribe } from "./subscribe.ts";

/** The scope that a request takes. */
const SCOPE_OF: Readonly<Record<ClientMessage["type"], Scope | undefined>> = {
  subscribe: "read",
  unsubscribe: undefined,
  command: "control",
  ping: undefined,
  stats: "read",
};

export function answer(request: ClientMessage, client: Client): void {
  try {
    checkScope(request, client);
    perform(request, client);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    client.refuse({ id: request.id, code: error.code, message: error.message }, error.retryAfterMs);
  }
}

function checkScope({ type }: ClientMessage, { principal, counts }: Client): void {
  const scope = SCOPE_OF[type];
  if (scope === undefined || principal.scopes.has(scope)) return;
  counts.refused += 1;
  throw new Refused("forbidden", `“${type}” takes the scope ${scope}: use a token that has it.`);
}

function perform(request: ClientMessage, client: Client): void {
  const { id } = request;
  switch (request.type) {
    case "subscribe":
      subscribe(request, client);
      break;
    case "unsubscribe":
      unsubscribe(request, client);
      break;
    case "command":
      command(request, client);
      break;
    case "ping":
      client.say({ type: "pong", id, at: timestamp(Date.now()) ?? "" });
      break;
    case "stats":
      client.say({ type: "result", id, stats: client.services.stats(client.principal) });
      break;
  }
}

type Of<Type extends ClientMessage["type"]> = Extract<ClientMessage, { type: Type }>;

function unsubscribe({ id, subscription: number }: Of<"unsubscribe">, client: Client): void {
  const { subscriptions, services, counts } = client;
  const subscription = subscriptions.get(number);
  if (subscription === undefined) {
    throw new Refused("unknown_subscription", `There is no subscription ${number} on this connection.`);
  }
  services.hub.leave(subscription);
  subscription.end();
  subscriptions.delete(number);
  counts.subscriptions -= 1;
  client.say({ type: "unsubscribed", id, subscription: number });
}

/** Answered at once, when the cloud has taken it, and when its echo has come or it has failed. */
function command({ id, device, command: name, value }: Of<"command">, client: Client): void {
  const { hub, limits, request } = client.services;
  const entry = entryOf(device, client);
  const asked = requestOf({ command: name, value }, entry, hub.view);
  if (typeof asked === "string") throw new Refused("command_refused", asked);
  if (client.openCommands >= limits.commands) {
    client.counts.rateLimited += 1;
    const sentence = `${limits.commands} commands of yours are on their way: wait for the end of one.`;
    throw new Refused("rate_limited", sentence, 1_000);
  }
  client.openCommands += 1;
  client.say({ type: "pending", id, accepted: false });
  void follow(id, request(entry.key, asked), entry.key, client);
}

function entryOf(device: string, { principal, services: { hub } }: Client): Entry {
  const key = maySee(principal, device) ? hub.board.card(device)?.record.key : undefined;
  const entry = hub.view.state.get(key ?? "");
  if (entry) return entry;
  throw new Refused("unknown_device", `There is no device ${device}: subscribe to “devices” for their ids.`);
}

async function follow(id: RequestId, { accepted, done }: Receipt, key: string, client: Client): Promise<void> {
  try {
    await accepted;
    const until = untilOf(client.services.hub.view.state.get(key));
    client.say({ type: "pending", id, accepted: true, until });
    await done;
    client.say({ type: "result", id, status: "done" });
  } catch (error) {
    client.say({ type: "error", id, code: "command_failed", message: describeError(error) });
  } finally {
    client.openCommands -= 1;
  }
}

/** When the collar should have taken what it was asked for. */
function untilOf(entry: Entry | undefined): string | null {
  const pending = entry?.kind === "collar" ? (entry.pending ?? []) : [];
  return pending.length === 0 ? null : timestamp(Math.max(...pending.map(({ untilAt }) => untilAt)));
}
