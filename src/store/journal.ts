/** What happened, numbered: a bounded list from which each publisher tells what it has not told yet. */
import type { Activity, Happening } from "../model/activity.ts";

export interface Journal {
  add(device: string, happening: Happening): void;
  after(sequence: number): readonly Activity[];
}

/** More than a publisher can have missed in a day; the oldest go first. */
const MOST = 500;

/** @param kept what an earlier run noted; the numbers go on from there */
export function createJournal(kept: readonly Activity[]): Journal {
  let activities = kept.slice(-MOST);
  return {
    add(device, happening) {
      const sequence = (activities.at(-1)?.sequence ?? 0) + 1;
      activities = [...activities, { ...happening, device, sequence }].slice(-MOST);
    },
    after: (sequence) => activities.filter((activity) => activity.sequence > sequence),
  };
}
