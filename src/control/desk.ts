/**
 * Takes what users ask of collars, and sees it through: each request becomes commands, each command goes to the cloud
 * and is watched until its echo has come or it has failed. What ends by itself (live tracking, find my cat) is ended
 * here, also after a restart. The state is never touched: the store hears what was asked, accepted and refused.
 */
import { sleep } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Command, CommandKind, Request } from "../model/command.ts";
import type { CounterTable } from "../model/counters.ts";
import type { Collar, State } from "../model/device.ts";
import type { StoreEvent } from "../model/event.ts";
import { LIVE_MODE, modeName, OFF_MODE, pollMs, USUAL_MODE } from "../model/mode.ts";
import { createLane, type Lane } from "./lane.ts";
import { type FindTimer, type LiveTimer, readTimers, type Timer, type Timers } from "./timers.ts";

interface DeskContext {
  readonly state: State;
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
  request(device: string, request: Request): void;
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
  #timers: Timers;

  constructor(context: DeskContext) {
    this.#context = context;
    this.#timers = readTimers(context.keep.read());
    // At 0 from the start, so that the first one shows as a growth.
    for (const kind of KINDS) for (const outcome of OUTCOMES) this.#count(kind, outcome, 0);
  }

  request(device: string, request: Request): void {
    const collar = this.#collar(device);
    if (collar === undefined) return;
    switch (request.kind) {
      case "mode":
        this.#setMode(collar, request.value);
        break;
      case "live":
        this.#setMode(collar, request.value ? LIVE_MODE : modeBefore(collar));
        break;
      case "light":
      case "buzzer":
        this.#ask(device, request);
        break;
      case "find":
        this.#find(collar);
        break;
      case "power_off":
        this.#setMode(collar, OFF_MODE);
        break;
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

  #setMode({ key }: Collar, mode: number): void {
    const { liveMs } = this.#context.durations(key);
    const { find } = this.#timers[key] ?? {};
    const isLimited = mode === LIVE_MODE && liveMs > 0;
    this.#keep(key, {
      live: isLimited ? { untilAt: Date.now() + liveMs, tries: 0 } : undefined,
      // The mode is the user's choice now: find my cat does not put another one back.
      find: find && { ...find, startedLive: false },
    });
    this.#ask(key, { kind: "mode", value: mode });
  }

  /** A second press lasts longer, and still puts back what was before the first. */
  #find(collar: Collar): void {
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
    if (!isLive) this.#ask(collar.key, { kind: "mode", value: LIVE_MODE });
    this.#ask(collar.key, { kind: "light", value: true });
    this.#ask(collar.key, { kind: "buzzer", value: true });
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

  #ask(device: string, command: Command): void {
    this.#context.dispatch({ type: "commandAsked", key: device, at: Date.now(), command });
    this.#lane(device).add(command);
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
    for (const [index, ms] of steps.entries()) {
      await sleep(ms, signal);
      if (signal.aborted || !this.#isPending(device, command)) return;
      if (index === steps.length - 1) break;
      await refresh(device, signal).catch(() => {});
    }
    await refresh(device, signal).catch(() => {});
    if (this.#isPending(device, command)) {
      this.#fail(
        device,
        command,
        "unconfirmed",
        `the collar did not take it within ${Math.round(patienceMs / 1_000)} s`,
      );
    }
  }

  #isPending(device: string, command: Command): boolean {
    const pending = this.#collar(device)?.pending ?? [];
    return pending.some((one) => one.isAccepted && one.command === command);
  }

  #fail(device: string, command: Command, outcome: Outcome, reason: string): void {
    this.#count(command.kind, outcome);
    this.#context.log.warn(`${device}: ${sentenceOf(command)} failed: ${reason}`);
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
