/** Keys to the live API: 256 random bits each, of which only a hash is kept. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** `read`: may look. `control`: may send commands; one who may do that may look, too. */
export const SCOPES = ["read", "control"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  /** Eight digits and letters, by which it can be named without being known. */
  readonly id: string;
  readonly name: string;
  /** SHA-256, hexadecimal: 256 random bits need no slower hash. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** The only devices that it is for, by id; all where it is left out. */
  readonly devices?: readonly string[] | undefined;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface TokenWish {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly devices?: readonly string[] | undefined;
}

/** So that people and scanners know what they have found. */
const PREFIX = "pawline_";
/** Longer than any token is: nobody has to hash a megabyte for a stranger. */
const LONGEST_SECRET = 200;

/** @returns the token, and the text that is shown once */
export function makeToken({ name, scopes, devices }: TokenWish, now: number): { token: Token; secret: string } {
  const secret = `${PREFIX}${randomBytes(32).toString("base64url")}`;
  const wanted = SCOPES.filter((scope) => scopes.includes(scope) || (scope === "read" && scopes.includes("control")));
  return {
    secret,
    token: {
      id: randomBytes(4).toString("hex"),
      name,
      hash: hashOf(secret).toString("hex"),
      scopes: wanted,
      ...(devices && { devices }),
      createdAt: now,
    },
  };
}

/** The token with this text. Every one is compared, in the same time, whichever it is. */
export function tokenOf(secret: string, tokens: readonly Token[]): Token | undefined {
  if (secret.length > LONGEST_SECRET) return undefined;
  const hash = hashOf(secret);
  let found: Token | undefined;
  for (const token of tokens) if (timingSafeEqual(hash, Buffer.from(token.hash, "hex"))) found = token;
  return found;
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
