/** The modes of a collar: how often it listens for commands and measures its position. The portal's own table. */
import type { Command } from "./command.ts";

export interface Mode {
  readonly id: number;
  readonly name: string;
  /** How often the collar fetches its commands, seconds; 0 for never. */
  readonly pollS: number;
}

/** Those that the maker's app offers, in its order. */
export const OFFERED_MODES: readonly Mode[] = [
  { id: 3, name: "Slow", pollS: 900 },
  { id: 7, name: "Slow+", pollS: 180 },
  { id: 2, name: "Normal", pollS: 180 },
  { id: 14, name: "Normal+", pollS: 60 },
  { id: 1, name: "Fast", pollS: 60 },
  { id: 8, name: "Fast+", pollS: 60 },
  { id: 11, name: "Live", pollS: 21 },
];

/** Those that a collar may be in without having been asked for by the app. */
const OTHER_MODES: readonly Mode[] = [
  { id: 4, name: "Slow 2", pollS: 180 },
  { id: 5, name: "Test", pollS: 10 },
  { id: 6, name: "Slow 4", pollS: 60 },
  { id: 9, name: "Fast 3", pollS: 60 },
  { id: 10, name: "Battery low", pollS: 3600 },
  { id: 12, name: "Off", pollS: 0 },
  { id: 16, name: "Peil 1", pollS: 15 },
  { id: 17, name: "Peil 2", pollS: 30 },
  { id: 18, name: "Peil 3", pollS: 10 },
  { id: 19, name: "Peil 4", pollS: 5 },
];

export const LIVE_MODE = 11;
export const OFF_MODE = 12;
/** What a collar goes back to from live tracking when its mode before is not known. */
export const USUAL_MODE = 2;

const MODES = new Map([...OFFERED_MODES, ...OTHER_MODES].map((mode) => [mode.id, mode]));

/** The name of a mode; one that is not known is called by its number. */
export function modeName(id: number): string {
  return MODES.get(id)?.name ?? `Mode ${id}`;
}

/** How often a collar in this mode fetches its commands, ms; a mode that is not known counts as Normal, and so does off. */
export function pollMs(id: number | undefined): number {
  const mode = MODES.get(id ?? USUAL_MODE);
  return (mode === undefined || mode.pollS === 0 ? 180 : mode.pollS) * 1_000;
}

/** The value of a command as a person says it: a mode's name, or on and off. */
export function commandValue({ kind, value }: Command): string {
  if (kind === "mode") return modeName(value);
  return value ? "on" : "off";
}
