/** The header `Prefer` (RFC 7240), of which we know how long to wait for an answer. */

/** Seconds, `most` of them at most; undefined where nothing is preferred. */
export function preferredWaitS(header: string | readonly string[] | undefined, most: number): number | undefined {
  const preferences = [header ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((one) => one.split(";")[0]?.trim() ?? "");
  for (const preference of preferences) {
    const [, seconds] = /^wait\s*=\s*"?(\d{1,9})"?$/i.exec(preference) ?? [];
    if (seconds !== undefined) return Math.min(Number(seconds), most);
  }
  // It does not want to wait at all.
  return preferences.some((one) => one.toLowerCase() === "respond-async") ? 0 : undefined;
}
