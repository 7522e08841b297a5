/**
 * STOMP 1.0 and 1.1, the server's half of the wire.
 *
 * A frame is a command line, header lines, an empty line, a body and a NUL. A body may hold NULs of its own where
 * `content-length` (bytes, not characters) says how long it is. So the reader works on bytes: it collects what
 * comes, however it was cut or joined on the way, and gives out frames as soon as they are whole. A line feed
 * between two frames is a heart-beat. Version 1.1 escapes header text, save in CONNECT and CONNECTED, which must be
 * readable before the version is agreed.
 */
export interface Frame {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What the client sent is no STOMP; the message is fit to be told to the client. */
export class StompError extends Error {}

const lineFeed = 10;
const nul = 0;
const largestFrameBytes = 64 * 1024;

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", ":": "\\c" };
const unescapes: Readonly<Record<string, string>> = { "\\\\": "\\", "\\n": "\n", "\\c": ":" };

function escapeHeader(text: string): string {
  return text.replace(/[\\\n:]/g, (char) => escapes[char] ?? char);
}

function unescapeHeader(text: string): string {
  return text.replace(/\\.?/gs, (pair) => {
    const char = unescapes[pair];
    if (char === undefined) throw new StompError(`undefined escape sequence ${pair}`);
    return char;
  });
}

/** A frame's text, NUL included. `escaped` is false for version 1.0 and for CONNECTED. */
export function encodeFrame(command: string, headers: Iterable<[string, string]>, body = "", escaped = true): string {
  let head = `${command}\n`;
  for (const [name, value] of headers) {
    head += escaped ? `${escapeHeader(name)}:${escapeHeader(value)}\n` : `${name}:${value}\n`;
  }
  return `${head}\n${body}\0`;
}

function parseHeader(line: string, escaped: boolean): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new StompError(`a header without a name or value: ${line}`);
  const pair: [string, string] = [line.slice(0, colon), line.slice(colon + 1)];
  return escaped ? [unescapeHeader(pair[0]), unescapeHeader(pair[1])] : pair;
}

function parseHead(text: string, escaped: boolean): { command: string; headers: Map<string, string> } {
  const [command = "", ...lines] = text.split("\n");
  if (!/^[A-Z]+$/.test(command)) throw new StompError("a frame must begin with a command");
  const headers = new Map<string, string>();
  const isConnect = command === "CONNECT" || command === "STOMP";
  for (const line of lines) {
    const [name, value] = parseHeader(line, escaped && !isConnect);
    // Of repeated headers the first counts, says the specification.
    if (!headers.has(name)) headers.set(name, value);
  }
  return { command, headers };
}

/** Turns the strings of one connection into frames and heart-beats. */
export class FrameReader {
  /** Set once version 1.1 is agreed. */
  escaped = false;
  #held: Buffer = Buffer.alloc(0);

  /** Frames that became whole by this text, in order. Lazy, so that CONNECT is dealt with before its successors. */
  *read(text: string): Generator<Frame | "heart-beat"> {
    this.#held = Buffer.concat([this.#held, Buffer.from(text)]);
    for (let item = this.#next(); item; item = this.#next()) yield item;
    if (this.#held.length > largestFrameBytes) throw new StompError("the frame is too large");
  }

  #next(): Frame | "heart-beat" | undefined {
    if (this.#held.length === 0) return undefined;
    if (this.#held[0] === lineFeed) {
      this.#held = this.#held.subarray(1);
      return "heart-beat";
    }
    const headEnd = this.#held.indexOf("\n\n");
    const firstNul = this.#held.indexOf(nul);
    if (firstNul >= 0 && (headEnd < 0 || firstNul < headEnd)) throw new StompError("the frame ended in its headers");
    return headEnd < 0 ? undefined : this.#frame(headEnd);
  }

  #frame(headEnd: number): Frame | undefined {
    const { command, headers } = parseHead(this.#held.toString("utf8", 0, headEnd), this.escaped);
    const start = headEnd + 2;
    const end = this.#bodyEnd(start, headers.get("content-length"));
    if (end === undefined) return undefined;
    const body = this.#held.toString("utf8", start, end);
    this.#held = this.#held.subarray(end + 1);
    return { command, headers, body };
  }

  /** Where the body's closing NUL stands, or undefined while it has not come. */
  #bodyEnd(start: number, contentLength: string | undefined): number | undefined {
    if (contentLength === undefined) {
      const end = this.#held.indexOf(nul, start);
      return end < 0 ? undefined : end;
    }
    if (!/^\d{1,9}$/.test(contentLength)) throw new StompError(`content-length is no length: ${contentLength}`);
    const end = start + Number(contentLength);
    if (end >= this.#held.length) return undefined;
    if (this.#held[end] !== nul) throw new StompError("content-length does not lead to the end of the frame");
    return end;
  }
}
