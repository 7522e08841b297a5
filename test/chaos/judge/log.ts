/** Rule: whatever happens, nothing that the daemon did not foresee is in its log, and no secret. */

const UNHANDLED = [
  /unexpected error/i,
  /this is a defect/i,
  /unhandled|uncaught/i,
  /\b(Type|Reference|Syntax|Assertion)Error\b/,
  /ERR_ASSERTION|ERR_INVALID_ARG/,
  /MaxListenersExceeded|\(node:\d+\)|Warning:/,
  /FATAL ERROR|heap out of memory/,
  /^\s+at .+:\d+:\d+\)?$/,
  /"stack":/,
];

/** @param secrets passwords and tokens */
export function judgeLog(log: string, secrets: readonly string[]): string[] {
  return log.split("\n").flatMap((line) => {
    const isUnhandled = UNHANDLED.some((pattern) => pattern.test(line));
    const isTold = secrets.some((secret) => line.includes(secret));
    return [
      ...(isUnhandled ? [`unhandled: ${line.slice(0, 1_000)}`] : []),
      ...(isTold ? ["a secret is in the log"] : []),
    ];
  });
}
