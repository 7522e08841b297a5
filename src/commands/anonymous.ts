/**
 * Sentences about what went wrong, without anything that tells whose cats these are. A sentence may carry what another
 * program said (an address, a name in a certificate, a piece of an answer): what looks like one goes, too.
 */
import { LEAVES } from "../config/leaves.ts";
import type { Config } from "../config/schema.ts";
import type { Entry, State } from "../model/device.ts";
import { accountOptions } from "../sources/pettracer/options.ts";
import { hiddenTexts, MASK } from "./masked-config.ts";

const { portal_url, stream_url } = accountOptions.shape;

/** The cloud's own hosts and calls, our keys and usual topics: whoever has no cat has these, too. */
const HARMLESS: readonly RegExp[] = [
  ...[portal_url, stream_url].map((schema) => exactly(new URL(schema.parse(undefined)).host)),
  ...LEAVES.map(({ path }) => exactly(path.join("."))),
  /^\/(map|user)\/[a-z]+$/,
  /^"?(homeassistant|pawline)(\/(…|status|bridge\/check|pawline\/check))?"?$/,
];

/** What stands for somebody or some place, whoever it may be. */
const PATTERNS: readonly RegExp[] = [
  // What stands in quotes is somebody else's: a topic, the beginning of an answer.
  /"(?:[^"\\]|\\.)*"|(?<!\p{L})'[^']*'/gu,
  /\baltnames:.*/gis,
  /[^\s@<>(),;]+@[^\s@<>(),;]+/g,
  // Files and topics.
  /(?<![\p{L}\d])(?:[a-z]:)?[\\/][^\s,;:()]*[^\s,;:().]|[^\s,;:()/]+\/[^\s,;:()]*[^\s,;:().]/giu,
  // Hosts and addresses, by their dots or colons.
  /[\p{L}\d_-]+(?:\.[\p{L}\d_-]+)+(?::\d+)?/gu,
  /[0-9a-f]*(?::[0-9a-f]*){2,}/gi,
  /\d{4,}/g,
];

/** Makes a function that takes out of a sentence whatever is known of the user, and what looks like it. */
export function createAnonymizer(config: Config, state: State): (sentence: string) => string {
  const known = [...hiddenTexts(config), ...[...state.values()].flatMap(namesOf)]
    .filter((text) => text.trim() !== "" && !isHarmless(text))
    .toSorted((a, b) => b.length - a.length)
    .map(asWord);
  return (sentence) =>
    [...known, ...PATTERNS].reduce(
      (text, pattern) => text.replace(pattern, (match) => (isHarmless(match) ? match : MASK)),
      sentence,
    );
}

function namesOf(entry: Entry): string[] {
  const names = ["name", "wifi", "image", "key", "deviceKey"].map(
    (key) => Object.entries(entry).find(([own]) => own === key)?.[1],
  );
  return names.filter((name) => typeof name === "string");
}

function isHarmless(text: string): boolean {
  return HARMLESS.some((pattern) => pattern.test(text));
}

/** Not within a longer word: a cat may be called "Is". */
function asWord(name: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\d])${escaped(name)}(?![\\p{L}\\d])`, "giu");
}

function exactly(text: string): RegExp {
  return new RegExp(`^${escaped(text)}$`);
}

function escaped(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}]/g, "\\$&");
}
