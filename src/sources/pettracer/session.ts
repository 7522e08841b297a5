/**
 * A PetTracer account's session over REST: one login at a time, a token that is renewed when it nears its end or was
 * refused, and calls with it. It never logs in again by itself after the cloud has refused the credentials.
 */
import { monotonicMs } from "../../lib/clock.ts";
import { FatalError, RecoverableError } from "../../lib/errors.ts";
import { type HttpAnswer, readJson, request, succeeded } from "../../lib/http.ts";
import type { Scrubber } from "../../lib/scrub.ts";
import type { AccountReport } from "../../model/device.ts";
import { decodeLogin, type Login } from "./decode.ts";
import { createLoginGate, type LoginKeep } from "./login-gate.ts";
import type { AccountOptions } from "./options.ts";

export interface Session {
  /** A token to use now: the present one, or that of a new login. */
  token(signal: AbortSignal): Promise<string>;
  /** A part of the cloud took this token, or refused it: then the next call of `token` logs in. */
  accepted(token: string, by: Part): void;
  refused(token: string, by: Part): void;
  /** A GET with the token, or a POST of the body; answers the parsed JSON. A refused token is renewed once. */
  call(path: string, signal: AbortSignal, body?: object): Promise<unknown>;
  /** The same for what is not JSON. @throws RecoverableError when the status is no success */
  fetch(path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The same where the answer does not matter, and may be empty. */
  send(path: string, signal: AbortSignal, body?: object): Promise<string>;
  /** What the last login told of the account. */
  account(): AccountReport;
}

/** The parts of the cloud that look at the token, each by itself. */
type Part = "rest" | "stream";

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

export interface SessionContext {
  readonly scrubber: Scrubber;
  /** How the last logins went, kept over restarts; without it, over this session. */
  readonly logins?: LoginKeep;
  /** Whether a person waits for it, at the command line. */
  readonly isAsked?: boolean;
}

export function createSession(options: AccountOptions, { scrubber, logins, isAsked = false }: SessionContext): Session {
  const gate = createLoginGate(options, logins, isAsked);
  let current: Token | undefined;
  let wasRefused = false;
  let loggingIn: Promise<Login> | undefined;

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
    const usable =
      current !== undefined && (current.expiresAt === undefined || current.expiresAt - Date.now() > RENEWAL_MS);
    return (usable && current ? current : await sharedLogin(signal)).token;
  }

  function accepted(good: string, by: Part): void {
    if (current?.token === good) current.acceptedBy.add(by);
  }

  function refused(bad: string, by: Part): void {
    if (current?.token !== bad) return;
    const isNew = monotonicMs() - current.issuedAt < REPLACED_EVERY_MS;
    if (current.isReplacement && isNew && !current.acceptedBy.has(by)) return;
    current = undefined;
    wasRefused = true;
  }

  async function tryCall(path: string, signal: AbortSignal, body?: object): Promise<HttpAnswer & { used: string }> {
    const used = await token(signal);
    const answer = await request(`${options.portal_url}${path}`, { token: used, signal, ...(body && { body }) });
    if (answer.status === 401) refused(used, "rest");
    else accepted(used, "rest");
    return { ...answer, used };
  }

  return {
    token,
    accepted,
    refused,
    account: () => current?.report ?? {},
    call: async (path, signal, body) => readJson(await renewedCall(path, signal, body), answerTo(path)),
    fetch: async (path, signal) => succeeded(await renewedCall(path, signal), answerTo(path)).bytes,
    send: async (path, signal, body) =>
      succeeded(await renewedCall(path, signal, body), answerTo(path)).bytes.toString("utf8"),
  };

  async function renewedCall(path: string, signal: AbortSignal, body?: object): Promise<HttpAnswer> {
    const answer = await tryCall(path, signal, body);
    const isRenewable = answer.status === 401 && current?.token !== answer.used;
    return isRenewable ? tryCall(path, signal, body) : answer;
  }
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
