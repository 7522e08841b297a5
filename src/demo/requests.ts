/** What a STOMP client asks for, read from its frames. Everything here throws StompError for what it cannot read. */
import { isFields, isInteger, parseJson } from "./json.ts";
import { type Frame, StompError } from "./stomp.ts";

/** The header's value; it must be there and not be empty. */
export function requiredHeader(frame: Frame, name: string): string {
  const value = frame.headers.get(name);
  if (!value) throw new StompError(`${frame.command} needs the header ${name}`);
  return value;
}

/** What the client can send and what it wants to get, in milliseconds, 0 = none. */
export function heartBeatHeader(text: string | undefined): [sends: number, wants: number] {
  const [, sends, wants] = /^(\d{1,9}),(\d{1,9})$/.exec(text ?? "0,0") ?? [];
  if (sends === undefined || wants === undefined) throw new StompError(`heart-beat is no pair of numbers: ${text}`);
  return [Number(sends), Number(wants)];
}

/** The newest version that both sides speak. A client that names none speaks 1.0. */
export function agreedVersion(accepted: string | undefined): "1.0" | "1.1" {
  const offered = (accepted ?? "1.0").split(",").map((version) => version.trim());
  if (offered.includes("1.1")) return "1.1";
  if (offered.includes("1.0")) return "1.0";
  throw new StompError(`none of these versions is spoken here: ${accepted}`);
}

/** The ids in the body of `/app/subscribe` and `/app/unsubscribe`. */
export function deviceIdsOf(body: string): number[] {
  const value = parseJson(body);
  const ids: unknown = isFields(value) ? value.deviceIds : undefined;
  if (!Array.isArray(ids) || !ids.every(isInteger)) throw new StompError('the body must be {"deviceIds":[…]}');
  return ids;
}
