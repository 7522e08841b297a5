/** Any JSON object whose fields have not been looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** True for a JSON object: not for null, not for an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** The parsed value, or undefined where the text is not JSON (JSON itself knows no undefined). */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
