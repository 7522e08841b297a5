/**
 * SockJS, the client's side of its WebSocket transport, as far as this cloud speaks it: text frames that begin with a
 * letter. `o` opens, `h` is a heart-beat, `a["…","…"]` carries messages, `c[code,"reason"]` closes; what we send is a
 * JSON array of strings. https://sockjs.github.io/sockjs-protocol/
 */
import { randomInt } from "node:crypto";

export type SockjsFrame =
  | { readonly type: "open" }
  | { readonly type: "heartbeat" }
  /** `odd` counts the elements that were no text. */
  | { readonly type: "messages"; readonly messages: readonly string[]; readonly odd: number }
  | { readonly type: "close"; readonly code: number; readonly reason: string }
  | { readonly type: "malformed" };

const MALFORMED: SockjsFrame = { type: "malformed" };

/** Reads one frame; any text has an answer, and nothing is thrown. */
export function parseSockjsFrame(text: string): SockjsFrame {
  switch (text[0]) {
    case "o":
      return text.length === 1 ? { type: "open" } : MALFORMED;
    case "h":
      return text.length === 1 ? { type: "heartbeat" } : MALFORMED;
    case "a":
      return messages(parseArray(text.slice(1)));
    case "m":
      return messages(parseArray(`[${text.slice(1)}]`));
    case "c":
      return close(parseArray(text.slice(1)));
    default:
      return MALFORMED;
  }
}

/** The frame that carries these messages to the server. */
export function sockjsFrame(...texts: readonly string[]): string {
  return JSON.stringify(texts);
}

/** The address of a new session: a random server of 000 to 999, and a random session of eight characters. */
export function sessionUrl(base: string, token: string): string {
  const server = String(randomInt(1000)).padStart(3, "0");
  const session = Array.from({ length: 8 }, () => randomInt(36).toString(36)).join("");
  return `${base}/${server}/${session}/websocket?access_token=${encodeURIComponent(token)}`;
}

function messages(elements: unknown[] | undefined): SockjsFrame {
  if (elements === undefined) return MALFORMED;
  const texts = elements.every(isText) ? elements : elements.filter(isText);
  return { type: "messages", messages: texts, odd: elements.length - texts.length };
}

function isText(element: unknown): element is string {
  return typeof element === "string";
}

function close(elements: unknown[] | undefined): SockjsFrame {
  if (elements === undefined) return MALFORMED;
  const [code, reason] = elements;
  return { type: "close", code: typeof code === "number" ? code : 0, reason: typeof reason === "string" ? reason : "" };
}

function parseArray(json: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
