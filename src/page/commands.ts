/** What was asked for in this page: from the press to the answer, and a failure until somebody has read it. */
import type { CommandBody } from "../publishers/live/api/schema.ts";
import { CommandRefused, type Talk } from "./live/talk.ts";
import type { Asked } from "./model/control.ts";
import { msOf } from "./model/words.ts";
import type { ControlName } from "./texts/texts.ts";

export interface Commands {
  readonly of: (device: string) => readonly Asked[];
  readonly send: (talk: Talk, device: string, control: ControlName, body: CommandBody) => Promise<"done" | "failed">;
  readonly dismiss: (device: string, control: ControlName) => void;
}

/** @param changed called with the device whose commands have another step */
export function createCommands(changed: (device: string) => void): Commands {
  const all = new Map<string, readonly Asked[]>();
  const of = (device: string): readonly Asked[] => all.get(device) ?? [];

  /** One for each control: the newest takes the place of the one before. */
  function put(device: string, asked: Asked): void {
    all.set(device, [...others(device, asked.control), asked]);
    changed(device);
  }

  function others(device: string, control: ControlName): readonly Asked[] {
    return of(device).filter((one) => one.control !== control);
  }

  function dismiss(device: string, control: ControlName): void {
    all.set(device, others(device, control));
    changed(device);
  }

  return {
    of,
    dismiss,
    async send(talk, device, control, body) {
      put(device, { control, body, step: "sending" });
      try {
        await talk.command(device, body, (until) => {
          put(device, { control, body, step: "accepted", untilMs: msOf(until) });
        });
        dismiss(device, control);
        return "done";
      } catch (error) {
        put(device, { control, body, step: "failed", reason: reasonOf(error) });
        return "failed";
      }
    },
  };
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof CommandRefused ? error.sentence : String(error);
}
