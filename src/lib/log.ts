import { type LogFn, type Logger as PinoLogger, pino } from "pino";
import { createRepeats, type Repeats } from "./repeats.ts";
import type { Scrubber } from "./scrub.ts";

export type Logger = PinoLogger;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

interface LogOptions {
  readonly level: LogLevel;
  readonly format: "auto" | "json" | "pretty";
  readonly scrubber: Scrubber;
  /** Where the lines go: standard error, so that data can be piped from standard output. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * The program's logger. Every line passes the scrubber on its way out, whichever way its text came to be; and what is
 * said again and again is told once and then counted (`repeats.ts`), but for those who read at level debug.
 */
export async function createLog({ level, format, scrubber, output }: LogOptions): Promise<Logger> {
  const pretty = format === "pretty" || (format === "auto" && output.isTTY === true);
  const write = pretty ? await prettyWriter(output) : (line: string) => void output.write(printable(line, "\\u"));
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { logMethod: onceAndCounted(createRepeats()) },
    },
    {
      // Cut before it is scrubbed, a half of a secret could be left.
      write: (line: string) => write(shortened(scrubber.scrub(line))),
    },
  );
}

const INFO = 30;
const WARN = 40;
/** What is no complaint may answer to something that a user does: some of that is told each time. */
const FREE_INFOS = 5;

function onceAndCounted(repeats: Repeats) {
  return function logMethod(this: PinoLogger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    if (level < INFO) {
      method.apply(this, args);
      return;
    }
    const tell = (suffix: string): void => {
      if (this.isLevelEnabled(this.levels.labels[level] ?? "")) method.apply(this, suffixed(args, suffix));
    };
    const isTold = repeats.say(textOf(args), level < WARN ? FREE_INFOS : 1, tell);
    if (!isTold) this.debug(...args);
  };
}

/** Of a call with a text, or with an object and a text: the program has no others. */
function textOf([first, text]: Parameters<LogFn>): string {
  return typeof first === "string" ? first : (text ?? "");
}

function suffixed([first, text, ...more]: Parameters<LogFn>, suffix: string): Parameters<LogFn> {
  return typeof first === "string" ? [`${first}${suffix}`] : [first, `${text ?? ""}${suffix}`, ...more];
}

/** So long is no line of ours, unless others' words stand in it, characters. */
const LONGEST = 20_000;
const LONGEST_TEXT = 2_000;

/** Of a line of JSON that is too long, the beginnings of its texts. */
function shortened(line: string): string {
  if (line.length <= LONGEST) return line;
  const cut = (_: string, value: unknown): unknown =>
    typeof value === "string" && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
  try {
    return `${JSON.stringify(JSON.parse(line), cut)}\n`;
  } catch {
    // What was scrubbed out may have been a part of its punctuation.
    return `${line.slice(0, LONGEST_TEXT)}\n`;
  }
}

/** What JSON leaves as it is and a terminal obeys: the upper control characters, and those that turn its text. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** How JSON writes the lower ones, but for the line breaks and tabs that a stack trace has. */
const ESCAPED = /(?<!\\)((?:\\\\)*)\\(u00[01][0-9a-f]|[bfr])/g;

/** A line of JSON in which nothing stands for itself that is not to be seen. */
function printable(line: string, prefix: string): string {
  return line.replace(UNPRINTABLE, (sign) => `${prefix}${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function prettyWriter(output: LogOptions["output"]): Promise<(line: string) => void> {
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: output.isTTY === true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
    // What follows a line break must not look like a line of its own.
    messageFormat: (log, key) => String(log[key]).replaceAll("\n", "\n    "),
  });
  // Escaped once more, so that the escapes are what is shown.
  return (line) => void output.write(pretty(printable(line, "\\\\u").replace(ESCAPED, "$1\\\\$2")) ?? "");
}
