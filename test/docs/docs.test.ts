/** The documents hang together: links lead somewhere, examples are right, and what they name exists. */
import { existsSync, globSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { environmentName, LEAVES } from "../../src/config/leaves.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temp.ts";
import { anchors, codeBlock, codeBlocks, DOCUMENTS, ROOT, read, tableRows, withoutCode } from "./markdown.ts";
import { readYaml } from "./snippets.ts";

const EXAMPLE = "config/pawline.example.yaml";

/** Well-known documentation, and what is an address for Pawline itself. */
const HOSTS =
  /^(?:(?:[a-z-]+\.)*(?:home-assistant\.io|pettracer\.com)|www\.zigbee2mqtt\.io|nodejs\.org|keepachangelog\.com|semver\.org)$/;

const FORBIDDEN = [/\/tmp\b/, /github\.(?:com|io)/i, /\bissues? #?\d/i, /\bTODO\b/];

/** In the order of Home Assistant's quality scale; then what only Pawline has. */
const PAGES = [
  ["installation", "configuration", "supported", "entities", "data-updates", "examples", "known-limitations"],
  ["troubleshooting", "removal", "privacy", "commands", "home-assistant", "container", "live-page", "health", "api"],
  ["api-websocket", "other-hubs", "comparison", "reliability", "performance", "endurance", "architecture"],
].flat();

test("all documents are there, and the list of them names each", () => {
  const docs = PAGES.map((name) => `docs/${name}.md`);
  const others = ["README.md", "CHANGELOG.md", "addon/README.md", "addon/DOCS.md", "docs/README.md"];
  expect(DOCUMENTS).toEqual(expect.arrayContaining([...others, ...docs]));
  expect(DOCUMENTS.filter((file) => file.startsWith("docs/")).toSorted()).toEqual(
    ["docs/README.md", ...docs].toSorted(),
  );
  const list = read("docs/README.md");
  expect(PAGES.filter((name) => !list.includes(`](${name}.md`))).toEqual([]);
});

test("the README is short", () => {
  expect(read("README.md").split("\n").length).toBeLessThan(170);
});

/** Files with words of ours that are no documents. */
const WORDED = globSync(["addon/**/*.yaml", "config/**/*.{yaml,conf}", ".github/**/*.yml", "repository.yaml"], {
  cwd: ROOT,
});

test.each(WORDED)("%s names only files that there are", (file) => {
  const named = read(file).matchAll(/(?<![\w./-])(?:docs|config|addon|tools|src|test)\/[\w./-]*\w\.[a-z]+\b/g);
  expect([...named].map(([path]) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

describe.each(DOCUMENTS)("%s", (file) => {
  const text = read(file);

  test("has links that lead somewhere", () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    expect(links.filter((target) => !leads(file, target))).toEqual([]);
  });

  test("names nothing that is no user's business", () => {
    expect(FORBIDDEN.filter((pattern) => pattern.test(text))).toEqual([]);
  });

  test("has examples that can be read", () => {
    for (const { language, text: example } of codeBlocks(text)) {
      expect(language).not.toBe("");
      if (language === "json") JSON.parse(example);
      if (language === "yaml") expect(complaints(readYaml(example))).toEqual([]);
    }
  });

  test("names only keys and variables that there are", () => {
    expect([...namedKeys(text)].filter((key) => !isKey(key))).toEqual([]);
    expect([...namedVariables(text)].filter((name) => !isVariable(name))).toEqual([]);
  });

  test("names only scripts that there are", () => {
    const { scripts } = parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/\bnpm (?:run ([a-z:0-9]+)|(start|test)\b)/g)].map(
      ([, run, short]) => run ?? short,
    );
    expect(named.filter((name) => scripts[name ?? ""] === undefined)).toEqual([]);
  });
});

test.each([EXAMPLE])("%s names nothing that is no user's business", (file) => {
  expect(FORBIDDEN.filter((pattern) => pattern.test(read(file)))).toEqual([]);
});

test("the commands that there are are told of", async ({ onTestFinished }) => {
  const { path } = temporaryFolder(onTestFinished);
  const { stdout } = await runCli(["--help"], { cwd: path, atEnd: onTestFinished });
  const offered = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name);
  const rows = tableRows(read("docs/commands.md"));
  const told = rows.flatMap(([cell = ""]) => /^`pawline ([a-z]+)(?: [A-Z]+)?`$/.exec(cell)?.[1] ?? []);
  expect(new Set(told)).toEqual(new Set(offered));
});

test("the options of each command are told of", async ({ onTestFinished }) => {
  const { path } = temporaryFolder(onTestFinished);
  const text = read("docs/commands.md");
  for (const command of ["check", "devices", "track", "config", "cleanup", "diagnostics"]) {
    const { stdout } = await runCli([command, "--help"], { cwd: path, atEnd: onTestFinished });
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = ""]) => name);
    expect(options).toContain("--config");
    expect(options.filter((name) => !text.includes(name))).toEqual([]);
  }
});

