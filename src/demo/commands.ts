/**
 * Commands on their way to the collars. The cloud keeps what was asked until the collar polls; then the collar takes
 * everything at once and its next message says so.
 */
import type { Fields } from "./json.ts";
import { liveMode, pollIntervalMs } from "./modes.ts";
import { pushPartial } from "./push.ts";
import type { CloudSettings } from "./settings.ts";
import { cloudTime } from "./time.ts";
import type { Device, World } from "./world.ts";

export interface CommandDesk {
  /** Keeps what the collar shall become until its next poll. */
  ask(device: Device, wanted: Fields): void;
  /** The collar polls now; returns how many streams got its answer, 0 where nothing waited. */
  poll(device: Device): number;
  /** Milliseconds until this collar's next poll after a command; null never, undefined as its mode says. */
  setDelay(id: number, delayMs: number | null | undefined): void;
  /** Forgets everything that waits. */
  clear(): void;
}

interface Waiting {
  wanted: Fields;
  readonly timer: NodeJS.Timeout | undefined;
}

/** What a collar reports once it has taken this mode. */
export function takenMode(mode: number, settings: CloudSettings): Fields {
  const search = mode === liveMode;
  return { mode, search, searchModeDuration: search ? settings.searchMinutes : -1 };
}

function changedFields(device: Device, wanted: Fields): Fields {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => device.record[key] !== value));
}

function delayOf(device: Device, settings: CloudSettings, own: number | null | undefined): number | undefined {
  if (own !== undefined) return own ?? undefined;
  const interval = pollIntervalMs(device.record.mode);
  return settings.pollScale === null || interval === undefined ? undefined : interval * settings.pollScale;
}

export function createCommandDesk(world: World): CommandDesk {
  const waiting = new Map<number, Waiting>();
  const delays = new Map<number, number | null>();

  const poll = (device: Device): number => {
    const asked = waiting.get(device.id);
    if (!asked) return 0;
    clearTimeout(asked.timer);
    waiting.delete(device.id);
    // The collar may have left the account while its command waited.
    if (world.devices.get(device.id) !== device) return 0;
    return pushPartial(world, device, { ...changedFields(device, asked.wanted), lastContact: cloudTime() });
  };

  const ask = (device: Device, wanted: Fields): void => {
    const earlier = waiting.get(device.id);
    if (earlier) {
      earlier.wanted = { ...earlier.wanted, ...wanted };
      return;
    }
    const delayMs = delayOf(device, world.settings, delays.get(device.id));
    const timer = delayMs === undefined ? undefined : setTimeout(() => poll(device), delayMs);
    waiting.set(device.id, { wanted, timer });
  };

  return {
    ask,
    poll,
    setDelay(id, delayMs) {
      if (delayMs === undefined) delays.delete(id);
      else delays.set(id, delayMs);
    },
    clear() {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
