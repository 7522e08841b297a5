/**
 * Puts the configuration together: the first file found, the environment over it, flags over both. All that is wrong
 * is told at once, each with its place and a remedy; values are never repeated in an error, they may be secrets.
 */
import { existsSync } from "node:fs";
import { UsageError } from "../lib/errors.ts";
import type { z } from "../lib/schema.ts";
import { readSmallFile } from "../lib/small-file.ts";
import { type SupervisorAccess, supervisorOf } from "../lib/supervisor.ts";
import { APP_REMEDY, appDefaults, withoutEmptySections } from "./app.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";
import { environmentName, LEAVES, type Leaf } from "./leaves.ts";
import { type Config, configSchema } from "./schema.ts";
import { suggestion } from "./suggest.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value comes from: `pawline.yaml:6:9`, a variable, a flag, or `default`. */
  readonly origin: (path: readonly PropertyKey[]) => string;
  /** The file that was read; undefined where there is none. */
  readonly file: string | undefined;
  /** Things worth a warning. */
  readonly warnings: readonly string[];
}

export interface ConfigSources {
  /** As given by `--config`. */
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values from flags: path (joined by dots) and value. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

const USUAL_FILES = ["./pawline.yaml", "/config/pawline.yaml", "/data/options.json"];

/** @throws UsageError with all errors, a line each */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const name = sources.file ?? (sources.environment.PAWLINE_CONFIG || USUAL_FILES.find((file) => existsSync(file)));
  const file = name === undefined ? undefined : readConfigFile(name);
  const draft = createDraft(file, supervisorOf(sources.environment));
  applyEnvironment(draft, sources.environment);
  if (sources.environment[IN_THE_APP]) applyApp(draft);
  for (const [path, value] of Object.entries(sources.flags)) if (value !== undefined) setFlag(draft, path, value);
  const errors = [...(file?.errors ?? []), ...draft.errors];
  // A file that cannot be read would only be followed by errors about all that is missing from it.
  const isUnreadable = file !== undefined && file.values === undefined;
  const result = isUnreadable ? undefined : configSchema.safeParse(draft.values);
  if (result && !result.success)
    errors.push(...result.error.issues.slice(0, MOST_ERRORS + 1).flatMap((issue) => tell(issue, draft)));
  if (errors.length > 0 || !result?.success) throw new UsageError(listed(errors));
  return { config: result.data, origin: (path) => origin(draft, path), file: name, warnings: draft.warnings };
}

/** What is broken from the beginning has an error at each step. */
const MOST_ERRORS = 50;
const LONGEST_ERROR = 1_000;

function listed(errors: readonly string[]): string {
  const shown = errors.slice(0, MOST_ERRORS).map((error) => error.slice(0, LONGEST_ERROR));
  return (errors.length > MOST_ERRORS ? [...shown, "… and more; mend these first"] : shown).join("\n");
}

interface Draft {
  readonly file: ConfigFile | undefined;
  readonly values: Record<string, unknown>;
  /** `pettracer` is one account, not a list: paths into the file have no number. */
  readonly single: boolean;
  /** Home Assistant runs the program as an app. */
  readonly isApp: boolean;
  readonly origins: Map<string, string>;
  readonly errors: string[];
  readonly warnings: string[];
}

function createDraft(file: ConfigFile | undefined, supervisor: SupervisorAccess | undefined): Draft {
  const isApp = supervisor !== undefined;
  const filled = fillSections(file?.values, []);
  const sections: Record<string, unknown> = isSection(filled) ? filled : {};
  const values = isApp ? withoutEmptySections(sections) : sections;
  const single = !Array.isArray(values.pettracer);
  if (single) values.pettracer = [values.pettracer ?? {}];
  const draft: Draft = { file, values, single, isApp, origins: new Map(), errors: [], warnings: [] };
  if (isApp) applyAppDefaults(draft, supervisor);
  return draft;
}

function applyAppDefaults(draft: Draft, supervisor: SupervisorAccess): void {
  const defaults = appDefaults(supervisor, draft.values);
  for (const { path } of LEAVES) {
    const value = defaults[path.join(".")];
    if (value !== undefined && valueAt(draft.values, path) === undefined) set(draft, path, value, "default of the app");
  }
}

/** `mqtt`, `mqtt.discovery`, …: all that has keys of its own. */
const SECTIONS = new Set(
  LEAVES.flatMap(({ path }) => path.slice(1).map((_, index) => path.slice(0, index + 1).join("."))),
);

/** A copy, in which a section that is there and empty is one with nothing but defaults. */
function fillSections(value: unknown, path: readonly string[]): unknown {
  if (path.length > 0 && !SECTIONS.has(path.join("."))) return value;
  if (value === null) return {};
  if (!isSection(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillSections(inner, [...path, key])]));
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function applyEnvironment(draft: Draft, environment: ConfigSources["environment"]): void {
  const known = new Map(LEAVES.map((leaf) => [environmentName(leaf.path), leaf]));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("PAWLINE_") || name === "PAWLINE_CONFIG" || text === undefined) continue;
    const leaf = known.get(name) ?? known.get(name.replace(/_FILE$/, ""));
    if (leaf === undefined) reportUnknown(draft, name);
    else if (leaf.path[0] === "pettracer" && !draft.single) {
      draft.errors.push(`${name}: pettracer is a list of accounts in ${draft.file?.name}; set this value there`);
    } else applyVariable(draft, name, text, leaf, known.has(name));
  }
}

function applyVariable(draft: Draft, name: string, text: string, leaf: Leaf, isValue: boolean): void {
  // An empty variable is how container tools say "not set".
  if (text === "") return;
  try {
    const value = isValue
      ? text
      : readSmallFile(text)
          .toString("utf8")
          .replace(/\r?\n$/, "");
    set(draft, leaf.path, coerce(value, leaf.type), name);
  } catch (error) {
    draft.errors.push(`${name}: the file that it names cannot be read${reasonOf(error)}`);
  }
}

