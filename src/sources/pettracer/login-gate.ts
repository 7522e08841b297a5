/**
 * The one door to PetTracer's login. Too many logins get an account locked, and the cloud is a small company's: so how
 * the last ones went is kept over restarts, and neither a crash that repeats nor a container that is started again and
 * again can hammer at it.
 *
 * - One login at a time for each account, whoever in this data folder wants it.
 * - Some at once, then at a distance; never more than twenty an hour.
 * - After a failure longer and longer, and never before the time that the cloud asks for.
 * - After a refusal not for an hour, unless user name, password or address have changed.
 *
 * A person who asks by a command of the command line is let through the delays that are our own.
 */
import { createHmac, randomBytes, scryptSync } from "node:crypto";
import { sleep } from "../../lib/clock.ts";
import { describeError, FatalError, RecoverableError } from "../../lib/errors.ts";
import { counted, type Pace, waitMs } from "../../lib/pace.ts";
import { z } from "../../lib/schema.ts";
import type { AccountOptions } from "./options.ts";

/** How the last logins went, of all accounts; kept over restarts. */
export interface LoginKeep {
  read(): unknown;
  write(value: object): void;
}

export interface LoginGate {
  /**
   * Logs in by `login` when it is this account's turn.
   * @param login tells by its argument when the cloud was reached: only that counts as a login
   * @throws FatalError, RecoverableError without a login where it is too early, with the time to wait
   */
  pass<T>(login: (onReached: () => void) => Promise<T>, signal: AbortSignal): Promise<T>;
}

const HOUR_MS = 3_600_000;
/** Ten at once, then one in six minutes: twenty within an hour. */
const OWN_PACE: Pace = { windowMs: HOUR_MS, most: 20, burst: 10, spacingMs: 360_000 };
const CEILING: Pace = { ...OWN_PACE, burst: OWN_PACE.most };
/** The supervisor's schedule, a little shorter: it must not find the gate closed when it comes back. */
const BACK_OFF_MS = [800, 1_600, 2_400, 2_400, 2_400, 2_400, 8_000, 16_000, 32_000, 44_000];
/** Whoever is logging in says so again and again: who has not for so long was killed, ms. */
const BUSY_MS = 20_000;
const LOOK_MS = 250;
/** Waits as short as this are waited for here: timers may ring a moment too early. */
const SHORT_MS = 1_000;
const MOST_ACCOUNTS = 20;

const times = z.array(z.number()).catch([]);
const time = z.number().catch(0);
const recordSchema = z.object({
  changedAt: time,
  loginsAt: times,
  failures: time,
  failedAt: time,
  /** The cloud does not want to be asked before this. */
  notBeforeAt: time,
  /** Until then somebody else may be logging in. */
  busyUntilAt: time,
  refusal: z.object({ at: z.number(), credentials: z.string(), sentence: z.string() }).optional().catch(undefined),
});
type LoginRecord = z.output<typeof recordSchema>;

const fileSchema = z.object({
  salt: z.string().min(16),
  accounts: z.record(z.string(), recordSchema),
});
type LoginFile = z.output<typeof fileSchema>;

const EMPTY: LoginRecord = { changedAt: 0, loginsAt: [], failures: 0, failedAt: 0, notBeforeAt: 0, busyUntilAt: 0 };

/** The last login of each account in this process: two sessions of one account come one after the other. */
const turns = new Map<string, Promise<unknown>>();

