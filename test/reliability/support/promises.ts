/** What is promised, ms. */

/** A connection that is there and says nothing more is noticed within this. */
export const NOTICED_MS = 35_000;
/** After a short outage all is well again within this, jitter included. */
export const SOON_MS = 5_000;
/** After a long one. */
export const BACK_MS = 65_000;
/** An outage is short up to this. */
export const SHORT_MS = 12_000;
/** A request that gets no answer is given up after this, and some for the machine. */
export const NO_ANSWER_MS = 25_000;
