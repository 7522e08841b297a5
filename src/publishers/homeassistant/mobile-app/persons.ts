/**
 * Home Assistant adds the tracker of a new mobile app to the person of the token's user: the owner would be wherever
 * the cat is. So trackers are taken out again, which only an administrator may.
 */
import { FatalError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import { z } from "../../../lib/schema.ts";
import type { Session } from "../situation.ts";

const person = z.looseObject({
  id: z.string(),
  name: z.string(),
  user_id: z.string().nullish(),
  device_trackers: z.array(z.string()),
  picture: z.string().nullish(),
});
const persons = z.looseObject({ storage: z.array(person) });

type Person = z.output<typeof person>;

/** Any user may look. @throws CallRefused, RecoverableError */
async function listPersons({ ha }: Pick<Session, "ha">): Promise<readonly Person[]> {
  return (await ha.call({ type: "person/list" }, persons)).storage;
}

/** @throws FatalError where a registration would spring the trap and nobody could repair it; CallRefused, RecoverableError */
export async function refuseTrap(session: Pick<Session, "ha" | "user">): Promise<void> {
  if (session.user.isAdmin) return;
  const own = (await listPersons(session)).find(({ user_id }) => user_id === session.user.id);
  if (own === undefined) return;
  throw new FatalError(
    `home_assistant.token belongs to a user with a person, ${own.name}, and Home Assistant would take ${own.name} to be ` +
      "wherever the cat is: use the token of an administrator, or of a user without a person.",
  );
}

/**
 * Takes these trackers out of all persons and leaves everything else of them as it is.
 * @param trackers names of pets by the entity ids of their trackers
 * @throws CallRefused, RecoverableError
 */
export async function freePersons(session: Session, trackers: ReadonlyMap<string, string>, log: Logger): Promise<void> {
  if (trackers.size === 0) return;
  for (const one of await listPersons(session)) {
    const held = one.device_trackers.filter((tracker) => trackers.has(tracker));
    if (held.length === 0) continue;
    const pets = held.map((tracker) => trackers.get(tracker)).join(", ");
    if (session.user.isAdmin) await free(session, one, held);
    const trouble = `Home Assistant took the person ${one.name} to be wherever ${pets} is`;
    if (session.user.isAdmin) log.info(`${trouble}: the tracker was taken out of that person again`);
    else log.warn(`${trouble}: open Settings > People > ${one.name} and take ${held.join(", ")} out`);
  }
}

async function free(
  { ha }: Session,
  { id, name, user_id, picture, device_trackers }: Person,
  held: readonly string[],
): Promise<void> {
  await ha.call(
    {
      type: "person/update",
      person_id: id,
      name,
      // What is left out here would be reset.
      device_trackers: device_trackers.filter((tracker) => !held.includes(tracker)),
      ...(user_id !== undefined && { user_id }),
      ...(picture !== undefined && { picture }),
    },
    z.unknown(),
  );
}
