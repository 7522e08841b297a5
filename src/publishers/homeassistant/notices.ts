/** What only the owner can mend, as persistent notifications in Home Assistant, taken back when it is mended. */
import { problemOf } from "../../entities/account.ts";
import type { View } from "../../entities/entity.ts";
import { accountName, slug } from "../../entities/name.ts";
import { sleep } from "../../lib/clock.ts";
import { z } from "../../lib/schema.ts";
import type { Account } from "../../model/device.ts";
import type { Feed } from "../publisher.ts";
import type { HomeAssistant } from "./connection.ts";

interface Notice {
  readonly id: string;
  readonly title: string;
  readonly message: string;
}

const notifications = z.array(z.looseObject({ notification_id: z.string(), message: z.string().nullish() }));

/** All of ours begin so. */
const OURS = "pawline_account_";
/** The owner hears of the end of a subscription so long before. */
const NOTICE_MS = 7 * 86_400_000;
/** Time passes without an event: the end of a subscription comes nearer. */
const LOOK_EVERY_MS = 3_600_000;

/** @param at now, epoch ms */
export function noticesOf(view: View, at: number): Notice[] {
  const accounts = [...view.state.values()].filter((entry) => entry.kind === "account");
  return accounts.flatMap((account) => {
    const message = problemOf(account, view) ?? endingOf(account, at);
    if (message === undefined) return [];
    return [{ id: `${OURS}${slug(account.source)}`, title: `Pawline: ${titleOf(account)}`, message }];
  });
}

function titleOf(account: Account): string {
  return account.product === undefined ? account.source : accountName(account);
}

function endingOf({ subscriptionEndsAt: endsAt }: Account, at: number): string | undefined {
  if (typeof endsAt !== "number" || endsAt < at || endsAt > at + NOTICE_MS) return undefined;
  const day = new Date(endsAt).toISOString().slice(0, 10);
  return `The subscription ends on ${day}. Renew it in the tracker's own app, or no positions come any more.`;
}

/** Keeps the notifications in step with the state until the signal is aborted. @throws as the connection */
export async function keepNotices(feed: Feed, ha: HomeAssistant, signal: AbortSignal): Promise<void> {
  const view: View = { state: feed.state, preferredPosition: "station" };
  const shown = new Map<string, string>();
  for (const { notification_id: id, message } of await ha.call(
    { type: "persistent_notification/get" },
    notifications,
  )) {
    if (id.startsWith(OURS)) shown.set(id, message ?? "");
  }

  async function update(): Promise<void> {
    const wanted = noticesOf(view, Date.now());
    // Before an account has said anything, nobody knows whether it is mended.
    const isKnown = [...feed.state.values()].some((entry) => entry.kind === "account" && entry.listed);
    for (const { id, title, message } of wanted) {
      if (shown.get(id) === message) continue;
      shown.set(id, message);
      await ha.callService("persistent_notification", "create", { notification_id: id, title, message });
    }
    const gone = [...shown.keys()].filter((id) => isKnown && !wanted.some((notice) => notice.id === id));
    for (const notification_id of gone) {
      shown.delete(notification_id);
      await ha.callService("persistent_notification", "dismiss", { notification_id });
    }
  }

  await Promise.race([followChanges(feed, signal, update), lookRegularly(signal, update)]);
}

async function followChanges(feed: Feed, signal: AbortSignal, update: () => Promise<void>): Promise<void> {
  for await (const { changed } of feed.changes(signal)) {
    if ([...changed].some((key) => key === "bridge" || key.startsWith("account:"))) await update();
  }
}

async function lookRegularly(signal: AbortSignal, update: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS, signal);
    if (!signal.aborted) await update();
  }
}
