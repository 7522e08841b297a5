import { type Logger as PinoLogger, pino } from "pino";
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

/** The program's logger. Every line passes the scrubber on its way out, whichever way its text came to be. */
export async function createLog({ level, format, scrubber, output }: LogOptions): Promise<Logger> {
  const pretty = format === "pretty" || (format === "auto" && output.isTTY === true);
  const write = pretty ? await prettyWriter(output) : (line: string) => void output.write(line);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => write(scrubber.scrub(line)),
    },
  );
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
