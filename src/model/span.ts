/** A stretch of time, epoch ms; both ends belong to it. */
export interface Span {
  readonly fromAt: number;
  readonly toAt: number;
}
