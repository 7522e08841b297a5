/**
 * The two kinds of failure that a component may end with. Everything else is a defect, and is treated as recoverable
 * so that it cannot stop the program, but logged with its stack.
 */

interface FailureOptions extends ErrorOptions {
  /** The shortest wait before the next try that the other side asked for, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A failure that may pass by itself: the supervisor tries again after the next delay of its schedule. */
export class RecoverableError extends Error {
  override readonly name = "RecoverableError";
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: FailureOptions = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A failure that only the user can mend (refused credentials): the supervisor parks the component. */
export class FatalError extends Error {
  override readonly name = "FatalError";
  /** How long it has still to be parked, ms, where a part of that time has passed already. */
  readonly retryAfterMs: number | undefined;
  /** Resolves when the user has mended it, or the signal is aborted; left out where nobody would notice. */
  readonly mended: Mended | undefined;

  constructor(message: string, options: FailureOptions & { readonly mended?: Mended } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.mended = options.mended;
  }
}

type Mended = (signal: AbortSignal) => Promise<void>;

/** A wrong command line or configuration: the message is shown as it stands, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

/** What somebody else has said may stand in an error: no sentence is longer, so that it fits wherever it is shown. */
const LONGEST = 2_000;
/** All but the tabs and line breaks that our own sentences have: what moves a terminal's cursor, or turns its text. */
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * One sentence for a person: the error's message and those of its causes that add something, joined by ": ".
 * Node's own network errors come as codes with an address; an empty message falls back to the code.
 */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let cause: unknown = error; cause !== undefined && cause !== null && parts.length < 5; cause = causeOf(cause)) {
    const text = messageOf(cause);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
  }
  const sentence = parts.join(": ") || "unknown error";
  return printable(sentence.slice(0, LONGEST));
}

/** The text without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  return "code" in error ? String(error.code) : error instanceof AggregateError ? "" : error.name;
}
