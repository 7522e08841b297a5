/**
 * Takes what users ask of collars, and sees it through: each request becomes commands, each command goes to the cloud
 * and is watched until its echo has come or it has failed. What ends by itself (live tracking, find my cat) is ended
 * here, also after a restart. The state is never touched: the store hears what was asked, accepted and refused.
 */
import { branchOf } from "../lib/branch.ts";
import { sleep } from "../lib/clock.ts";
import { describeError, RecoverableError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Command, CommandKind, Request } from "../model/command.ts";
import type { CounterTable } from "../model/counters.ts";
import type { Collar, State } from "../model/device.ts";
import type { StoreEvent } from "../model/event.ts";
import { LIVE_MODE, modeName, OFF_MODE, pollMs, USUAL_MODE } from "../model/mode.ts";
import { type Receipt, ReplacedError } from "../publishers/publisher.ts";
import { createLane, type Lane } from "./lane.ts";
import { failed, joined, type OpenReceipt, openReceipt } from "./receipt.ts";
import { type FindTimer, type LiveTimer, readTimers, type Timer, type Timers } from "./timers.ts";

interface DeskContext {
  readonly state: State;
  /** Tells which keys of it were touched. */
  readonly changes: (signal: AbortSignal) => AsyncIterable<{ readonly changed: ReadonlySet<string> }>;
  readonly dispatch: (event: StoreEvent) => void;
  readonly log: Logger;
  readonly metrics: Metrics<CounterTable>;
  readonly signal: AbortSignal;
  /** Sends a command to the cloud. @throws with a sentence when it is refused */
  readonly execute: (device: string, command: Command, signal: AbortSignal) => Promise<void>;
  /** Asks the cloud for the collar once more: its echo may have gone astray. */
  readonly refresh: (device: string, signal: AbortSignal) => Promise<void>;
  /** Where it is kept what ends by itself. */
  readonly keep: { read(): unknown; write(timers: Timers): void };
  /** How long live tracking and find my cat last, ms; 0 for ever. */
  readonly durations: (device: string) => { readonly liveMs: number; readonly findMs: number };
}

export interface Desk {
  request(device: string, request: Request): Receipt;
  /**
   * Ends what is to end by itself; to be called every second.
   * @param jumpMs how much further the clock on the wall went since the last time than time did, ms
   */
  tick(now: number, jumpMs?: number): void;
}

/** The echo is asked for so long after the cloud has accepted a command, ms. */
const ECHO_MS = 4_000;
/** A command has failed when so many of the collar's polls have passed without its echo. */
const POLLS = 2;
/** An end that the cloud did not take is tried again after this, ms; and not for ever. */
const AGAIN_MS = 60_000;
const MOST_TRIES = 5;

export function createDesk(context: DeskContext): Desk {
  return new CollarDesk(context);
}

class CollarDesk implements Desk {
  readonly #context: DeskContext;
  readonly #lanes = new Map<string, Lane>();
  /** The latest command of each device and kind, and who waits for it. */
  readonly #latest = new Map<string, { readonly command: Command; readonly receipt: OpenReceipt }>();
  #timers: Timers;

