/** Tries login, devices and stream, as `pawline check` shows it. */
import { sleep } from "../../lib/clock.ts";
import { describeError, FatalError, RecoverableError } from "../../lib/errors.ts";
import type { Finding } from "../../lib/finding.ts";
import type { Logger } from "../../lib/log.ts";
import type { SourceEvent } from "../../model/event.ts";
import { EMPTY_LISTING, type Listing, readListing } from "./listing.ts";
import type { AccountOptions } from "./options.ts";
import { createSession, type Session, type SessionContext } from "./session.ts";
import { openStream } from "./stream.ts";

interface Context extends SessionContext {
  readonly log: Logger;
}

/** A collar that sleeps says nothing for minutes: so long is waited for a first message, ms. */
const FIRST_MESSAGE_MS = 10_000;
const HEARTBEAT_MS = 10_000;

/**
 * @param name the account's, in the configuration
 * @param emit called with what the login and the lists tell
 */
export async function* probe(
  name: string,
  options: AccountOptions,
  context: Context,
  signal: AbortSignal,
  emit: (event: SourceEvent) => void = () => {},
): AsyncGenerator<Finding> {
  const session = createSession(options, context);
  let listing = EMPTY_LISTING;
  let isIn = false;
  yield* tryPart("PetTracer login", async () => {
    await session.token(signal);
    isIn = true;
    emit({ type: "accountReported", account: name, at: Date.now(), report: session.account() });
    return loginSentence(session);
  });
  if (!isIn) return;
  yield* tryPart("Devices", async () => {
    const [collars, stations] = await Promise.all([
      session.call("/map/getccs", signal),
      session.call("/user/gethomestations", signal),
    ]);
    listing = readListing(collars, stations, EMPTY_LISTING, options, () => {});
    tellListing(name, listing, emit);
    return devicesSentence(listing);
  });
  if (listing === EMPTY_LISTING) return;
  yield* tryPart("Live stream", () => tryStream(options, session, listing, context, signal));
}

function tellListing(account: string, { collars, stations }: Listing, emit: (event: SourceEvent) => void): void {
  emit({ type: "devicesListed", account, at: Date.now(), isConfirmed: false, collars, stations });
}

async function* tryPart(part: string, attempt: () => Promise<string>): AsyncGenerator<Finding> {
  try {
    yield { part, result: "works", sentence: await attempt() };
  } catch (error) {
    const result = error instanceof FatalError ? "refused" : "unreachable";
    const remedy = result === "refused" ? "" : "; is the internet there, and PetTracer's own app working?";
    yield { part, result, sentence: `${describeError(error)}${remedy}` };
  }
}

function loginSentence(session: Session): string {
  const { name, subscriptionEndsAt } = session.account();
  const until = subscriptionEndsAt === undefined ? "" : `, subscription until ${dateOf(subscriptionEndsAt)}`;
  return `accepted${name === undefined ? "" : ` for ${name}`}${until}`;
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function devicesSentence({ collars, stations }: Listing): string {
  const names = collars.map(({ id, report }) => report.name ?? String(id)).join(", ");
  const stationCount = `${stations.length} home station${stations.length === 1 ? "" : "s"}`;
  return `${collars.length} collar${collars.length === 1 ? "" : "s"}${names && ` (${names})`}, ${stationCount}`;
}

async function tryStream(
  options: AccountOptions,
  session: Session,
  listing: Listing,
  { log }: Context,
  signal: AbortSignal,
): Promise<string> {
  const first = Promise.withResolvers<boolean>();
  const stream = await openStream({
    url: options.stream_url,
    token: await session.token(signal),
    heartbeatMs: HEARTBEAT_MS,
    log,
    signal,
    onMessage: () => first.resolve(true),
    onActivity: () => {},
    onMalformed: () => {},
  });
  const enough = new AbortController();
  try {
    stream.ask(listing.collars.map(({ id }) => id));
    // Without a collar nobody will say anything.
    const patienceMs = listing.collars.length === 0 ? 0 : FIRST_MESSAGE_MS;
    const waited = sleep(patienceMs, AbortSignal.any([signal, enough.signal])).then(() => false);
    const ended = stream.ended.then(({ sentence }): never => {
      throw new RecoverableError(`it opened, but ended at once: ${sentence}`);
    });
    const heard = await Promise.race([first.promise, waited, ended]);
    return heard ? "open, and a message has come" : "open and quiet: collars that sleep say nothing for minutes";
  } finally {
    enough.abort();
    stream.close();
  }
}
