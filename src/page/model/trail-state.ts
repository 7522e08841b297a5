/** What is shown of a cat's day. */
export interface TrailState {
  readonly name: string;
  /** `2026-06-01`, as the reader's calendar has it. */
  readonly day: string;
  readonly isToday: boolean;
  readonly summary: string;
  /** More about it, or why there is none. */
  readonly note: string;
  readonly fromMs: number;
  /** The end of the day, or now. */
  readonly toMs: number;
  readonly atMs: number;
  /** Whether the slider is at its end, and goes on with the day. */
  readonly isFollowing: boolean;
  /** What the slider says at `atMs`. */
  readonly clock: string;
  readonly whereabouts: string;
  readonly download: { readonly href: string; readonly file: string };
}
