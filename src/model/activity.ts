/** What happened to a pet or its collar, as a person would tell it. */

export const ACTIVITY_TYPES = [
  "came_home",
  "left_home",
  "battery_low",
  "charging_started",
  "charging_finished",
  "live_started",
  "live_ended",
  "mode_changed",
  "command_failed",
  "contact_lost",
  "contact_restored",
] as const;

export type ActivityType = (typeof ACTIVITY_TYPES)[number];

/** What happened, and what belongs to it. */
export interface Happening {
  readonly type: ActivityType;
  /** When it happened, epoch ms. */
  readonly at: number;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** A happening in the order in which all were noticed. */
export interface Activity extends Happening {
  /** Counts up by one, also over restarts. */
  readonly sequence: number;
  readonly device: string;
}