  constructor(context: DeskContext) {
    this.#context = context;
    this.#timers = readTimers(context.keep.read());
    // At 0 from the start, so that the first one shows as a growth.
    for (const kind of KINDS) for (const outcome of OUTCOMES) this.#count(kind, outcome, 0);
    context.signal.addEventListener("abort", () => {
      for (const { receipt } of this.#latest.values()) receipt.fail(new RecoverableError("Pawline was stopped"));
    });
  }

  request(device: string, request: Request): Receipt {
    const collar = this.#collar(device);
    if (collar === undefined) return failed(new RecoverableError(`there is no collar ${device}`));
    switch (request.kind) {
      case "mode":
        return this.#setMode(collar, request.value);
      case "live":
        return this.#setMode(collar, request.value ? LIVE_MODE : modeBefore(collar));
      case "light":
      case "buzzer":
        return this.#ask(device, request);
      case "find":
        return this.#find(collar);
      case "power_off":
        return this.#setMode(collar, OFF_MODE);
    }
  }

  tick(now: number, jumpMs = 0): void {
    if (jumpMs < 0) this.#shift(jumpMs);
    for (const [device, { live, find }] of Object.entries(this.#timers)) {
      const collar = this.#collar(device);
      if (collar === undefined) continue;
      // Once its end has begun it is looked at until nothing differs: what is changed after that is the user's.
      if (find && (now >= find.untilAt || find.tries > 0)) this.#endFind(collar, find, now);
      if (live) this.#watchLive(collar, live, now);
    }
  }

  /** A clock that was set back must not make anything last longer: a collar that is live is empty within hours. */
  #shift(ms: number): void {
    const shifted = <T extends LiveTimer>(timer: T | undefined): T | undefined =>
      timer && { ...timer, untilAt: timer.untilAt + ms };
    for (const [device, { live, find }] of Object.entries(this.#timers)) {
      this.#keep(device, { live: shifted(live), find: shifted(find) });
    }
  }

  #collar(device: string): Collar | undefined {
    const entry = this.#context.state.get(device);
    return entry?.kind === "collar" ? entry : undefined;
  }

  #setMode({ key }: Collar, mode: number): Receipt {
    const { liveMs } = this.#context.durations(key);
    const { find } = this.#timers[key] ?? {};
    const isLimited = mode === LIVE_MODE && liveMs > 0;
    this.#keep(key, {
      live: isLimited ? { untilAt: Date.now() + liveMs, tries: 0 } : undefined,
      // The mode is the user's choice now: find my cat does not put another one back.
      find: find && { ...find, startedLive: false },
    });
    return this.#ask(key, { kind: "mode", value: mode });
  }

  /** A second press lasts longer, and still puts back what was before the first. */
  #find(collar: Collar): Receipt {
    const { findMs } = this.#context.durations(collar.key);
    const isLive = collar.modeSet === LIVE_MODE;
    const before = this.#timers[collar.key]?.find;
    const first = { startedLive: !isLive, light: collar.light === true, buzzer: collar.buzzer === true };
    this.#keep(collar.key, {
      ...this.#timers[collar.key],
      find: {
        ...(before ?? first),
        startedLive: !isLive || before?.startedLive === true,
        untilAt: Date.now() + findMs,
        tries: 0,
      },
    });
    const live: Command[] = isLive ? [] : [{ kind: "mode", value: LIVE_MODE }];
    const commands: Command[] = [...live, { kind: "light", value: true }, { kind: "buzzer", value: true }];
    return joined(commands.map((command) => this.#ask(collar.key, command)));
  }

  /** Puts back what differs; when nothing does any more, it is over. */
  #endFind(collar: Collar, find: FindTimer, now: number): void {
    const { live } = this.#timers[collar.key] ?? {};
    const commands: Command[] = [];
    if (collar.buzzer !== find.buzzer) commands.push({ kind: "buzzer", value: find.buzzer });
    if (collar.light !== find.light) commands.push({ kind: "light", value: find.light });
    if (find.startedLive && collar.modeSet === LIVE_MODE) commands.push({ kind: "mode", value: modeBefore(collar) });
    const isOver = commands.length === 0 || find.tries >= MOST_TRIES;
    if (!isOver && now < find.untilAt) return;
    this.#keep(collar.key, { live, find: isOver ? undefined : { ...find, ...again(find, now) } });
    if (!isOver) for (const command of commands) this.#ask(collar.key, command);
  }

  /** Somebody else may have ended it meanwhile, or the cloud refused it: then it is not ours any more. */
  #watchLive(collar: Collar, live: LiveTimer, now: number): void {
    const { find } = this.#timers[collar.key] ?? {};
    const isOn = collar.modeSet === LIVE_MODE;
    if (!isOn && isAsked(collar, LIVE_MODE)) return;
    if (!isOn || live.tries >= MOST_TRIES) this.#keep(collar.key, { find });
    else if (now >= live.untilAt) {
      this.#keep(collar.key, { find, live: again(live, now) });
      this.#ask(collar.key, { kind: "mode", value: modeBefore(collar) });
    }
  }

  #keep(device: string, timer: Timer): void {
    const { [device]: _, ...others } = this.#timers;
    this.#timers = timer.live || timer.find ? { ...others, [device]: timer } : others;
    this.#context.keep.write(this.#timers);
  }

  #ask(device: string, asked: Command): Receipt {
    // Each is told from the others by being an object of its own.
    const command = { ...asked };
    const receipt = openReceipt();
    const key = `${device} ${command.kind}`;
    this.#latest.get(key)?.receipt.fail(new ReplacedError("a newer command took its place"));
    this.#latest.set(key, { command, receipt });
    this.#context.dispatch({ type: "commandAsked", key: device, at: Date.now(), command });
    this.#lane(device).add(command);
    return receipt;
  }

  #lane(device: string): Lane {
    const known = this.#lanes.get(device);
    if (known !== undefined) return known;
    const lane = createLane((command) => this.#send(device, command), this.#context.signal);
    this.#lanes.set(device, lane);
    return lane;
  }

  async #send(device: string, command: Command): Promise<void> {
    const { execute, dispatch, signal, log } = this.#context;
    try {
      await execute(device, command, signal);
      log.info(`${device}: ${sentenceOf(command)} was accepted by the cloud`);
      this.#count(command.kind, "accepted");
      dispatch({ type: "commandAccepted", key: device, at: Date.now(), command });
      this.#receiptOf(device, command)?.accept();
      void this.#watch(device, command);
    } catch (error) {
      if (!signal.aborted) this.#fail(device, command, "refused", describeError(error));
    }
  }

  /** Waits for the echo; asks for it where it does not come by itself. */
  async #watch(device: string, command: Command): Promise<void> {
    const { signal, refresh } = this.#context;
    const patienceMs = POLLS * pollMs(this.#collar(device)?.mode);
    const steps = [ECHO_MS, patienceMs / 2 - ECHO_MS, patienceMs / 2];
    const watch = branchOf(signal);
    void this.#untilEnded(device, command, watch.signal).then(() => watch.end());
    for (const ms of steps) {
      await sleep(ms, watch.signal);
      if (watch.signal.aborted) break;
      await refresh(device, signal).catch(() => {});
    }
    watch.end();
    if (signal.aborted) return;
    if (!this.#isPending(device, command)) return this.#conclude(device, command);
    const reason = `the collar did not take it within ${Math.round(patienceMs / 1_000)} s`;
    this.#fail(device, command, "unconfirmed", reason);
  }

  async #untilEnded(device: string, command: Command, signal: AbortSignal): Promise<void> {
    for await (const { changed } of this.#context.changes(signal)) {
      if (changed.has(device) && !this.#isPending(device, command)) return;
    }
  }

  #isPending(device: string, command: Command): boolean {
    const pending = this.#collar(device)?.pending ?? [];
    return pending.some((one) => one.isAccepted && one.command === command);
  }

  /** What is pending no longer was confirmed, unless its collar has gone. */
  #conclude(device: string, command: Command): void {
    const receipt = this.#receiptOf(device, command);
    if (this.#collar(device) !== undefined) receipt?.finish();
    else receipt?.fail(new RecoverableError(`${device} is in no account any more`));
    if (receipt) this.#latest.delete(`${device} ${command.kind}`);
  }

  /** Undefined for one that a newer command has replaced. */
  #receiptOf(device: string, command: Command): OpenReceipt | undefined {
    const latest = this.#latest.get(`${device} ${command.kind}`);
    return latest?.command === command ? latest.receipt : undefined;
  }

  #fail(device: string, command: Command, outcome: Outcome, reason: string): void {
    this.#count(command.kind, outcome);
    this.#context.log.warn(`${device}: ${sentenceOf(command)} failed: ${reason}`);
    this.#receiptOf(device, command)?.fail(new RecoverableError(reason));
    this.#context.dispatch({ type: "commandFailed", key: device, at: Date.now(), command, reason });
  }

  #count(kind: CommandKind, outcome: Outcome, by = 1): void {
    this.#context.metrics.cell("pawline_commands_total", { kind, outcome }).value += by;
  }
}

/** The cloud took it, or did not; or it took it, and no echo came. */
type Outcome = "accepted" | "refused" | "unconfirmed";
const OUTCOMES: readonly Outcome[] = ["accepted", "refused", "unconfirmed"];
const KINDS: readonly CommandKind[] = ["mode", "light", "buzzer"];

function sentenceOf({ kind, value }: Command): string {
  return kind === "mode" ? `the mode ${modeName(value)}` : `${kind} ${value ? "on" : "off"}`;
}

/** What a collar goes back to from live tracking. */
function modeBefore({ modeSet, modeBeforeLive = USUAL_MODE }: Collar): number {
  return modeSet === undefined || modeSet === LIVE_MODE ? modeBeforeLive : modeSet;
}

function isAsked({ pending = [] }: Collar, mode: number): boolean {
  return pending.some(({ command }) => command.kind === "mode" && command.value === mode);
}

function again({ tries }: LiveTimer, now: number): LiveTimer {
  return { untilAt: now + AGAIN_MS, tries: tries + 1 };
}
