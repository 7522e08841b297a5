/** What is kept of a run for the judge: what was true, what was asked for, what was heard, what was wrong. */
import type { DeviceRecord } from "../../src/demo/records.ts";
import type { Fault, Order } from "./schedule.ts";

/** A fix that the cloud has. */
export interface TrueFix {
  /** Epoch ms; no two fixes of a collar have the same. */
  readonly measuredAt: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly accuracyM: number;
  readonly satellites: number;
}

/** What events are derived from, as the cloud has it from `at` on, epoch ms. */
export interface Moment {
  readonly at: number;
  readonly record: DeviceRecord;
  /** Whether a stream was open that had asked for this collar, and stayed open. */
  isStreamed: boolean;
}

/** All that was ever true of a collar. */
export interface CollarHistory {
  readonly id: number;
  /** In the order in which they came to be; the first is the one before everything. */
  readonly moments: readonly Moment[];
  /** In the order in which the cloud got them. */
  readonly fixes: readonly TrueFix[];
}

/** A message of the daemon, as a subscriber got it that hangs on no relay. */
export interface Heard {
  /** Epoch ms. */
  readonly at: number;
  readonly topic: string;
  readonly payload: string;
  /** From the broker's store. */
  readonly isRetained: boolean;
}

/** A fault as it really was, epoch ms. */
export interface Trouble {
  readonly fault: Fault;
  readonly fromAt: number;
  untilAt: number;
}

/** A command as it really was given. */
export interface GivenOrder {
  readonly order: Order;
  readonly id: number;
  readonly at: number;
  /** Whether the daemon had said that it is online, and since when, epoch ms. */
  readonly onlineSinceAt: number | undefined;
}

/** A command that the cloud took from the daemon. */
export interface TakenCommand {
  readonly id: number;
  readonly at: number;
  readonly kind: "mode" | "light" | "buzzer";
  readonly value: number | boolean;
}
