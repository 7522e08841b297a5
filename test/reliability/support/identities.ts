/** The certificates of cloud, broker and Home Assistant: one that is right, and the ways in which one can be wrong. */
import { readFileSync } from "node:fs";
import { type Certificate, certify, certifyExpired } from "../../e2e/support/certificates.ts";
import { temporaryFolder } from "../../e2e/support/processes.ts";
import type { Identity } from "../../support/relay.ts";
import { BROKER_HOST, HOME_HOST, PORTAL_HOST, STREAM_HOST } from "./household.ts";

const HOSTS = [PORTAL_HOST, STREAM_HOST, BROKER_HOST, HOME_HOST].map((host) => `DNS:${host}`).join(",");

export interface Identities {
  /** The file of the authority that signed all but `unknown`. */
  readonly authority: string;
  readonly right: Identity;
  readonly expired: Identity;
  readonly unknown: Identity;
  readonly otherName: Identity;
}

async function make(): Promise<Identities> {
  const folder = temporaryFolder("identities");
  const authority = await certify(folder, "authority");
  const stranger = await certify(folder, "stranger");
  return {
    authority: authority.cert,
    right: read(await certify(folder, "right", authority, HOSTS)),
    expired: read(await certifyExpired(folder, "expired", authority, HOSTS)),
    unknown: read(await certify(folder, "unknown", stranger, HOSTS)),
    otherName: read(await certify(folder, "other", authority, "DNS:elsewhere.test")),
  };
}

function read({ cert, key }: Certificate): Identity {
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

let made: Promise<Identities> | undefined;

/** Made once for all tests of a file. */
export function identities(): Promise<Identities> {
  made ??= make();
  return made;
}
