/**
 * A PetTracer account's session over REST: one login at a time, a token that is renewed when it nears its end or was
 * refused, and calls with it. It never logs in again by itself after the cloud has refused the credentials.
 */
import { monotonicMs } from "../../lib/clock.ts";
import { FatalError, RecoverableError } from "../../lib/errors.ts";
import { type HttpAnswer, readJson, request, succeeded } from "../../lib/http.ts";
import type { Scrubber } from "../../lib/scrub.ts";
import { spanOf } from "../../lib/span.ts";
import { isSubscriptionOver } from "../../model/account.ts";
import type { AccountReport } from "../../model/device.ts";
import { decodeLogin, type Login } from "./decode.ts";
import { createLoginGate, type LoginKeep } from "./login-gate.ts";
import type { AccountOptions } from "./options.ts";

export interface Session {
  /** A token to use now: the present one, or that of a new login. */
  token(signal: AbortSignal): Promise<string>;
  /** A part of the cloud took this token. */
  accepted(token: string, by: Part): void;
  /** A part of the cloud refused this token; answers whether `token` gives another one from now on. */
  refused(token: string, by: Part): boolean;
  /** A GET with the token, or a POST of the body; answers the parsed JSON. A refused token is renewed once. */
  call(path: string, signal: AbortSignal, body?: object): Promise<unknown>;
  /** The same for what is not JSON. @throws RecoverableError when the status is no success */
  fetch(path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The same where the answer does not matter, and may be empty. */
  send(path: string, signal: AbortSignal, body?: object): Promise<string>;
  /** What the last login told of the account. */
  account(): AccountReport;
  /** How far our clock is ahead of the cloud's by its last answer, ms; undefined where it never told the time. */
  aheadMs(): number | undefined;
}

/** The parts of the cloud that look at the token, each by itself: the stream, and each call of REST. */
type Part = "stream" | `/${string}`;

/** What is known of the token in use. */
interface Token extends Login {
  /** When it was issued, by a clock that does not jump, ms. */
  readonly issuedAt: number;
  /** Whether it was asked for because the one before had been refused. */
  readonly isReplacement: boolean;
  readonly acceptedBy: Set<Part>;
}

/**
 * A replacement that is refused where none has been accepted is not replaced again before this: the fault is not the
 * token's, and logging in for each try would get the account locked.
 */
const REPLACED_EVERY_MS = 10 * 60_000;
/** A token this near to its end is renewed before it is used, ms. */
const RENEWAL_MS = 10 * 60_000;
/** While the subscription is over each is renewed after this, ms. */
const OVER_RENEWAL_MS = 3_600_000;

export interface SessionContext {
  readonly scrubber: Scrubber;
  /** How the last logins went, kept over restarts; without it, over this session. */
  readonly logins?: LoginKeep;
  /** Whether a person waits for it, at the command line. */
  readonly isAsked?: boolean;
}

export function createSession(options: AccountOptions, { scrubber, logins, isAsked = false }: SessionContext): Session {
  const gate = createLoginGate(options, logins, isAsked);
  const patience = createPatience();
  let current: Token | undefined;
  let wasRefused = false;
  let loggingIn: Promise<Login> | undefined;
  let aheadMs: number | undefined;

  async function login(signal: AbortSignal): Promise<Login> {
    const body = { login: options.username, password: options.password };
    const url = `${options.portal_url}/user/login`;
    const next = await gate.pass(
      async (onConnect) => readLogin(await request(url, { body, signal, onConnect })),
      signal,
    );
    scrubber.add(next.token);
    current = { ...next, issuedAt: monotonicMs(), isReplacement: wasRefused, acceptedBy: new Set() };
    wasRefused = false;
    return current;
  }

  /** Callers at the same time share one login. */
  function sharedLogin(signal: AbortSignal): Promise<Login> {
    loggingIn ??= login(signal).finally(() => {
      loggingIn = undefined;
    });
    return loggingIn;
  }

  async function token(signal: AbortSignal): Promise<string> {
    return (current !== undefined && isUsable(current) ? current : await sharedLogin(signal)).token;
  }

  function accepted(good: string, by: Part): void {
    if (current?.token === good) current.acceptedBy.add(by);
  }

  function refused(bad: string, by: Part): boolean {
    if (current?.token !== bad) return true;
    const isNew = monotonicMs() - current.issuedAt < REPLACED_EVERY_MS;
    if (current.isReplacement && isNew && !current.acceptedBy.has(by)) return false;
    current = undefined;
    wasRefused = true;
    return true;
  }

  async function tryCall({ path, body, refusals }: Call, signal: AbortSignal): Promise<HttpAnswer & { used: string }> {
    patience.check();
    const used = await token(signal);
    const answer = await request(`${options.portal_url}${path}`, { token: used, signal, ...(body && { body }) });
    patience.note(answer);
    aheadMs = answer.aheadMs ?? aheadMs;
    if (refusals.includes(answer.status)) refused(used, partOf(path));
    else accepted(used, partOf(path));
    return { ...answer, used };
  }

  return {
    token,
    accepted,
    refused,
    account: () => current?.report ?? {},
    aheadMs: () => aheadMs,
    call: async (path, signal, body) =>
      readJson(await renewedCall({ path, body, refusals: [401, 403] }, signal), answerTo(path)),
    fetch: async (path, signal) =>
      succeeded(await renewedCall({ path, refusals: [401] }, signal), answerTo(path)).bytes,
    send: async (path, signal, body) =>
      succeeded(await renewedCall({ path, body, refusals: [401] }, signal), answerTo(path)).bytes.toString("utf8"),
  };

  async function renewedCall(call: Call, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await tryCall(call, signal);
    const isRenewable = call.refusals.includes(answer.status) && current?.token !== answer.used;
    return isRenewable ? tryCall(call, signal) : answer;
  }
}

interface Call {
  readonly path: string;
  readonly body?: object | undefined;
  /**
   * The statuses that tell of a token which is not valid any more. 403 is one of them only where everybody may ask:
   * elsewhere it may be about the command, and each would cost a login.
   */
  readonly refusals: readonly number[];
}

/** Keeps to what the cloud asks for by `Retry-After`, whoever wants to call it. */
function createPatience(): { check(): void; note(answer: HttpAnswer): void } {
  let untilMs = 0;
  return {
    check() {
      const retryAfterMs = untilMs - monotonicMs();
      if (retryAfterMs <= 0) return;
      const sentence = `PetTracer asked for patience for another ${spanOf(retryAfterMs)}`;
      throw new RecoverableError(sentence, { retryAfterMs });
    },
    note({ status, retryAfterMs }) {
      if (status >= 400 && retryAfterMs !== undefined) untilMs = monotonicMs() + retryAfterMs;
    },
  };
}

/** Whether it need not be renewed yet. */
function isUsable({ expiresAt, issuedAt, report }: Token): boolean {
  if (expiresAt !== undefined && expiresAt - Date.now() <= RENEWAL_MS) return false;
  // Only a login tells that the subscription was renewed.
  return !isSubscriptionOver(report.subscriptionEndsAt, Date.now()) || monotonicMs() - issuedAt < OVER_RENEWAL_MS;
}

/** `/map/setccled/14758/1` is the call `/map/setccled`. */
function partOf(path: string): Part {
  const [, folder, call] = path.split("/");
  return `/${folder}/${call}`;
}

function answerTo(path: string): string {
  return `PetTracer's answer to ${path}`;
}

function readLogin(answer: HttpAnswer): Login {
  if (answer.status === 401 || answer.status === 403) {
    throw new FatalError(
      `PetTracer refused the login (${answer.status}): check pettracer.username and pettracer.password.`,
    );
  }
  const login = decodeLogin(readJson(answer, "PetTracer's answer to the login"));
  if (login === undefined) throw new RecoverableError("PetTracer's answer to the login holds no access token");
  // An end that has passed already tells of a clock or of a format that we misread, not of the token.
  const passed = login.expiresAt !== undefined && login.expiresAt - Date.now() <= RENEWAL_MS;
  return passed ? { ...login, expiresAt: undefined } : login;
}
