/**
 * The configuration without anything that could tell whose it is. What may be shown is named, not what must not: a
 * value of a key that is added later stays hidden unless it is a number, a choice of ours, or the default.
 */
import { LEAVES, type Leaf } from "../config/leaves.ts";
import type { Config } from "../config/schema.ts";
import { z } from "../lib/schema.ts";

export const MASK = "***";

export function maskedConfig(config: Config): unknown {
  return masked(config, []);
}

/** All that the mask hides; of an address also what it is made of. */
export function hiddenTexts(config: Config): string[] {
  const shown = new Set(textsOf(maskedConfig(config)));
  return textsOf(config)
    .filter((text) => !shown.has(text))
    .flatMap((text) => [text, ...partsOf(text)]);
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function partsOf(text: string): string[] {
  if (!isAddress(text)) return [];
  const { host, hostname, username, password, pathname } = new URL(text);
  return [host, hostname, username, password, pathname.slice(1)];
}

/** @param path without the numbers of lists */
function masked(value: unknown, path: readonly string[]): unknown {
  const leaf = LEAVES.find((one) => one.path.join(".") === path.join("."));
  if (leaf !== undefined) return maskedLeaf(value, leaf);
  if (Array.isArray(value)) return value.map((inner) => masked(inner, path));
  if (typeof value !== "object" || value === null) return MASK;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, [...path, key])]));
}

function maskedLeaf(value: unknown, leaf: Leaf): unknown {
  if (leaf.secret) return MASK;
  if (typeof value === "boolean" || typeof value === "number") return written(value, leaf);
  if (isDefault(value, leaf) || choicesOf(z.toJSONSchema(leaf.schema, { io: "input" })).includes(value)) return value;
  if (Array.isArray(value)) return value.map(() => MASK);
  return typeof value === "string" ? maskedText(value) : MASK;
}

/** A duration is kept as a number, and written as a text. */
function written(value: boolean | number, { type }: Leaf): boolean | number | string {
  return type === "text" && typeof value === "number" ? `${value / 1_000}s` : value;
}

function isDefault(value: unknown, { schema }: Leaf): boolean {
  const { success, data } = schema.safeParse(undefined);
  return success && JSON.stringify(data) === JSON.stringify(value);
}

/** The texts that a JSON Schema offers to choose from. */
function choicesOf(schema: unknown): unknown[] {
  if (typeof schema !== "object" || schema === null) return [];
  const choices = "enum" in schema && Array.isArray(schema.enum) ? schema.enum : [];
  const constant = "const" in schema ? [schema.const] : [];
  const others = "anyOf" in schema && Array.isArray(schema.anyOf) ? schema.anyOf : [];
  return [...choices, ...constant, ...others.flatMap(choicesOf)];
}

/** Of an address, what it is and its port. */
function maskedText(text: string): string {
  if (!isAddress(text)) return MASK;
  const { protocol, port } = new URL(text);
  return `${protocol}//${MASK}${port && `:${port}`}`;
}

function isAddress(text: string): boolean {
  return /^[a-z]+:\/\//i.test(text) && URL.canParse(text);
}
