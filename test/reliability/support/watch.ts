/** What is seen of a fault from its beginning on: when it was noticed and mended, what was called, what a user saw. */
import { account, BRIDGE_STATE, oreo } from "../../support/house.ts";
import { json } from "../../support/recorder.ts";
import { until } from "../../support/until.ts";
import type { Household, LogLine } from "./household.ts";
import type { Row } from "./report.ts";

export interface Watch {
  /** The lines that a user reads (level info and above) since the beginning. */
  lines(): readonly LogLine[];
  /**
   * Waits for the first warning or error in the log; answers how long it took, ms. One that was told shortly before is
   * only counted, which is told at level debug.
   */
  noticed(ms: number, pattern?: RegExp, isCounted?: boolean): Promise<number>;
  /** The fault ends now; without it, it has ended as it began. */
  over(): void;
  /** Waits until news go all the way through; answers how long it took since the end of the fault, ms. */
  whole(ms: number): Promise<number>;
  /** The same until a line like this is in the log. */
  told(pattern: RegExp, ms: number): Promise<number>;
  /** What was called since the beginning, by kind. */
  calls(): Calls;
  /** The row, by what was seen so far. */
  row(measured: Pick<Row, "noticedMs" | "wholeMs">): Measured;
}

export type Measured = Omit<Row, "where" | "fault">;

interface Calls {
  readonly tries: number;
  readonly logins: number;
  readonly listings: number;
  readonly streams: number;
}

export async function createWatch(house: Household, breakIt: () => unknown): Promise<Watch> {
  const from = { line: house.log().length, message: house.mqtt.mark, calls: count(house, 0) };
  const beganAt = performance.now();
  let overAt = beganAt;
  await breakIt();

  const since = (): readonly LogLine[] => house.log().slice(from.line);
  const lines = (): readonly LogLine[] => since().filter(({ level }) => READ.has(level));
  const calls = (): Calls => {
    const now = count(house, from.line);
    const more = (kind: keyof Calls): number => now[kind] - from.calls[kind];
    return { tries: now.tries, logins: more("logins"), listings: more("listings"), streams: more("streams") };
  };

  return {
    lines,
    calls,
    async noticed(ms, pattern = /./, isCounted = false) {
      const isTold = (): boolean =>
        (isCounted ? since() : lines()).some(({ level, msg }) => level !== "info" && pattern.test(msg));
      await until(isTold, `a warning like ${pattern}`, ms).catch((cause: unknown) => {
        throw new Error(
          `not noticed; the daemon said:\n${since()
            .map(({ msg }) => msg)
            .join("\n")}`,
          { cause },
        );
      });
      return Math.round(performance.now() - beganAt);
    },
    over() {
      overAt = performance.now();
    },
    async whole(ms) {
      await house.whole(ms);
      return Math.round(performance.now() - overAt);
    },
    async told(pattern, ms) {
      const isTold = (): boolean => lines().some(({ msg }) => pattern.test(msg));
      await until(isTold, `a line like ${pattern}; there are ${JSON.stringify(lines())}`, ms);
      return Math.round(performance.now() - overAt);
    },
    row: (measured) => ({
      ...measured,
      callsMeanwhile: callsText(calls()),
      userSees: [logText(lines()), ...entitiesText(house, from.message)].join("; "),
    }),
  };
}

/** What stands in the log as it is by default. */
const READ: ReadonlySet<string> = new Set(["info", "warn", "error"]);

function count(house: Household, fromLine: number): Calls {
  const { calls, upgrades } = house.cloud;
  const of = (path: string): number => calls.filter((call) => call.path === path).length;
  const tries = house
    .log()
    .slice(fromLine)
    .filter(({ msg }) => msg.includes("next try in"));
  return { tries: tries.length, logins: of("/user/login"), listings: of("/map/getccs"), streams: upgrades.length };
}

const WORDS = { tries: "tries", logins: "logins", listings: "listings", streams: "stream connections" } as const;

function callsText(calls: Calls): string {
  const said = (Object.keys(WORDS) as (keyof Calls)[]).flatMap((kind) => {
    const number = calls[kind];
    const word = number === 1 ? WORDS[kind].replace(/ies$/, "y").replace(/s$/, "") : WORDS[kind];
    return number === 0 ? [] : [`${number} ${word}`];
  });
  return said.join(", ") || "none";
}

const MOST_SENTENCES = 3;

/** Each warning once, without what differs from run to run. */
function logText(lines: readonly LogLine[]): string {
  const warnings = lines.filter(({ level }) => level !== "info").map(({ msg }) => plain(msg));
  const sentences = [...new Set(warnings)].slice(0, MOST_SENTENCES);
  return sentences.length === 0 ? "Nothing in the log" : `Log: ${sentences.map((one) => `“${one}”`).join(", ")}`;
}

function plain(sentence: string): string {
  return sentence
    .replaceAll(/(?<=\.test|127\.0\.0\.1):\d+/g, "")
    .replaceAll(/ 127\.0\.0\.1\b/g, "")
    .replaceAll(/ \((?:once more|\d+ more times) in the last [^)]*\)/g, "")
    .replaceAll(/; next try in [\d.]+ s/g, "; next try in … s")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…")
    .replaceAll("|", "/");
}

/** What the entities said since then, where it is not what they always say. */
function entitiesText({ mqtt }: Household, from: number): string[] {
  const payloads = (topic: string): string[] => mqtt.of(topic, from).map(({ payload }) => payload);
  const accounts = payloads(account.state).map(json);
  const problem = accounts.find((state) => state.problem === true)?.problem_message;
  const isStreamOff = accounts.some((state) => state.stream === false);
  return [
    ...(problem === undefined ? [] : [`Problem is on: ${plain(JSON.stringify(problem))}`]),
    ...(isStreamOff ? ["Live stream is off meanwhile"] : []),
    payloads(oreo.availability).includes("offline") ? "the pets are unavailable meanwhile" : "the pets stay available",
    ...(payloads(BRIDGE_STATE).includes("offline") ? ["everything is unavailable meanwhile"] : []),
  ];
}
