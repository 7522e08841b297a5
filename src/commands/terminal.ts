/** What a command may know of the process that it runs in. */

import type { Usage } from "../lib/metrics.ts";

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For data. */
  readonly stdout: NodeJS.WriteStream;
  /** For logs and progress. */
  readonly stderr: NodeJS.WriteStream;
  /** Asks a person and gives the answer; undefined where nobody is there to answer. */
  ask(question: string): Promise<string | undefined>;
  /** Aborted when the user, or the system, wants the program to end. */
  readonly signal: AbortSignal;
  /** What the process takes, now. */
  readonly usage: () => Usage;
  /** The user wants the configuration to be read again. */
  onReload(action: () => void): void;
  /** An error that nothing has caught. */
  onDefect(action: (error: unknown) => void): void;
}

/** How a command ends, and what that says to a script. */
export const EXIT = { fine: 0, unexpected: 1, usage: 2, refused: 3, unreachable: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The options that every command has. */
export interface GlobalOptions {
  readonly config?: string;
  readonly logLevel?: string;
}
