/**
 * The only file that knows the wire's names. Each field is checked by itself: one that is missing leaves what is
 * known, one of a wrong type is left out and named, and nothing that the cloud sends can make this throw.
 * Field names and formulas are the portal's own, as its unofficial clients observed them.
 */
import type {
  AccountReport,
  CollarReport,
  Fix,
  Reception,
  StationLink,
  StationReport,
  Telegram,
} from "../../model/device.ts";

/** Called with the name of each field whose value could not be read. */
export type OnOddField = (field: string) => void;

export interface Decoded<Report> {
  readonly id: number;
  readonly report: Report;
}

export interface Login {
  readonly token: string;
  /** Epoch ms; undefined where the cloud does not say. */
  readonly expiresAt: number | undefined;
  readonly report: AccountReport;
}

type Wire = Readonly<Record<string, unknown>>;

/** A field's reader: undefined stands for "not to be read". */
type Read<T> = (value: unknown, odd: OnOddField) => T | undefined;

/** The topic name of a collar. */
export function collarKey(id: number): string {
  return `pettracer_${id}`;
}

/** The topic name of a home station. */
export function stationKey(id: number): string {
  return `pettracer_hs_${id}`;
}

/** A collar, whole or in part; undefined for anything without a usable `id`. */
export function decodeCollar(wire: unknown, odd: OnOddField): Decoded<CollarReport> | undefined {
  if (!isWire(wire)) return undefined;
  const id = identifier(wire.id);
  return id === undefined ? undefined : { id, report: collarReport(fieldsOf(wire, odd), wire, odd) };
}

function collarReport(field: Fields, wire: Wire, odd: OnOddField): CollarReport {
  return present({
    ...details(wire.details, odd),
    batteryMv: field("bat", millivolts),
    batteryWarningMv: field("accuWarn", millivolts),
    charging: field("chg", zeroOrOne),
    fix: field("lastPos", fix),
    signalDbm: field("lastRssi", signal),
    home: field("home", boolean),
    homeSinceAt: field("homeSince", orNull(time)),
    station: field("masterHs", orNull(stationLink)),
    lastContactAt: field("lastContact", time),
    mode: field("mode", integer),
    modeSet: field("modeSet", integer),
    light: field("led", boolean),
    buzzer: field("buz", boolean),
    bluetooth: field("ble", boolean),
    search: field("search", boolean),
    searchMinutes: field("searchModeDuration", finite),
    hardware: field("hw", version),
    firmware: field("sw", version),
    bootLoader: field("bl", version),
    status: field("status", integer),
    stationStatus: field("masterStatus", text),
    flags: field("flags", integer),
    safetyZone: field("safetyZone", boolean),
    developerMode: field("devMode", boolean),
    owner: field("owner", boolean),
    ownerId: field("userId", orNull(integer)),
    telegramNumber: field("lastTlgNr", integer),
    telegrams: field("fiFo", telegrams),
  });
}

function details(wire: unknown, odd: OnOddField): CollarReport {
  if (wire === undefined || wire === null) return {};
  if (!isWire(wire)) {
    odd("details");
    return {};
  }
  const field = fieldsOf(wire, (name) => odd(`details.${name}`));
  const image = field("image", orNull(text));
  return present({
    name: field("name", text),
    color: field("color", orNull(colour)),
    birthAt: field("birth", orNull(time)),
    image: image ?? field("img", orNull(text)) ?? image,
  });
}

/** A home station, whole or in part; undefined for anything without a usable `id`. */
export function decodeStation(wire: unknown, odd: OnOddField): Decoded<StationReport> | undefined {
  if (!isWire(wire)) return undefined;
  const id = identifier(wire.id);
  if (id === undefined) return undefined;
  const field = fieldsOf(wire, odd);
  const { latitude, longitude } = coordinates(wire) ?? {};
  const { name } = details(wire.details, odd);
  const report = present({
    name,
    latitude,
    longitude,
    signalDbm: field("rssi", signal),
    wifi: field("wlanSsid", orNull(text)),
    lastContactAt: field("lastContact", time),
    hardware: field("hw", version),
    firmware: field("sw", version),
    bootLoader: field("bl", version),
    status: field("status", integer),
    flags: field("flags", integer),
    developerMode: field("devMode", boolean),
    ownerId: field("userId", orNull(integer)),
  });
  return { id, report };
}

/** What one message of the stream tells of. */
export interface DecodedMessage {
  readonly collar?: Decoded<CollarReport>;
  /** The message's own subject, or the home station that a collar's message carries with it. */
  readonly station?: Decoded<StationReport>;
}

/** The body of a message on `/user/queue/messages`; undefined for one that tells of no device. */
export function decodeMessage(body: string, odd: OnOddField): DecodedMessage | undefined {
  const wire = parseJson(body);
  if (!isWire(wire)) return undefined;
  if (wire.type === HOME_STATION) {
    const station = decodeStation(wire, odd);
    return station && { station };
  }
  const collar = decodeCollar(wire, odd);
  const station = decodeStation(wire.masterHs, () => {});
  return collar && { collar, ...(station && { station }) };
}

/** The `type` of a home station; collars have 0, or none. */
const HOME_STATION = 1;

/** The answer to a login; undefined when it holds no token. */
export function decodeLogin(wire: unknown): Login | undefined {
  if (!isWire(wire) || typeof wire.access_token !== "string" || wire.access_token === "") return undefined;
  return { token: wire.access_token, expiresAt: time(wire.expires), report: accountReport(wire) };
}

