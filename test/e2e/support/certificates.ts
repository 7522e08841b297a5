/** Certificates for a test, by the command that a user would take. */
import { join } from "node:path";
import { StartedProcess } from "./processes.ts";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

async function openssl(...args: string[]): Promise<void> {
  const tool = new StartedProcess("openssl", args);
  if ((await tool.ended) !== 0) throw new Error(`openssl failed:\n${tool.lastLines()}`);
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate of its own authority where no `issuer` is given. */
export async function certify(folder: string, name: string, issuer?: Certificate): Promise<Certificate> {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const by = issuer === undefined ? [] : ["-CA", issuer.cert, "-CAkey", issuer.key];
  const names = issuer === undefined ? [] : ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const files = ["-keyout", made.key, "-out", made.cert];
  await openssl("req", "-x509", ...EC, ...files, "-days", "2", "-subj", `/CN=${name}`, ...by, ...names);
  return made;
}
