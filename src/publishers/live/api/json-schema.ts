/** The shapes of the API as JSON Schema, for its documents: each shape that has a name once, by that name. */
import { z } from "../../../lib/schema.ts";

type Json = Record<string, unknown>;

/**
 * Those that are used, by name.
 * @param prefix what stands before a name in a reference, such as `#/components/schemas/`
 * @param users what refers to them
 */
export function schemasOf(prefix: string, users: unknown): Json {
  const all = allSchemas(prefix);
  const used = new Set<string>();
  for (let look: unknown[] = [users]; look.length > 0; ) {
    const names = look.flatMap((one) => referred(one, prefix)).filter((name) => !used.has(name));
    for (const name of names) used.add(name);
    look = [...new Set(names)].map((name) => all[name]);
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
}

function referred(value: unknown, prefix: string): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"([^"]+)"/g)]
    .map(([, ref = ""]) => ref)
    .filter((ref) => ref.startsWith(prefix))
    .map((ref) => ref.slice(prefix.length));
}

function allSchemas(prefix: string): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    uri: (id) => prefix + id,
    // More keys may be added: so nobody is to refuse an answer for one that is not known.
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // What a time looks like is said by its format.
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
      delete jsonSchema.readOnly;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, without(schema, "$schema", "$id")]));
}

/** A part of a document says nothing of its own dialect, nor where it is. */
export function without(schema: object, ...names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}
