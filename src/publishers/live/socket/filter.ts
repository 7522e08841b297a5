/** Which devices a subscription is about: those that its filter takes, of those that the client may see. */
import type { Filter } from "../api/messages.ts";
import { maySee, type Principal } from "../principal.ts";
import type { DeviceRecord } from "./topic.ts";
import type { Interest } from "./topics.ts";

export interface Sieve {
  takes(record: Pick<DeviceRecord, "id" | "sources">): boolean;
  /** The only devices that it can take, by id; undefined where it can be any. */
  readonly only: ReadonlySet<string> | undefined;
}

/** @param accountId the id of the account that has this name in the configuration */
export function createSieve(
  { devices, accounts, sources }: Filter,
  principal: Principal,
  { positions, devices: wantsDevices, events }: Interest,
  accountId: (source: string) => string | undefined,
): Sieve {
  const [ids, accountIds, names] = [devices, accounts, sources].map((list) => list && new Set(list));
  const named = positions === "all" || wantsDevices || events.size > 0 ? undefined : positions;
  return {
    only: ids ?? principal.devices ?? named,
    takes: (record) =>
      maySee(principal, record.id) &&
      (ids?.has(record.id) ?? true) &&
      (names === undefined || record.sources.some((source) => names.has(source))) &&
      (accountIds === undefined || record.sources.some((source) => accountIds.has(accountId(source) ?? ""))),
  };
}