test("the architecture names every file that is kept in data_dir", () => {
  const kept = globSync("**/*.ts", { cwd: join(ROOT, "src") }).flatMap((file) => {
    const source = read(join("src", file));
    const [, own] = /\bdata\.(?:read|write)\(NAME\b/.test(source) ? (/^const NAME = "(.*)";$/m.exec(source) ?? []) : [];
    return [own ?? [], [...source.matchAll(/\bdata\.read\("([a-z]+)"/g)].map(([, name = ""]) => name)].flat();
  });
  expect(kept).toEqual(expect.arrayContaining(["client", "devices", "timers"]));
  const text = read("docs/architecture.md");
  expect([...kept, "told-mqtt"].filter((name) => !text.includes(`\`${name}.json\``))).toEqual([]);
});

test("the architecture names every folder of the source, and of the tests", () => {
  const text = read("docs/architecture.md");
  const named = tableRows(text).flatMap(([cell = ""]) => [...cell.matchAll(/`([a-z0-9.]+)`/g)].map(([, name]) => name));
  const folders = ["src", "test"].flatMap((folder) => readdirSync(join(ROOT, folder)));
  expect(folders.filter((name) => !name.startsWith(".") && !named.includes(name))).toEqual([]);
});

test("the picture of the architecture shows every source, every way out, and only files that there are", () => {
  const picture = codeBlock(read("docs/architecture.md"), "mermaid");
  const parts = ["sources", "publishers"].flatMap((folder) => globSync(`${folder}/*/`, { cwd: join(ROOT, "src") }));
  expect(parts.filter((part) => !picture.includes(part.replace(/\/$/, "")))).toEqual([]);
  const files = globSync("**/*.ts", { cwd: join(ROOT, "src") });
  const named = [...picture.matchAll(/[a-z/-]+\.ts/g)].map(([name]) => name);
  expect(named).not.toEqual([]);
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test("the architecture quotes the contracts as they are", () => {
  const contracts = read("src/sources/source.ts") + read("src/publishers/publisher.ts");
  const lines = codeBlock(read("docs/architecture.md"), "ts").split("\n");
  expect(lines.filter((line) => !contracts.includes(line))).toEqual([]);
});

function leads(file: string, target: string): boolean {
  if (/^https?:/.test(target)) return HOSTS.test(new URL(target).hostname);
  const [path = "", anchor] = target.split("#");
  const linked = path === "" ? file : relative(ROOT, join(ROOT, dirname(file), path));
  if (linked.startsWith("..") || !existsSync(join(ROOT, linked))) return false;
  return anchor === undefined || anchors(read(linked)).includes(anchor);
}

/** What the schema says to a part of a configuration, once what is missing around it is there; nothing of other YAML. */
function complaints(value: unknown): string[] {
  if (typeof value !== "object" || value === null || !Object.keys(value).some((key) => key in fileSchema.shape))
    return [];
  const result = fileSchema.safeParse({
    pettracer: { username: "a", password: "b" },
    mqtt: { url: "mqtt://c" },
    ...value,
  });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

function namedKeys(text: string): Set<string> {
  const sections = Object.keys(fileSchema.shape).join("|");
  return new Set([...text.matchAll(new RegExp(`\`((?:${sections})\\.[a-z_.]+)\\b`, "g"))].map(([, key = ""]) => key));
}

function isKey(key: string): boolean {
  return /\.(?:yaml|ts)$/.test(key) || LEAVES.some(({ path }) => `${path.join(".")}.`.startsWith(`${key}.`));
}

function namedVariables(text: string): Set<string> {
  return new Set([...text.matchAll(/\bPAWLINE_[A-Z_]*[A-Z]\b/g)].map(([name]) => name));
}

/** The last one is the example of one that there is not. */
function isVariable(name: string): boolean {
  const known = LEAVES.map(({ path }) => environmentName(path));
  return [...known, "PAWLINE_CONFIG", "PAWLINE_PETTRACER", "PAWLINE_MQTT_PORT"].includes(name.replace(/_FILE$/, ""));
}
