/**
 * One PetTracer account. A run is: token, stream, `/app/subscribe`, snapshot: in this order nothing falls between the
 * stream and the snapshot, and nothing old comes over something new. Then the stream brings the news, and a snapshot
 * every `refresh` is the safety net.
 */
import { createAlarm } from "../../lib/alarm.ts";
import { retryDelayMs } from "../../lib/backoff.ts";
import { aborted, monotonicMs } from "../../lib/clock.ts";
import { describeError, FatalError, RecoverableError } from "../../lib/errors.ts";
import { Unreachable } from "../../lib/http.ts";
import type { Logger } from "../../lib/log.ts";
import type { Metrics } from "../../lib/metrics.ts";
import { spanOf } from "../../lib/span.ts";
import type { Command } from "../../model/command.ts";
import type { CounterTable } from "../../model/counters.ts";
import type { CollarReport } from "../../model/device.ts";
import type { SourceEvent } from "../../model/event.ts";
import type { Span } from "../../model/span.ts";
import type { Source, TrackSlice } from "../source.ts";
import { type AccountCounters, causeOf, createCounters } from "./counters.ts";
import {
  collarKey,
  type DecodedMessage,
  decodeCollarText,
  decodeMessage,
  encodeCommand,
  stationKey,
} from "./decode.ts";
import { FIRMWARE_URL, type FirmwareKeep, newestFirmware } from "./firmware.ts";
import { EMPTY_LISTING, type Listing, readListing } from "./listing.ts";
import { type AccountOptions, accountOptions } from "./options.ts";
import { createPhotoAlbum, type PhotoAlbum } from "./photo.ts";
import { storedPositions } from "./positions.ts";
import { probe } from "./probe.ts";
import { createSession, type Session, type SessionContext } from "./session.ts";
import { openStream, type Stream, StreamEnded, TokenRefused } from "./stream.ts";

interface Context extends SessionContext {
  readonly log: Logger;
  /** What is known of the newest firmware, kept over restarts; without it nobody asks for it. */
  readonly firmware?: FirmwareKeep;
  /** Where it is counted what it does. */
  readonly metrics?: Metrics<CounterTable>;
  /** The STOMP heart-beat to offer, ms. */
  readonly heartbeatMs?: number;
}

const HEARTBEAT_MS = 10_000;
/** That the account was heard of is told at most so often, ms. */
const HEARD_EVERY_MS = 20_000;
/** News of a device that no listing has named makes us list again after this, ms. */
const RELIST_MS = 2_000;
/** Listings that strangers and notices ask for are at least so far apart, ms. */
const RELIST_APART_MS = 60_000;
/** A device that is missing from a listing is looked for once more after this, ms. */
const CONFIRM_MS = 5_000;
/** A snapshot that the cloud refused is tried again after this, ms. */
const RETRY_MS = 30_000;
/** Clocks that differ by more are worth a word, ms. */
const WRONG_CLOCK_MS = 5 * 60_000;
/** While the stream cannot be had, snapshots stand in for it, this far apart, ms. */
const FALLBACK_MS = 60_000;

export function createPetTracerSource(name: string, options: AccountOptions, context: Context): Source {
  const account = new PetTracerAccount(name, options, context);
  return {
    name,
    run: (emit, signal, ready) => account.run(emit, signal, ready),
    list: (emit, signal) => account.list(emit, signal),
    execute: (device, command, signal) => account.execute(device, command, signal),
    refresh: (device, signal) => account.refresh(device, signal),
    limits: { liveMs: options.live_minutes * 60_000, findMs: options.find_minutes * 60_000 },
    positions: (device, span, signal) => account.positions(device, span, signal),
    probe: (signal, emit) => probe(name, options, context, signal, emit),
  };
}

/** More collars than anybody has; a cloud that names others without end is not asked for each of them. */
const MOST_KNOWN = 10_000;

