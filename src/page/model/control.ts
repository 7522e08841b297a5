/**
 * What the controls of a cat show: what the cloud says, never what was only asked for. What was asked for here and has
 * no answer yet, and what failed, stand beside it in words.
 */
import type { ApiDevice, CommandBody } from "../../publishers/live/api/schema.ts";
import type { ControlName, Texts } from "../texts/texts.ts";
import type { Reader } from "./card.ts";
import { msOf } from "./words.ts";

export interface Control {
  readonly name: ControlName;
  readonly label: string;
  /** null for what is no switch, and where the cloud has not said. */
  readonly isOn: boolean | null;
  readonly isPending: boolean;
  /** Under the label: on, off, what remains. */
  readonly note: string;
  /** What a press asks for. */
  readonly asks: CommandBody;
}

/** What was asked for in this page, until it is answered; a failure stays until it is dismissed. */
export interface Asked {
  readonly control: ControlName;
  readonly body: CommandBody;
  readonly step: "sending" | "accepted" | "failed";
  /** Until when the collar should have taken it, epoch ms. */
  readonly untilMs?: number | undefined;
  /** Why it failed; undefined when the connection was lost. */
  readonly reason?: string | undefined;
}

export interface Notice {
  readonly tone: "pending" | "failed";
  readonly text: string;
  /** The control whose failure it is. */
  readonly control?: ControlName;
}

const SWITCHES = ["live", "light", "buzzer"] as const;
type Switch = (typeof SWITCHES)[number];
type Pending = ApiDevice["pending"][number];

/** Those that the device takes now. */
export function controlsOf(device: ApiDevice, asked: readonly Asked[], reader: Reader): Control[] {
  const isOffered = (name: ControlName): boolean => device.commands.some(({ command }) => command === name);
  const switches = SWITCHES.filter(isOffered).map((name) => switchOf(name, device, asked, reader));
  return isOffered("find") ? [...switches, findOf(asked, reader)] : switches;
}

function switchOf(name: Switch, device: ApiDevice, asked: readonly Asked[], { texts }: Reader): Control {
  const value = device.state[name];
  const isOn = typeof value === "boolean" ? value : null;
  const minutes = device.state.live_remaining;
  const remains = name === "live" && isOn && typeof minutes === "number" && minutes > 0;
  return {
    name,
    label: texts.controls.names[name],
    isOn,
    isPending: isUnderWay(name, asked) || device.pending.some((one) => controlOf(one, device) === name),
    note: remains ? texts.controls.minutesLeft(minutes) : isOn === true ? texts.controls.on : texts.controls.off,
    asks: { command: name, value: isOn !== true },
  };
}

function findOf(asked: readonly Asked[], { texts }: Reader): Control {
  const { names, press } = texts.controls;
  const isPending = isUnderWay("find", asked);
  return { name: "find", label: names.find, isOn: null, isPending, note: press, asks: { command: "find" } };
}

function isUnderWay(name: ControlName, asked: readonly Asked[]): boolean {
  return asked.some(({ control, step }) => control === name && step !== "failed");
}

/** The switch that a mode on its way belongs to: to live tracking, or away from it. */
function controlOf({ command, value }: Pending, { state }: ApiDevice): Switch | undefined {
  if (command !== "mode") return command;
  return value === "Live" || state.live === true ? "live" : undefined;
}

/** What is under way and what failed, in sentences. What was asked for by others is told by the device. */
export function noticesOf(device: ApiDevice, asked: readonly Asked[], reader: Reader): Notice[] {
  const own = asked.map((one): Notice => {
    const what = askedWords(one.body, one.control, reader.texts);
    if (one.step !== "failed") return underWay(what, one.step === "accepted", one.untilMs, reader);
    const { connectionLost, failed } = reader.texts.controls;
    return {
      tone: "failed",
      text: failed({ what, reason: asSentence(one.reason ?? connectionLost) }),
      control: one.control,
    };
  });
  const others = device.pending
    .filter((one) => !asked.some(({ control, step }) => step !== "failed" && covers(control, one, device)))
    .map((one) => underWay(whatIs(one, device, reader), one.accepted, msOf(one.until), reader));
  return [...own, ...others, ...toBeTaken(device, asked, reader)];
}

/** A search is a mode, light and buzzer at once. */
function covers(control: ControlName, pending: Pending, device: ApiDevice): boolean {
  return control === "find" || controlOf(pending, device) === control;
}

function underWay(what: string, isAccepted: boolean, untilMs: number | undefined, reader: Reader): Notice {
  const { sending, waiting, overdue } = reader.texts.controls;
  if (!isAccepted || untilMs === undefined) return { tone: "pending", text: sending({ what }) };
  if (untilMs < reader.nowMs) return { tone: "pending", text: overdue({ what }) };
  return { tone: "pending", text: waiting({ what, time: reader.words.time(untilMs, reader.nowMs) }) };
}

/** Some of the program's sentences are made to stand within others. */
export function asSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** `Light on`: what was asked for, in words. */
export function askedWords({ value }: CommandBody, control: ControlName, texts: Texts): string {
  const how = value === undefined ? "press" : value === true ? "on" : "off";
  return texts.controls.asked[how]({ control: texts.controls.names[control] });
}

function whatIs(pending: Pending, device: ApiDevice, { texts }: Reader): string {
  const { asked, names, mode } = texts.controls;
  const { command, value } = pending;
  if (command === "mode") {
    return value === "Live" ? asked.on({ control: names.live }) : mode({ mode: String(value) });
  }
  return asked[value === true ? "on" : "off"]({ control: names[controlOf(pending, device) ?? "live"] });
}

/** The cloud has noted the mode, and the collar has still to fetch it. */
function toBeTaken({ state, pending }: ApiDevice, asked: readonly Asked[], reader: Reader): Notice[] {
  const told = state.pending_command;
  const isTold = pending.length > 0 || asked.some(({ step }) => step !== "failed");
  if (isTold || typeof told !== "string") return [];
  const what = told.startsWith("mode ") ? reader.texts.controls.mode({ mode: told.slice(5) }) : told;
  return [underWay(what, true, msOf(state.pending_until), reader)];
}
