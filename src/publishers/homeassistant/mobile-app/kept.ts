/** What a restart must not lose of this route: a registration for each pet, with the template helpers made for it. */
import { z } from "../../../lib/schema.ts";
import type { Scrubber } from "../../../lib/scrub.ts";
import type { Keep } from "../../publisher.ts";

const control = z.object({ entry: z.string(), title: z.string(), made: z.string(), isNamed: z.boolean() });
const registration = z.object({
  webhook: z.string().min(1),
  entry: z.string().optional(),
  user: z.string(),
  name: z.string(),
  about: z.string(),
  hidden: z.array(z.string()).default([]),
  controls: z.record(z.string(), control).default({}),
});
const file = z.object({ registrations: z.record(z.string(), registration).default({}) });

/** A template helper: its entry, the title that we gave it, what it was made from last, and whether its entity has its name. */
export type KeptControl = z.output<typeof control>;

/**
 * A pet's registration. `webhook` is a secret: who knows it may say anything for the pet. `entry` is missing until
 * Home Assistant's entry for it has been found; `user` is whose token it was made with; `about` is what was told of the
 * pet last, and `name` the name in it; `hidden` are the sensors that were disabled because the user excluded them.
 */
export type Registration = z.output<typeof registration>;

/** The registrations by the pets' keys. */
export interface Kept {
  get(device: string): Registration | undefined;
  devices(): string[];
  set(device: string, registration: Registration): void;
  /** Changes some of what is kept of a pet; nothing where nothing is. */
  change(device: string, part: Partial<Registration>): void;
  drop(device: string): void;
  /** Forgets everything. */
  clear(): void;
  /** Reads what another run may have written meanwhile. */
  reload(): void;
}

/** Reads the file; a folder that cannot be written to leaves it to this run's own memory. */
export function openKept(keep: Keep, scrubber: Scrubber): Kept {
  let registrations: Readonly<Record<string, Registration>> = {};

  function reload(): void {
    const read = file.safeParse(keep.read());
    if (!read.success) return;
    registrations = read.data.registrations;
    for (const { webhook } of Object.values(registrations)) scrubber.add(webhook);
  }

  function write(next: typeof registrations): void {
    registrations = next;
    keep.write({ registrations });
  }

  function get(device: string): Registration | undefined {
    return Object.hasOwn(registrations, device) ? registrations[device] : undefined;
  }

  function set(device: string, value: Registration): void {
    scrubber.add(value.webhook);
    write({ ...registrations, [device]: value });
  }

  reload();
  return {
    get,
    set,
    reload,
    devices: () => Object.keys(registrations),
    change(device, part) {
      const before = get(device);
      if (before && Object.keys(part).length > 0) set(device, { ...before, ...part });
    },
    drop(device) {
      const { [device]: _, ...others } = registrations;
      write(others);
    },
    clear() {
      registrations = {};
      keep.write({});
    },
  };
}
