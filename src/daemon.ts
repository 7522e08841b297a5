/** The composition root: configuration → store, sources and publishers, each supervised. Read it top to bottom. */
import { randomBytes } from "node:crypto";
import type { Config } from "./config/schema.ts";
import { type Crew, createCrew, type Member } from "./control/crew.ts";
import { createDesk, type Desk } from "./control/desk.ts";
import { createTally } from "./control/tally.ts";
import type { Timers } from "./control/timers.ts";
import { VERSION } from "./lib/about.ts";
import { createBell } from "./lib/bell.ts";
import { aborted, monotonicMs, sleep } from "./lib/clock.ts";
import { type DataDir, keepIn, openDataDir } from "./lib/data-dir.ts";
import { RecoverableError } from "./lib/errors.ts";
import type { Logger } from "./lib/log.ts";
import { createMetrics, type Metrics, type Usage } from "./lib/metrics.ts";
import type { Scrubber } from "./lib/scrub.ts";
import { spanOf } from "./lib/span.ts";
import type { SupervisorAccess } from "./lib/supervisor.ts";
import { COUNTERS, type CounterTable } from "./model/counters.ts";
import type { StoreEvent } from "./model/event.ts";
import { createPublishers } from "./publishers/index.ts";
import type { Cursor, Feed, Publisher } from "./publishers/publisher.ts";
import { createSources } from "./sources/index.ts";
import type { Source } from "./sources/source.ts";
import { keepArchive, readArchive, writeArchive } from "./store/archive.ts";
import type { Rules } from "./store/reduce.ts";
import { createStore, type Store } from "./store/store.ts";
import { createTokenKeeper } from "./tokens/keeper.ts";
import { createTrack } from "./track/track.ts";

export interface Daemon {
  /** Resolves when all is published, said and closed, after the signal was aborted. */
  readonly ended: Promise<void>;
  /** Puts another configuration in force; what it does not change goes on undisturbed, and nothing goes `offline`. */
  reload(config: Config): Promise<void>;
  readonly store: Store;
}

interface Tools {
  readonly log: Logger;
  readonly scrubber: Scrubber;
  readonly signal: AbortSignal;
  /** Where the program runs as an app of Home Assistant. */
  readonly supervisor?: SupervisorAccess | undefined;
  /** What the process takes, now, for the metrics. */
  readonly usage?: (() => Usage) | undefined;
}

interface PartTools extends Pick<Tools, "log" | "scrubber" | "supervisor" | "usage"> {
  /** Where each publisher keeps up to where it has told; a command that tells nothing needs none. */
  readonly cursor?: (publisher: string) => Cursor;
  /** Where it is counted what they do; the same. */
  readonly metrics?: Metrics<CounterTable>;
  /** Whether a person waits for it, at the command line. */
  readonly isAsked?: boolean;
}

/** How often the daemon looks at the clock, ms: for silence, for what ends by itself, for the time outside. */
const TICK_MS = 1_000;

