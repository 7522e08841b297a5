/** The values of the schema, one by one: for the environment, for `pawline config`, and for masking. */
import { z } from "../lib/schema.ts";
import { configSchema } from "./schema.ts";

export interface Leaf {
  /** Keys from the top; an account's number is left out. */
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  /** How a text from the environment becomes a value. */
  readonly type: "text" | "number" | "boolean" | "list";
  readonly secret: boolean;
  readonly description: string;
}

export const LEAVES: readonly Leaf[] = leavesOf(configSchema, []);

/** `PAWLINE_MQTT_DISCOVERY_MODE` of `mqtt.discovery.mode`. */
export function environmentName(path: readonly string[]): string {
  return `PAWLINE_${path.join("_").toUpperCase()}`;
}

function leavesOf(schema: z.ZodType, path: readonly string[]): Leaf[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, value]) => leavesOf(asType(value), [...path, key]));
  }
  // A list of sections (the accounts) is walked like one section; a list of values is a leaf.
  if (inner instanceof z.ZodArray && unwrap(asType(inner.element)) instanceof z.ZodObject) {
    return leavesOf(asType(inner.element), path);
  }
  return [{ path, schema, type: typeOf(inner), secret: isSecret(schema), description: descriptionOf(schema) }];
}

function asType(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new TypeError("not a schema");
}

/** Takes off what wraps a schema: its default, and that it may be missing. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(asType(schema.unwrap()));
  }
  return schema;
}

function typeOf(schema: z.ZodType): Leaf["type"] {
  if (schema instanceof z.ZodArray) return "list";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodUnion) {
    return schema.options.every((option) => option instanceof z.ZodLiteral && typeof option.value === "number")
      ? "number"
      : "text";
  }
  return "text";
}

/** A description or a mark may stand on the schema or on what it wraps. */
function metaOf(schema: z.ZodType): z.GlobalMeta[] {
  const inner =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
      ? metaOf(asType(schema.unwrap()))
      : [];
  return [schema.meta() ?? {}, ...inner];
}

function isSecret(schema: z.ZodType): boolean {
  return metaOf(schema).some(({ secret }) => secret === true);
}

function descriptionOf(schema: z.ZodType): string {
  return metaOf(schema).find(({ description }) => description !== undefined)?.description ?? "";
}
