/** The sources and publishers that run: each supervised by itself, replaced when the configuration changes. */
import { type Branch, branchOf } from "../lib/branch.ts";
import type { Logger } from "../lib/log.ts";
import { type Condition, supervise } from "../lib/supervise.ts";
import type { Component } from "../model/device.ts";
import type { StoreEvent } from "../model/event.ts";
import { type Feed, type Publisher, RELOAD } from "../publishers/publisher.ts";
import type { Source } from "../sources/source.ts";

/**
 * A source or a publisher; the text of its configuration (where that is the same it need not be replaced), and what
 * makes it the same one with another configuration.
 */
export type Member = { readonly settings: string; readonly identity: string } & (
  | { readonly role: "source"; readonly part: Source }
  | { readonly role: "publisher"; readonly part: Publisher }
);

export interface Crew {
  /** Ends members that are not wanted any more, and starts the new ones; what goes on as it was is not disturbed. */
  replace(members: readonly Member[]): Promise<void>;
  /** The running source of this name. */
  source(name: string): Source | undefined;
  sources(): readonly Source[];
  ended(): Promise<void>;
}

interface CrewContext {
  readonly dispatch: (event: StoreEvent) => void;
  readonly feed: Feed;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

interface Running {
  readonly member: Member;
  readonly life: Branch;
  readonly done: Promise<void>;
}

export function createCrew(context: CrewContext): Crew {
  const { dispatch } = context;
  let running: Running[] = [];
  let replacing = Promise.resolve();

  async function end({ member, life, done }: Running, isReplaced: boolean): Promise<void> {
    const { role, part } = member;
    life.end(RELOAD);
    await done;
    if (isReplaced) return;
    dispatch({ type: "componentDropped", role, name: part.name });
    if (role === "source") dispatch({ type: "accountDropped", account: part.name });
  }

  async function replace(members: readonly Member[]): Promise<void> {
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
    running = [...kept, ...added.map((member) => start(member, context))];
  }

  function sources(): Source[] {
    return running.flatMap(({ member }) => (member.role === "source" ? [member.part] : []));
  }

  return {
    sources,
    source: (name) => sources().find((source) => source.name === name),
    // One after the other: two at once would start a part twice.
    replace: (members) => {
      const replaced = replacing.then(() => replace(members));
      replacing = replaced.catch(() => {});
      return replaced;
    },
    ended: async () => {
      await replacing;
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function start(member: Member, { dispatch, feed, log, signal }: CrewContext): Running {
  const { role, part } = member;
  const life = branchOf(signal);
  if (role === "source") dispatch({ type: "accountConfigured", account: part.name });
  const done = supervise(
    (ended, ready) => (role === "source" ? part.run(dispatch, ended, ready) : part.run(feed, ended, ready)),
    {
      name: part.name,
      log,
      signal: life.signal,
      longestDelayMs: role === "publisher" ? part.longestDelayMs : undefined,
      onCondition: (condition) => dispatch({ type: "componentChanged", component: componentOf(member, condition) }),
    },
  ).finally(() => life.end());
  return { member, life, done };
}

function isReplacement(a: Member, b: Member): boolean {
  return a.role === b.role && a.part.name === b.part.name && a.identity === b.identity;
}

function componentOf({ role, part }: Member, { state, error, details }: Condition): Component {
  const said = { ...(error !== undefined && { error }), ...(details && { details }) };
  return { role, name: part.name, state, sinceAt: Date.now(), ...said };
}