/** @throws UsageError when the configuration has nowhere to publish to */
export async function startDaemon(config: Config, tools: Tools): Promise<Daemon> {
  const { log, scrubber, signal } = tools;
  // What fails while the parts are made waits for the place where it is told.
  const onTrouble = (sentence: string): void => {
    queueMicrotask(() => store.dispatch(withoutSecrets({ type: "troubleNoticed", sentence }, scrubber)));
  };
  const data = openDataDir(config.data_dir, log, onTrouble);
  const about = { version: VERSION, startedAt: Date.now(), logLevel: log.level };
  const metrics = createMetrics(COUNTERS);
  const remembered = readArchive(data);
  const tally = createTally(metrics, remembered.activities.at(-1)?.sequence ?? 0);
  const store = createStore(about, rulesOf(config), remembered, (changed) => {
    writeArchive(data, changed);
    tally(changed);
  });
  const desk: Desk = createDesk({
    state: store.state,
    changes: (ended) => store.changes(ended),
    dispatch: (event) => store.dispatch(withoutSecrets(event, scrubber)),
    log,
    metrics,
    signal,
    execute: (device, command, ended) => sourceOf(device).execute(device, command, ended),
    refresh: (device, ended) => sourceOf(device).refresh(device, ended),
    keep: timersIn(data),
    durations: (device) => sourceOf(device).limits,
  });
  const republishing = createBell();
  const feed: Feed = {
    state: store.state,
    changes: (ended) => store.changes(ended),
    onTouch: (listener, ended) => store.onTouch(listener, ended),
    activities: (after) => store.activities(after),
    request: (device, request) => desk.request(device, request),
    track: () => track.read(),
    bridge: { restart: () => void apply(inForce, true), refresh, republish: republishing.ring, setLogLevel },
    onRepublish: republishing.onRing,
  };
  const cursor = createCursors(data, store.activities(0).at(-1)?.sequence ?? 0);
  const track = await createTrack({
    folder: config.data_dir,
    retentionMs: config.track.retention,
    log,
    source: (name) => crew.source(name),
    onTrouble,
    tell: store.dispatch,
    inTruth: (at) => store.inTruth(at),
  });
  const dispatch = (event: StoreEvent): void => {
    store.dispatch(withoutSecrets(event, scrubber));
    track.note(event);
  };
  const crew: Crew = createCrew({ dispatch, feed, log, signal });
  let inForce = config;

  function sourceOf(device: string): Source {
    const entry = store.state.get(device);
    const accounts = entry?.kind === "collar" || entry?.kind === "homeStation" ? Object.keys(entry.accounts) : [];
    const source = accounts.map((name) => crew.source(name)).find((one) => one !== undefined);
    if (source === undefined) throw new RecoverableError(`${device} is in no account`);
    return source;
  }

  function refresh(): void {
    for (const source of crew.sources()) void source.refresh(undefined, signal).catch(() => {});
  }

  function setLogLevel(level: string): void {
    log.level = level;
    store.dispatch({ type: "logLevelSet", level });
  }

  async function apply(next: Config, isRestart = false): Promise<void> {
    const members = await membersOf(next, data, { ...tools, cursor, metrics }, isRestart);
    inForce = next;
    store.setRules(rulesOf(next));
    track.setRetention(next.track.retention);
    await crew.replace(members);
  }

  await apply(config);
  const keeping = Promise.all([tick(dispatch, desk, log, signal), keepArchive(data, store, signal), track.run(signal)]);
  const ended = aborted(signal).then(async () => {
    await Promise.all([keeping, crew.ended()]);
    writeArchive(data, store);
    track.close();
  });
  const reload = async (next: Config): Promise<void> => {
    await apply(next);
    setLogLevel(next.log.level);
  };
  return { ended, reload, store };
}

/** What went wrong is published, and a cloud may repeat in it whatever it was told. */
function withoutSecrets(event: StoreEvent, scrubber: Scrubber): StoreEvent {
  if (event.type === "commandFailed") return { ...event, reason: scrubber.scrub(event.reason) };
  if (event.type !== "componentChanged" || event.component.error === undefined) return event;
  return { ...event, component: { ...event.component, error: scrubber.scrub(event.component.error) } };
}

function rulesOf({ home }: Config): Rules {
  return { maxAccuracyM: home.max_accuracy, flapMs: home.flap_time };
}

/** @param isRestart makes members that no running one is the same as */
async function membersOf(config: Config, data: DataDir, tools: PartTools, isRestart: boolean): Promise<Member[]> {
  const { sources, publishers } = await createParts(config, data, tools);
  const nonce = isRestart ? randomBytes(4).toString("hex") : "";
  const looks = [config.entities.exclude, config.home.prefer, nonce];
  const settings: Readonly<Record<string, string>> = {
    mqtt: JSON.stringify([config.mqtt, ...looks]),
    homeassistant: JSON.stringify([config.home_assistant, ...looks]),
    live: JSON.stringify([config.live, config.home.prefer, nonce]),
  };
  return [
    ...sources.map((part, index): Member => ({ role: "source", part, ...settingsOf(config.pettracer[index], nonce) })),
    ...publishers.map(
      (part): Member => ({ role: "publisher", part, identity: part.name, settings: settings[part.name] ?? "" }),
    ),
  ];
}

