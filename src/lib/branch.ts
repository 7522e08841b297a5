/** A piece of work with an end of its own, inside one that lives for months. */
export interface Branch {
  /** Aborted with the outer signal, and by `end`. */
  readonly signal: AbortSignal;
  /** Aborts it, and lets go of the outer signal. */
  end(reason?: unknown): void;
}

/**
 * Begins one; where the outer signal is aborted already, so is the branch. What listens to a branch is forgotten
 * together with it: on the outer signal itself, or on `AbortSignal.any` of it, it would pile up.
 */
export function branchOf(outer: AbortSignal): Branch {
  const own = new AbortController();
  const follow = (): void => own.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  return {
    signal: own.signal,
    end(reason) {
      outer.removeEventListener("abort", follow);
      own.abort(reason);
    },
  };
}
