/** A configuration file, and where in it each value stands. YAML; JSON is a part of it. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { describeError } from "../lib/errors.ts";
import { readSmallFile } from "../lib/small-file.ts";

export interface ConfigFile {
  readonly name: string;
  /** Undefined where the file cannot be read at all. */
  readonly values: unknown;
  /** Sentences, each with its place. */
  readonly errors: readonly string[];
  /** `pawline.yaml:6:9` of the value, or of the nearest thing around it. */
  place(path: readonly PropertyKey[]): string;
  /** Whether the file has a value there. */
  has(path: readonly PropertyKey[]): boolean;
}

export function readConfigFile(name: string): ConfigFile {
  let text: string;
  try {
    text = readSmallFile(name).toString("utf8");
  } catch (error) {
    return unreadable(name, `${name}: the file cannot be read (${describeError(error)})`);
  }
  return parseConfigFile(name, text);
}

function parseConfigFile(name: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // What it would write to standard error by itself repeats values.
    logLevel: "error",
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  // What the parser only warns of (an unknown tag) has changed a value.
  const problems = [...document.errors, ...document.warnings];
  const errors = problems.map((problem) => `${at(problem.pos[0])} ${sentenceOf(problem, text)}`);
  errors.push(...danglingAliases(document).map((offset) => `${at(offset)} ${SPECIAL_CHARACTER}`));
  const isWhole = errors.length === problems.filter(({ code }) => code === "DUPLICATE_KEY").length;
  if (!isWhole) return unreadable(name, ...errors);
  const contents = document.contents;
  if (!isMap(contents) && !isEmpty(contents)) {
    return unreadable(name, `${at(0)} must be a list of sections such as "pettracer:" and "mqtt:"`);
  }
  try {
    return {
      name,
      values: document.toJS() ?? {},
      errors,
      has: (path) => document.hasIn([...path]),
      place: (path) => at(offsetOf(contents, path)),
    };
  } catch {
    return unreadable(name, ...errors, `${at(0)} ${ENTANGLED}`);
  }
}

function unreadable(name: string, ...errors: readonly string[]): ConfigFile {
  return { name, values: undefined, errors, place: () => name, has: () => false };
}

function isEmpty(contents: ParsedNode | null): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

const ENTANGLED = "refers to itself, or to too much, by & and *; write the values out";
const SPECIAL_CHARACTER =
  "a value that begins with a special character (such as ! & * | > % @ `) must be put in quotes";

/** The parser's own sentences for these repeat what stands in the file, which may be a secret. */
const SENTENCES: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  ALIAS_PROPS: SPECIAL_CHARACTER,
  BAD_ALIAS: SPECIAL_CHARACTER,
  BAD_COLLECTION_TYPE: SPECIAL_CHARACTER,
  BAD_DIRECTIVE: SPECIAL_CHARACTER,
  BAD_DQ_ESCAPE: "a backslash in double quotes begins a special character; write it twice, or use single quotes",
  BAD_PROP_ORDER: SPECIAL_CHARACTER,
  BAD_SCALAR_START: SPECIAL_CHARACTER,
  MULTIPLE_ANCHORS: SPECIAL_CHARACTER,
  MULTIPLE_DOCS: "a second document begins here; only one may stand in a file",
  MULTIPLE_TAGS: SPECIAL_CHARACTER,
  NON_STRING_KEY: "a key must be a single word",
  RESOURCE_EXHAUSTION: "sections and lists stand too deep in one another",
  TAB_AS_INDENT: "a tab is no indentation; use blanks",
  TAG_RESOLVE_FAILED: SPECIAL_CHARACTER,
  UNEXPECTED_TOKEN: "this does not belong here; put values with special characters in quotes",
};

function sentenceOf({ code, message, pos }: YAMLError, text: string): string {
  if (code !== "DUPLICATE_KEY") return SENTENCES[code] ?? message;
  const key = /^["']?([\w.-]+)["']?\s*:/.exec(text.slice(pos[0]))?.[1];
  return `${key === undefined ? "this key" : `${key}: the key`} stands here twice; remove one of them`;
}

/** Where `*name` stands without an `&name` before it. */
function danglingAliases(document: Document.Parsed): number[] {
  const offsets: number[] = [];
  const anchors = new Set<string>();
  visit(document, (_, node) => {
    if (isAlias(node)) {
      if (!anchors.has(node.source)) offsets.push(rangeStart(node) ?? 0);
    } else if (isNode(node) && node.anchor !== undefined) anchors.add(node.anchor);
  });
  return offsets;
}

/** Where the key stands that the path leads to, as far as the path can be followed. */
function offsetOf(contents: ParsedNode | null, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = contents?.range[0] ?? 0;
  for (const step of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node) ? node.items.find(({ key }) => String(key) === String(step)) : undefined;
    const next: unknown = node.get(step, true);
    const start = rangeStart(pair?.key) ?? rangeStart(next);
    if (start === undefined) break;
    offset = start;
    node = next;
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === "number" ? start : undefined;
}
