/** The composition root: configuration → store, sources and publishers, each supervised. Read it top to bottom. */
import { randomBytes } from "node:crypto";
import type { Config } from "./config/schema.ts";
import { VERSION } from "./lib/about.ts";
import { aborted, monotonicMs, sleep } from "./lib/clock.ts";
import { type DataDir, openDataDir } from "./lib/data-dir.ts";
import type { Logger } from "./lib/log.ts";
import type { Scrubber } from "./lib/scrub.ts";
import { type Condition, supervise } from "./lib/supervise.ts";
import type { Component } from "./model/device.ts";
import { createPublishers } from "./publishers/index.ts";
import { type Publisher, RELOAD } from "./publishers/publisher.ts";
import { createSources } from "./sources/index.ts";
import type { Source } from "./sources/source.ts";
import { createStore, type Store } from "./store/store.ts";

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
}

/** How often silence is looked for, ms. */
const TICK_MS = 10_000;

/** @throws UsageError when the configuration has nowhere to publish to */
export async function startDaemon(config: Config, tools: Tools): Promise<Daemon> {
  const store = createStore({ version: VERSION, startedAt: Date.now() }, rulesOf(config));
  const data = openDataDir(config.data_dir, tools.log);
  const crew = createCrew(store, tools);
  const apply = async (next: Config): Promise<void> => {
    const members = await membersOf(next, data, tools);
    store.setRules(rulesOf(next));
    await crew.replace(members);
  };
  await apply(config);
  const ticking = tick(store, tools.signal);
  const ended = aborted(tools.signal).then(async () => {
    await Promise.all([ticking, crew.ended()]);
  });
  return { ended, reload: apply, store };
}

function rulesOf(config: Config): { maxAccuracyM: number } {
  return { maxAccuracyM: config.home.max_accuracy };
}

/**
 * A source or a publisher; the text of its configuration (where that is the same it need not be replaced), and what
 * makes it the same one with another configuration.
 */
type Member = { readonly settings: string; readonly identity: string } & (
  | { readonly role: "source"; readonly part: Source }
  | { readonly role: "publisher"; readonly part: Publisher }
);

async function membersOf(config: Config, data: DataDir, { log, scrubber }: Tools): Promise<Member[]> {
  const common = { log, version: VERSION, exclude: config.entities.exclude, preferredPosition: config.home.prefer };
  const publishers = await createPublishers(config, { ...common, clientId: clientIdOf(data) });
  const sources = await createSources(config.pettracer, { log, scrubber });
  const settings = [config.mqtt, common.exclude, common.preferredPosition];
  return [
    ...sources.map((part, index): Member => ({ role: "source", part, ...settingsOf(config.pettracer[index]) })),
    ...publishers.map(
      (part): Member => ({ role: "publisher", part, identity: part.name, settings: JSON.stringify(settings) }),
    ),
  ];
}

/** The same user of the same cloud is the same account, whatever else is set. */
function settingsOf(account: Config["pettracer"][number] | undefined): Pick<Member, "settings" | "identity"> {
  return { settings: JSON.stringify(account), identity: JSON.stringify([account?.username, account?.portal_url]) };
}

/** Kept, so that a broker sees the same client after each start. */
export function clientIdOf(data: DataDir): string {
  const kept = data.read("client");
  if (typeof kept === "object" && kept !== null && "id" in kept && typeof kept.id === "string") return kept.id;
  const id = `pawline-${randomBytes(4).toString("hex")}`;
  data.write("client", { id });
  return id;
}

interface Crew {
  /** Ends members that are not wanted any more, and starts the new ones. */
  replace(members: readonly Member[]): Promise<void>;
  ended(): Promise<void>;
}

interface Running {
  readonly member: Member;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

function createCrew(store: Store, tools: Tools): Crew {
  let running: Running[] = [];

  function start(member: Member): Running {
    const { role, part } = member;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    tools.signal.addEventListener("abort", onAbort, { once: true });
    // The end may have come while the parts were made.
    if (tools.signal.aborted) onAbort();
    if (role === "source") store.dispatch({ type: "accountConfigured", account: part.name });
    const done = supervise(
      (signal, ready) => (role === "source" ? part.run(store.dispatch, signal, ready) : part.run(store, signal, ready)),
      {
        name: part.name,
        log: tools.log,
        signal: stop.signal,
        onCondition: (condition) => {
          store.dispatch({ type: "componentChanged", component: componentOf(member, condition) });
        },
      },
    ).finally(() => tools.signal.removeEventListener("abort", onAbort));
    return { member, stop, done };
  }

  async function end(one: Running, isReplaced: boolean): Promise<void> {
    const { role, part } = one.member;
    one.stop.abort(RELOAD);
    await one.done;
    if (isReplaced) return;
    store.dispatch({ type: "componentDropped", role, name: part.name });
    if (role === "source") store.dispatch({ type: "accountDropped", account: part.name });
  }

  return {
    async replace(members) {
      const isSame = (a: Member, b: Member): boolean => a.settings === b.settings && isReplacement(a, b);
      const kept = running.filter(({ member }) => members.some((next) => isSame(member, next)));
      const gone = running.filter((one) => !kept.includes(one));
      await Promise.all(
        gone.map((one) =>
          end(
            one,
            members.some((next) => isReplacement(one.member, next)),
          ),
        ),
      );
      const added = members.filter((next) => !kept.some(({ member }) => isSame(member, next)));
      running = [...kept, ...added.map(start)];
    },
    ended: async () => {
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function isReplacement(a: Member, b: Member): boolean {
  return a.role === b.role && a.part.name === b.part.name && a.identity === b.identity;
}

function componentOf({ role, part }: Member, { state, error }: Condition): Component {
  return { role, name: part.name, state, sinceAt: Date.now(), ...(error !== undefined && { error }) };
}

/** Tells the store how time goes by: silence has no event of its own. */
async function tick(store: Store, signal: AbortSignal): Promise<void> {
  for (let before = monotonicMs(); !signal.aborted; ) {
    await sleep(TICK_MS, signal);
    const now = monotonicMs();
    store.dispatch({ type: "timePassed", elapsedMs: now - before });
    before = now;
  }
}