/** Without the file's name: who mixes up the variables has written a password there. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "syscall" in error ? ` (${error.message.replace(/,.*/s, "")})` : "";
}

/** A variable that Home Assistant's Supervisor gives to its apps alone. */
const IN_THE_APP = "SUPERVISOR_TOKEN";

/** In Home Assistant's app the page is always on, and nobody but the Supervisor can reach it. */
function applyApp(draft: Draft): void {
  set(draft, ["live", "host"], "0.0.0.0", IN_THE_APP);
  set(draft, ["live", "ingress"], true, IN_THE_APP);
}

/** A misspelt name must not be passed over; but others may put names that begin like ours into the environment. */
function reportUnknown(draft: Draft, name: string): void {
  const section = LEAVES.filter(({ path }) => name.startsWith(`${environmentName(path.slice(0, 1))}_`));
  if (section.length === 0) draft.warnings.push(`${name}: unknown variable`);
  else
    draft.errors.push(
      `${name}: unknown variable${suggestion(
        section.map(({ path }) => environmentName(path)),
        name,
      )}`,
    );
}

function coerce(text: string, type: Leaf["type"]): unknown {
  switch (type) {
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "list":
      return text.split(",").map((part) => part.trim());
    case "text":
      return text;
  }
}

function setFlag(draft: Draft, path: string, value: string): void {
  set(draft, path.split("."), value, `--${path.replaceAll(".", "-")}`);
}

/** Puts the value in its place; sections on the way are made, or copied, since the file's values are not ours. */
function set(draft: Draft, path: readonly string[], value: unknown, from: string): void {
  const full = path[0] === "pettracer" ? ["pettracer", "0", ...path.slice(1)] : path;
  draft.origins.set(full.join("."), from);
  const last = full.at(-1) ?? "";
  let section: unknown = draft.values;
  for (const step of full.slice(0, -1)) section = enter(section, step);
  if (isSection(section)) section[last] = value;
}

function enter(section: unknown, step: string): unknown {
  if (Array.isArray(section)) {
    const index = Number(step);
    section[index] = isSection(section[index]) ? { ...section[index] } : {};
    return section[index];
  }
  if (!isSection(section)) return undefined;
  const next = section[step];
  section[step] = Array.isArray(next) ? Array.from<unknown>(next) : isSection(next) ? { ...next } : {};
  return section[step];
}

function origin(draft: Draft, path: readonly PropertyKey[]): string {
  const from = draft.origins.get(path.join("."));
  if (from !== undefined) return from;
  return draft.file?.has(filePath(draft, path)) ? draft.file.place(filePath(draft, path)) : "default";
}

/** The path as it stands in the file. */
function filePath(draft: Draft, path: readonly PropertyKey[]): readonly PropertyKey[] {
  return draft.single && path[0] === "pettracer" ? ["pettracer", ...path.slice(2)] : path;
}

/** The sentences for one of zod's issues: place, key, what is wrong and what to do. */
function tell(issue: z.core.$ZodIssue, draft: Draft): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) => `${placeOf(draft, [...issue.path, key])}: unknown key${suggestion(siblings(issue.path), key)}`,
    );
  }
  return [`${placeOf(draft, issue.path)}: ${sentenceOf(issue, draft)}`];
}

/** `pawline.yaml:6:9 mqtt.url`, or `PAWLINE_MQTT_URL mqtt.url`. */
function placeOf(draft: Draft, path: readonly PropertyKey[]): string {
  const shown = filePath(draft, path).join(".");
  const from = draft.origins.get(path.join(".")) ?? draft.file?.place(filePath(draft, path));
  return from === undefined ? shown : `${from} ${shown}`;
}

function sentenceOf(issue: z.core.$ZodIssue, draft: Draft): string {
  const value = valueAt(draft.values, issue.path);
  if (value === undefined) return missing(issue, draft);
  if (value === null) return "is empty; write a value behind it, or remove the key";
  switch (issue.code) {
    case "invalid_type":
      // A schema may have a sentence of its own.
      if (!issue.message.startsWith("Invalid input")) return issue.message;
      return `must be ${TYPES[issue.expected] ?? issue.expected}${issue.expected === "string" ? " (put the value in quotes)" : ""}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      if (issue.origin === "string") return `must not be empty${draft.isApp ? `; ${APP_REMEDY}` : ""}`;
      return issue.origin === "number" ? `must be at least ${issue.minimum}` : lowerFirst(issue.message);
    case "too_big":
      return `must be at most ${issue.maximum}${issue.origin === "string" ? " characters long" : ""}`;
    default:
      return lowerFirst(issue.message);
  }
}

function missing(issue: z.core.$ZodIssue, draft: Draft): string {
  if (draft.isApp) return `missing; ${APP_REMEDY}`;
  const leaf = LEAVES.find(({ path }) => path.join(".") === named(issue.path));
  const remedy = leaf === undefined ? "" : `, or set ${environmentName(leaf.path)}`;
  return `missing; write it into ${draft.file?.name ?? "pawline.yaml"}${remedy}`;
}

function named(path: readonly PropertyKey[]): string {
  return path.filter((step) => typeof step !== "number").join(".");
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined,
    values,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a section with keys of its own",
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The keys that could stand beside this one. */
function siblings(path: readonly PropertyKey[]): string[] {
  const depth = path.filter((step) => typeof step !== "number").length;
  const inSection = LEAVES.filter((leaf) => leaf.path.slice(0, depth).join(".") === named(path));
  return [...new Set(inSection.map((leaf) => leaf.path[depth] ?? ""))];
}