/** What outlives a connection: the session, the last listing, and what was already complained about. */
class PetTracerAccount {
  readonly #name: string;
  readonly #options: AccountOptions;
  readonly #log: Logger;
  readonly #heartbeatMs: number;
  readonly #session: Session;
  readonly #alarm = createAlarm();
  readonly #oddFields = new Set<string>();
  #emit: (event: SourceEvent) => void = () => {};
  #listing: Listing = EMPTY_LISTING;
  /** Devices whose news are no surprise. */
  readonly #known = new Set<string>();
  #listedAt = Number.NEGATIVE_INFINITY;
  #firstListedAt = Number.POSITIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  readonly #counters: AccountCounters;
  /** In a row. */
  #failedSnapshots = 0;
  /** For each thing that is asked for: what the stream says meanwhile, which is newer than the answer. */
  readonly #overlays = new Set<Map<string, CollarReport>>();

  readonly #firmware: FirmwareKeep | undefined;
  readonly #photos: PhotoAlbum;

  constructor(name: string, options: AccountOptions, context: Context) {
    const { log, firmware, heartbeatMs = HEARTBEAT_MS } = context;
    this.#firmware = firmware;
    this.#name = name;
    this.#counters = createCounters(name, context.metrics);
    this.#options = options;
    this.#log = log;
    this.#heartbeatMs = heartbeatMs;
    this.#session = createSession(options, context);
    this.#photos = createPhotoAlbum(this.#session, log);
  }

  async run(emit: (event: SourceEvent) => void, signal: AbortSignal, ready: () => void): Promise<void> {
    this.#emit = emit;
    try {
      await this.#connect(signal, ready);
    } catch (error) {
      if (!signal.aborted) this.#counters.reconnecting(causeOf(error));
      throw error;
    }
  }

