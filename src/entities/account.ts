/** The entities of an account with the cloud. */
import type { Account, Component } from "../model/device.ts";
import { type Entity, timestamp, type View } from "./entity.ts";

export const ACCOUNT_ENTITIES: readonly Entity<Account>[] = [
  {
    key: "problem",
    platform: "binary_sensor",
    deviceClass: "problem",
    category: "diagnostic",
    known: () => true,
    value: (account, view) => problemOf(account, view) !== null,
    attributes: { message: "problem_message" },
  },
  {
    key: "stream",
    platform: "binary_sensor",
    name: "Live stream",
    deviceClass: "connectivity",
    category: "diagnostic",
    known: () => true,
    value: (account, view) => sourceOf(account, view)?.state === "running",
  },
  {
    key: "subscription_ends",
    platform: "sensor",
    name: "Subscription ends",
    deviceClass: "timestamp",
    category: "diagnostic",
    icon: "mdi:calendar-end",
    known: ({ subscriptionEndsAt }) => subscriptionEndsAt !== undefined,
    value: ({ subscriptionEndsAt }) => timestamp(subscriptionEndsAt),
  },
];

/** What the user has to mend, in a sentence: refused credentials, or a subscription that is over. */
export function problemOf(account: Account, view: View): string | null {
  const source = sourceOf(account, view);
  if (source?.state === "parked") return source.error ?? "the login was refused";
  return account.isSubscriptionOver === true ? "the PetTracer subscription is over: renew it in PetTracer's app" : null;
}

function sourceOf({ source }: Account, { state }: View): Component | undefined {
  const bridge = state.get("bridge");
  if (bridge?.kind !== "bridge") return undefined;
  return bridge.components.find(({ role, name }) => role === "source" && name === source);
}
