/** What the findings of the probes mean for a command's end. */
import type { Finding } from "../lib/finding.ts";
import { EXIT, type ExitCode } from "./terminal.ts";

const EXIT_OF: Readonly<Record<Finding["result"], ExitCode>> = {
  works: EXIT.fine,
  hint: EXIT.fine,
  refused: EXIT.refused,
  unreachable: EXIT.unreachable,
};

/** It tells of the first part that failed. */
export function exitCodeOf(findings: readonly Pick<Finding, "result">[]): ExitCode {
  return findings.map(({ result }) => EXIT_OF[result]).find((code) => code !== EXIT.fine) ?? EXIT.fine;
}
