/**
 * Since when each account's stream has been open without a break, by what the daemon is told anyway: for so long, no
 * fix of its collars can have been missed. It is known up to the last byte that came.
 */
import type { DevicesListed, StoreEvent } from "../model/event.ts";
import type { OwnedSpan } from "./database.ts";

export interface LiveAccount {
  /** The keys of its collars, and when each was listed first, epoch ms. */
  collars: ReadonlyMap<string, number>;
  /** Since when its stream has been open, epoch ms; undefined while it is not. */
  liveSinceAt: number | undefined;
  heardAt: number;
}

export interface Liveness {
  readonly accounts: ReadonlyMap<string, LiveAccount>;
  note(event: StoreEvent): void;
  isListed(device: string): boolean;
  /**
   * The spans that are known to be whole, up to `untilAt`: those of streams that have ended, once, and of the others
   * `most` at most, in turns.
   */
  takeSpans(untilAt: number, most: number): OwnedSpan[];
  /** Whether a stream has ended since the last time. */
  readonly hasEnded: boolean;
  /** Whether spans have still to wait for their turn. */
  readonly isBehind: boolean;
  /** What was missed since is not known: everything begins anew at this moment. */
  restart(at: number): void;
}

export function createLiveness(): Liveness {
  const accounts = new Map<string, LiveAccount>();
  /** An account that lists the device: it is asked for with each fix, and accounts may be many. */
  const ownerOf = new Map<string, LiveAccount>();
  let ended: OwnedSpan[] = [];
  /** How many have had their turn. */
  let taken = 0;

  function accountOf(name: string): LiveAccount {
    const account = accounts.get(name) ?? { collars: new Map(), liveSinceAt: undefined, heardAt: 0 };
    accounts.set(name, account);
    return account;
  }

  function end(account: LiveAccount | undefined): void {
    if (account?.liveSinceAt === undefined) return;
    ended.push(...spansOf(account));
    account.liveSinceAt = undefined;
  }

  function begin(account: LiveAccount, at: number): void {
    if (account.liveSinceAt === undefined) Object.assign(account, { liveSinceAt: at, heardAt: at });
  }

  return {
    accounts,
    get hasEnded() {
      return ended.length > 0;
    },
    get isBehind() {
      return taken > 0;
    },
    isListed(device) {
      if (ownerOf.get(device)?.collars.has(device) === true) return true;
      const owner = [...accounts.values()].find(({ collars }) => collars.has(device));
      if (owner === undefined) ownerOf.delete(device);
      else ownerOf.set(device, owner);
      return owner !== undefined;
    },
    note(event) {
      if (event.type === "devicesListed") list(accountOf(event.account), event);
      else if (event.type === "accountReported") hear(accountOf(event.account), event.at);
      else if (event.type === "accountDropped") {
        end(accounts.get(event.account));
        accounts.delete(event.account);
        ownerOf.clear();
      } else if (event.type === "componentChanged" && event.component.role === "source") {
        const { name, state, sinceAt } = event.component;
        if (state === "running") begin(accountOf(name), sinceAt);
        else end(accounts.get(name));
      }
    },
    takeSpans(untilAt, most) {
      const open = [...accounts.values()].flatMap(spansOf);
      const from = most < open.length ? taken : 0;
      const spans = [...ended, ...open.slice(from, from + most)];
      taken = from + most < open.length ? from + most : 0;
      ended = [];
      const clipped = spans.map(({ device, span }) => ({
        device,
        span: { fromAt: span.fromAt, toAt: Math.min(span.toAt, untilAt) },
      }));
      return clipped.filter(({ span }) => span.fromAt <= span.toAt);
    },
    restart(at) {
      ended = [];
      taken = 0;
      for (const account of accounts.values()) {
        // By a clock that was set back, they would be listed in the future.
        account.collars = new Map([...account.collars].map(([device, listedAt]) => [device, Math.min(listedAt, at)]));
        if (account.liveSinceAt !== undefined) Object.assign(account, { liveSinceAt: at, heardAt: at });
      }
    },
  };
}

function list(account: LiveAccount, { collars, at }: DevicesListed): void {
  account.collars = new Map(collars.map(({ key }) => [key, account.collars.get(key) ?? at]));
}

function hear(account: LiveAccount, at: number): void {
  account.heardAt = Math.max(account.heardAt, at);
}

function spansOf({ collars, liveSinceAt, heardAt }: LiveAccount): OwnedSpan[] {
  if (liveSinceAt === undefined) return [];
  return [...collars].map(([device, listedAt]) => ({
    device,
    span: { fromAt: Math.max(liveSinceAt, listedAt), toAt: heardAt },
  }));
}
