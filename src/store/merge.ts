/** An entry that is being changed: the same object until something differs, and from then on one copy of it. */
export class Draft<T extends object> {
  readonly #base: T;
  #value: T;

  constructor(base: T) {
    this.#base = base;
    this.#value = base;
  }

  /** As it is now. What is laid over it afterwards may change this very object. */
  get value(): T {
    return this.#value;
  }

  /**
   * Lays the fields of `patch` over it, but for those in `except`. A field that the patch does not have (or has as
   * undefined) stays. Values are compared deeply, so that an equal copy is no change.
   */
  lay(patch: Partial<T>, except?: ReadonlySet<string>): this {
    let fresh: Partial<T> | undefined;
    for (const key in patch) {
      const value = patch[key];
      if (value === undefined || except?.has(key) === true || equal(this.#value[key], value)) continue;
      if (!(key in this.#value)) {
        fresh ??= {};
        fresh[key] = value;
        continue;
      }
      if (this.#value === this.#base) this.#value = { ...this.#base };
      this.#value[key] = value;
    }
    // Where many fields come one by one, V8 keeps the object as a hash table, which is slower and larger.
    if (fresh !== undefined) this.#value = { ...this.#value, ...fresh };
    return this;
  }
}

/** `base` with the fields of `patch` laid over it; the same object when nothing differs. */
export function merge<T extends object>(base: T, patch: Partial<T>): T {
  return new Draft(base).lay(patch).value;
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
