/** What this route has left in a Home Assistant, and how it goes. */
import { sleep } from "../../../lib/clock.ts";
import type { Session } from "../situation.ts";
import { entriesOf, entryOfDevice } from "./entries.ts";
import type { Kept } from "./kept.ts";
import { askWebhook } from "./webhook.ts";

const SET_UP_MS = 10_000;
const LOOK_EVERY_MS = 50;

interface Trace {
  readonly entry: string;
  /** For a person. */
  readonly name: string;
  /** Where a person deletes it. */
  readonly where: string;
}

/** The helpers first: they follow entities of the others. */
function tracesIn(kept: Kept, { entries }: Session): Trace[] {
  const registrations = kept.devices().flatMap((device) => kept.get(device) ?? []);
  const helpers = registrations.flatMap(({ controls }) => Object.values(controls).map(({ entry }) => entry));
  const apps = registrations.flatMap(({ entry }) => entry ?? []);
  const title = (entry: string): string => entries.get(entry)?.title ?? "";
  return [
    ...helpers.map((entry) => ({
      entry,
      name: `${title(entry)} (template helper)`,
      where: `Helpers > ${title(entry)}`,
    })),
    ...apps.map((entry) => appTrace(entry, title(entry))),
  ].filter(({ entry }) => entries.has(entry));
}

/** What stands there, by names that a person understands. @throws CallRefused, RecoverableError */
export async function findTraces(kept: Kept, session: Session): Promise<string[]> {
  await findEntries(kept, session);
  return tracesIn(kept, session).map(({ name }) => name);
}

/** Registrations of these pets that were made with another data folder. */
async function forgotten(devices: ReadonlySet<string>, kept: Kept, { ha, entries }: Session): Promise<Trace[]> {
  const known = new Set(kept.devices().map((device) => kept.get(device)?.entry));
  const found = (await entriesOf(ha, devices)).filter((entry) => entries.has(entry) && !known.has(entry));
  return found.map((entry) => appTrace(entry, entries.get(entry)?.title ?? ""));
}

function appTrace(entry: string, title: string): Trace {
  return { entry, name: `${title} (mobile app)`, where: `Mobile App > ${title}` };
}

/** A run that ended right after a registration has not noted what Home Assistant made of it. */
async function findEntries(kept: Kept, { ha }: Session): Promise<void> {
  for (const device of kept.devices()) {
    const { webhook, entry } = kept.get(device) ?? {};
    if (webhook === undefined || entry) continue;
    const registered = await askWebhook(ha, webhook);
    const found = registered && (await entryOfDevice(ha, registered.deviceId));
    if (found !== undefined) kept.change(device, { entry: found });
  }
}

/**
 * Removes it and forgets it; answers a sentence for each thing that the token may not remove.
 * @throws CallRefused, RecoverableError
 */
export async function removeTraces(kept: Kept, session: Session, devices: ReadonlySet<string>): Promise<string[]> {
  await findEntries(kept, session);
  const traces = [...tracesIn(kept, session), ...(await forgotten(devices, kept, session))];
  const left: string[] = [];
  for (const { entry, name, where } of traces) {
    // A refused attempt would count towards Home Assistant's ban of our address.
    if (session.user.isAdmin) await remove(entry, session);
    else left.push(`${name}: delete it under Settings > Devices & services > ${where}`);
  }
  kept.clear();
  return left;
}

/** Home Assistant would complain about an entry that is taken away while it is being set up. */
async function remove(entry: string, { rest, entries }: Session): Promise<void> {
  const latest = AbortSignal.timeout(SET_UP_MS);
  while (entries.get(entry)?.state === "setup_in_progress" && !latest.aborted) await sleep(LOOK_EVERY_MS, latest);
  await rest.remove(`/config/config_entries/entry/${entry}`);
}
