/** The cloud's way to write a moment: ISO 8601 in UTC, without the colon in the offset. `at` is in epoch ms. */
export function cloudTime(at: number = Date.now()): string {
  return new Date(at).toISOString().replace("Z", "+0000");
}

/** Epoch ms of a time as the cloud writes it; NaN for anything else. Not every engine's Date.parse takes `+0000`. */
export function parseCloudTime(value: unknown): number {
  if (typeof value !== "string") return Number.NaN;
  return Date.parse(value.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
}
