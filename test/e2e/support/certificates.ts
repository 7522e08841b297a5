/** Certificates for a test, by the command that a user would take. */
import { writeFileSync } from "node:fs";
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

const LOOPBACK = "IP:127.0.0.1,DNS:localhost";

/**
 * A certificate of its own authority where no `issuer` is given.
 * @param hosts whom it is for
 */
export async function certify(
  folder: string,
  name: string,
  issuer?: Certificate,
  hosts = LOOPBACK,
): Promise<Certificate> {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const by = issuer === undefined ? [] : ["-CA", issuer.cert, "-CAkey", issuer.key];
  const names = issuer === undefined ? [] : ["-addext", `subjectAltName=${hosts}`];
  const files = ["-keyout", made.key, "-out", made.cert];
  await openssl("req", "-x509", ...EC, ...files, "-days", "2", "-subj", `/CN=${name}`, ...by, ...names);
  return made;
}

/** The same, but it has expired. */
export async function certifyExpired(
  folder: string,
  name: string,
  issuer: Certificate,
  hosts = LOOPBACK,
): Promise<Certificate> {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const [request, config] = [join(folder, `${name}.csr`), join(folder, `${name}.cnf`)];
  writeFileSync(join(folder, `${name}.index`), "");
  writeFileSync(
    config,
    `[ca]
default_ca = own
[own]
database = ${join(folder, `${name}.index`)}
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
`,
  );
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${hosts}`];
  await openssl("req", "-new", ...EC, "-keyout", made.key, "-out", request, ...subject);
  const by = ["-cert", issuer.cert, "-keyfile", issuer.key];
  const life = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
  await openssl("ca", "-batch", "-notext", "-config", config, ...by, ...life, "-in", request, "-out", made.cert);
  return made;
}