/** @param isAsked whether a person waits for the first login */
export function createLoginGate(options: AccountOptions, keep: LoginKeep | undefined, isAsked: boolean): LoginGate {
  const { username, password, portal_url: portal } = options;
  const file = createFile(keep);
  let asked = isAsked;
  let hashed: { readonly salt: string; readonly credentials: string } | undefined;

  const account = (salt: string): string => hashOf(salt, [portal, username]);

  /** Slow on purpose: whoever finds the file must not be able to try passwords by the million. */
  function credentials(salt: string): string {
    if (hashed?.salt !== salt) {
      const text = JSON.stringify([portal, username, password]);
      hashed = { salt, credentials: scryptSync(text, salt, 16, { N: 4_096 }).toString("hex") };
    }
    return hashed.credentials;
  }

  function recordNow(): LoginRecord {
    const { salt, accounts } = file.read();
    return accounts[account(salt)] ?? EMPTY;
  }

  function change(by: Partial<LoginRecord>): void {
    const { salt, accounts } = file.read();
    const key = account(salt);
    const next = { ...(accounts[key] ?? EMPTY), ...by, changedAt: Date.now() };
    const others = Object.entries(accounts).filter(([name]) => name !== key);
    const latest = others.toSorted(([, a], [, b]) => b.changedAt - a.changedAt).slice(0, MOST_ACCOUNTS - 1);
    file.write({ salt, accounts: { ...Object.fromEntries(latest), [key]: next } });
  }

  async function othersAreDone(signal: AbortSignal): Promise<void> {
    const isBusy = (): boolean => {
      const leftMs = recordNow().busyUntilAt - Date.now();
      return leftMs > 0 && leftMs <= BUSY_MS;
    };
    while (isBusy() && !signal.aborted) await sleep(LOOK_MS, signal);
  }

  async function mayPass(isPerson: boolean, signal: AbortSignal): Promise<void> {
    const now = Date.now();
    const record = recordNow();
    const { refusal } = record;
    const parkedMs = refusal && isPresent(refusal.at, now, HOUR_MS) ? refusal.at + HOUR_MS - now : 0;
    if (!isPerson && refusal && parkedMs > SHORT_MS && refusal.credentials === credentials(file.read().salt)) {
      throw new FatalError(refusal.sentence, { retryAfterMs: parkedMs });
    }
    const delayMs = delay(record, now, isPerson);
    if (delayMs > SHORT_MS) {
      const sentence = `PetTracer is not asked for another login before ${new Date(now + delayMs).toISOString()}`;
      throw new RecoverableError(`${sentence}, since the last ones ${reasonOf(record, now)}`, {
        retryAfterMs: delayMs,
      });
    }
    if (delayMs > 0) await sleep(delayMs, signal);
  }

  async function logIn<T>(login: (onReached: () => void) => Promise<T>, signal: AbortSignal): Promise<T> {
    await othersAreDone(signal);
    await mayPass(asked, signal);
    asked = false;
    const startedAt = Date.now();
    const before = counted(recordNow().loginsAt, startedAt, CEILING);
    let wasReached = false;
    // It counts from the beginning: this process may not live to see its end.
    change({ loginsAt: [...before, startedAt], busyUntilAt: startedAt + BUSY_MS });
    // Over a slow line an answer may take minutes.
    const saying = setInterval(() => change({ busyUntilAt: Date.now() + BUSY_MS }), BUSY_MS / 2);
    try {
      const result = await login(() => {
        wasReached = true;
      });
      change({ busyUntilAt: 0, failures: 0, notBeforeAt: 0, refusal: undefined });
      return result;
    } catch (error) {
      const counts = wasReached ? {} : { loginsAt: before };
      change({ busyUntilAt: 0, ...counts, ...failed(error) });
      throw error;
    } finally {
      clearInterval(saying);
    }
  }

  function failed(error: unknown): Partial<LoginRecord> {
    const at = Date.now();
    if (error instanceof FatalError) {
      return { refusal: { at, credentials: credentials(file.read().salt), sentence: describeError(error) } };
    }
    const waitsMs = error instanceof RecoverableError ? (error.retryAfterMs ?? 0) : 0;
    const { failures, failedAt } = recordNow();
    const inARow = isPresent(failedAt, at, HOUR_MS) ? failures : 0;
    return { failures: inARow + 1, failedAt: at, notBeforeAt: waitsMs === 0 ? 0 : at + waitsMs };
  }

  return {
    pass(login, signal) {
      const key = JSON.stringify([portal, username]);
      const turn = (turns.get(key) ?? Promise.resolve()).catch(() => {}).then(() => logIn(login, signal));
      turns.set(key, turn);
      const forget = (): void => {
        if (turns.get(key) === turn) turns.delete(key);
      };
      turn.then(forget, forget);
      return turn;
    },
  };
}

/** How long it is too early, ms. */
function delay(record: LoginRecord, now: number, isPerson: boolean): number {
  const wishedMs = isPresent(record.notBeforeAt, now + HOUR_MS, HOUR_MS) ? record.notBeforeAt - now : 0;
  const pacedMs = waitMs(record.loginsAt, now, isPerson ? CEILING : OWN_PACE);
  const backOffMs = BACK_OFF_MS[Math.min(record.failures, BACK_OFF_MS.length) - 1] ?? 0;
  const failedMs = isPerson || !isPresent(record.failedAt, now, HOUR_MS) ? 0 : record.failedAt + backOffMs - now;
  return Math.max(wishedMs, pacedMs, failedMs, 0);
}

function reasonOf(record: LoginRecord, now: number): string {
  if (record.notBeforeAt > now) return "failed, and PetTracer asked for patience";
  const { length } = counted(record.loginsAt, now, CEILING);
  return record.failures > 0 ? "failed" : `were many (${length} within an hour)`;
}

/** Whether `at` lies within the `ms` before `now`; what lies in the future is a mistake of a clock. */
function isPresent(at: number, now: number, ms: number): boolean {
  return at <= now && at > now - ms;
}

function hashOf(salt: string, texts: readonly string[]): string {
  return createHmac("sha256", salt).update(JSON.stringify(texts)).digest("hex").slice(0, 32);
}

/** What was written last counts, also where the folder cannot be written to. */
function createFile(keep: LoginKeep | undefined): { read(): LoginFile; write(value: LoginFile): void } {
  let own: LoginFile = { salt: randomBytes(16).toString("hex"), accounts: {} };
  const lastChange = ({ accounts }: LoginFile): number =>
    Object.values(accounts).reduce((latest, { changedAt }) => Math.max(latest, changedAt), 0);
  return {
    read() {
      const { data } = fileSchema.safeParse(keep?.read());
      if (data !== undefined && lastChange(data) >= lastChange(own)) own = data;
      return own;
    },
    write(value) {
      own = value;
      keep?.write(value);
    },
  };
}
