/**
 * The only file that knows the wire's names. Each field is checked by itself: one that is missing leaves what is
 * known, one of a wrong type is left out and named, and nothing that the cloud sends can make this throw.
 * Field names and formulas are the portal's own, as its unofficial clients observed them.
 */
import type { Command } from "../../model/command.ts";
import type {
  AccountReport,
  CollarReport,
  DatedFix,
  FirmwareRelease,
  Fix,
  Reception,
  StationLink,
  StationReport,
  Telegram,
} from "../../model/device.ts";
import {
  accessToken,
  boolean,
  colour,
  count,
  fieldsOf,
  finite,
  identifier,
  integer,
  isWire,
  metres,
  millivolts,
  type OnOddField,
  orNull,
  parseJson,
  type Read,
  signal,
  text,
  time,
  version,
  type Wire,
  zeroOrOne,
} from "./wire.ts";

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
  return id === undefined ? undefined : { id, report: collarReport(wire, odd) };
}

/** A field of the report, and how it is read off the wire. */
type Row = { readonly name: keyof CollarReport; readonly read: Read<unknown> };

function row<Name extends keyof CollarReport>(name: Name, read: Read<CollarReport[Name]>): Row {
  return { name, read };
}

/** By the wire's names. A message is read by what it has, which is little, and not by what it could have. */
const COLLAR_FIELDS: ReadonlyMap<string, Row> = new Map([
  ["bat", row("batteryMv", millivolts)],
  ["accuWarn", row("batteryWarningMv", millivolts)],
  ["chg", row("charging", zeroOrOne)],
  ["lastPos", row("fix", fix)],
  ["lastRssi", row("signalDbm", signal)],
  ["home", row("home", boolean)],
  ["homeSince", row("homeSinceAt", orNull(time))],
  ["masterHs", row("station", orNull(stationLink))],
  ["lastContact", row("lastContactAt", time)],
  ["mode", row("mode", integer)],
  ["modeSet", row("modeSet", integer)],
  ["led", row("light", boolean)],
  ["buz", row("buzzer", boolean)],
  ["ble", row("bluetooth", boolean)],
  ["search", row("search", boolean)],
  ["searchModeDuration", row("searchMinutes", finite)],
  ["hw", row("hardware", version)],
  ["sw", row("firmware", version)],
  ["bl", row("bootLoader", version)],
  ["status", row("status", integer)],
  ["masterStatus", row("stationStatus", text)],
  ["flags", row("flags", integer)],
  ["safetyZone", row("safetyZone", boolean)],
  ["devMode", row("developerMode", boolean)],
  ["owner", row("owner", boolean)],
  ["userId", row("ownerId", orNull(integer))],
  ["lastTlgNr", row("telegramNumber", integer)],
  ["fiFo", row("telegrams", telegrams)],
]);

function collarReport(wire: Wire, odd: OnOddField): CollarReport {
  const report: Partial<Record<keyof CollarReport, unknown>> = details(wire.details, odd);
  const field = fieldsOf(wire, odd);
  for (const name in wire) {
    const known = COLLAR_FIELDS.get(name);
    if (known === undefined) continue;
    const value = field(name, known.read);
    // Most calls answer with an empty list of telegrams: that is no news.
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) report[known.name] = value;
  }
  return report as CollarReport;
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
  if (!isWire(wire)) return undefined;
  const token = accessToken(wire.access_token);
  return token === undefined ? undefined : { token, expiresAt: time(wire.expires), report: accountReport(wire) };
}

function accountReport(wire: Wire): AccountReport {
  const subscription = isWire(wire.abo) ? wire.abo : {};
  const id = identifier(wire.id);
  return present({
    deviceKey: id === undefined ? undefined : `pettracer_account_${id}`,
    product: { manufacturer: "PetTracer", model: "Account", website: "https://portal.pettracer.com" },
    id,
    name: text(wire.name),
    subscriptionEndsAt: time(subscription.dateExpires),
  });
}

/** The call that makes a collar do something, as the portal makes it: its path, and its body if it has one. */
export function encodeCommand(id: number, command: Command, offCode: number): { path: string; body: object } {
  switch (command.kind) {
    case "mode":
      return { path: "/map/setccmode", body: { devType: 0, devId: id, cmdNr: command.value } };
    case "light":
      return { path: `/map/setccled/${id}/${command.value ? ON : offCode}`, body: {} };
    case "buzzer":
      return { path: `/map/setccbuz/${id}/${command.value ? ON : offCode}`, body: {} };
  }
}

const ON = 1;

/** A text that may be a collar, such as the answer to a command; undefined where it is none. */
export function decodeCollarText(body: string, odd: OnOddField): Decoded<CollarReport> | undefined {
  const wire = parseJson(body);
  return decodeCollar(Array.isArray(wire) ? wire[0] : wire, odd);
}

/**
 * Stored positions, in the order in which they came; undefined for anything but a list. An entry without a place or
 * a time is left out: nothing could be drawn of it.
 */
export function decodePositions(wire: unknown, odd: OnOddField): DatedFix[] | undefined {
  if (!Array.isArray(wire)) return undefined;
  return wire.flatMap((entry: unknown) => {
    const read = fix(entry);
    if (read === undefined) return [];
    if (read.measuredAt !== undefined) return [{ ...read, measuredAt: read.measuredAt }];
    odd("timeMeasure");
    return [];
  });
}

/** The maker's list of firmware: `{"collar": {"version", "notes": {"en"}}, "homestation": {…}}`. */
export function decodeFirmware(wire: unknown): { collar?: FirmwareRelease; homeStation?: FirmwareRelease } {
  if (!isWire(wire)) return {};
  return present({ collar: release(wire.collar), homeStation: release(wire.homestation ?? wire.homeStation) });
}

const VERSION = /^\d{1,3}(\.\d{1,3}){1,3}$/;

function release(wire: unknown): FirmwareRelease | undefined {
  if (!isWire(wire) || typeof wire.version !== "string" || !VERSION.test(wire.version)) return undefined;
  // As the maker has them, or as we have kept them.
  const notes = text(isWire(wire.notes) ? wire.notes.en : wire.notes);
  return { version: wire.version, ...(notes && { notes }) };
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
  return stationId === undefined || signalDbm === undefined
    ? []
    : [{ stationKey: stationKey(stationId), stationId, signalDbm }];
}
