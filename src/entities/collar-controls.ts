/** The controls of a collar. They show what the cloud says, never what was only asked for here. */
import type { Request } from "../model/command.ts";
import type { Collar } from "../model/device.ts";
import { commandValue, LIVE_MODE, modeName, OFFERED_MODES, pollMs } from "../model/mode.ts";
import { type Entity, isPress, onOff, timestamp } from "./entity.ts";

export const COLLAR_CONTROLS: readonly Entity<Collar>[] = [
  {
    key: "mode",
    platform: "select",
    name: "Mode",
    category: "config",
    icon: "mdi:speedometer",
    known: ({ modeSet }) => modeSet !== undefined,
    value: ({ modeSet }) => (modeSet === undefined ? null : modeName(modeSet)),
    options: modeOptions,
    request: chosenMode,
  },
  {
    key: "live",
    platform: "switch",
    name: "Live tracking",
    icon: "mdi:crosshairs-gps",
    known: ({ modeSet }) => modeSet !== undefined,
    value: ({ modeSet }) => (modeSet === undefined ? null : modeSet === LIVE_MODE),
    request: (payload) => switched("live", payload),
  },
  {
    key: "find",
    platform: "button",
    name: "Find my cat",
    icon: "mdi:cat",
    known: ({ modeSet, light, buzzer }) => modeSet !== undefined && light !== undefined && buzzer !== undefined,
    value: () => null,
    request: (payload) => (isPress(payload) ? { kind: "find" } : undefined),
  },
  {
    key: "light",
    platform: "switch",
    name: "Light",
    icon: "mdi:led-on",
    known: ({ light }) => light !== undefined,
    value: ({ light }) => light ?? null,
    request: (payload) => switched("light", payload),
  },
  {
    key: "buzzer",
    platform: "switch",
    name: "Buzzer",
    icon: "mdi:bullhorn",
    known: ({ buzzer }) => buzzer !== undefined,
    value: ({ buzzer }) => buzzer ?? null,
    request: (payload) => switched("buzzer", payload),
  },
  {
    key: "power_off",
    platform: "button",
    name: "Power off",
    category: "config",
    icon: "mdi:power",
    known: ({ offersPowerOff }) => offersPowerOff === true,
    isGone: ({ offersPowerOff }) => offersPowerOff === false,
    value: () => null,
    request: (payload) => (isPress(payload) ? { kind: "power_off" } : undefined),
  },
  {
    key: "pending",
    platform: "binary_sensor",
    name: "Command pending",
    icon: "mdi:timer-sand",
    known: ({ modeSet, light, buzzer }) => modeSet !== undefined || light !== undefined || buzzer !== undefined,
    value: (collar) => waiting(collar) !== undefined,
    attributes: { command: "pending_command", since: "pending_since", expected_by: "pending_until" },
  },
];

/** What is on its way to the collar, for the keys of the state message that tell of it. */
export function pendingState(collar: Collar): Record<string, string | null> {
  const { command = null, sinceAt, untilAt } = waiting(collar) ?? {};
  return { pending_command: command, pending_since: timestamp(sinceAt), pending_until: timestamp(untilAt) };
}

interface Waiting {
  readonly command: string;
  readonly sinceAt: number;
  readonly untilAt: number;
}

/** A command without its echo; else a mode that the collar was asked for and has not taken yet. */
function waiting({ pending = [], mode, modeSet, modeAskedAt }: Collar): Waiting | undefined {
  const oldest = pending[0];
  if (oldest) {
    const { command, sinceAt, untilAt } = oldest;
    return { command: `${command.kind} ${commandValue(command)}`, sinceAt, untilAt };
  }
  if (mode === undefined || modeSet === undefined || mode === modeSet || typeof modeAskedAt !== "number")
    return undefined;
  return { command: `mode ${modeName(modeSet)}`, sinceAt: modeAskedAt, untilAt: modeAskedAt + pollMs(mode) };
}

/** The app's seven; while the collar is asked for another one, that one too, or it could not be shown. */
function modeOptions({ modeSet }: Collar): string[] {
  const offered = OFFERED_MODES.map(({ name }) => name);
  const shown = modeSet === undefined ? undefined : modeName(modeSet);
  return shown === undefined || offered.includes(shown) ? offered : [...offered, shown];
}

function chosenMode(payload: string): Request | undefined {
  const mode = OFFERED_MODES.find(({ name }) => name.toLowerCase() === payload.trim().toLowerCase());
  return mode && { kind: "mode", value: mode.id };
}

function switched(kind: "live" | "light" | "buzzer", payload: string): Request | undefined {
  const value = onOff(payload);
  return value === undefined ? undefined : { kind, value };
}
