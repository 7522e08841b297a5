/** Whether a value fits a JSON Schema: as much of 2020-12 as ours uses. A keyword that is not known here throws. */

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`no schema: ${String(value)}`);
  return value as Fields;
}

/** Says nothing about what fits. */
const NOTES = new Set(["$schema", "title", "description", "default", "secret"]);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};

const KEYWORDS: Readonly<Record<string, (value: unknown, argument: unknown, schema: Fields) => boolean>> = {
  type: (value, type) => {
    const test = TYPES[String(type)];
    if (test === undefined) throw new Error(`an unknown type ${String(type)}`);
    return test(value);
  },
  anyOf: (value, schemas) => listOf(schemas).some((schema) => acceptedBy(schema, value)),
  const: (value, wanted) => value === wanted,
  enum: (value, choices) => listOf(choices).includes(value),
  minLength: (value, least) => typeof value !== "string" || value.length >= Number(least),
  maxLength: (value, most) => typeof value !== "string" || value.length <= Number(most),
  minimum: (value, least) => typeof value !== "number" || value >= Number(least),
  maximum: (value, most) => typeof value !== "number" || value <= Number(most),
  minItems: (value, least) => !Array.isArray(value) || value.length >= Number(least),
  items: (value, schema) => !Array.isArray(value) || value.every((item) => acceptedBy(schema, item)),
  required: (value, keys) => !isObject(value) || listOf(keys).every((key) => Object.hasOwn(value, String(key))),
  properties: (value, properties) =>
    !isObject(value) ||
    Object.entries(fieldsOf(properties)).every(([key, schema]) => !(key in value) || acceptedBy(schema, value[key])),
  additionalProperties(value, allowed, { properties = {} }) {
    if (allowed !== false) throw new Error("additionalProperties is not false");
    return !isObject(value) || Object.keys(value).every((key) => Object.hasOwn(fieldsOf(properties), key));
  },
};

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${String(value)}`);
  return value;
}

export function acceptedBy(schema: unknown, value: unknown): boolean {
  const fields = fieldsOf(schema);
  return Object.entries(fields).every(([keyword, argument]) => {
    if (NOTES.has(keyword)) return true;
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`an unknown keyword ${keyword}`);
    return check(value, argument, fields);
  });
}
