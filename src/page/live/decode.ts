/** What the server says, as it arrives: its own checks have made it, so that only its form is looked at here. */
import type { ServerMessage } from "../../publishers/live/api/messages.ts";
import type { ApiEvent, ApiTrack, Problem } from "../../publishers/live/api/schema.ts";

/** One message of the WebSocket; undefined for what is none. */
export function decodeMessage(text: unknown): ServerMessage | undefined {
  const value = typeof text === "string" ? parsed(text) : undefined;
  return isRecord(value) && typeof value.type === "string" ? (value as ServerMessage) : undefined;
}

export function decodeEvents(value: unknown): readonly ApiEvent[] {
  return isRecord(value) && Array.isArray(value.events) ? (value.events as ApiEvent[]) : [];
}

export function decodeTrack(value: unknown): ApiTrack | undefined {
  return isRecord(value) && Array.isArray(value.fixes) && Array.isArray(value.gaps) ? (value as ApiTrack) : undefined;
}

export function isSession(value: unknown): boolean {
  return isRecord(value) && value.kind === "session";
}

/** The sentence of an RFC 9457 answer. */
export function decodeProblem(value: unknown): Pick<Problem, "detail"> | undefined {
  return isRecord(value) && typeof value.detail === "string" ? { detail: value.detail } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
