/**
 * Who is asking. In Home Assistant's app that is the Supervisor, which has checked the user, and nobody else. Elsewhere
 * it is whoever shows a token; and as long as there is none, and nobody but this computer can reach us, this computer.
 */
import type { IncomingMessage } from "node:http";
import { createBell } from "../../lib/bell.ts";
import { isLoopback } from "../../lib/loopback.ts";
import type { TokenKeeper } from "../../tokens/keeper.ts";
import { SCOPES, type Token } from "../../tokens/token.ts";
import { type Attempts, createAttempts } from "./access/attempts.ts";
import { isTokenInAddress, sessionShown, tokenShown } from "./access/credentials.ts";
import { isOwnOrigin } from "./access/origin.ts";
import { createSessions, type Sessions } from "./access/sessions.ts";
import { clientOf, hostNameOf, isFromHere } from "./access/where.ts";
import type { ErrorCode } from "./api/schema.ts";
import type { LiveOptions } from "./options.ts";
import type { Principal } from "./principal.ts";

/** Why a request is not served. */
export interface Refusal {
  readonly status: 401 | 403 | 429;
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly retryAfterMs?: number;
}

export interface Access {
  /** Who is asking; a sentence and a status where it is not known, or nobody that we answer. */
  principalOf(request: IncomingMessage): Principal | Refusal;
  /** Why nobody is answered who comes from there, or who asks for us by that name; undefined where they may go on. */
  refusalOfPlace(request: IncomingMessage): Refusal | undefined;
  /** Why a page of somebody else's may not do this; undefined for our own, and for what is no page. */
  refusalOfOrigin(request: IncomingMessage): Refusal | undefined;
  /** Whether it may ask how we are, and what we count. */
  mayWatch(request: IncomingMessage): boolean;
  /** Opens a session for a token that was shown. @returns what is to stand in the cookie, and whose it is */
  logIn(
    request: IncomingMessage,
    secret: string,
  ): { readonly session: string; readonly principal: Principal } | Refusal;
  logOut(request: IncomingMessage): void;
  /** Whether it may still go on: a token can be revoked at any time. */
  isValid(principal: Principal): boolean;
  /** Whether anybody has to show a token. */
  needsToken(): boolean;
  /** Calls the listener within a second or two after tokens were made or revoked, until the signal is aborted. */
  onChange(listener: () => void, signal: AbortSignal): void;
  /** Looks for such changes until the signal is aborted. */
  watch(signal: AbortSignal): Promise<void>;
}

/** From where the Supervisor hands on what comes through Ingress: always the same address. */
const SUPERVISOR = "172.30.32.2";

export function createAccess(options: LiveOptions, tokens: TokenKeeper): Access {
  return new Door(options, tokens);
}

class Door implements Access {
  readonly #options: LiveOptions;
  readonly #tokens: TokenKeeper;
  readonly #attempts: Attempts = createAttempts();
  readonly #sessions: Sessions = createSessions();
  readonly #changed = createBell();
  /** The names under which a page may ask us, where nobody but this computer can: a listed origin's proxy has its own. */
  readonly #names: ReadonlySet<string>;

  constructor(options: LiveOptions, tokens: TokenKeeper) {
    this.#options = options;
    this.#tokens = tokens;
    this.#names = new Set(options.origins.map((origin) => new URL(origin).hostname));
  }

