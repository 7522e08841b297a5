/** What `pawline check` finds when it tries a part. */
export interface Finding {
  /** What was tried, in a word or two. */
  readonly part: string;
  /** `hint` is worth knowing, and no failure. */
  readonly result: "works" | "hint" | "refused" | "unreachable";
  /** What was found and, unless it works, what to do. */
  readonly sentence: string;
}
