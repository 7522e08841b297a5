/**
 * Cuts what comes in pieces into whole STOMP frames, before the STOMP client sees it. That client's parser reads byte
 * by byte and trusts what it reads: a header line without a colon, a `content-length` that is too large, or a frame
 * without its NUL would make it swallow the whole frames behind. So only whole frames are handed on, and after
 * anything else the next frame is found again: at the start of a piece that begins like one, or behind a NUL.
 */

export interface Framer {
  /** Whether nothing is held back for the next piece. */
  readonly isEmpty: boolean;
  /** Takes the next piece, and answers the whole frames (with their NUL) and heart-beats that it completes. */
  push(piece: string): string[];
  /** How many broken frames have been passed over. */
  readonly malformed: number;
}

const NUL = "\0";
const COMMANDS = ["MESSAGE", "CONNECTED", "RECEIPT", "ERROR"];
const FRAME_START = new RegExp(`^(?:${COMMANDS.join("|")})\\r?\\n`);
const RESTART = new RegExp(`\0|(?:${COMMANDS.join("|")})\\r?\\n`);
const NUL_FIRST = /^\0/;
const HEADER_END = /\r?\n\r?\n/;
const HEADER = /^[^:\r\n]+:[^\r\n]*$/;
const LENGTH = /^\d{1,8}$/;
/** A frame that grows beyond this is no frame of this cloud. */
const LARGEST = 4 * 1024 * 1024;
/** So is one whose head is longer, or that comes in more pieces: each is read from its beginning with each piece. */
const LONGEST_HEAD = 16 * 1024;
const MOST_PIECES = 100;
/** What follows so many broken frames in one piece is not worth the search for a whole one. */
const MOST_BROKEN = 100;

export function createFramer(): Framer {
  let rest = "";
  let pieces = 0;
  let malformed = 0;

  /** Takes one frame off the front of `rest`; undefined when it needs more, "" when something broken was passed over. */
  function take(): string | undefined {
    if (!couldBeFrame(rest)) return skip();
    const beginning = rest.slice(0, LONGEST_HEAD);
    const head = HEADER_END.exec(beginning);
    if (head === null) return isBrokenHead(beginning) ? skip() : undefined;
    const lines = rest.slice(0, head.index).split(/\r?\n/).slice(1);
    if (!lines.every((line) => HEADER.test(line))) return skip();
    const end = frameEnd(rest, head.index + head[0].length, contentLength(lines));
    if (end === undefined) return rest.length > LARGEST ? skip() : undefined;
    if (end < 0) return skip();
    const frame = rest.slice(0, end);
    rest = rest.slice(end);
    return frame;
  }

  function drop(): void {
    malformed += 1;
    rest = "";
  }

  /** Passes over what is broken: up to and with its NUL, or to what begins like a frame before that. */
  function skip(): string {
    malformed += 1;
    const next = rest.slice(1).search(RESTART);
    rest = next < 0 ? "" : rest.slice(next + 1).replace(NUL_FIRST, "");
    return "";
  }

  return {
    get isEmpty() {
      return rest === "";
    },
    get malformed() {
      return malformed;
    },
    push(piece) {
      const whole: string[] = [];
      pieces = rest === "" ? 0 : pieces + 1;
      if (rest !== "" && (FRAME_START.test(piece) || pieces >= MOST_PIECES)) drop();
      rest += piece;
      const most = malformed + MOST_BROKEN;
      while (rest !== "") {
        if (malformed >= most) drop();
        const frame = rest.startsWith("\n") || rest.startsWith("\r\n") ? heartBeat() : take();
        if (frame === undefined) break;
        if (frame !== "") whole.push(frame);
      }
      return whole;
    },
  };

  function heartBeat(): string {
    rest = rest.slice(rest.indexOf("\n") + 1);
    return "\n";
  }
}

/** A message as it nearly always comes: alone and whole. */
export interface WholeMessage {
  readonly subscription: string;
  readonly body: string;
}

const MESSAGE_HEAD = /MESSAGE\n(?:[^:\r\n]+:[^\r\n]*\n)+\n/y;

/**
 * Reads a piece that is nothing but one whole message; undefined for any other, which takes the longer way. One look at
 * its head does what the framer and the reader behind it do line by line.
 */
export function readWholeMessage(piece: string): WholeMessage | undefined {
  MESSAGE_HEAD.lastIndex = 0;
  if (!MESSAGE_HEAD.test(piece)) return undefined;
  const bodyStart = MESSAGE_HEAD.lastIndex;
  const last = piece.length - 1;
  if (piece.indexOf(NUL, bodyStart) !== last) return undefined;
  const body = piece.slice(bodyStart, last);
  const length = headerOf(piece, "content-length", bodyStart);
  if (length !== undefined && length !== String(Buffer.byteLength(body))) return undefined;
  const subscription = headerOf(piece, "subscription", bodyStart);
  return subscription === undefined ? undefined : { subscription, body };
}

/** The first header of this name, before `end`. */
function headerOf(text: string, name: string, end: number): string | undefined {
  const at = text.indexOf(`\n${name}:`);
  if (at < 0 || at >= end) return undefined;
  const from = at + name.length + 2;
  return text.slice(from, text.indexOf("\n", from));
}

/** Whether the text begins like a frame, or like a piece of its first line. */
function couldBeFrame(text: string): boolean {
  return (
    FRAME_START.test(text) || COMMANDS.some((command) => `${command}\n`.startsWith(text) || `${command}\r` === text)
  );
}

/** Whether a head that has not ended yet never will: it is too long, ends early, or has a line without a colon. */
function isBrokenHead(text: string): boolean {
  const lines = text.split(/\r?\n/).slice(1, -1);
  return text.length === LONGEST_HEAD || text.includes(NUL) || lines.some((line) => !HEADER.test(line));
}

/** -1 for one that is no number. */
function contentLength(lines: readonly string[]): number | undefined {
  const line = lines.find((header) => header.startsWith("content-length:"));
  if (line === undefined) return undefined;
  const value = line.slice("content-length:".length).trim();
  return LENGTH.test(value) ? Number(value) : -1;
}

/** The index behind the frame's NUL; undefined while it is not there yet, -1 when it is not where it should be. */
function frameEnd(text: string, bodyStart: number, length: number | undefined): number | undefined {
  if (length === undefined) {
    const nul = text.indexOf(NUL, bodyStart);
    return nul < 0 ? undefined : nul + 1;
  }
  if (length < 0) return -1;
  const end = bodyStart + lengthInUnits(text.slice(bodyStart, bodyStart + length), length);
  if (end >= text.length) return undefined;
  return text[end] === NUL ? end + 1 : -1;
}

/** How many UTF-16 units of the text make up `bytes` bytes of UTF-8; more than it has when it is too short. */
function lengthInUnits(text: string, bytes: number): number {
  if (Buffer.byteLength(text) === text.length) return bytes;
  const encoded = Buffer.from(text);
  return encoded.length < bytes ? text.length + 1 : encoded.subarray(0, bytes).toString("utf8").length;
}