  principalOf(request: IncomingMessage): Principal | Refusal {
    const refusal = this.refusalOfPlace(request);
    if (refusal !== undefined) return refusal;
    if (this.#isSupervisor(request)) return everything("ingress", "Home Assistant");
    if (isTokenInAddress(request.url ?? "")) return TOKEN_IN_ADDRESS;
    const secret = tokenShown(request.headers);
    if (secret !== undefined) return this.#principalBy(secret, clientOf(request));
    return this.#sessionOf(request) ?? this.#withoutToken(request);
  }

  refusalOfPlace(request: IncomingMessage): Refusal | undefined {
    if (this.#options.ingress) return this.#isSupervisor(request) ? undefined : FOR_SUPERVISOR;
    if (!isLoopback(this.#options.host)) return undefined;
    const name = hostNameOf(request.headers.host);
    return isLoopback(name) || this.#names.has(name) ? undefined : FOREIGN_NAME;
  }

  refusalOfOrigin(request: IncomingMessage): Refusal | undefined {
    return isOwnOrigin(request, this.#options.origins, this.#isSupervisor(request)) ? undefined : FOREIGN_ORIGIN;
  }

  mayWatch(request: IncomingMessage): boolean {
    return isFromHere(request) || this.#isSupervisor(request);
  }

  logIn(
    request: IncomingMessage,
    secret: string,
  ): { readonly session: string; readonly principal: Principal } | Refusal {
    const principal = this.#principalBy(secret, clientOf(request));
    if (!("kind" in principal)) return principal;
    const session = this.#sessions.open(principal.tokenId ?? "");
    return { session, principal: { ...principal, kind: "session" } };
  }

  logOut({ headers }: IncomingMessage): void {
    const session = sessionShown(headers);
    if (session !== undefined) this.#sessions.close(session);
  }

  isValid({ kind, tokenId }: Principal): boolean {
    if (kind === "ingress") return true;
    if (kind === "this_computer") return !this.needsToken();
    return this.#tokens.current().some(({ id }) => id === tokenId);
  }

  needsToken(): boolean {
    return !this.#options.ingress && !(isLoopback(this.#options.host) && this.#tokens.isEmpty());
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#changed.onRing(listener, signal);
  }

  watch(signal: AbortSignal): Promise<void> {
    return this.#tokens.watch(this.#changed.ring, signal);
  }

  #isSupervisor(request: IncomingMessage): boolean {
    return this.#options.ingress && clientOf(request) === SUPERVISOR;
  }

  /** Whether a token that was shown is right: it is looked for in any case, so that the answer takes always as long. */
  #principalBy(secret: string, address: string): Principal | Refusal {
    const token = this.#tokens.find(secret);
    const retryAfterMs = this.#attempts.waitMs(address);
    if (retryAfterMs > 0 && !(token && this.#attempts.hasSucceeded(address, token.id))) {
      return { ...TOO_MANY_FAILURES, retryAfterMs };
    }
    if (token === undefined) {
      this.#attempts.fail(address);
      return WRONG_TOKEN;
    }
    this.#attempts.succeed(address, token.id);
    this.#tokens.use(token);
    return principalWith(token, "token");
  }

  #sessionOf({ headers }: IncomingMessage): Principal | undefined {
    const session = sessionShown(headers);
    const tokenId = session && this.#sessions.tokenId(session);
    const token = this.#tokens.current().find(({ id }) => id === tokenId);
    return token && principalWith(token, "session");
  }

  #withoutToken(request: IncomingMessage): Principal | Refusal {
    if (this.needsToken()) return NO_TOKEN;
    // Behind a proxy it may be anybody.
    if (!isFromHere(request) || !isLoopback(hostNameOf(request.headers.host))) return BEHIND_PROXY;
    return everything("this_computer", "this computer");
  }
}

function everything(kind: Principal["kind"], name: string): Principal {
  return { kind, name, scopes: new Set(SCOPES) };
}

function principalWith({ id, name, scopes, devices }: Token, kind: "token" | "session"): Principal {
  return { kind, tokenId: id, name, scopes: new Set(scopes), ...(devices && { devices: new Set(devices) }) };
}

const FOR_SUPERVISOR: Refusal = {
  status: 403,
  code: "forbidden",
  sentence: "This page is served through Home Assistant alone: open Pawline in Home Assistant's sidebar.",
};
/** A page of somebody else's could have its own name lead to this computer, and read along in the user's browser. */
const FOREIGN_NAME: Refusal = {
  status: 403,
  code: "forbidden",
  sentence:
    "This page is served under the address 127.0.0.1 or the name localhost alone: use one of them, " +
    "or name yours in live.origins.",
};
const FOREIGN_ORIGIN: Refusal = {
  status: 403,
  code: "forbidden_origin",
  sentence: "A page of another origin may not do this: name its origin in live.origins if it is yours.",
};
const MAKE_ONE = "make one with “pawline token create --name …” and send it as “Authorization: Bearer …”";
const NO_TOKEN: Refusal = { status: 401, code: "unauthorized", sentence: `A token is needed here: ${MAKE_ONE}.` };
const WRONG_TOKEN: Refusal = {
  status: 401,
  code: "unauthorized",
  sentence: `This token is wrong, or was revoked: ${MAKE_ONE}.`,
};
const BEHIND_PROXY: Refusal = {
  status: 401,
  code: "unauthorized",
  sentence: `Whoever comes through a proxy needs a token: ${MAKE_ONE}.`,
};
const TOKEN_IN_ADDRESS: Refusal = {
  status: 401,
  code: "unauthorized",
  sentence:
    "A token must not stand in an address, which logs and histories keep: send it as “Authorization: Bearer …”.",
};
const TOO_MANY_FAILURES: Refusal = {
  status: 429,
  code: "rate_limited",
  sentence:
    "There were too many wrong tokens from this address: wait as long as Retry-After says, and use a right one.",
};
