import { retryDelayMs } from "./backoff.ts";
import { branchOf } from "./branch.ts";
import { monotonicMs, sleep } from "./clock.ts";
import { describeError, FatalError, RecoverableError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { spanOf } from "./span.ts";

/** What the supervisor tells about a component: shown in `bridge/info`. */
export interface Condition {
  /** `starting` until the component itself says that it works. */
  readonly state: "starting" | "running" | "waiting" | "parked";
  /** Why it is not running, in a sentence for the user. */
  readonly error?: string;
  /** What it has to say of itself while it runs. */
  readonly details?: Readonly<Record<string, string>>;
}

interface Supervision {
  readonly name: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called with each change, and again whenever the reason changes. */
  readonly onCondition?: (condition: Condition) => void;
  /** How long a component that ran without failing is held to be healthy again, ms. */
  readonly healthyMs?: number;
  /** The longest wait between two tries, ms; default what the schedule has. */
  readonly longestDelayMs?: number | undefined;
  /** How long a component waits that only the user can mend, ms. */
  readonly parkedMs?: number;
}

/** A promise that rejects to be started again, and resolves when it was aborted; `ready` tells that it works. */
export type Component = (signal: AbortSignal, ready: (details?: Condition["details"]) => void) => Promise<void>;

/**
 * Runs a component until the signal is aborted.
 * This is the only place in the program that decides about retries.
 */
export async function supervise(run: Component, options: Supervision): Promise<void> {
  const { signal, onCondition, healthyMs = 60_000 } = options;
  const trouble = createTrouble(options);
  let isReady = false;
  const ready = (details?: Condition["details"]): void => {
    isReady = true;
    trouble.over();
    onCondition?.({ state: "running", ...(details && { details }) });
  };
  onCondition?.({ state: "starting" });
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const startedAt = monotonicMs();
    isReady = false;
    const failure = await outcome((attemptSignal) => run(attemptSignal, ready), signal);
    if (signal.aborted) return;
    trouble.failed();
    const tookMs = monotonicMs() - startedAt;
    if (tookMs >= healthyMs) attempt = 0;
    await pause(report(failure, { attempt, hasWorked: isReady, tookMs }, options), failure, signal);
  }
}

/** What only the user can mend may be mended before the time is over. */
async function pause(ms: number, failure: unknown, signal: AbortSignal): Promise<void> {
  if (!(failure instanceof FatalError) || failure.mended === undefined) return await sleep(ms, signal);
  const either = branchOf(signal);
  await Promise.race([sleep(ms, either.signal), failure.mended(either.signal)]);
  either.end();
}

/** Tells when a part works again that had failed. */
function createTrouble({ name, log }: Supervision): { failed(): void; over(): void } {
  let since: number | undefined;
  let tries = 0;
  return {
    failed() {
      since ??= monotonicMs();
      tries += 1;
    },
    over() {
      if (since === undefined) return;
      const span = spanOf(monotonicMs() - since);
      log.info(`${name}: works again after ${span}${tries === 1 ? "" : ` and ${tries} tries`}`);
      [since, tries] = [undefined, 0];
    },
  };
}

/** Each try has a signal of its own, which is over when the try is. */
async function outcome(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<unknown> {
  const attempt = branchOf(signal);
  try {
    await run(attempt.signal);
    return new RecoverableError("ended by itself");
  } catch (error) {
    return error;
  } finally {
    attempt.end();
  }
}

interface Try {
  readonly attempt: number;
  /** Whether it had worked before it failed; and after how long it failed, ms. */
  readonly hasWorked: boolean;
  readonly tookMs: number;
}

/** Tells about the failure and returns how long to wait, ms. */
function report(failure: unknown, one: Try, options: Supervision): number {
  const { name, log } = options;
  const error = describeError(failure);
  if (failure instanceof FatalError) {
    const parkedMs = Math.min(failure.retryAfterMs ?? Number.POSITIVE_INFINITY, options.parkedMs ?? 3_600_000);
    options.onCondition?.({ state: "parked", error });
    log.error(
      `${name}: ${error} Not tried again for ${Math.ceil(parkedMs / 60_000)} min, or until the configuration changes.`,
    );
    return parkedMs;
  }
  const expected = failure instanceof RecoverableError;
  const delayMs = Math.max(scheduledMs(one, options.longestDelayMs), expected ? (failure.retryAfterMs ?? 0) : 0);
  options.onCondition?.({ state: "waiting", error });
  const sentence = `${name}: ${error}; next try in ${(delayMs / 1000).toFixed(1)} s`;
  if (expected) log.warn(sentence);
  else log.error({ err: failure }, `${sentence} (this is a defect; please report it)`);
  return delayMs;
}

/** A try that took long without any success has waited already, but for the shortest delay. */
function scheduledMs({ attempt, hasWorked, tookMs }: Try, longestMs = Number.POSITIVE_INFINITY): number {
  const delayMs = Math.min(retryDelayMs(attempt, undefined, hasWorked), longestMs);
  return hasWorked ? delayMs : Math.max(delayMs - tookMs, Math.min(delayMs, retryDelayMs(0)));
}
