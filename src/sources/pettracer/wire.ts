/**
 * Reads single values of the wire, each by what it stands for: undefined is "not to be read", and nothing throws.
 * Formulas are the portal's own, as its unofficial clients observed them.
 */

/** Called with the name of each field whose value could not be read. */
export type OnOddField = (field: string) => void;

export type Wire = Readonly<Record<string, unknown>>;

/** A field's reader: undefined stands for "not to be read". */
export type Read<T> = (value: unknown, odd: OnOddField) => T | undefined;

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export type Fields = <T>(name: string, read: Read<T>) => T | undefined;

/** Reads fields of a wire object; names each one that is there but cannot be read. */
export function fieldsOf(wire: Wire, odd: OnOddField): Fields {
  let reading = "";
  const inside = (inner: string): void => odd(`${reading}.${inner}`);
  return (name, read) => {
    const given = wire[name];
    // JSON has no `undefined`, and no field is called like what every object inherits.
    if (given === undefined) return undefined;
    reading = name;
    const value = read(given, inside);
    // `null` stands for "nothing to say" wherever its reader has no use for it.
    if (value === undefined && given !== null) odd(name);
    return value;
  };
}

export function isWire(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function orNull<T>(read: Read<T>): Read<T | null> {
  return (value, odd) => (value === null ? null : read(value, odd));
}

export function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function integer(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

export function identifier(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number > 0 ? number : undefined;
}

export function boolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function zeroOrOne(value: unknown): boolean | undefined {
  return value === 0 || value === 1 ? value === 1 : undefined;
}

/** Home Assistant shows no more of a text, and longer ones would only fill memory and topics. */
const LONGEST_TEXT = 255;
/** Control characters, halves of characters, and what turns the direction of writing: no text of a person's has them. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

export function text(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (value.length <= LONGEST_TEXT) return value.replace(UNPRINTABLE, " ");
  // A copy: a mere part of a text of megabytes would keep the whole of it in memory.
  return Buffer.from(value.slice(0, LONGEST_TEXT)).toString().replace(UNPRINTABLE, " ");
}

/** What can stand in a header and in an address as it is. */
const TOKEN = /^[!-~]{1,8192}$/;

export function accessToken(value: unknown): string | undefined {
  return typeof value === "string" && TOKEN.test(value) ? value : undefined;
}

/** A cell's voltage; 0 stands for "none" (mains), and no cell has five volts. */
export function millivolts(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number > 0 && number < 10_000 ? number : undefined;
}

export function colour(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number >= 0 && number <= 0xffffff ? number : undefined;
}

/** `656393` = 0x0A0409 is 10.4.9: a byte for each part. */
export function version(value: unknown): string | undefined {
  const number = integer(value);
  if (number === undefined || number < 0 || number > 0xffffffff) return undefined;
  return [number >>> 16, (number >>> 8) & 0xff, number & 0xff].join(".");
}

/** dBm of the cloud's raw byte, which comes signed, too: (raw & 255) / 2 − 130. The portal's own formula. */
export function signal(value: unknown): number | undefined {
  const raw = integer(value);
  return raw !== undefined && raw >= -128 && raw <= 255 ? (raw & 255) / 2 - 130 : undefined;
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/;

let latest: { readonly text: string; readonly at: number | undefined } = { text: "", at: undefined };

/** Epoch ms of `2025-12-27T21:51:40.310+0000` (an offset without its colon), of ISO 8601, or of a bare date (UTC). */
export function time(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  // A message says the same time again and again.
  if (value !== latest.text) latest = { text: value, at: readTime(value) };
  return latest.at;
}

function readTime(value: string): number | undefined {
  // As it nearly always comes, `…T21:51:40.310+0000`: read without taking it apart.
  if (value.length === 28 && value.endsWith("+0000")) return parsedTime(`${value.slice(0, 23)}Z`);
  const match = TIME.exec(value);
  if (match === null) return undefined;
  const [, day, clock = "00:00", offset = "Z"] = match;
  return parsedTime(`${day}T${clock}${offset.replace(/^([+-]\d{2}):?(\d{2})$/, "$1:$2")}`);
}

/** No clock of a collar and no subscription means another age, and others cannot calculate with the ends of time. */
const EARLIEST = Date.UTC(1900, 0);
const LATEST = Date.UTC(2500, 0);

function parsedTime(iso: string): number | undefined {
  const at = Date.parse(iso);
  return at >= EARLIEST && at <= LATEST ? at : undefined;
}

export function metres(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number >= 0 ? number : undefined;
}

export function count(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number >= 0 ? number : undefined;
}
