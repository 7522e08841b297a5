/** Whom we trust at the other end of a TLS connection, as both Node's clients and `ws` take it. */
import { RecoverableError } from "./errors.ts";
import { readSmallFile } from "./small-file.ts";

export interface TlsOptions {
  /** The certificate authority, PEM; by default those that Node knows. */
  readonly ca?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/** Where the user can set whom we trust, as a sentence names it. */
interface TrustSettings {
  readonly authority: string;
  readonly url: string;
}

const OURS: TrustSettings = { authority: "the variable NODE_EXTRA_CA_CERTS", url: "the configuration" };

/** Certificates that nobody whom we trust has signed, as Node names that. */
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/;

/** What is wrong with the other side's certificate, and the remedy; undefined where the error is another one. */
export function certificateTrouble(error: unknown, { authority, url }: TrustSettings = OURS): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (UNTRUSTED.test(code)) {
    return `its certificate is signed by nobody whom this computer knows: set ${authority} to the file of the authority that signed it`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `its certificate is for another name than ${url} has`;
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const trouble = code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet";
    return `its certificate ${trouble}: is this computer's clock right? Otherwise it has to be renewed there`;
  }
  return undefined;
}

/**
 * A certificate or key as it stands in a file.
 * @param name what names the file in the configuration
 * @throws RecoverableError with a sentence
 */
export function readPem(name: string, file: string): Buffer {
  const bytes = readPemFile(name, file);
  if (bytes.includes("-----BEGIN ")) return bytes;
  throw new RecoverableError(`${name}: the file ${file} is not in the PEM format (it has no line -----BEGIN …)`);
}

function readPemFile(name: string, file: string): Buffer {
  try {
    return readSmallFile(file);
  } catch (cause) {
    throw new RecoverableError(`${name}: the file ${file} cannot be read`, { cause });
  }
}
