/** Counts what happened, by type. */
import type { Metrics } from "../lib/metrics.ts";
import { ACTIVITY_TYPES, type Activity } from "../model/activity.ts";
import type { CounterTable } from "../model/counters.ts";

interface Journal {
  activities(after: number): readonly Activity[];
}

/**
 * To be called whenever something has happened.
 * @param counted the number of the last event that an earlier run has noted
 */
export function createTally(metrics: Metrics<CounterTable>, counted: number): (journal: Journal) => void {
  for (const type of ACTIVITY_TYPES) metrics.cell("pawline_events_total", { type });
  let last = counted;
  return (journal) => {
    for (const { type, sequence } of journal.activities(last)) {
      metrics.cell("pawline_events_total", { type }).value += 1;
      last = sequence;
    }
  };
}
