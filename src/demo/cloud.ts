/**
 * A PetTracer cloud on loopback: REST under `/api` and the SockJS stream under `/sc`, on one plain HTTP server.
 *
 * It is written from what is known of the real cloud, and from nothing of the client that talks to it: a second
 * reading of the protocol, so that both can be wrong only together. `pawline demo` runs it, the tests break it.
 */
import { createServer } from "node:http";
import { createCommandDesk } from "./commands.ts";
import { createFaultState } from "./fault-state.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { Fields } from "./json.ts";
import { createListener } from "./listener.ts";
import { pushPartial, sendTo } from "./push.ts";
import { type DeviceRecord, positionRecord } from "./records.ts";
import { type Call, createRest } from "./rest.ts";
import { messagesQueue, portalQueue, type SessionView } from "./session.ts";
import { type CloudSettings, defaultSettings } from "./settings.ts";
import { createStreams, type Upgrade } from "./streams.ts";
import {
  type AccountOptions,
  addCollar,
  addStation,
  createWorld,
  deviceOf,
  keepPositions,
  putAccount,
  removeDevice,
} from "./world.ts";

/** Settings, and where to listen: loopback and any free port unless told. */
export interface CloudOptions extends Partial<CloudSettings> {
  readonly host?: string;
  readonly port?: number;
}

/** A running cloud. What names an unknown account or device throws. */
export interface Cloud {
  readonly port: number;
  /** `http://127.0.0.1:PORT/api` */
  readonly portalUrl: string;
  /** `ws://127.0.0.1:PORT/sc` */
  readonly streamUrl: string;
  /** May be changed at any time. */
  readonly settings: CloudSettings;
  readonly faults: Faults;
  /** Every REST call, oldest first; the last 10,000 at most. */
  readonly calls: readonly Call[];
  /** Every attempt to open a stream, oldest first; the last 1,000 at most. */
  readonly upgrades: readonly Upgrade[];
  /** The streams that are open and not closing, oldest first. */
  readonly sessions: readonly SessionView[];
  /** The streams that have ended, oldest first; the last 1,000 at most. */
  readonly endedSessions: readonly SessionView[];
  /** Adds an account, or replaces the one of the same login and keeps its devices. */
  addAccount(account: AccountOptions): void;
  /** Adds a collar; fields not given get a likely value, fields given as undefined are left out. */
  addCollar(login: string, record: DeviceRecord): void;
  /** Adds a home station, filled up likewise. Collars added after the first one belong to it. */
  addHomeStation(login: string, record: DeviceRecord): void;
  removeDevice(id: number): void;
  /** The collar's (or home station's) record as the cloud holds it now. */
  collar(id: number): DeviceRecord;
  /** Puts positions into a collar's track without a message; fields not given get a likely value. */
  addPositions(id: number, positions: readonly Fields[]): void;
  addImage(name: string, bytes: Uint8Array, type?: string): void;
  /** Lays the partial over the record and sends just it, with the id; returns how many streams got it. */
  push(id: number, partial: Fields): number;
  /** Sends any text as the body of a message to those who asked for this device; returns how many streams got it. */
  pushRaw(id: number, body: string): number;
  /** Sends a portal notice (text as it is, anything else as JSON); returns how many streams got it. */
  notify(login: string, body: unknown): number;
  /** The collar polls now and takes the commands that wait; returns how many streams got its answer. */
  poll(id: number): number;
  /** Milliseconds from a command to this collar's poll; null never, undefined as its mode and `pollScale` say. */
  setPollDelay(id: number, delayMs: number | null | undefined): void;
  /** Waits until the predicate gives something truthy, and returns it; rejects after `timeoutMs`. */
  waitFor<T>(predicate: () => T, timeoutMs: number): Promise<NonNullable<T>>;
  /** Ends everything at once, also frozen and hanging connections. */
  close(): Promise<void>;
}

async function waitFor<T>(predicate: () => T, timeoutMs: number): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = predicate();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${predicate.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Starts a cloud without accounts. Rejects where the port is taken. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const { host = "127.0.0.1", port = 0, ...chosen } = options;
  const settings: CloudSettings = { ...defaultSettings, ...chosen };
  const world = createWorld(settings);
  const state = createFaultState();
  const desk = createCommandDesk(world);
  const calls: Call[] = [];
  const streams = createStreams(world, state);
  const server = createServer(createRest({ world, desk, faults: state, calls }));
  server.on("upgrade", streams.upgrade);
  const listener = await createListener(server, host, port, state);
  const faults = createFaults({ state, world, sessions: streams.sessions, listener });

  return {
    port: listener.port,
    portalUrl: `http://${host}:${listener.port}/api`,
    streamUrl: `ws://${host}:${listener.port}/sc`,
    settings,
    faults,
    calls,
    upgrades: streams.upgrades,
    endedSessions: streams.ended,
    get sessions() {
      return [...streams.sessions].filter((session) => session.open);
    },
    addAccount: (account) => putAccount(world, account),
    addCollar: (login, record) => addCollar(world, login, record),
    addHomeStation: (login, record) => addStation(world, login, record),
    removeDevice: (id) => removeDevice(world, id),
    collar: (id) => deviceOf(world, id).record,
    addPositions: (id, positions) => keepPositions(world, deviceOf(world, id), positions.map(positionRecord)),
    addImage: (name, bytes, type = "image/jpeg") => void world.pictures.set(name, { bytes, type }),
    push: (id, partial) => pushPartial(world, deviceOf(world, id), partial),
    pushRaw: (id, body) => sendTo(deviceOf(world, id).watchers, messagesQueue, body),
    notify(login, body) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const own = [...streams.sessions].filter((session) => session.login === login);
      return sendTo(own, portalQueue, text);
    },
    poll: (id) => desk.poll(deviceOf(world, id)),
    setPollDelay: (id, delayMs) => desk.setDelay(id, delayMs),
    waitFor,
    async close() {
      desk.clear();
      await listener.close();
    },
  };
}
