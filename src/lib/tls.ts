/** Whom we trust at the other end of a TLS connection, as both Node's clients and `ws` take it. */
import { readFile } from "node:fs/promises";
import { RecoverableError } from "./errors.ts";

export interface TlsOptions {
  /** The certificate authority, PEM; by default those that Node knows. */
  readonly ca?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/**
 * A certificate or key as it stands in a file.
 * @param name what names the file in the configuration
 * @throws RecoverableError with a sentence
 */
export async function readPem(name: string, file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new RecoverableError(`${name}: the file ${file} cannot be read`, { cause });
  });
  if (bytes.includes("-----BEGIN ")) return bytes;
  throw new RecoverableError(`${name}: the file ${file} is not in the PEM format (it has no line -----BEGIN …)`);
}
