/** The body of a request: JSON, and not much of it. */
import type { IncomingMessage } from "node:http";
import type { z } from "../../../lib/schema.ts";
import { RequestError } from "./problem.ts";

const LARGEST_BYTES = 16_384;
const TOO_LARGE = new RequestError(413, "too_large", `The body must not be larger than ${LARGEST_BYTES} bytes.`);
const NO_JSON = new RequestError(400, "invalid_json", "The body must be JSON, in UTF-8.");
const NOT_SAID = new RequestError(
  415,
  "invalid_request",
  "The body must be JSON: send “Content-Type: application/json”.",
);

/** @throws RequestError for what is no JSON, and for what does not fit the schema */
export async function readBody<Of>(request: IncomingMessage, schema: z.ZodType<Of>): Promise<Of> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  // A form of somebody else's page could send text without asking; JSON it cannot.
  if (type.trim().toLowerCase() !== "application/json") throw NOT_SAID;
  if (Number(request.headers["content-length"] ?? 0) > LARGEST_BYTES) throw TOO_LARGE;
  return checked(parsed(await bytesOf(request)), schema);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    const chunk = Buffer.from(part);
    bytes += chunk.byteLength;
    if (bytes > LARGEST_BYTES) throw TOO_LARGE;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw NO_JSON;
  }
}

/** @throws RequestError that names each part that is wrong */
export function checked<Of>(value: unknown, schema: z.ZodType<Of>): Of {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join("."), message }));
  const [first] = errors;
  const where = first?.path ? `${first.path}: ` : "";
  throw new RequestError(400, "invalid_request", `The request is not valid: ${where}${first?.message ?? ""}.`, {
    errors,
  });
}
