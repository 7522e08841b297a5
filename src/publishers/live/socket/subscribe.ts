/** A new subscription: its snapshot, and its place in the stream, in one step. */
import type { ClientMessage } from "../api/messages.ts";
import { maySee } from "../principal.ts";
import type { Client } from "./client.ts";
import { createSieve } from "./filter.ts";
import type { Happened } from "./hub.ts";
import { Refused } from "./refused.ts";
import { answerOf } from "./snapshot.ts";
import { Subscription } from "./subscription.ts";
import { type Interest, readPatterns } from "./topics.ts";

type Subscribe = Extract<ClientMessage, { type: "subscribe" }>;

export function subscribe(request: Subscribe, client: Client): void {
  const { limits } = client.services;
  if (client.subscriptions.size >= limits.subscriptions) {
    const sentence = `There may be ${limits.subscriptions} subscriptions on a connection: end one of them first.`;
    throw new Refused("too_many_subscriptions", sentence);
  }
  const interest = readPatterns(request.topics);
  if ("unknown" in interest) throw new Refused("unknown_topic", `“${interest.unknown}” can never match: ${TOPICS}.`);
  const hidden = hiddenPosition(interest, client);
  if (hidden !== undefined) {
    client.counts.refused += 1;
    throw new Refused("forbidden", `Your token is not for the device ${hidden}.`);
  }
  open(request, interest, client);
}

const TOPICS = "there are devices, position/<device>, events/<type> and bridge";

/** A device that is asked for by name, and that the client may not see. Whether it exists is not told. */
function hiddenPosition({ positions }: Interest, { principal }: Client): string | undefined {
  return positions === "all" ? undefined : [...positions].find((device) => !maySee(principal, device));
}

function open(request: Subscribe, interest: Interest, client: Client): void {
  const { id, topics, filter = {}, after } = request;
  const { subscriptions, principal, counts, services } = client;
  const { board, lastEvent } = services.hub;
  const subscription = new Subscription(client, {
    number: client.nextSubscription(),
    interest,
    sieve: createSieve(filter, principal, interest, (source) => board.accountId(source)),
    intervalMs: filter.interval_ms ?? 0,
    toldUpTo: lastEvent,
  });
  const wanted = services.hub.topicsFor(subscription);
  const missed =
    after === undefined || interest.events.size === 0 ? undefined : missedSince(after, request, subscription, client);
  subscription.toldUpTo = missed?.upTo ?? lastEvent;
  services.hub.join(subscription);
  subscriptions.set(subscription.number, subscription);
  counts.subscriptions += 1;
  const said = { id, subscription: subscription.number, topics, event: subscription.toldUpTo, missed };
  client.send(answerOf(said, interest, wanted, board, principal));
}

/** After a restart the numbers go on; unless what was kept is lost: then the same number is of another event. */
function missedSince(
  after: number,
  { instance }: Subscribe,
  subscription: Subscription,
  { services: { hub, ...services } }: Client,
): Happened {
  const isSame = instance === undefined || instance === services.instance || hub.hadHappened(after, services.startedAt);
  if (!isSame || after > hub.lastEvent) return { events: [], upTo: hub.lastEvent, isComplete: false };
  return hub.happened(subscription, after);
}