function accountReport(wire: Wire): AccountReport {
  const subscription = isWire(wire.abo) ? wire.abo : {};
  return present({
    id: identifier(wire.id),
    name: text(wire.name),
    subscriptionEndsAt: time(subscription.dateExpires),
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

type Fields = <T>(name: string, read: Read<T>) => T | undefined;

/** Reads fields of a wire object; names each one that is there but cannot be read. */
function fieldsOf(wire: Wire, odd: OnOddField): Fields {
  return (name, read) => {
    if (!Object.hasOwn(wire, name)) return undefined;
    const value = read(wire[name], (inner) => odd(`${name}.${inner}`));
    // `null` stands for "nothing to say" wherever its reader has no use for it.
    if (value === undefined && wire[name] !== null) odd(name);
    return value;
  };
}

function isWire(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object without its undefined fields. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const kept: Partial<T> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept as T;
}

function orNull<T>(read: Read<T>): Read<T | null> {
  return (value, odd) => (value === null ? null : read(value, odd));
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

function identifier(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number > 0 ? number : undefined;
}

function boolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

function zeroOrOne(value: unknown): boolean | undefined {
  return value === 0 || value === 1 ? value === 1 : undefined;
}

/** Longer texts are no names; they would only fill memory and topics. */
const LONGEST_TEXT = 1_000;

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, LONGEST_TEXT) : undefined;
}

/** A cell's voltage; 0 stands for "none" (mains), and no cell has five volts. */
function millivolts(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number > 0 && number < 10_000 ? number : undefined;
}

function colour(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number >= 0 && number <= 0xffffff ? number : undefined;
}

/** `656393` = 0x0A0409 is 10.4.9: a byte for each part. */
function version(value: unknown): string | undefined {
  const number = integer(value);
  if (number === undefined || number < 0 || number > 0xffffffff) return undefined;
  return [number >>> 16, (number >>> 8) & 0xff, number & 0xff].join(".");
}

/** dBm of the cloud's raw byte, which comes signed, too: (raw & 255) / 2 − 130. The portal's own formula. */
function signal(value: unknown): number | undefined {
  const raw = integer(value);
  return raw !== undefined && raw >= -128 && raw <= 255 ? (raw & 255) / 2 - 130 : undefined;
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Epoch ms of `2025-12-27T21:51:40.310+0000` (an offset without its colon), of ISO 8601, or of a bare date (UTC). */
function time(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  // As it nearly always comes, `…T21:51:40.310+0000`: read without taking it apart.
  if (value.length === 28 && value.endsWith("+0000")) return parsedTime(`${value.slice(0, 23)}Z`);
  const match = TIME.exec(value);
  if (match === null) return undefined;
  const [, day, clock = "00:00", offset = "Z"] = match;
  return parsedTime(`${day}T${clock}${offset.replace(/^([+-]\d{2}):?(\d{2})$/, "$1:$2")}`);
}

function parsedTime(iso: string): number | undefined {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? undefined : at;
}

function fix(value: unknown): Fix | undefined {
  if (!isWire(value)) return undefined;
  const place = coordinates(value);
  if (place === undefined) return undefined;
  return present<Fix>({
    ...place,
    accuracyM: metres(value.acc) ?? metres(value.horiPrec),
    satellites: count(value.sat),
    measuredAt: time(value.timeMeasure) ?? time(value.timeDb),
  });
}

/** Degrees; 0/0 lies in the Atlantic and is what a receiver without a fix says. */
function coordinates(wire: Wire): { latitude: number; longitude: number } | undefined {
  const [latitude, longitude] = [finite(wire.posLat), finite(wire.posLong)];
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    return undefined;
  }
  return latitude === 0 && longitude === 0 ? undefined : { latitude, longitude };
}

function metres(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && number >= 0 ? number : undefined;
}

function count(value: unknown): number | undefined {
  const number = integer(value);
  return number !== undefined && number >= 0 ? number : undefined;
}

function stationLink(value: unknown): StationLink | undefined {
  if (!isWire(value)) return undefined;
  const id = identifier(value.id);
  return id === undefined ? undefined : { key: stationKey(id), id, ...coordinates(value) };
}

/** So many of the latest telegrams are kept. */
const MOST_TELEGRAMS = 10;

function telegrams(value: unknown, odd: OnOddField): Telegram[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, MOST_TELEGRAMS).flatMap((entry: unknown, index) => {
    if (isWire(entry)) return [telegram(entry)];
    odd(String(index));
    return [];
  });
}

function telegram(wire: Wire): Telegram {
  const inner = isWire(wire.telegram) ? wire.telegram : {};
  const receivers: readonly unknown[] = Array.isArray(wire.receivedBy) ? wire.receivedBy.slice(0, 50) : [];
  return present<Telegram>({
    id: integer(inner.id),
    storedAt: time(inner.timeDb),
    receptions: receivers.flatMap((receiver) => reception(receiver)),
  });
}

function reception(wire: unknown): Reception[] {
  if (!isWire(wire)) return [];
  const [stationId, signalDbm] = [identifier(wire.hsId), signal(wire.rssi)];
  return stationId === undefined || signalDbm === undefined ? [] : [{ stationId, signalDbm }];
}
