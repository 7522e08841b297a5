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
  const write = pretty ? await prettyWriter(output) : (line: string) => void output.write(line);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { logMethod: onceAndCounted(createRepeats()) },
    },
    {
      write: (line: string) => write(scrubber.scrub(line)),
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

async function prettyWriter(output: LogOptions["output"]): Promise<(line: string) => void> {
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: output.isTTY === true,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
  });
  return (line) => void output.write(pretty(line) ?? "");
}
