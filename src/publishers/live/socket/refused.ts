/** Why a request is not done: what the client is told. */
import type { ErrorCode } from "../api/schema.ts";

export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: ErrorCode;
  /** When it is worth another try, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, sentence: string, retryAfterMs?: number) {
    super(sentence);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
