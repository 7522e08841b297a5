/**
 * The commands of one collar on their way to the cloud: one at a time, not more often than one in two seconds, and a
 * newer one takes the place of one of its kind that is still waiting.
 */
import { monotonicMs, sleep } from "../lib/clock.ts";
import type { Command, CommandKind } from "../model/command.ts";

export interface Lane {
  add(command: Command): void;
}

const APART_MS = 2_000;

/** @param send never rejects */
export function createLane(send: (command: Command) => Promise<void>, signal: AbortSignal): Lane {
  const waiting = new Map<CommandKind, Command>();
  let isRunning = false;
  let freeAt = Number.NEGATIVE_INFINITY;

  async function run(): Promise<void> {
    isRunning = true;
    for (let next = first(); next !== undefined && !signal.aborted; next = first()) {
      await sleep(Math.max(0, freeAt - monotonicMs()), signal);
      // What was first when the wait began may have been replaced meanwhile.
      const command = waiting.get(next);
      waiting.delete(next);
      freeAt = monotonicMs() + APART_MS;
      if (command !== undefined && !signal.aborted) await send(command);
    }
    isRunning = false;
  }

  function first(): CommandKind | undefined {
    return waiting.keys().next().value;
  }

  return {
    add(command) {
      waiting.set(command.kind, command);
      if (!isRunning) void run();
    },
  };
}
