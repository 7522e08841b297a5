/**
 * The route mobile_app in this process, between a store that the test fills and a real Home Assistant: for what takes
 * minutes with a cloud, and for tokens, rights and endings of its own.
 */

import { createBell } from "../../../src/lib/bell.ts";
import type { Logger } from "../../../src/lib/log.ts";
import { createLog } from "../../../src/lib/log.ts";
import { createScrubber } from "../../../src/lib/scrub.ts";
import type { Request } from "../../../src/model/command.ts";
import type { CollarReport } from "../../../src/model/device.ts";
import { openConnection } from "../../../src/publishers/homeassistant/connection.ts";
import { endpointOf } from "../../../src/publishers/homeassistant/endpoint.ts";
import { createMobileApp, type MobileApp } from "../../../src/publishers/homeassistant/mobile-app/mobile-app.ts";
import { homeAssistantOptions } from "../../../src/publishers/homeassistant/options.ts";
import { createRest } from "../../../src/publishers/homeassistant/rest.ts";
import { followEntries, type Session, whenRunning, whoAmI } from "../../../src/publishers/homeassistant/situation.ts";
import type { Feed } from "../../../src/publishers/publisher.ts";
import { createStore, type Store } from "../../../src/store/store.ts";
import { PRODUCT } from "../../support/arbitraries.ts";
import { idleReceipt } from "../../support/idle-bridge.ts";
import { memoryStream } from "../../support/stream.ts";

export interface OpenSession extends Session {
  close(): void;
}

/** As the publisher opens one. */
export async function openSession(url: string, token: string): Promise<OpenSession> {
  const ended = new AbortController();
  const endpoint = await endpointOf(homeAssistantOptions.parse({ url, token }));
  const ha = await openConnection(endpoint, ended.signal);
  ha.lost.catch(() => {});
  const components = (await whenRunning(ha, ended.signal)) ?? new Set<string>();
  const listeners = new Set<() => void>();
  const entries = await followEntries(ha, () => {
    for (const listener of listeners) listener();
  });
  return {
    ha,
    rest: createRest(endpoint, ended.signal),
    user: await whoAmI(ha),
    components,
    entries,
    onEntriesChanged: (listener) => listeners.add(listener),
    close() {
      ended.abort();
      ha.close();
    },
  };
}

export interface Cat {
  readonly id: number;
  readonly name: string;
  readonly report?: CollarReport;
}

interface LabOptions {
  readonly controls?: boolean;
  readonly exclude?: readonly string[];
}

export class Lab {
  readonly store: Store;
  readonly feed: Feed;
  readonly requests: (readonly [device: string, Request])[] = [];
  /** What is in the file, as text. */
  file = "";
  readonly #bell = createBell();
  readonly #output = memoryStream();
  readonly #log: Logger;
  readonly #scrubber = createScrubber();
  #at = Date.now();
  #told = 0;

  private constructor(
    log: Logger,
    output: ReturnType<typeof memoryStream>,
    scrubber: ReturnType<typeof createScrubber>,
  ) {
    this.#log = log;
    this.#output = output;
    this.#scrubber = scrubber;
    this.store = createStore({ version: "1", startedAt: 0, logLevel: "info" }, { maxAccuracyM: 200, flapMs: 60_000 });
    this.store.dispatch({ type: "accountConfigured", account: "pettracer" });
    this.feed = {
      state: this.store.state,
      changes: (ended) => this.store.changes(ended),
      activities: (after) => this.store.activities(after),
      request: (device, request) => {
        this.requests.push([device, request]);
        return idleReceipt;
      },
      track: () => undefined,
      bridge: { restart() {}, refresh() {}, republish: this.#bell.ring, setLogLevel() {} },
      onRepublish: this.#bell.onRing,
    };
  }

  static async open(): Promise<Lab> {
    const output = memoryStream();
    const scrubber = createScrubber();
    const log = await createLog({ level: "debug", format: "json", scrubber, output });
    return new Lab(log, output, scrubber);
  }

  get log(): string {
    return this.#output.text();
  }

  /** The account has these cats, and no others. */
  list(...cats: readonly Cat[]): void {
    const collars = cats.map(({ id, name, report }) => {
      return { key: `pettracer_${id}`, id, product: PRODUCT, report: { ...LIKELY, ...report, name } };
    });
    const listing = { account: "pettracer", at: this.#at, isConfirmed: true, collars, stations: [] };
    this.store.dispatch({ type: "devicesListed", ...listing });
  }

  report(id: number, report: CollarReport): void {
    this.#at += 1_000;
    this.store.dispatch({ type: "collarReported", key: `pettracer_${id}`, at: this.#at, report });
  }

  /** Nothing is heard of the account for so long. */
  silence(ms: number): void {
    this.#at += ms;
    this.store.dispatch({ type: "timePassed", at: this.#at, elapsedMs: ms });
  }

  hear(): void {
    this.store.dispatch({ type: "accountReported", account: "pettracer", at: this.#at, report: {} });
  }

  app({ controls = false, exclude = [] }: LabOptions = {}): MobileApp {
    return createMobileApp({
      log: this.#log,
      scrubber: this.#scrubber,
      version: "1",
      exclude,
      preferredPosition: "station",
      cursor: {
        read: () => this.#told,
        write: (sequence) => {
          this.#told = sequence;
        },
      },
      keep: {
        read: () => (this.file === "" ? undefined : JSON.parse(this.file)),
        write: (value) => {
          this.file = JSON.stringify(value);
        },
      },
      controls,
    });
  }
}

const LIKELY: CollarReport = {
  batteryMv: 4_000,
  charging: false,
  mode: 2,
  modeSet: 2,
  light: false,
  buzzer: false,
  home: false,
  firmware: "10.4.9",
  fix: { latitude: 51.6, longitude: -0.12, accuracyM: 10, satellites: 9, measuredAt: Date.now() },
};

/** A run that goes on until it is ended. */
export interface Run {
  readonly session: OpenSession;
  /** How it ended. */
  readonly outcome: Promise<unknown>;
  end(): Promise<void>;
}

export async function startRun(app: MobileApp, lab: Lab, url: string, token: string): Promise<Run> {
  const session = await openSession(url, token);
  const stop = new AbortController();
  const outcome = app.run(lab.feed, session, stop.signal).catch((error: unknown) => error);
  return {
    session,
    outcome,
    async end() {
      stop.abort();
      await outcome;
      session.close();
    },
  };
}
