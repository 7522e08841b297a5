/** What was probably meant by a name that does not exist: the nearest one, or else all that there are. */
export function suggestion(names: readonly string[], wrong: string): string {
  // In a short word two other letters make another word.
  const limit = wrong.length < 6 ? 1 : 2;
  const near = names.find((name) => name.startsWith(wrong) || isNear(name, wrong, limit));
  return near === undefined ? `; there are ${names.join(", ")}` : `; did you mean ${near}?`;
}

function isNear(name: string, wrong: string, limit: number): boolean {
  return Math.abs(name.length - wrong.length) <= limit && distance(name, wrong) <= limit;
}

/** How many letters differ (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      next.push(Math.min((row[j] ?? 0) + (a[i] === b[j] ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