  async #connect(signal: AbortSignal, ready: () => void): Promise<void> {
    await this.#session.token(signal);
    this.#tellHeard();
    if (this.#listing === EMPTY_LISTING) await this.#snapshot(signal);
    else if (monotonicMs() - this.#listedAt > FALLBACK_MS) await this.#trySnapshot(signal);
    const stream = await this.#open(signal);
    try {
      await this.#follow(stream, signal, ready);
    } finally {
      stream.close();
    }
  }

  /** Sends a command; what the cloud answers about the collar is news like any other. */
  async execute(device: string, command: Command, signal: AbortSignal): Promise<void> {
    const collar = this.#listing.collars.find(({ key }) => key === device);
    if (collar === undefined) throw new RecoverableError(`${device} is not in the account`);
    const { path, body } = encodeCommand(collar.id, command, this.#options.off_code);
    await this.#ask(device, path, signal, body);
  }

  /** Asks for one collar, or soon for all. */
  async refresh(device: string | undefined, signal: AbortSignal): Promise<void> {
    const collar = this.#listing.collars.find(({ key }) => key === device);
    if (collar === undefined) this.#alarm.within(0);
    else await this.#ask(collar.key, "/map/getccinfo", signal, { devId: collar.id });
  }

  /** What the cloud keeps of a collar's way. */
  positions(device: string, span: Span, signal: AbortSignal): AsyncIterable<TrackSlice> {
    const collar = this.#listing.collars.find(({ key }) => key === device);
    if (collar === undefined) throw new RecoverableError(`${device} is not in the account`);
    return storedPositions(this.#session, collar.id, span, (field) => this.#noteOdd(field), signal);
  }

  /** What the answer says of the collar is news, but for what the stream has said of it meanwhile. */
  async #ask(device: string, path: string, signal: AbortSignal, body: object): Promise<void> {
    const overlay = new Map<string, CollarReport>();
    this.#overlays.add(overlay);
    try {
      const text = await this.#session.send(path, signal, body);
      const answer = decodeCollarText(text, (field) => this.#noteOdd(field));
      if (answer === undefined || collarKey(answer.id) !== device) return;
      this.#tellCollar(device, { ...answer.report, ...overlay.get(device) }, Date.now());
    } finally {
      this.#overlays.delete(overlay);
    }
  }

  /** What is nice to have: its failure is no reason to end anything. */
  async #fetchExtras(signal: AbortSignal): Promise<void> {
    await this.#photos.fetch(this.#listing.collars, this.#emit, signal);
    const isMakers = this.#options.portal_url === accountOptions.shape.portal_url.parse(undefined);
    const url = this.#options.firmware_url ?? (isMakers ? FIRMWARE_URL : "off");
    if (url !== "off" && this.#firmware) this.#emit(await newestFirmware(url, this.#firmware, this.#log, signal));
  }

  /** Logs in and emits one listing. */
  async list(emit: (event: SourceEvent) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    await this.#snapshot(signal);
  }

  /** Where the token is refused, with another one, if that can be had. */
  async #open(signal: AbortSignal, isSecondTry = false): Promise<Stream> {
    const token = await this.#session.token(signal);
    try {
      const stream = await openStream({
        url: this.#options.stream_url,
        token,
        heartbeatMs: this.#heartbeatMs,
        log: this.#log,
        signal,
        onMessage: (queue, body) => this.#receive(queue, body),
        onActivity: () => this.#hear(),
        onMalformed: (text) => this.#complain(text),
      });
      this.#session.accepted(token, "stream");
      return stream;
    } catch (error) {
      const isReplaced = error instanceof TokenRefused && this.#session.refused(token, "stream");
      if (!isReplaced || isSecondTry) throw error;
      this.#log.info(`${this.#name}: ${describeError(error)}; logging in once more`);
      return await this.#open(signal, true);
    }
  }

  async #follow(stream: Stream, signal: AbortSignal, ready: () => void): Promise<void> {
    this.#askFor(stream);
    await this.#trySnapshot(signal);
    this.#askFor(stream);
    this.#log.info(`${this.#name}: live, ${this.#listing.collars.length} collars`);
    ready();
    const ended = stream.ended.then(({ sentence, cause }): never => {
      throw new StreamEnded(`the live stream ended: ${sentence}`, cause);
    });
    const extras = this.#fetchExtras(signal).then(() => aborted(signal));
    await Promise.race([ended, extras, this.#refresh(stream, signal)]);
  }

  #asked = "";

  /** Names the devices that we want news of; once per connection, and again when the list has changed. */
  #askFor(stream: Stream): void {
    const ids = this.#listing.collars.map(({ id }) => id);
    stream.ask(ids);
    this.#asked = ids.join();
  }

  async #refresh(stream: Stream, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#alarm.rung(signal);
      if (signal.aborted) return;
      await this.#trySnapshot(signal);
      await this.#fetchExtras(signal);
      if (this.#asked !== this.#listing.collars.map(({ id }) => id).join()) this.#askFor(stream);
    }
  }

  /** A snapshot whose failure is no reason to give up a stream; refused credentials are. */
  async #trySnapshot(signal: AbortSignal): Promise<void> {
    try {
      await this.#snapshot(signal);
      if (this.#failedSnapshots > 0) this.#log.info(`${this.#name}: snapshots work again`);
      this.#failedSnapshots = 0;
    } catch (error) {
      if (error instanceof FatalError || signal.aborted) throw error;
      this.#log.warn(`${this.#name}: no snapshot: ${describeError(error)}`);
      const wishedMs = error instanceof RecoverableError ? (error.retryAfterMs ?? 0) : 0;
      // A network that is back shows at once; a cloud that has trouble is left alone for a while.
      const ownMs = error instanceof Unreachable ? retryDelayMs(this.#failedSnapshots) : RETRY_MS;
      this.#alarm.within(Math.max(ownMs, wishedMs));
      this.#failedSnapshots += 1;
    }
  }

  async #snapshot(signal: AbortSignal): Promise<void> {
    const overlay = new Map<string, CollarReport>();
    this.#overlays.add(overlay);
    try {
      const [collars, stations] = await Promise.all([
        this.#session.call("/map/getccs", signal),
        this.#session.call("/user/gethomestations", signal),
      ]);
      this.#listing = readListing(collars, stations, this.#listing, this.#options, (field) => this.#noteOdd(field));
    } finally {
      this.#overlays.delete(overlay);
    }
    this.#listedAt = monotonicMs();
    this.#firstListedAt = Math.min(this.#firstListedAt, this.#listedAt);
    this.#tellHeard();
    this.#tellListing(overlay);
    this.#schedule();
  }

  #tellListing(overlay: ReadonlyMap<string, CollarReport>): void {
    const { collars, stations, unwanted } = this.#listing;
    for (const key of [...collars.map((collar) => collar.key), ...unwanted]) this.#known.add(key);
    const own = { offersPowerOff: this.#options.allow_power_off };
    const aheadMs = this.#session.aheadMs();
    this.#mindClock(aheadMs);
    this.#emit({
      type: "devicesListed",
      account: this.#name,
      at: Date.now(),
      aheadMs,
      isConfirmed: this.#listedAt - this.#firstListedAt >= this.#confirmationMs(),
      collars: collars.map((collar) => ({
        ...collar,
        report: { ...collar.report, ...overlay.get(collar.key), ...own },
      })),
      stations,
    });
  }

  #mindClock(aheadMs = 0): void {
    if (Math.abs(aheadMs) < WRONG_CLOCK_MS) return;
    const wrong = `${spanOf(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead" : "behind"}`;
    this.#log.warn(
      `${this.#name}: by PetTracer's clock this computer's is ${wrong}: set it, or let it be set by itself (NTP)`,
    );
  }

  /**
   * What is missing from a listing is looked for once more, soon. But a listing without a single device is more likely
   * the cloud's mistake: there the next refresh tells.
   */
  #confirmationMs(): number {
    const { collars, stations, missing, unwanted } = this.#listing;
    const isEmpty = collars.length + stations.length - missing.size + unwanted.size === 0;
    return isEmpty ? this.#options.refresh : CONFIRM_MS;
  }

  #schedule(): void {
    const isProven = this.#listedAt - this.#firstListedAt >= this.#confirmationMs();
    this.#alarm.within(this.#options.refresh);
    // The timer must not ring a moment too early.
    if (this.#listing.missing.size > 0 || !isProven) this.#alarm.within(this.#confirmationMs() + 50);
  }

  #receive(queue: "messages" | "portal", body: string): void {
    this.#log.trace({ queue, body }, "stream message");
    this.#counters.frames.value += 1;
    this.#counters.lastFrame.value = monotonicMs();
    const message = queue === "messages" ? decodeMessage(body, (field) => this.#noteOdd(field)) : {};
    if (message === undefined) this.#complain(body);
    // What a notice says is not known; that something has changed is likely.
    else if (queue === "portal") this.#relist();
    else this.#tell(message, Date.now());
  }

  #tell({ collar, station }: DecodedMessage, at: number): void {
    if (collar) this.#tellCollar(collarKey(collar.id), collar.report, at);
    if (station) this.#emit({ type: "stationReported", key: stationKey(station.id), at, report: station.report });
  }

  #tellCollar(key: string, report: CollarReport, at: number): void {
    if (!this.#known.has(key)) {
      if (this.#known.size >= MOST_KNOWN) return;
      // One that the next listing does not explain is left alone after that.
      this.#known.add(key);
      this.#relist();
    }
    for (const overlay of this.#overlays) {
      // A fix and a contact carry their own time; of the rest, what arrived later is newer.
      const { fix: _, lastContactAt: __, ...rest } = report;
      overlay.set(key, { ...overlay.get(key), ...rest });
    }
    this.#emit({ type: "collarReported", key, at, report });
  }

  #relist(): void {
    const waited = monotonicMs() - this.#listedAt;
    this.#alarm.within(Math.max(RELIST_MS, RELIST_APART_MS - waited));
  }

  #hear(): void {
    if (monotonicMs() - this.#heardAt > HEARD_EVERY_MS) this.#tellHeard();
  }

  #tellHeard(): void {
    this.#heardAt = monotonicMs();
    this.#emit({ type: "accountReported", account: this.#name, at: Date.now(), report: this.#session.account() });
  }

  #noteOdd(field: string): void {
    if (this.#oddFields.has(field) || this.#oddFields.size > 200) return;
    this.#oddFields.add(field);
    this.#log.warn(
      `${this.#name}: the cloud's field ${JSON.stringify(field.slice(0, 100))} could not be read; it is left out`,
    );
  }

  #complain(text: string): void {
    this.#counters.undecodable.value += 1;
    this.#log.warn({ text: text.slice(0, 200) }, `${this.#name}: an unreadable message of the cloud is left out`);
  }
}
