/** XML read twice: by a small strict reader of our own and, where there is one, by Python's. */
import { spawnSync } from "node:child_process";

export interface XmlElement {
  /** As it is written, prefix and all. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text in it, without that of its children. */
  readonly text: string;
}

const SIGNS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const DECLARATION = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/;
const TAG = /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/y;
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** What ElementTree makes of it, as lines: depth, name, attributes, text. */
const PYTHON = `
import sys, json, xml.etree.ElementTree as tree
def walk(element, depth):
    yield [depth, element.tag, element.attrib, (element.text or "").strip()]
    for child in element: yield from walk(child, depth + 1)
json.dump(list(walk(tree.fromstring(sys.stdin.buffer.read()), 0)), sys.stdout)
`;

/** The root element. @throws for anything but elements, attributes and text in the plainest of XML */
export function parseXml(document: string): XmlElement {
  if (FORBIDDEN.test(document)) throw new Error("a character that no XML may hold");
  const text = document.replace(DECLARATION, "").trimEnd();
  const { element, end } = readElement(text, 0);
  if (end !== text.length) throw new Error(`something behind the root: ${text.slice(end, end + 40)}`);
  return element;
}

function readElement(text: string, start: number): { element: XmlElement; end: number } {
  const [tag, slash, name, attributes, isEmpty] = tagAt(text, start);
  if (slash !== "") throw new Error(`</${name}> ends nothing`);
  const children: XmlElement[] = [];
  let [content, at] = ["", start + tag.length];
  while (isEmpty === "") {
    const next = text.indexOf("<", at);
    if (next < 0) throw new Error(`<${name}> has no end`);
    content += plain(text.slice(at, next));
    if (text.startsWith("</", next)) {
      const [closing, , closed] = tagAt(text, next);
      if (closed !== name) throw new Error(`<${name}> ends as </${closed}>`);
      at = next + closing.length;
      break;
    }
    const { element, end } = readElement(text, next);
    children.push(element);
    at = end;
  }
  return { element: { name, attributes: readAttributes(attributes), children, text: content.trim() }, end: at };
}

function tagAt(text: string, at: number): [string, string, string, string, string] {
  TAG.lastIndex = at;
  const match = TAG.exec(text);
  if (match === null) throw new Error(`no tag: ${text.slice(at, at + 60)}`);
  const [tag, slash = "", name = "", attributes = "", isEmpty = ""] = match;
  return [tag, slash, name, attributes, isEmpty];
}

function readAttributes(text: string): Record<string, string> {
  const all = [...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, plain(value)]);
  const attributes: Record<string, string> = Object.fromEntries(all);
  if (Object.keys(attributes).length !== all.length) throw new Error(`an attribute twice: ${text}`);
  return attributes;
}

function plain(text: string): string {
  return text.replace(/[&>](?:(\w+);)?/g, (written, name: string | undefined) => {
    const sign = SIGNS[name ?? ""];
    if (sign === undefined) throw new Error(`${written} in ${text}`);
    return sign;
  });
}

/** Every element as Python's reader has it: depth, name with its namespace, attributes, text. Undefined without Python. */
export function pythonElements(document: string): [number, string, Record<string, string>, string][] | undefined {
  const { status, error, stdout, stderr } = spawnSync("python3", ["-c", PYTHON], {
    input: document,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    timeout: 15_000,
  });
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as [number, string, Record<string, string>, string][];
}

/** The same of our own reader's tree. */
export function elementsOf(
  root: XmlElement,
  namespaces: Readonly<Record<string, string>> = {},
): [number, string, Record<string, string>, string][] {
  const walk = (
    element: XmlElement,
    depth: number,
    outer: Readonly<Record<string, string>>,
  ): [number, string, Record<string, string>, string][] => {
    const declared = Object.entries(element.attributes).filter(([name]) => /^xmlns(:|$)/.test(name));
    const known = { ...outer, ...Object.fromEntries(declared.map(([name, uri]) => [name.slice(6), uri])) };
    const [local = "", prefix = ""] = element.name.split(":").toReversed();
    if (known[prefix] === undefined) throw new Error(`the prefix of ${element.name} is not declared`);
    const rest = Object.fromEntries(Object.entries(element.attributes).filter(([name]) => !name.startsWith("xmlns")));
    return [
      [depth, `{${known[prefix]}}${local}`, rest, element.text],
      ...element.children.flatMap((child) => walk(child, depth + 1, known)),
    ];
  };
  return walk(root, 0, namespaces);
}
