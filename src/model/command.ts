/** What can be asked of a collar. A command changes no state: the cloud's echo does. */

/** One call to the cloud. */
export type Command =
  | { readonly kind: "mode"; readonly value: number }
  | { readonly kind: "light"; readonly value: boolean }
  | { readonly kind: "buzzer"; readonly value: boolean };

export type CommandKind = Command["kind"];

/** What a user asks for with a control; it may take several commands, and come to an end by itself. */
export type Request =
  | Command
  | { readonly kind: "live"; readonly value: boolean }
  | { readonly kind: "find" }
  | { readonly kind: "power_off" };

/** A command that is on its way: asked for, and without its echo. */
export interface Pending {
  readonly command: Command;
  readonly sinceAt: number;
  /** When the collar should have taken it. */
  readonly untilAt: number;
  /** Whether the cloud has accepted it. */
  readonly isAccepted: boolean;
}
