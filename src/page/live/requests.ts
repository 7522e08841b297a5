/** What the page asks by HTTP. Every address is relative, so that the page works behind any path. */
import type { ApiEvent, ApiTrack } from "../../publishers/live/api/schema.ts";
import { decodeEvents, decodeProblem, decodeTrack, isSession } from "./decode.ts";
import type { Obstacle } from "./keep-connected.ts";

/** The server's sentence, or undefined when there was no server to say one. */
export class RequestFailed extends Error {
  readonly sentence: string | undefined;

  constructor(sentence: string | undefined, cause?: unknown) {
    super(sentence ?? "no answer", { cause });
    this.sentence = sentence;
  }
}

const PATIENCE_MS = 15_000;

async function ask(address: string, options: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...options });
  } catch (cause) {
    throw new RequestFailed(undefined, cause);
  }
}

/** @throws RequestFailed */
async function read(address: string): Promise<unknown> {
  const response = await ask(address);
  if (!response.ok) throw new RequestFailed(await sentenceOf(response));
  return await bodyOf(response);
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

async function sentenceOf(response: Response): Promise<string | undefined> {
  return decodeProblem(await bodyOf(response))?.detail;
}

/** Why no connection can be had; undefined when nothing stands in the way. */
export async function findObstacle(): Promise<Obstacle | undefined> {
  try {
    const response = await ask("api/bridge");
    if (response.ok) return undefined;
    if (response.status === 401) return { kind: "unauthorized" };
    const sentence = await sentenceOf(response);
    // A proxy before a Pawline that is away answers with an error, but with none of our sentences.
    return sentence === undefined ? { kind: "unreachable" } : { kind: "refused", sentence };
  } catch {
    return { kind: "unreachable" };
  }
}

/** Exchanges a token for a cookie that only the server can read. @throws RequestFailed */
export async function signIn(token: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await ask("api/session", { method: "POST", headers, body: JSON.stringify({ token }) });
  if (!response.ok) throw new RequestFailed(await sentenceOf(response));
}

/** Whether this browser is known by a token that was shown here. */
export async function isSignedIn(): Promise<boolean> {
  try {
    return isSession(await read("api/session"));
  } catch {
    return false;
  }
}

/** What cannot be told to the server now ends with it at the latest. */
export async function signOut(): Promise<void> {
  await ask("api/session", { method: "DELETE" }).catch(() => {});
}

/** @throws RequestFailed */
export async function fetchEvents(): Promise<readonly ApiEvent[]> {
  return decodeEvents(await read("api/events?limit=200"));
}

/** @throws RequestFailed */
export async function fetchTrack(device: string, fromMs: number, toMs: number): Promise<ApiTrack | undefined> {
  return decodeTrack(await read(trackAddress(device, fromMs, toMs, "json")));
}

export function trackAddress(device: string, fromMs: number, toMs: number, format: "json" | "gpx"): string {
  const query = new URLSearchParams({ from: `${fromMs}`, to: `${toMs}`, format });
  return `api/devices/${encodeURIComponent(device)}/track?${query}`;
}
