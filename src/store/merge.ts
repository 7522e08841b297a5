/**
 * `base` with the fields of `patch` laid over it; the same object when nothing differs. A field that the patch does
 * not have (or has as undefined) stays. Values are compared deeply, so that an equal copy is no change.
 */
export function merge<T extends object>(base: T, patch: Partial<T>): T {
  let changed: Partial<T> | undefined;
  for (const key in patch) {
    const value = patch[key];
    if (value === undefined || equal(base[key], value)) continue;
    changed ??= {};
    changed[key] = value;
  }
  return changed === undefined ? base : { ...base, ...changed };
}

/** Deep equality of plain data: primitives, arrays and records. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
