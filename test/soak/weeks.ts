/**
 * Weeks in minutes: everything of the daemon but its sockets, put together as the daemon puts it, with a clock that is
 * turned. Store, archive, journal, track with its catching up, desk and announcer live through fixes, homecomings,
 * commands and an outage each day.
 */
import { join } from "node:path";
import { createDesk } from "../../src/control/desk.ts";
import { announce } from "../../src/discovery/announcer.ts";
import { createMemory } from "../../src/discovery/memory.ts";
import { createTopics } from "../../src/discovery/topics.ts";
import { keepIn, openDataDir } from "../../src/lib/data-dir.ts";
import { createLog } from "../../src/lib/log.ts";
import { createMetrics } from "../../src/lib/metrics.ts";
import { createScrubber } from "../../src/lib/scrub.ts";
import { COUNTERS } from "../../src/model/counters.ts";
import type { StoreEvent } from "../../src/model/event.ts";
import type { Feed } from "../../src/publishers/publisher.ts";
import { keepArchive, readArchive, writeArchive } from "../../src/store/archive.ts";
import { createStore } from "../../src/store/store.ts";
import { loadSqlite } from "../../src/track/database.ts";
import { createTrack } from "../../src/track/track.ts";
import { idleBridge } from "../support/idle-bridge.ts";
import { memoryStream } from "../support/stream.ts";
import { ACCOUNT, createHousehold } from "./household.ts";
import { turnClock } from "./turned-clock.ts";

export interface WeeksPlan {
  readonly days: number;
  readonly collars: number;
  readonly retentionDays: number;
  readonly folder: string;
  /** How often it is looked at what is held, days. */
  readonly lookEveryDays: number;
}

/** What is held at the end of a day. */
export interface Held {
  readonly day: number;
  readonly timers: number;
  readonly entries: number;
  readonly journal: number;
  /** Of the track's file. */
  readonly fixes: number;
  readonly spans: number;
  readonly topics: number;
  /** Since the start. */
  readonly messages: number;
  readonly commands: number;
  readonly happened: number;
}

const [MINUTE, DAY] = [60_000, 86_400_000];
const START = Date.UTC(2026, 0, 5);
/** Each day, from this minute on, for so many minutes. */
const OUTAGE = { fromMinute: 600, minutes: 40 };
const COMMAND_EVERY_MINUTES = 37;

/** @param look called with what is held; it may take its time */
export async function liveThroughWeeks(plan: WeeksPlan, look: (held: Held) => void): Promise<void> {
  const clock = turnClock(START);
  const stop = new AbortController();
  const { signal } = stop;
  const log = await createLog({ level: "error", format: "json", scrubber: createScrubber(), output: memoryStream() });
  const data = openDataDir(plan.folder, log);
  const household = createHousehold(plan.collars, 1);
  const metrics = createMetrics(COUNTERS);
  const store = createStore(
    { version: "0", startedAt: START, logLevel: "error" },
    { maxAccuracyM: 200, flapMs: MINUTE },
    readArchive(data),
    (changed) => writeArchive(data, changed),
  );
  const source = (): typeof household.source => household.source;
  const track = await createTrack({
    folder: plan.folder,
    retentionMs: plan.retentionDays * DAY,
    log,
    source,
    tell: store.dispatch,
    inTruth: (at) => store.inTruth(at),
    onTrouble: () => {},
  });
  const desk = createDesk({
    state: store.state,
    changes: (ended) => store.changes(ended),
    dispatch: store.dispatch,
    log,
    metrics,
    signal,
    execute: (device, command, ended) => source().execute(device, command, ended),
    refresh: (device, ended) => source().refresh(device, ended),
    keep: keepIn(data, "timers"),
    durations: () => source().limits,
  });
  const { link, sent } = countingLink();
  const feed: Feed = {
    state: store.state,
    changes: (ended) => store.changes(ended),
    activities: (after) => store.activities(after),
    ...idleBridge,
    request: (device, request) => desk.request(device, request),
  };
  const dispatch = (event: StoreEvent): void => {
    store.dispatch(event);
    track.note(event);
  };
  let cursor = 0;
  const announcing = announce(
    {
      feed,
      link,
      memory: createMemory(),
      log,
      topics: createTopics({ base: "pawline", prefix: "homeassistant", statusTopic: "homeassistant/status" }),
      qos: 1,
      mode: "device",
      version: "0",
      instance: "soak",
      exclude: [],
      preferredPosition: "station",
      cursor: {
        read: () => cursor,
        write: (sequence) => {
          cursor = sequence;
        },
      },
    },
    signal,
  );
  const running = Promise.all([announcing, keepArchive(data, store, signal), track.run(signal)]);
  const counts = { commands: 0 };
  dispatch({ type: "accountConfigured", account: ACCOUNT });
  connect(true);

  function connect(isUp: boolean): void {
    const state = isUp ? "running" : "waiting";
    if (isUp) dispatch(household.list(clock.now));
    dispatch({ type: "componentChanged", component: { role: "source", name: ACCOUNT, state, sinceAt: clock.now } });
  }

  function minute(index: number): void {
    const ofDay = index % 1_440;
    const isOut = ofDay >= OUTAGE.fromMinute && ofDay < OUTAGE.fromMinute + OUTAGE.minutes;
    if (ofDay === OUTAGE.fromMinute) connect(false);
    household.live(clock.now, isOut ? () => {} : dispatch);
    if (ofDay === OUTAGE.fromMinute + OUTAGE.minutes) connect(true);
    if (!isOut) dispatch({ type: "accountReported", account: ACCOUNT, at: clock.now, report: {} });
    if (index % COMMAND_EVERY_MINUTES === 0) command(index / COMMAND_EVERY_MINUTES);
    dispatch({ type: "timePassed", at: clock.now, elapsedMs: MINUTE });
    desk.tick(clock.now);
  }

  function command(index: number): void {
    const key = household.keys[index % household.keys.length] ?? "";
    counts.commands += 1;
    if (index % 4 === 0) desk.request(key, { kind: "find" });
    else if (index % 4 === 1) desk.request(key, { kind: "live", value: true });
    else desk.request(key, { kind: "light", value: index % 8 < 4 });
  }

  for (let index = 0; index < plan.days * 1_440; index += 1) {
    await clock.pass(MINUTE);
    minute(index);
    if ((index + 1) % (plan.lookEveryDays * 1_440) !== 0) continue;
    await clock.pass(0);
    look({
      day: (index + 1) / 1_440,
      timers: clock.pending,
      entries: store.state.size,
      journal: store.activities(0).length,
      ...(await rowsOf(plan.folder)),
      topics: sent.topics.size,
      messages: sent.messages,
      commands: counts.commands,
      happened: store.activities(0).at(-1)?.sequence ?? 0,
    });
  }
  stop.abort();
  clock.restore();
  await running;
  track.close();
}

/** A broker that takes everything at once. */
function countingLink() {
  const sent = { messages: 0, topics: new Set<string>() };
  const link = {
    publish: ({ topic }: { readonly topic: string }) => {
      sent.messages += 1;
      sent.topics.add(topic);
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
    subscribe: () => Promise.resolve(),
  };
  return { link, sent };
}

async function rowsOf(folder: string): Promise<{ readonly fixes: number; readonly spans: number }> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(join(folder, "positions.sqlite"), { readOnly: true });
  const count = (table: string): number =>
    Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
  const rows = { fixes: count("fix"), spans: count("covered") };
  database.close();
  return rows;
}
