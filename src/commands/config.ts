/** `pawline config`: what is in force, and where it comes from. */
import { environmentName, LEAVES, type Leaf } from "../config/leaves.ts";
import type { LoadedConfig } from "../config/load.ts";
import { fileSchema } from "../config/schema.ts";
import { formatDuration, z } from "../lib/schema.ts";
import { readConfig } from "./context.ts";
import { table } from "./lines.ts";
import { EXIT, type ExitCode, type GlobalOptions, type Terminal } from "./terminal.ts";

interface ConfigOptions extends GlobalOptions {
  readonly schema?: boolean;
}

export function config(options: ConfigOptions, terminal: Terminal): Promise<ExitCode> {
  terminal.stdout.write(`${options.schema === true ? jsonSchema() : inForce(options, terminal)}\n`);
  return Promise.resolve(EXIT.fine);
}

function jsonSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { io: "input", target: "draft-2020-12" });
  return JSON.stringify({ title: "Configuration of Pawline", ...schema }, null, 2);
}

function inForce(options: GlobalOptions, terminal: Terminal): string {
  const loaded = readConfig(options, terminal);
  for (const warning of loaded.warnings) terminal.stderr.write(`${warning}\n`);
  return overview(loaded);
}

function overview(loaded: LoadedConfig): string {
  const rows = LEAVES.flatMap((leaf) => pathsOf(leaf, loaded).map((path) => rowOf(leaf, path, loaded)));
  return table([["KEY", "VALUE", "FROM", "VARIABLE"], ...rows]);
}

/** A leaf of an account stands once for each account. */
function pathsOf({ path }: Leaf, { config }: LoadedConfig): (string | number)[][] {
  const [section = "", ...rest] = path;
  return section === "pettracer" ? config.pettracer.map((_, index) => [section, index, ...rest]) : [[...path]];
}

function rowOf(leaf: Leaf, path: (string | number)[], { config, origin }: LoadedConfig): string[] {
  const value = valueAt(config, path);
  const shown = value === undefined ? "" : leaf.secret ? "***" : written(value, leaf);
  return [
    nameOf(path, config.pettracer.length),
    shown,
    value === undefined ? "not set" : origin(path),
    environmentName(leaf.path),
  ];
}

function nameOf(path: readonly (string | number)[], accounts: number): string {
  return path.filter((step) => typeof step === "string" || accounts > 1).join(".");
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null
        ? Object.entries(inner).find(([key]) => key === String(step))?.[1]
        : undefined,
    value,
  );
}

function written(value: unknown, { type }: Leaf): string {
  // A duration is kept as a number, and written as a text.
  if (type === "text" && typeof value === "number") return formatDuration(value);
  return typeof value === "string" ? withoutCredentials(value) : JSON.stringify(value);
}

/** A user and a password may stand in an address, too. */
function withoutCredentials(text: string): string {
  return URL.canParse(text) ? text.replace(/\/\/[^/?#]*@/, "//***@") : text;
}