/**
 * All sources and publishers that the configuration asks for.
 * @throws UsageError when there is nowhere to publish to
 */
export async function createParts(
  config: Config,
  data: DataDir,
  {
    log,
    scrubber,
    supervisor,
    usage,
    cursor = () => NO_CURSOR,
    metrics = createMetrics(COUNTERS),
    isAsked = false,
  }: PartTools,
): Promise<{ sources: Source[]; publishers: Publisher[] }> {
  const publishers = await createPublishers(config, {
    log,
    version: VERSION,
    exclude: config.entities.exclude,
    preferredPosition: config.home.prefer,
    clientId: clientIdOf(data),
    cursor,
    scrubber,
    keep: (publisher) => keepIn(data, publisher),
    supervisor,
    metrics,
    usage,
    tokens: createTokenKeeper(config.data_dir, data, log),
  });
  return {
    publishers,
    sources: await createSources(config.pettracer, {
      log,
      scrubber,
      metrics,
      firmware: keepIn(data, "firmware"),
      logins: keepIn(data, "logins"),
      isAsked,
    }),
  };
}

const NO_CURSOR: Cursor = { read: () => 0, write: () => {} };

/** The same user of the same cloud is the same account, whatever else is set. */
function settingsOf(
  account: Config["pettracer"][number] | undefined,
  nonce: string,
): Pick<Member, "settings" | "identity"> {
  return {
    settings: JSON.stringify([account, nonce]),
    identity: JSON.stringify([account?.username, account?.portal_url]),
  };
}

/** Kept, so that a broker sees the same client after each start. */
function clientIdOf(data: DataDir): string {
  const kept = data.read("client");
  if (typeof kept === "object" && kept !== null && "id" in kept && typeof kept.id === "string") return kept.id;
  const id = `pawline-${randomBytes(4).toString("hex")}`;
  data.write("client", { id });
  return id;
}

/**
 * Up to where each publisher has told what happened: one for the life of the program, since a publisher may be
 * replaced, and a folder that cannot be written to must not make anything happen twice.
 * @param last the last thing that has happened; where nothing else is known, all of it was told
 */
function createCursors(data: DataDir, last: number): (publisher: string) => Cursor {
  const cursors = new Map<string, Cursor>();
  return (publisher) => {
    const cursor = cursors.get(publisher) ?? cursorIn(data, `told-${publisher}`, last);
    cursors.set(publisher, cursor);
    return cursor;
  };
}

function cursorIn(data: DataDir, name: string, last: number): Cursor {
  const kept = data.read(name);
  let told = typeof kept === "number" ? Math.min(kept, last) : last;
  const write = (sequence: number): void => {
    told = sequence;
    data.write(name, sequence);
  };
  write(told);
  return { read: () => told, write };
}

function timersIn(data: DataDir): { read(): unknown; write(timers: Timers): void } {
  return { read: () => data.read("timers"), write: (timers) => data.write("timers", timers) };
}

/** A clock on the wall that went so much further than time did was set, or the computer slept, ms. */
const JUMP_MS = 60_000;

/** Tells how time goes by: silence has no event of its own. */
async function tick(dispatch: Store["dispatch"], desk: Desk, log: Logger, signal: AbortSignal): Promise<void> {
  for (let before = { ms: monotonicMs(), at: Date.now() }; !signal.aborted; ) {
    await sleep(TICK_MS, signal);
    const now = { ms: monotonicMs(), at: Date.now() };
    const elapsedMs = now.ms - before.ms;
    const furtherMs = now.at - before.at - elapsedMs;
    const jumpMs = Math.abs(furtherMs) < JUMP_MS ? 0 : furtherMs;
    if (jumpMs > 0) log.info(`the clock went ${spanOf(jumpMs)} forwards: it was set, or this computer slept`);
    if (jumpMs < 0) log.info(`the clock was set back by ${spanOf(-jumpMs)}`);
    dispatch({ type: "timePassed", at: now.at, elapsedMs, ...(jumpMs !== 0 && { jumpMs }) });
    desk.tick(now.at, jumpMs);
    before = now;
  }
}
