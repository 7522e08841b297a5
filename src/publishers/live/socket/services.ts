/** What all connections share. */
import type { Logger } from "../../../lib/log.ts";
import type { Feed } from "../../publisher.ts";
import type { Access } from "../access.ts";
import type { ApiStats } from "../api/schema.ts";
import type { CountedLog } from "../counted-log.ts";
import type { LiveCounts } from "../counts.ts";
import type { Principal } from "../principal.ts";
import type { Hub } from "./hub.ts";
import type { Limits } from "./limits.ts";

export interface Services {
  readonly hub: Hub;
  readonly limits: Limits;
  readonly counts: LiveCounts;
  readonly turnedAway: CountedLog;
  readonly log: Logger;
  readonly request: Feed["request"];
  readonly access: Pick<Access, "isValid" | "onChange">;
  /** What the API has done, as far as this client may know. */
  readonly stats: (principal: Principal) => ApiStats;
  /** Another one after each start. */
  readonly instance: string;
  /** Of this instance, epoch ms. */
  readonly startedAt: number;
}
