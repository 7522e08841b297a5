/**
 * Fetches what was missed: the spans before a stream's beginning in which not every fix is known. The cloud is a small
 * company's: one request at a time, a second apart, for a day at most; some seconds after a stream has opened, so that
 * one that comes and goes is not followed by requests; and after a failure longer and longer. What was fetched is
 * written with its span, so that nothing is asked for twice, whatever ends the program.
 */
import { createAlarm } from "../lib/alarm.ts";
import { monotonicMs, sleep } from "../lib/clock.ts";
import { describeError, FatalError, RecoverableError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { counted, type Pace, waitMs } from "../lib/pace.ts";
import type { DatedFix } from "../model/device.ts";
import type { FixesFetched, StoreEvent } from "../model/event.ts";
import type { Span } from "../model/span.ts";
import type { Source } from "../sources/source.ts";
import type { TrackFile } from "./file.ts";
import { keptFix } from "./fix.ts";
import type { LiveAccount, Liveness } from "./liveness.ts";
import { difference, firstStretch } from "./spans.ts";

export interface CatchUp {
  note(event: StoreEvent): void;
  /** Goes on until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

interface Context {
  readonly file: TrackFile;
  readonly liveness: Liveness;
  readonly retentionMs: () => number;
  readonly inTruth: (at: number) => number;
  /** The running source of this name. */
  readonly source: (name: string) => Source | undefined;
  readonly log: Logger;
  /** Hears what was fetched for each collar. */
  readonly tell: (event: FixesFetched) => void;
}

interface Job {
  readonly account: string;
  readonly device: string;
  /** What is asked for. */
  readonly span: Span;
}

/** How an account is doing. Its times are by the clock that does not jump. */
interface Progress {
  dueAt: number;
  failures: number;
  /** When it began to fetch, each time that there was something to fetch. */
  rounds: readonly number[];
  isInRound: boolean;
  /** Collars that failed last: the others come first. */
  readonly failing: Set<string>;
  /** Up to when the last request for each collar has reached, epoch ms: what follows there needs no margin. */
  readonly reachedAt: Map<string, number>;
}

/** Nothing is asked for so soon after a stream has opened, ms. */
const SETTLE_MS = 3_000;
const APART_MS = 1_000;
/** So much is asked for by one request, ms; of a collar that was never seen before, no more than that. */
const LONGEST_MS = 86_400_000;
/**
 * A collar that was out of reach brings along what it has measured meanwhile: while we were away, positions may have
 * come in that are older than that. So a gap is asked for with so much before it, ms.
 */
const MARGIN_MS = LONGEST_MS / 2;
const LOOK_EVERY_MS = 60_000;
/** A stream that breaks all the time is not followed by a request each time. */
const ROUNDS: Pace = { windowMs: 3_600_000, most: 20, burst: 6, spacingMs: 300_000 };
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [10_000, 3_600_000];
const WRITTEN_AT_ONCE = 500;

export function createCatchUp(context: Context): CatchUp {
  const { file, liveness, source, retentionMs, inTruth, log, tell } = context;
  const alarm = createAlarm();
  const progressOf = new Map<string, Progress>();

  function progress(account: string): Progress {
    const known = progressOf.get(account) ?? {
      dueAt: monotonicMs() + SETTLE_MS,
      failures: 0,
      rounds: [],
      isInRound: false,
      failing: new Set(),
      reachedAt: new Map(),
    };
    progressOf.set(account, known);
    return known;
  }

  function nextJob(): Job | undefined {
    for (const [name, account] of liveness.accounts) {
      const job = isReady(name, account) ? jobOf(name, account) : undefined;
      if (job !== undefined) return job;
    }
    return undefined;
  }

  function isReady(name: string, { liveSinceAt }: LiveAccount): boolean {
    if (liveSinceAt === undefined || retentionMs() === 0 || source(name)?.positions === undefined) return false;
    const waitsMs = progress(name).dueAt - monotonicMs();
    if (waitsMs > 0) alarm.within(waitsMs);
    return waitsMs <= 0;
  }

  function jobOf(name: string, account: LiveAccount): Job | undefined {
    const mine = progress(name);
    const collars = [...account.collars].toSorted(
      ([a], [b]) => Number(mine.failing.has(a)) - Number(mine.failing.has(b)),
    );
    for (const [device, listedAt] of collars) {
      const span = missing(device, Math.max(account.liveSinceAt ?? 0, listedAt), mine.reachedAt.get(device));
      if (span !== undefined) return isInPace(mine) ? { account: name, device, span } : undefined;
    }
    mine.isInRound = false;
    mine.reachedAt.clear();
    return undefined;
  }

  function isInPace(mine: Progress): boolean {
    if (mine.isInRound) return true;
    const now = monotonicMs();
    const waitsMs = waitMs(mine.rounds, now, ROUNDS);
    mine.dueAt = now + waitsMs;
    if (waitsMs > 0) alarm.within(waitsMs);
    else {
      mine.rounds = [...counted(mine.rounds, now, ROUNDS), now];
      mine.isInRound = true;
    }
    return waitsMs === 0;
  }

  /** What to ask for, to learn the oldest of what was missed before `untilAt`. */
  function missing(device: string, untilAt: number, reachedAt: number | undefined): Span | undefined {
    return file.use((database) => {
      const now = Date.now();
      const wantedFrom = Math.max(now - retentionMs(), (database.firstSeenAt(device) ?? now) - LONGEST_MS);
      const gaps = difference({ fromAt: wantedFrom, toAt: untilAt }, database.covered(device));
      const [gap] = gaps;
      if (gap === undefined) return undefined;
      const marginMs = reachedAt === gap.fromAt - 1 ? 0 : Math.min(MARGIN_MS, gap.fromAt - wantedFrom);
      const fromAt = gap.fromAt - marginMs;
      return { fromAt, toAt: firstStretch(gaps, LONGEST_MS - marginMs)?.toAt ?? gap.toAt };
    });
  }

  async function fetch({ account, device, span }: Job, signal: AbortSignal): Promise<void> {
    let { fromAt } = span;
    const fetched: DatedFix[] = [];
    for await (const { fixes, untilAt } of source(account)?.positions?.(device, span, signal) ?? []) {
      fetched.push(...(await write(device, fixes, { fromAt, toAt: untilAt }, signal)));
      fromAt = untilAt + 1;
    }
    tell({ type: "fixesFetched", key: device, at: Date.now(), fixes: fetched });
    progress(account).reachedAt.set(device, span.toAt);
    log.debug(`${account}: ${fetched.length} position(s) of ${device} were fetched for the track`);
  }

  /**
   * In parts, since thousands at once would hold everything else up.
   * @returns those that are kept
   */
  async function write(
    device: string,
    fixes: readonly DatedFix[],
    span: Span,
    signal: AbortSignal,
  ): Promise<readonly DatedFix[]> {
    const now = inTruth(Date.now());
    const good = fixes.flatMap((fix) => keptFix(fix, now, now - retentionMs()) ?? []);
    const kept = good.map((fix) => ({ device, fix }));
    for (let from = 0; from === 0 || from < kept.length; from += WRITTEN_AT_ONCE) {
      const isLast = from + WRITTEN_AT_ONCE >= kept.length;
      const isWritten = file.use((database) => {
        database.save(kept.slice(from, from + WRITTEN_AT_ONCE), isLast ? [{ device, span }] : []);
        return true;
      });
      if (isWritten !== true) throw new RecoverableError("they cannot be written");
      await sleep(0, signal);
    }
    return good;
  }

  function fail({ account, device }: Job, error: unknown): void {
    const mine = progress(account);
    const askedMs = error instanceof FatalError ? LAST_RETRY_MS : 0;
    const wishedMs = error instanceof RecoverableError ? (error.retryAfterMs ?? 0) : askedMs;
    const delayMs = Math.max(wishedMs, Math.min(FIRST_RETRY_MS * 2 ** mine.failures, LAST_RETRY_MS));
    mine.dueAt = monotonicMs() + delayMs;
    mine.failing.add(device);
    log[mine.failures === 0 ? "warn" : "debug"](
      `${account}: what was missed of ${device} could not be fetched (${describeError(error)}); next try in ${Math.round(delayMs / 1_000)} s`,
    );
    mine.failures += 1;
  }

  async function work(job: Job, signal: AbortSignal): Promise<void> {
    try {
      await fetch(job, signal);
      const mine = progress(job.account);
      mine.failures = 0;
      mine.failing.delete(job.device);
    } catch (error) {
      if (!signal.aborted) fail(job, error);
    }
  }

  return {
    note(event) {
      if (event.type === "accountDropped") progressOf.delete(event.account);
      const isOpened =
        event.type === "componentChanged" && event.component.role === "source" && event.component.state === "running";
      if (isOpened) {
        const mine = progress(event.component.name);
        mine.dueAt = Math.max(mine.dueAt, monotonicMs() + SETTLE_MS);
        mine.reachedAt.clear();
      }
      if (isOpened || event.type === "devicesListed") alarm.within(SETTLE_MS);
    },
    async run(signal) {
      while (!signal.aborted) {
        const job = nextJob();
        if (job !== undefined) {
          await work(job, signal);
          await sleep(APART_MS, signal);
          continue;
        }
        alarm.within(LOOK_EVERY_MS);
        await alarm.rung(signal);
      }
    },
  };
}
