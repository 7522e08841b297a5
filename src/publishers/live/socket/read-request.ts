/** From a client's text to its request, or to what is wrong with it. Nothing that is sent can make this throw. */
import { type ClientMessage, clientMessage, type RequestId, requestId } from "../api/messages.ts";
import type { ErrorCode } from "../api/schema.ts";

/** What is wrong, and which request it was, in so far as that could be read. */
export interface Fault {
  readonly id: RequestId | null;
  readonly code: ErrorCode;
  readonly message: string;
}

const TYPES: readonly string[] = clientMessage.options.map((option) => option.shape.type.value);

export function readRequest(text: string): ClientMessage | Fault {
  const value = parse(text);
  if (value === undefined) return { id: null, code: "invalid_json", message: "A message must be a JSON object." };
  const result = clientMessage.safeParse(value);
  if (result.success) return result.data;
  const id = requestId.safeParse(value.id).data ?? null;
  if (typeof value.type !== "string" || !TYPES.includes(value.type)) {
    return { id, code: "unknown_type", message: `“type” must be one of ${TYPES.join(", ")}.` };
  }
  const [issue] = result.error.issues;
  const place = issue?.path.length ? `“${issue.path.join(".")}”` : "The message";
  return { id, code: "invalid_request", message: `${place}: ${issue?.message ?? "this is not understood"}.` };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
