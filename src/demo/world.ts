/** What the simulated cloud knows: accounts, their tokens, devices, positions and pictures. No network in here. */
import { randomBytes } from "node:crypto";
import { type Fields, isFields } from "./json.ts";
import { collarRecord, type DeviceRecord, masterOf, mergeRecord, stationRecord } from "./records.ts";
import type { CloudSettings } from "./settings.ts";
import { parseCloudTime } from "./time.ts";

/** A made-up customer. */
export interface AccountOptions {
  readonly login: string;
  readonly password: string;
  readonly id: number;
  readonly name: string;
  readonly lang?: string;
  /** The subscription's end, a bare date; default far ahead. */
  readonly subscriptionEnds?: string;
  /** Laid over the login answer as it is: to leave fields out (`undefined`) or to spoil them. */
  readonly loginAnswer?: Fields;
}

export interface Account {
  options: AccountOptions;
  readonly devices: Map<number, Device>;
}

/** Whoever asked for a device's messages. */
export interface Watcher {
  /** True where the message went out (or would, if faults let it). */
  deliver(destination: string, body: string, bodyBytes: number): boolean;
  /** The device left the account. */
  forget(id: number): void;
}

export interface Device {
  readonly id: number;
  readonly kind: "collar" | "station";
  readonly account: Account;
  record: DeviceRecord;
  positions: Fields[];
  readonly watchers: Set<Watcher>;
}

interface Token {
  readonly account: Account;
  readonly expiresAt: number;
}

interface Picture {
  readonly bytes: Uint8Array;
  readonly type: string;
}

export interface World {
  readonly settings: CloudSettings;
  readonly accounts: Map<string, Account>;
  readonly tokens: Map<string, Token>;
  readonly devices: Map<number, Device>;
  readonly pictures: Map<string, Picture>;
}

export function createWorld(settings: CloudSettings): World {
  return { settings, accounts: new Map(), tokens: new Map(), devices: new Map(), pictures: new Map() };
}

/** The account of this login. Throws where there is none: only callers inside the process name accounts. */
function accountOf(world: World, login: string): Account {
  const account = world.accounts.get(login);
  if (!account) throw new Error(`the simulated cloud has no account "${login}"`);
  return account;
}

/** The device of this id. Throws where there is none. */
export function deviceOf(world: World, id: number): Device {
  const device = world.devices.get(id);
  if (!device) throw new Error(`the simulated cloud has no device ${id}`);
  return device;
}

/** Adds an account, or changes the one of the same login (say, its password) and keeps its devices. */
export function putAccount(world: World, options: AccountOptions): void {
  const known = world.accounts.get(options.login);
  if (known) known.options = options;
  else world.accounts.set(options.login, { options, devices: new Map() });
}

function addDevice(world: World, account: Account, kind: Device["kind"], record: DeviceRecord): Device {
  const device: Device = { id: record.id, kind, account, record, positions: [], watchers: new Set() };
  account.devices.set(record.id, device);
  world.devices.set(record.id, device);
  return device;
}

export function addStation(world: World, login: string, fields: DeviceRecord): void {
  const account = accountOf(world, login);
  addDevice(world, account, "station", stationRecord(fields, account.options.id));
}

export function addCollar(world: World, login: string, fields: DeviceRecord): void {
  const account = accountOf(world, login);
  const station = devicesOf(account, "station")[0];
  const record = collarRecord(fields, account.options.id, station ? masterOf(station.record) : null);
  const device = addDevice(world, account, "collar", record);
  if (isFields(record.lastPos)) keepPositions(world, device, [record.lastPos]);
}

export function removeDevice(world: World, id: number): void {
  const device = deviceOf(world, id);
  for (const watcher of device.watchers) watcher.forget(id);
  device.account.devices.delete(id);
  world.devices.delete(id);
}

export function devicesOf(account: Account, kind: Device["kind"]): Device[] {
  return [...account.devices.values()].filter((device) => device.kind === kind);
}

/** Trims only when twice the limit is reached, so that a push costs the same however long the track is. */
export function keepPositions(world: World, device: Device, positions: readonly Fields[]): void {
  device.positions.push(...positions);
  const limit = world.settings.positionsKept;
  if (device.positions.length >= 2 * limit) device.positions = device.positions.slice(-limit);
}

/** Lays the partial over the device's record; a partial that moves the collar adds to its track. */
export function applyPartial(world: World, device: Device, partial: Fields): void {
  device.record = mergeRecord(device.record, partial);
  const position = device.record.lastPos;
  if (isFields(partial.lastPos) && isFields(position)) keepPositions(world, device, [position]);
}

/** The positions measured from `from` to `to` (epoch ms, both included), oldest first. */
export function positionsBetween(world: World, device: Device, from: number, to: number): Fields[] {
  return device.positions
    .slice(-world.settings.positionsKept)
    .map((position) => ({ position, at: parseCloudTime(position.timeMeasure) }))
    .filter(({ at }) => at >= from && at <= to)
    .sort((a, b) => a.at - b.at)
    .map(({ position }) => position);
}

/** A new token of this account. Earlier ones stay good until they expire: two clients may share an account. */
export function issueToken(world: World, account: Account): { readonly token: string; readonly expiresAt: number } {
  const token = randomBytes(24).toString("base64url");
  const expiresAt = Date.now() + world.settings.tokenLifeMs;
  world.tokens.set(token, { account, expiresAt });
  return { token, expiresAt };
}

/** The account that this token speaks for, if it is known and has not expired. */
export function accountByToken(world: World, token: string | null | undefined): Account | undefined {
  const known = token ? world.tokens.get(token) : undefined;
  return known && known.expiresAt > Date.now() ? known.account : undefined;
}
